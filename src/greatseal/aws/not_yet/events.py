"""Operations of EventBridge that are not offered."""

_PARTNERS = "there are no partner event sources in a private installation"
_ENDPOINTS = "global endpoints fail over between regions of the real service"

NOT_YET = {
    "ActivateEventSource": _PARTNERS,
    "CreateEndpoint": _ENDPOINTS,
    "CreatePartnerEventSource": _PARTNERS,
    "DeactivateEventSource": _PARTNERS,
    "DeleteEndpoint": _ENDPOINTS,
    "DeletePartnerEventSource": _PARTNERS,
    "DescribeEndpoint": _ENDPOINTS,
    "DescribeEventSource": _PARTNERS,
    "DescribePartnerEventSource": _PARTNERS,
    "ListEndpoints": _ENDPOINTS,
    "ListEventSources": _PARTNERS,
    "ListPartnerEventSourceAccounts": _PARTNERS,
    "ListPartnerEventSources": _PARTNERS,
    "PutPartnerEvents": _PARTNERS,
    "UpdateEndpoint": _ENDPOINTS,
}
