"""What SNS does not offer yet. Every other operation of the model has a function."""

_PHONES = "text messages to telephones are not sent from here"
_DEVICES = "notifications to mobile devices are not sent from here"
_INSPECTION = "messages are not searched for personal data here"

NOT_YET = {
    **dict.fromkeys(
        (
            "CheckIfPhoneNumberIsOptedOut",
            "CreateSMSSandboxPhoneNumber",
            "DeleteSMSSandboxPhoneNumber",
            "GetSMSAttributes",
            "GetSMSSandboxAccountStatus",
            "ListOriginationNumbers",
            "ListPhoneNumbersOptedOut",
            "ListSMSSandboxPhoneNumbers",
            "OptInPhoneNumber",
            "SetSMSAttributes",
            "VerifySMSSandboxPhoneNumber",
        ),
        _PHONES,
    ),
    **dict.fromkeys(
        (
            "CreatePlatformApplication",
            "CreatePlatformEndpoint",
            "DeleteEndpoint",
            "DeletePlatformApplication",
            "GetEndpointAttributes",
            "GetPlatformApplicationAttributes",
            "ListEndpointsByPlatformApplication",
            "ListPlatformApplications",
            "SetEndpointAttributes",
            "SetPlatformApplicationAttributes",
        ),
        _DEVICES,
    ),
    **dict.fromkeys(("GetDataProtectionPolicy", "PutDataProtectionPolicy"), _INSPECTION),
}
