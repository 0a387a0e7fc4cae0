"""What STS does not offer yet."""

NOT_YET = {
    "AssumeRoleWithSAML": "SAML providers are not available yet",
    "AssumeRoot": "privileged root sessions for member accounts are not available yet",
    "DecodeAuthorizationMessage": "no operation of this service answers an encoded authorization message",
    "GetDelegatedAccessToken": "delegated access between vendors is not available yet",
    "GetWebIdentityToken": "outbound web identity federation is not available yet",
}
