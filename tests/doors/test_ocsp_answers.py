"""What OCSP says about certificates in every state of them and of their CA (docs/ocsp.md)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ReasonFlags
from cryptography.x509.oid import AuthorityInformationAccessOID
from sqlalchemy import update

from doors.ocsp_client import ENABLED, Door, authority_id, ca_certificate, request
from doors.pki import Pki, days, serial_of
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.storage import open_storage
from greatseal.testing import FakeEntropy
from greatseal.x509 import der

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def door(pki):
    return Door(pki)


def revoke(pki, arn, certificate, reason="UNSPECIFIED"):
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=arn, CertificateSerial=f"{certificate.serial_number:x}", RevocationReason=reason
    )


@sqlite
@pytest.mark.parametrize(
    "algorithm", ["EC_prime256v1", "EC_secp384r1", "EC_secp521r1", "RSA_2048", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"]
)
def test_every_kind_of_ca_answers_with_a_key_of_its_own_kind(pki, door, algorithm):
    arn = pki.root(algorithm, RevocationConfiguration=ENABLED)
    root = ca_certificate(pki, arn)
    leaf = pki.certificate(arn)
    assert door.status(leaf, root) == "GOOD"
    revoke(pki, arn, leaf)
    answer = door.ask(request(leaf, root), root)
    assert answer.certificate_status.name == "REVOKED"
    assert answer.signature_algorithm_oid == root.signature_algorithm_oid
    (responder,) = answer.certificates
    assert type(responder.public_key()) is type(root.public_key())


def test_good_revoked_and_never_issued(pki, door):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root = ca_certificate(pki, arn)
    leaf, other = pki.certificate(arn), pki.certificate(arn)
    assert door.status(leaf, root) == door.status(other, root) == "GOOD"
    pki.clock.advance(timedelta(minutes=1, microseconds=17))
    revoke(pki, arn, leaf, "KEY_COMPROMISE")
    answer = door.ask(request(leaf, root), root)
    assert answer.certificate_status.name == "REVOKED"
    assert answer.revocation_reason is ReasonFlags.key_compromise
    assert answer.revocation_time_utc == pki.now.replace(microsecond=0)
    assert answer.serial_number == leaf.serial_number
    # The other one is none the worse for it.
    assert door.status(other, root) == "GOOD"
    for serial in (leaf.serial_number + 1, 1, 2**159, 2**900):
        assert door.status(serial, root) == "UNKNOWN"


@sqlite
def test_the_address_in_the_certificate_is_answered(pki, door):
    arn = pki.root(RevocationConfiguration=ENABLED)
    leaf = pki.certificate(arn)
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = [each.access_location.value for each in access if each.access_method == AuthorityInformationAccessOID.OCSP]
    path = url.removeprefix("http://127.0.0.1:8080")
    assert path == f"/ocsp/{authority_id(arn)}"
    assert door.status(leaf, ca_certificate(pki, arn), path) == "GOOD"


@sqlite
@pytest.mark.parametrize(
    ("reason", "flag"),
    [
        ("UNSPECIFIED", None),
        ("CERTIFICATE_AUTHORITY_COMPROMISE", ReasonFlags.ca_compromise),
        ("AFFILIATION_CHANGED", ReasonFlags.affiliation_changed),
        ("SUPERSEDED", ReasonFlags.superseded),
        ("CESSATION_OF_OPERATION", ReasonFlags.cessation_of_operation),
        ("PRIVILEGE_WITHDRAWN", ReasonFlags.privilege_withdrawn),
        ("A_A_COMPROMISE", ReasonFlags.aa_compromise),
    ],
)
def test_reasons(pki, door, reason, flag):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    revoke(pki, arn, leaf, reason)
    assert door.ask(request(leaf, root), root).revocation_reason is flag


@sqlite
def test_a_certificate_of_a_subordinate_under_a_root_without_ocsp(pki, door):
    top = pki.root()
    low = pki.subordinate(top, RevocationConfiguration=ENABLED)
    leaf = pki.certificate(low)
    assert door.status(leaf, ca_certificate(pki, low)) == "GOOD"
    assert door.error(request(ca_certificate(pki, low), ca_certificate(pki, top))) == "UNAUTHORIZED"
    pki.pca.update_certificate_authority(CertificateAuthorityArn=top, RevocationConfiguration=ENABLED)
    # What was issued before OCSP was switched on is answered too.
    assert door.status(ca_certificate(pki, low), ca_certificate(pki, top)) == "GOOD"
    assert door.status(ca_certificate(pki, top), ca_certificate(pki, top)) == "GOOD"
    pki.pca.update_certificate_authority(
        CertificateAuthorityArn=top, RevocationConfiguration={"OcspConfiguration": {"Enabled": False}}
    )
    assert door.error(request(ca_certificate(pki, low), ca_certificate(pki, top))) == "UNAUTHORIZED"


@sqlite
def test_sha_256_names_the_issuer_as_well(pki, door):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    answer = door.ask(request(leaf, root, hash=hashes.SHA256()), root)
    assert answer.certificate_status.name == "GOOD"
    assert isinstance(answer.hash_algorithm, hashes.SHA256)
    # No CA is known by these.
    for unknown in (hashes.SHA384(), hashes.SHA512(), hashes.SHA224()):
        assert door.error(request(leaf, root, hash=unknown)) == "UNAUTHORIZED"


@sqlite
def test_strangers_and_the_path_of_another_ca(pki, door):
    mine, other = (pki.root(RevocationConfiguration=ENABLED, IdempotencyToken=each) for each in "ab")
    root, leaf = ca_certificate(pki, mine), pki.certificate(mine)
    assert door.error(request(leaf, root), f"/ocsp/{authority_id(other)}") == "UNAUTHORIZED"
    assert door.error(request(leaf, root), f"/ocsp/{'0' * 8}-0000-0000-0000-{'0' * 12}") == "UNAUTHORIZED"
    assert door.error(request(leaf, leaf)) == "UNAUTHORIZED"


def several(*parts):
    """One request about the certificates of many."""
    lists = [der.only(der.only(part, der.SEQUENCE).raw(), der.SEQUENCE).enter(der.SEQUENCE).raw() for part in parts]
    return der.sequence(der.sequence(der.sequence(*lists)))


@sqlite
def test_several_certificates_in_one_request(pki, door):
    mine, other = (pki.root(RevocationConfiguration=ENABLED, IdempotencyToken=each) for each in "ab")
    root = ca_certificate(pki, mine)
    good, bad, foreign = pki.certificate(mine), pki.certificate(mine), pki.certificate(other)
    revoke(pki, mine, bad)
    asked = several(
        request(foreign, foreign),
        request(good, root, hash=hashes.SHA256()),
        request(bad, root),
        request(foreign, ca_certificate(pki, other)),
        request(good, root),
        request(good, root),
    )
    answer = door.ask(asked, root)
    assert [each.certificate_status.name for each in answer.responses] == [
        "UNKNOWN",
        "GOOD",
        "REVOKED",
        # The first CA that is known signs; of the others it knows nothing.
        "UNKNOWN",
        "GOOD",
        "GOOD",
    ]
    one = request(good, root)
    assert len(list(door.ask(several(*[one] * 100), root).responses)) == 100
    assert door.error(several(*[one] * 101)) == "MALFORMED_REQUEST"


@sqlite
@pytest.mark.parametrize("state", ["PREPARED", "FAILED"])
def test_what_was_not_issued_in_the_end_is_unknown(pki, door, state):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    assert door.status(leaf, root) == "GOOD"
    of_leaf = issued_certificate.c.serial == f"{leaf.serial_number:032x}"
    pki.storage.transact(lambda tx: tx.execute(update(issued_certificate).where(of_leaf).values(state=state)))
    assert door.status(leaf, root) == "UNKNOWN"


@sqlite
def test_expired_certificates_keep_their_last_status(pki, door):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root = ca_certificate(pki, arn)
    good, bad = pki.certificate(arn, valid=days(1)), pki.certificate(arn, valid=days(1))
    revoke(pki, arn, bad)
    pki.clock.advance(timedelta(days=400))
    assert (door.status(good, root), door.status(bad, root)) == ("GOOD", "REVOKED")


@sqlite
def test_the_states_of_a_ca(pki, door):
    arn = pki.create(RevocationConfiguration=ENABLED)
    pki.install_root(arn, valid=days(100))
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    asked = request(leaf, root)
    pki.set_status(arn, "DISABLED")
    # Its first responder is made while it may issue nothing else.
    assert door.status(leaf, root) == "GOOD"
    revoke(pki, arn, leaf)
    pki.delete(arn)
    assert door.error(asked) == "UNAUTHORIZED"
    pki.pca.restore_certificate_authority(CertificateAuthorityArn=arn)
    assert door.status(leaf, root) == "REVOKED"
    pki.clock.advance(timedelta(days=101))
    assert pki.status(arn) == "EXPIRED"
    assert door.error(asked) == "UNAUTHORIZED"


@sqlite
def test_a_revoked_ca_still_answers_for_its_certificates(pki, door):
    top = pki.root(RevocationConfiguration=ENABLED)
    low = pki.subordinate(top, RevocationConfiguration=ENABLED)
    leaf, subordinate = pki.certificate(low), ca_certificate(pki, low)
    revoke(pki, top, subordinate, "CESSATION_OF_OPERATION")
    assert door.status(subordinate, ca_certificate(pki, top)) == "REVOKED"
    assert door.status(leaf, subordinate) == "GOOD"


@sqlite
def test_a_nonce_comes_back(pki, door):
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    for size in (1, 16, 32, 33, 128):
        nonce = bytes(range(size))
        answer = door.ask(request(leaf, root, nonce=nonce), root)
        assert answer.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == nonce
    for size in (0, 129, 1000):
        assert door.error(request(leaf, root, nonce=bytes(size))) == "MALFORMED_REQUEST"
    assert not list(door.ask(request(leaf, root), root).extensions)


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_revocation_shows_at_once_on_every_node(storage_url):
    one, two = (Pki(open_storage(storage_url), entropy=FakeEntropy(seed)) for seed in ("one", "two"))
    try:
        arn = one.root(RevocationConfiguration=ENABLED)
        root, leaf = ca_certificate(one, arn), one.certificate(arn)
        doors = [Door(one), Door(two)]
        first = [door.post(request(leaf, root)).body for door in doors]
        assert [door.post(request(leaf, root)).body for door in doors] == first, "both answer from memory"
        assert door_responders(doors, leaf, root) == 1, "both sign with the one responder"
        revoke(one, arn, leaf, "SUPERSEDED")
        assert [door.status(leaf, root) for door in doors] == ["REVOKED"] * 2
        late = two.certificate(arn)
        assert [door.status(late, root) for door in doors] == ["GOOD"] * 2
        assert serial_of(one.issue(arn))
    finally:
        one.storage.close()
        two.storage.close()


def door_responders(doors, leaf, root):
    return len({door.ask(request(leaf, root), root).certificates[0].serial_number for door in doors})
