"""How many requests a second the real services take from one account in one Region, as far as they tell.

Sources: acm.md 4 and 15; acm-pca.md 15; kms.md 17 and "Request quotas" of the KMS developer guide; "Quotas in AWS
CloudTrail"; "Amazon EventBridge quotas", for us-east-1; "Quotas for IAM Roles Anywhere"; the text of Security Hub's own
model. IAM, Organizations, RAM, S3, SNS and SQS have no row, and some operations of the others have none: no number is
published, or one for each resource rather than for each account.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quota:
    """A bucket: `rate` requests a second, and `burst` at once after a rest; without it, what one second brings."""

    rate: float
    burst: float | None = None


BucketOf = str | Callable[[Parameters], str | None]
"""The name of a bucket, or what finds it from the parameters of a request (as decoded, not validated yet)."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """Buckets by name, and the bucket of each operation, by `service:Operation`. Others have no quota."""

    buckets: Mapping[str, Quota]
    operations: Mapping[str, BucketOf]

    def scaled(self, factor: float) -> "Quotas":
        """The same with every rate and burst multiplied."""
        buckets = {
            name: Quota(each.rate * factor, each.burst and each.burst * factor) for name, each in self.buckets.items()
        }
        return Quotas(buckets, self.operations)

    def with_own(self, rates: Mapping[str, float]) -> "Quotas":
        """The same, but each operation that `rates` names has a bucket of its own; at 0 it has none."""
        own = {operation: Quota(rate) for operation, rate in rates.items() if rate}
        kept = {operation: bucket for operation, bucket in self.operations.items() if operation not in rates}
        return Quotas({**self.buckets, **own}, {**kept, **{operation: operation for operation in own}})


NO_QUOTAS = Quotas({}, {})

_Rates = Mapping[float, str]

_ACM: _Rates = {
    1: "ImportCertificate ResendValidationEmail GetAccountConfiguration PutAccountConfiguration",
    5: "RequestCertificate SearchCertificates RenewCertificate UpdateCertificateOptions AddTagsToCertificate "
    "RemoveTagsFromCertificate TagResource UntagResource ListTagsForResource",
    8: "ListCertificates",
    10: "DescribeCertificate GetCertificate DeleteCertificate ExportCertificate ListTagsForCertificate",
}
_ACM_PCA: _Rates = {
    1: "CreateCertificateAuthority CreateCertificateAuthorityAuditReport CreatePermission DeletePermission",
    5: "DeletePolicy GetPolicy PutPolicy ListPermissions",
    10: "DeleteCertificateAuthority GetCertificateAuthorityCsr ImportCertificateAuthorityCertificate "
    "TagCertificateAuthority UntagCertificateAuthority UpdateCertificateAuthority",
    20: "DescribeCertificateAuthority DescribeCertificateAuthorityAuditReport GetCertificateAuthorityCertificate "
    "ListCertificateAuthorities ListTags RestoreCertificateAuthority RevokeCertificate",
    25: "IssueCertificate",
    75: "GetCertificate",
}
_KMS: _Rates = {
    0.25: "GetParametersForImport",
    5: "CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateKey DeleteCustomKeyStore "
    "DeleteImportedKeyMaterial DescribeCustomKeyStores DisableKey DisableKeyRotation DisconnectCustomKeyStore "
    "EnableKey ImportKeyMaterial ReplicateKey UntagResource UpdateAlias UpdateCustomKeyStore UpdateKeyDescription "
    "UpdatePrimaryRegion",
    10: "TagResource",
    15: "DeleteAlias EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion",
    30: "RetireGrant RevokeGrant",
    50: "CreateGrant",
    100: "ListGrants ListKeyPolicies ListRetirableGrants",
    500: "ListAliases ListKeys",
    1000: "GetKeyPolicy GetKeyRotationStatus",
    2000: "DescribeKey GetPublicKey ListResourceTags",
}
_CLOUDTRAIL: _Rates = {2: "LookupEvents"}
_EVENTS: _Rates = {
    10000: "PutEvents",
    50: "ActivateEventSource CancelReplay CreateApiDestination CreateArchive CreateConnection CreateEventBus "
    "DeauthorizeConnection DeleteApiDestination DeleteArchive DeleteConnection DeleteEventBus DeleteRule "
    "DescribeApiDestination DescribeArchive DescribeConnection DescribeEventBus DescribeReplay DescribeRule "
    "DisableRule EnableRule ListApiDestinations ListArchives ListConnections ListEventBuses ListReplays "
    "ListRuleNamesByTarget ListRules ListTagsForResource ListTargetsByRule PutPermission PutRule PutTargets "
    "RemovePermission RemoveTargets StartReplay TagResource TestEventPattern UntagResource UpdateApiDestination "
    "UpdateArchive UpdateConnection UpdateEventBus",
}

_SHARED: Mapping[str, tuple[float, str]] = {
    "sts": (
        600,
        "AssumeRole DecodeAuthorizationMessage GetAccessKeyInfo GetCallerIdentity GetFederationToken GetSessionToken",
    ),
    "rolesanywhere trust anchors": (
        1,
        "ListTrustAnchors CreateTrustAnchor GetTrustAnchor UpdateTrustAnchor DeleteTrustAnchor EnableTrustAnchor "
        "DisableTrustAnchor",
    ),
    "rolesanywhere profiles": (
        1,
        "ListProfiles CreateProfile GetProfile UpdateProfile DeleteProfile EnableProfile DisableProfile",
    ),
    "rolesanywhere subjects": (1, "ListSubjects GetSubject"),
    "rolesanywhere tags": (1, "TagResource UntagResource ListTagsForResource"),
    "rolesanywhere CRLs": (1, "ListCrls GetCrl ImportCrl UpdateCrl DeleteCrl EnableCrl DisableCrl"),
}
"""What several operations use up together."""

# Symmetric keys: us-east-1; it is as low as 5 500 elsewhere (kms.md 17).
_FAMILIES: Mapping[str, float] = {
    "kms symmetric": 100_000,
    "kms RSA": 1000,
    "kms ECC": 1000,
    # No number was found: as for the other keys that sign.
    "kms ML-DSA": 1000,
}
_KEY_PAIRS: Mapping[str, float] = {
    "ECC_NIST_P256": 25,
    "ECC_NIST_P384": 10,
    "ECC_NIST_P521": 5,
    "ECC_SECG_P256K1": 25,
    "RSA_2048": 1,
    "RSA_3072": 0.5,
    "RSA_4096": 0.1,
}
_SYMMETRIC = "GenerateDataKey GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom VerifyMac"

# Rate and burst, which this service alone tells.
_SECURITY_HUB: Mapping[Quota, str] = {
    Quota(3, 6): "GetFindings",
    Quota(10, 30): "BatchImportFindings BatchUpdateFindings DescribeHub DisableSecurityHub EnableSecurityHub "
    "GetEnabledStandards ListTagsForResource TagResource UntagResource UpdateFindings "
    "UpdateSecurityHubConfiguration",
}


def _family_by(member: str) -> Callable[[Parameters], str | None]:
    """The quota of a cryptographic operation: by the algorithm, which tells of which kind the key must be."""

    def family(parameters: Parameters) -> str:
        algorithm = str(parameters.get(member, ""))
        if algorithm.startswith("RSA"):
            return "kms RSA"
        if algorithm.startswith("ML_DSA"):
            return "kms ML-DSA"
        return "kms ECC" if algorithm.startswith(("EC", "ED", "SM2")) else "kms symmetric"

    return family


def _key_pair(parameters: Parameters) -> str | None:
    spec = str(parameters.get("KeyPairSpec", ""))
    return f"kms {spec} pairs" if spec in _KEY_PAIRS else None


def _published() -> Quotas:
    buckets: dict[str, Quota] = {}
    operations: dict[str, BucketOf] = {}
    rows: tuple[tuple[str, _Rates], ...] = (
        ("acm", _ACM),
        ("acm-pca", _ACM_PCA),
        ("kms", _KMS),
        ("cloudtrail", _CLOUDTRAIL),
        ("events", _EVENTS),
    )
    for service, rates in rows:
        for rate, names in rates.items():
            for name in names.split():
                operations[f"{service}:{name}"] = f"{service}:{name}"
                buckets[f"{service}:{name}"] = Quota(rate)
    for bucket, (rate, names) in _SHARED.items():
        buckets[bucket] = Quota(rate)
        operations |= {f"{bucket.split()[0]}:{name}": bucket for name in names.split()}
    buckets |= {bucket: Quota(rate) for bucket, rate in _FAMILIES.items()}
    buckets |= {f"kms {spec} pairs": Quota(rate) for spec, rate in _KEY_PAIRS.items()}
    operations |= {f"kms:{name}": "kms symmetric" for name in _SYMMETRIC.split()}
    operations |= {f"kms:{name}": _family_by("SigningAlgorithm") for name in ("Sign", "Verify")}
    operations |= {f"kms:{name}": _family_by("EncryptionAlgorithm") for name in ("Encrypt", "Decrypt")}
    operations["kms:ReEncrypt"] = _family_by("SourceEncryptionAlgorithm")
    operations["kms:DeriveSharedSecret"] = "kms ECC"
    operations |= {f"kms:GenerateDataKeyPair{form}": _key_pair for form in ("", "WithoutPlaintext")}
    for quota, names in _SECURITY_HUB.items():
        buckets |= {f"securityhub:{name}": quota for name in names.split()}
        operations |= {f"securityhub:{name}": f"securityhub:{name}" for name in names.split()}
    return Quotas(buckets, operations)


PUBLISHED = _published()
"""The quotas of the real services."""
