"""What Organizations does not offer yet."""

_BILLING = "there are no bills whose responsibility could be transferred"
_RESOURCE_POLICY = "delegation by the organization's resource policy is not available yet"
_EFFECTIVE = "policy types that have an effective policy are not available yet"

NOT_YET = {
    "CreateGovCloudAccount": "there is no second partition to make accounts in",
    "EnableAllFeatures": "create the organization with all features instead",
    "DeleteResourcePolicy": _RESOURCE_POLICY,
    "DescribeResourcePolicy": _RESOURCE_POLICY,
    "PutResourcePolicy": _RESOURCE_POLICY,
    "ListAccountsWithInvalidEffectivePolicy": _EFFECTIVE,
    "ListEffectivePolicyValidationErrors": _EFFECTIVE,
    **dict.fromkeys(
        (
            "DescribeResponsibilityTransfer",
            "InviteOrganizationToTransferResponsibility",
            "ListInboundResponsibilityTransfers",
            "ListOutboundResponsibilityTransfers",
            "TerminateResponsibilityTransfer",
            "UpdateResponsibilityTransfer",
        ),
        _BILLING,
    ),
}
