"""The table of quotas: what it names exists, and which bucket a request is taken from."""

from pathlib import Path

import pytest

from greatseal.app.throttling import throttle
from greatseal.aws.catalogue import NOT_YET, SERVICES
from greatseal.aws.protocol.models import load_service
from greatseal.aws.quotas import NO_QUOTAS, PUBLISHED, Quota
from greatseal.aws.throttling import Throttle, Throttled
from greatseal.kernel.caller import Caller
from greatseal.settings import load
from greatseal.testing import FakeClock

# Without a published number (acm.md 4), or too new for one.
SILENT = {
    "acm": {"ListCertificateDomainValidations", "RevokeCertificate"},
    "kms": {"Decapsulate", "Encapsulate", "GetKeyLastUsage", "ListKeyRotations", "RotateKeyOnDemand"},
    "sts": {"AssumeRoleWithWebIdentity"},
}


def test_every_operation_and_every_bucket_is_real() -> None:
    known = {f"{service}:{name}" for service in SERVICES for name in load_service(service).operations}
    assert PUBLISHED.operations.keys() <= known
    assert {each for each in PUBLISHED.operations.values() if isinstance(each, str)} <= PUBLISHED.buckets.keys()
    # Labels of callers have the name for signing.
    assert all(load_service(service).signing_name == service for service in SERVICES)


@pytest.mark.parametrize("service", ["acm", "acm-pca", "cloudtrail", "events", "kms", "securityhub", "sts"])
def test_nothing_that_is_served_is_forgotten(service: str) -> None:
    served = load_service(service).operations.keys() - NOT_YET[service].keys()
    with_quota = {name.partition(":")[2] for name in PUBLISHED.operations if name.startswith(f"{service}:")}
    assert served - with_quota == SILENT.get(service, set())


