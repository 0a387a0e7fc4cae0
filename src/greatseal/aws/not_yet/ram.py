"""What Resource Access Manager does not offer yet."""

_CUSTOMER_MANAGED = "shares use the managed permissions; permissions of one's own are not available yet"
_REPLACING = "managed permissions have one version each, so there is nothing to replace in many shares at once"
_PROMOTION = "a share that was created from a policy is changed with PutPolicy and DeletePolicy"

NOT_YET = {
    "CreatePermission": _CUSTOMER_MANAGED,
    "CreatePermissionVersion": _CUSTOMER_MANAGED,
    "DeletePermission": _CUSTOMER_MANAGED,
    "DeletePermissionVersion": _CUSTOMER_MANAGED,
    "UpdatePermission": _CUSTOMER_MANAGED,
    "SetDefaultPermissionVersion": _CUSTOMER_MANAGED,
    "PromotePermissionCreatedFromPolicy": _PROMOTION,
    "PromoteResourceShareCreatedFromPolicy": _PROMOTION,
    "ListPermissionAssociations": "use ListResourceSharePermissions; associations across shares are not listed yet",
    "ListReplacePermissionAssociationsWork": _REPLACING,
    "ReplacePermissionAssociations": _REPLACING,
    "ListSourceAssociations": "sources limit service principals, with which private CAs cannot be shared",
}
