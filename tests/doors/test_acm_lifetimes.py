"""Export, renewal, revocation and deletion (acm.md 9, 10.1, 10.3, 4.5)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from doors.acm_material import Acm, make
from doors.pki import days, parse, refused, serial_of


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)
NOBODY = "arn:aws:acm:us-east-1:111122223333:certificate/bad-arn"
NOT_EXPORTED = "has not been exported so it is not eligible for the Renew Certificate API."


def private(answer, passphrase=b"open sesame"):
    """The exported key."""
    text = answer["PrivateKey"]
    assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    return serialization.load_pem_private_key(text.encode(), passphrase)


def public(certificate):
    return parse(certificate).public_key()


# Export


@on_both
@pytest.mark.parametrize("key", ["RSA_2048", "EC_prime256v1"])
def test_an_export(acm, key):
    ca = acm.root(key)
    arn = acm.issued(ca, KeyAlgorithm=key)
    answers = [acm.export(arn), acm.export(arn, b"another phrase")]
    assert private(answers[0]).public_key() == public(answers[0]["Certificate"])
    assert private(answers[1], b"another phrase").public_key() == public(answers[0]["Certificate"])
    assert answers[0]["PrivateKey"] != acm.export(arn)["PrivateKey"]
    for answer in answers:
        body = acm.body(arn)
        assert (answer["Certificate"], answer["CertificateChain"]) == (body["Certificate"], body["CertificateChain"])
    # One time in 256 the padding looks right, and then it is the key that cannot be read.
    with pytest.raises(ValueError, match=r"password|deserialize"):
        private(answers[0], b"wrong phrase")


def test_an_export_makes_eligible(acm):
    arn = acm.issued(acm.root())
    (before,) = acm.listed(Includes={"keyTypes": ["EC_prime256v1"]})
    assert (before["Exported"], before["RenewalEligibility"]) == (False, "INELIGIBLE")
    acm.export(arn)
    (after,) = acm.listed(Includes={"keyTypes": ["EC_prime256v1"]})
    assert (after["Exported"], after["RenewalEligibility"]) == (True, "ELIGIBLE")
    assert acm.detail(arn)["RenewalEligibility"] == "ELIGIBLE"


@pytest.mark.parametrize("passphrase", [b"four", b"a" * 128, b"\x01\x7f\x20~", b"with 'quotes' and \\ !@^&*()"])
def test_passphrases(acm, passphrase):
    arn = acm.issued(acm.root())
    assert private(acm.export(arn, passphrase), passphrase)


@pytest.mark.parametrize(
    "passphrase", [b"abc", b"", b"a" * 129, b"abc#", b"abc$", b"abc%", "pässword".encode(), b"\xff\xff\xff\xff"]
)
def test_passphrases_that_are_refused(acm, passphrase):
    arn = acm.issued(acm.root())
    with refused("ValidationException", "passphrase"):
        acm.export(arn, passphrase)
    assert acm.detail(arn)["RenewalEligibility"] == "INELIGIBLE"


def test_what_cannot_be_exported(acm):
    arn = acm.take(make())
    with refused("ValidationException", f"Certificate ARN: {arn} is not a private certificate"):
        acm.export(arn)
    with refused("ResourceNotFoundException", f"Could not find certificate {NOBODY}."):
        acm.export(NOBODY)
    with refused("ValidationException", "Value null at 'passphrase'"):
        acm.acm.export_certificate(CertificateArn=arn)


# Renewal


@on_both
def test_a_renewal(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca, SubjectAlternativeNames=["b.example.com"], Tags=[{"Key": "a", "Value": "b"}])
    before, old = acm.detail(arn), acm.export(arn)
    assert "RenewalSummary" not in before
    acm.advance(days=300)
    acm.acm.renew_certificate(CertificateArn=arn)
    pending = acm.detail(arn)
    assert pending["RenewalSummary"]["RenewalStatus"] == "PENDING_AUTO_RENEWAL"
    assert pending["RenewalSummary"]["UpdatedAt"] == acm.now
    assert (pending["Status"], pending["Serial"]) == ("ISSUED", before["Serial"])
    # Until the new one is there the old one goes on, also for exports.
    assert private(acm.export(arn)).public_key() == public(old["Certificate"])
    assert acm.key_count() == 2
    with refused("RequestInProgressException", arn):
        acm.acm.renew_certificate(CertificateArn=arn)

    acm.advance(seconds=1)
    acm.work()
    after = acm.detail(arn)
    assert after["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert "RenewalStatusReason" not in after["RenewalSummary"]
    assert [each["DomainName"] for each in after["RenewalSummary"]["DomainValidationOptions"]] == [
        "app.example.com",
        "b.example.com",
    ]
    assert after["Serial"] != before["Serial"]
    assert after["CreatedAt"] == before["CreatedAt"]
    assert after["IssuedAt"] == acm.now
    assert after["NotAfter"] > before["NotAfter"]
    assert after["RenewalEligibility"] == "INELIGIBLE"
    assert acm.tags(arn) == [{"Key": "a", "Value": "b"}]
    assert acm.key_count() == 1
    new = acm.export(arn)
    assert acm.detail(arn)["RenewalEligibility"] == "ELIGIBLE"
    assert private(new).public_key() == public(new["Certificate"])
    assert public(new["Certificate"]) != public(old["Certificate"])
    (summary,) = acm.listed(Includes={"keyTypes": ["EC_prime256v1"]})
    assert summary["Exported"] is True


def test_a_renewal_needs_the_permission(acm):
    ca = acm.root()
    arn = acm.exported(ca)
    before = acm.body(arn)
    for round_ in range(2):
        acm.acm.renew_certificate(CertificateArn=arn)
        with acm.nothing_issued():
            acm.work()
        detail = acm.detail(arn)
        assert detail["Status"] == "ISSUED"
        assert "FailureReason" not in detail
        assert detail["RenewalSummary"]["RenewalStatus"] == "FAILED"
        assert detail["RenewalSummary"]["RenewalStatusReason"] == "PCA_ACCESS_DENIED"
        assert acm.key_count() == 1
        assert acm.body(arn) == before
        assert private(acm.export(arn)).public_key() == public(before["Certificate"])
        if round_ == 0:
            # One action too few is as good as none.
            acm.pca.create_permission(
                CertificateAuthorityArn=ca, Principal="acm.amazonaws.com", Actions=["IssueCertificate"]
            )
    acm.pca.delete_permission(CertificateAuthorityArn=ca, Principal="acm.amazonaws.com")
    acm.permit(ca)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda acm, ca: acm.set_status(ca, "DISABLED"), "PCA_INVALID_STATE"),
        (lambda acm, ca: acm.advance(days=300), "PCA_INVALID_DURATION"),
        (
            lambda acm, ca: (acm.set_status(ca, "DISABLED"), acm.delete(ca), acm.advance(days=8)),
            "PCA_RESOURCE_NOT_FOUND",
        ),
    ],
)
def test_a_renewal_that_the_ca_refuses(acm, spoil, reason):
    ca = acm.root(valid=days(600))
    acm.permit(ca)
    arn = acm.exported(ca)
    spoil(acm, ca)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["RenewalSummary"]["RenewalStatusReason"]) == ("ISSUED", reason)


def test_what_cannot_be_renewed(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    with refused("ValidationException", f"Certificate ARN {arn} {NOT_EXPORTED}"):
        acm.acm.renew_certificate(CertificateArn=arn)
    for other in (acm.take(make()), acm.request(ca)):
        with refused("ValidationException", other):
            acm.acm.renew_certificate(CertificateArn=other)
    with refused("ResourceNotFoundException", NOBODY):
        acm.acm.renew_certificate(CertificateArn=NOBODY)
    acm.export(arn)
    acm.advance(days=500)
    with refused("ValidationException", arn):
        acm.acm.renew_certificate(CertificateArn=arn)


def test_a_second_renewal_follows_the_first(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    serials = {acm.detail(arn)["Serial"]}
    for _ in range(3):
        acm.acm.renew_certificate(CertificateArn=arn)
        acm.work()
        serials.add(acm.detail(arn)["Serial"])
    assert len(serials) == 4
    assert acm.key_count() == 1


# Revocation

REASONS = {
    "UNSPECIFIED": "UNSPECIFIED",
    "KEY_COMPROMISE": "KEY_COMPROMISE",
    "AFFILIATION_CHANGED": "AFFILIATION_CHANGED",
    "SUPERCEDED": "SUPERSEDED",
    "SUPERSEDED": "SUPERSEDED",
    "CESSATION_OF_OPERATION": "CESSATION_OF_OPERATION",
    "PRIVILEGE_WITHDRAWN": "PRIVILEGE_WITHDRAWN",
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_revocation(acm, reason):
    arn = acm.exported(acm.root())
    acm.advance(hours=1)
    answer = acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason=reason)
    assert answer["CertificateArn"] == arn
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["RevocationReason"]) == ("REVOKED", REASONS[reason])
    assert detail["RevokedAt"] == acm.now
    assert detail["RenewalEligibility"] == "INELIGIBLE"
    (summary,) = acm.listed(CertificateStatuses=["REVOKED"], Includes={"keyTypes": ["EC_prime256v1"]})
    assert summary["RevokedAt"] == acm.now
    assert acm.body(arn)["Certificate"]
    with refused("ValidationException", "already been revoked"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason=reason)
    with refused("ValidationException", arn):
        acm.acm.renew_certificate(CertificateArn=arn)
    # Revoked is final: not even time makes it EXPIRED.
    acm.advance(days=500)
    assert acm.detail(arn)["Status"] == "REVOKED"
    acm.acm.delete_certificate(CertificateArn=arn)


def test_a_second_revocation_at_once(acm):
    arn = acm.issued(acm.root())
    acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
    with refused("ValidationException", "already been revoked"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="KEY_COMPROMISE")
    acm.work()
    assert acm.detail(arn)["RevocationReason"] == "SUPERSEDED"


@pytest.mark.parametrize("reason", ["CA_COMPROMISE", "CERTIFICATE_HOLD", "REMOVE_FROM_CRL", "A_A_COMPROMISE", "NONE"])
def test_reasons_that_make_no_sense(acm, reason):
    arn = acm.issued(acm.root())
    with refused("ValidationException"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason=reason)
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"


@on_both
def test_a_revocation_at_the_ca(acm):
    ca = acm.root()
    arn, other = acm.issued(ca), acm.issued(ca)
    serial = acm.detail(arn)["Serial"]
    acm.pca.revoke_certificate(
        CertificateAuthorityArn=ca, CertificateSerial=serial, RevocationReason="CERTIFICATE_AUTHORITY_COMPROMISE"
    )
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["RevocationReason"]) == ("REVOKED", "CA_COMPROMISE")
    assert acm.detail(other)["Status"] == "ISSUED"


def test_the_revocation_of_the_predecessor_does_not_touch_the_renewed_one(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    old = acm.detail(arn)["Serial"]
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    acm.pca.revoke_certificate(CertificateAuthorityArn=ca, CertificateSerial=old, RevocationReason="SUPERSEDED")
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_what_cannot_be_revoked(acm):
    ca = acm.root()
    for arn in (acm.take(make()), acm.request(ca)):
        with refused("ValidationException", arn):
            acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="UNSPECIFIED")
    with refused("ResourceNotFoundException", NOBODY):
        acm.acm.revoke_certificate(CertificateArn=NOBODY, RevocationReason="UNSPECIFIED")
    expired = acm.issued(ca)
    acm.advance(days=500)
    with refused("ValidationException", "expired"):
        acm.acm.revoke_certificate(CertificateArn=expired, RevocationReason="UNSPECIFIED")


# Deletion


@on_both
def test_a_deletion_takes_everything_along(acm):
    ca = acm.root()
    acm.permit(ca)
    tags = [{"Key": "a", "Value": "b"}]
    imported = acm.take(make(), Tags=tags)
    pending = acm.request(ca, Tags=tags)
    renewing = acm.exported(ca, Tags=tags)
    acm.acm.renew_certificate(CertificateArn=renewing)
    for arn in (imported, pending, renewing):
        assert acm.tag_count(arn) == 1
        acm.acm.delete_certificate(CertificateArn=arn)
        assert acm.tag_count(arn) == 0
        for call in (
            lambda: acm.acm.delete_certificate(CertificateArn=arn),  # noqa: B023
            lambda: acm.detail(arn),  # noqa: B023
            lambda: acm.body(arn),  # noqa: B023
            lambda: acm.tags(arn),  # noqa: B023
        ):
            with refused("ResourceNotFoundException", f"Could not find certificate {arn} in account 111122223333."):
                call()
    assert acm.key_count() == 0
    with acm.nothing_issued():
        acm.work()
    assert acm.acm.search_certificates()["Results"] == []


def test_a_deletion_is_no_revocation(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    issued = parse(acm.body(arn)["Certificate"])
    acm.acm.delete_certificate(CertificateArn=arn)
    certificate_arn = f"{ca}/certificate/{issued.serial_number:032x}"
    assert parse(acm.get(ca, certificate_arn)["Certificate"]) == issued
    # The CA's owner can still revoke it, which concerns nobody else any more.
    acm.pca.revoke_certificate(
        CertificateAuthorityArn=ca, CertificateSerial=serial_of(certificate_arn), RevocationReason="UNSPECIFIED"
    )
    acm.work()


def test_every_state_can_be_deleted(acm):
    ca = acm.root()
    revoked, expired = acm.issued(ca), acm.issued(ca)
    acm.acm.revoke_certificate(CertificateArn=revoked, RevocationReason="UNSPECIFIED")
    acm.work()
    acm.set_status(ca, "DISABLED")
    failed = acm.request(ca)
    acm.work()
    acm.clock.advance(timedelta(days=500))
    states = {acm.detail(arn)["Status"] for arn in (revoked, expired, failed)}
    assert states == {"REVOKED", "EXPIRED", "FAILED"}
    for arn in (revoked, expired, failed):
        acm.acm.delete_certificate(CertificateArn=arn)