@pytest.mark.parametrize(
    ("operation", "parameters", "bucket"),
    [
        ("kms:Sign", {"SigningAlgorithm": "RSASSA_PSS_SHA_256"}, "kms RSA"),
        ("kms:Verify", {"SigningAlgorithm": "ECDSA_SHA_256"}, "kms ECC"),
        ("kms:Sign", {"SigningAlgorithm": "ED25519_SHA_512"}, "kms ECC"),
        ("kms:Sign", {"SigningAlgorithm": "ML_DSA_SHAKE_256"}, "kms ML-DSA"),
        ("kms:Encrypt", {}, "kms symmetric"),
        ("kms:Decrypt", {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}, "kms RSA"),
        ("kms:ReEncrypt", {"SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, "kms symmetric"),
        ("kms:GenerateDataKeyPair", {"KeyPairSpec": "RSA_4096"}, "kms RSA_4096 pairs"),
        # Not validated yet: whatever is refused later has no quota, or any.
        ("kms:GenerateDataKeyPair", {"KeyPairSpec": ["RSA_4096"]}, None),
        ("kms:Sign", {"SigningAlgorithm": 5}, "kms symmetric"),
    ],
)
def test_the_bucket_of_a_key(operation: str, parameters: dict[str, object], bucket: str | None) -> None:
    found = PUBLISHED.operations[operation]
    assert not isinstance(found, str)
    assert found(parameters) == bucket
    assert bucket is None or bucket in PUBLISHED.buckets


def test_scaled_and_single_operations() -> None:
    twice = PUBLISHED.scaled(2)
    assert twice.buckets["acm-pca:IssueCertificate"] == Quota(50)
    assert twice.buckets["securityhub:GetFindings"] == Quota(6, 12)
    own = twice.with_own({"kms:Sign": 7, "acm-pca:IssueCertificate": 0, "iam:ListUsers": 3})
    assert own.buckets["kms:Sign"] == Quota(7)
    assert own.operations["kms:Sign"] == "kms:Sign"
    assert own.operations["kms:Verify"] is PUBLISHED.operations["kms:Verify"]
    assert "acm-pca:IssueCertificate" not in own.operations
    assert NO_QUOTAS.with_own({"iam:ListUsers": 3}).operations == {"iam:ListUsers": "iam:ListUsers"}


def weighing(tmp_path: Path, workers: int = 1, **settings: str) -> tuple[Throttle, list[tuple[str, str]]]:
    """As the service has it, with a clock that stands."""
    refused: list[tuple[str, str]] = []
    environment = {f"GREATSEAL_{name.upper()}": value for name, value in settings.items()}
    loaded = load({"GREATSEAL_DATA": str(tmp_path), **environment})
    made = throttle(loaded, workers=workers, refused=lambda *told: refused.append(told), seconds=lambda: 1000.0)
    return made, refused


def caller(operation: str, user: str = "one", account: str = "111122223333", region: str = "us-east-1") -> Caller:
    return Caller(
        account=account,
        region=region,
        principal_arn=f"arn:aws:iam::{account}:user/{user}",
        access_key_id="AKIA",
        request_id="request",
        operation=operation,
        at=FakeClock().now(),
    )


def let_through(weighed: Throttle, asking: Caller, count: int = 500) -> int:
    for number in range(count):
        try:
            weighed.enter(asking)
            weighed.admit(asking, {})
        except Throttled:
            return number
    return count


def test_nobody_is_held_back_by_default(tmp_path: Path) -> None:
    weighed, refused = weighing(tmp_path)
    assert let_through(weighed, caller("acm-pca:CreateCertificateAuthority")) == 500
    assert refused == []


def test_published_rates_are_those_of_an_account(tmp_path: Path) -> None:
    weighed, refused = weighing(tmp_path, quotas_rates="aws")
    assert let_through(weighed, caller("acm-pca:IssueCertificate")) == 25
    assert let_through(weighed, caller("acm-pca:IssueCertificate", user="two")) == 0
    assert let_through(weighed, caller("acm-pca:IssueCertificate", account="444455556666")) == 25
    assert let_through(weighed, caller("acm-pca:GetCertificate")) == 75
    assert refused == [("acm-pca:IssueCertificate", "account")] * 3 + [("acm-pca:GetCertificate", "account")]


def test_regions_are_apart_only_where_they_are_named(tmp_path: Path) -> None:
    """Otherwise a caller who makes up Regions would have no limit at all."""
    asked = [caller("acm-pca:IssueCertificate", region=region) for region in ("us-east-1", "eu-west-1")]
    weighed, _ = weighing(tmp_path, quotas_rates="aws")
    assert [let_through(weighed, each) for each in asked] == [25, 0]
    weighed, _ = weighing(tmp_path, quotas_rates="aws", enabled_regions="us-east-1,eu-west-1")
    assert [let_through(weighed, each) for each in asked] == [25, 25]


def test_scale_workers_and_single_operations(tmp_path: Path) -> None:
    weighed, _ = weighing(
        tmp_path,
        workers=2,
        quotas_rates="aws",
        quotas_scale="4",
        quotas_operations="acm:ListCertificates=300,kms:Sign=0",
    )
    assert let_through(weighed, caller("acm-pca:IssueCertificate")) == 50
    assert let_through(weighed, caller("acm:ListCertificates")) == 150
    assert let_through(weighed, caller("kms:Sign")) == 500
    only, _ = weighing(tmp_path, quotas_operations="acm:ListCertificates=3.5")
    assert let_through(only, caller("acm:ListCertificates")) == 3
    assert let_through(only, caller("acm-pca:CreateCertificateAuthority")) == 500


def test_one_principal_leaves_something_for_the_others(tmp_path: Path) -> None:
    weighed, refused = weighing(tmp_path, quotas_rates="aws", quotas_principal_share="0.6")
    assert let_through(weighed, caller("acm-pca:IssueCertificate")) == 15
    assert let_through(weighed, caller("acm-pca:IssueCertificate", user="two")) == 10
    assert [quota for _, quota in refused] == ["principal", "account"]


def test_one_principal_asks_no_more_than_so_often(tmp_path: Path) -> None:
    weighed, refused = weighing(tmp_path, quotas_principal_rate="30")
    assert let_through(weighed, caller("acm:ListCertificates"), 20) == 20
    assert let_through(weighed, caller("iam:ListUsers")) == 10
    assert let_through(weighed, caller("iam:ListUsers", user="two")) == 30
    assert refused == [("iam:ListUsers", "principal")] * 2


def test_what_was_given_back_can_be_taken_again(tmp_path: Path) -> None:
    weighed, _ = weighing(tmp_path, quotas_rates="aws", quotas_principal_rate="1", quotas_principal_share="0.5")
    asking = caller("acm:ListCertificates")
    assert let_through(weighed, asking) == 1
    weighed.give_back(asking, {})
    assert let_through(weighed, asking) == 1


def test_operations_that_nobody_has(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"quotas\.operations: no service has the operation acm:MakeCertificate"):
        weighing(tmp_path, quotas_operations="acm:MakeCertificate=5")
