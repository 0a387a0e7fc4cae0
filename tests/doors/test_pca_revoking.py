"""Revocation through the door: serial forms, what cannot be revoked, and that it happens once (acm-pca.md 2.9)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import func, select

from doors.pki import Pki, days, refused, serial_of
from greatseal.domain.revocation.store import revocation
from greatseal.testing import FakeEntropy


@pytest.fixture
def pki(storage):
    return Pki(storage)


def revoke(pki, arn, serial, reason="UNSPECIFIED"):
    pki.pca.revoke_certificate(CertificateAuthorityArn=arn, CertificateSerial=serial, RevocationReason=reason)


def revoked_count(pki):
    return pki.storage.read(lambda tx: int(tx.one(select(func.count()).select_from(revocation))[0]))


FORMS = {
    "plain": lambda plain: plain,
    "upper": str.upper,
    "colons": lambda plain: bytes.fromhex(plain).hex(":"),
    "upper colons": lambda plain: bytes.fromhex(plain).hex(":").upper(),
    "no leading zeros": lambda plain: f"{int(plain, 16):x}",
    "as DER prints a high bit": lambda plain: f"00:{bytes.fromhex(plain).hex(':')}",
    "many leading zeros": lambda plain: "0" * 60 + plain,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_to_write_a_serial(pki, form):
    arn = pki.root()
    issued = pki.issue(arn)
    revoke(pki, arn, FORMS[form](serial_of(issued)), "KEY_COMPROMISE")
    assert revoked_count(pki) == 1
    for again in FORMS.values():
        with refused("RequestAlreadyProcessedException"):
            revoke(pki, arn, again(serial_of(issued)))
    # A revoked certificate can still be read.
    assert pki.get(arn, issued)["Certificate"]


class LeadingZeros(FakeEntropy):
    """Serials whose first octet is zero."""

    def token_bytes(self, size):
        return b"\x00" + super().token_bytes(size)[1:] if size == 16 else super().token_bytes(size)


def test_a_serial_without_its_leading_zeros_as_terraform_sends_it(storage):
    pki = Pki(storage, entropy=LeadingZeros())
    arn = pki.root()
    plain = serial_of(pki.issue(arn))
    assert len(plain) == 32
    revoke(pki, arn, f"{int(plain, 16):x}")
    assert revoked_count(pki) == 1


@pytest.mark.parametrize(
    "reason",
    [
        "UNSPECIFIED",
        "KEY_COMPROMISE",
        "CERTIFICATE_AUTHORITY_COMPROMISE",
        "AFFILIATION_CHANGED",
        "SUPERSEDED",
        "CESSATION_OF_OPERATION",
        "PRIVILEGE_WITHDRAWN",
        "A_A_COMPROMISE",
    ],
)
def test_every_reason_is_recorded(pki, reason):
    arn = pki.root()
    serial = serial_of(pki.issue(arn))
    revoke(pki, arn, serial, reason)
    row = pki.storage.read(lambda tx: tx.one(select(revocation)))
    assert (row.serial, row.reason, row.revoked_at) == (serial, reason, pki.now)


def test_what_cannot_be_revoked(pki):
    arn = pki.create()
    own = pki.install_root(arn)
    other = pki.root()
    leaf = pki.issue(arn)
    with refused("InvalidRequestException", "Self-signed certificate can not be revoked"):
        revoke(pki, arn, serial_of(own))
    for serial in ("00" * 16, "1", "0", serial_of(pki.issue(other))):
        with refused("ResourceNotFoundException"):
            revoke(pki, arn, serial)
    for serial in ("xyz", ":", "-1", "0x12", "12 34", "f" * 41):
        with refused("InvalidRequestException", "hexadecimal"):
            revoke(pki, arn, serial)
    with refused("ValidationException", "less than or equal to 128"):
        revoke(pki, arn, "0" * 129)
    for reason in ("CERTIFICATE_HOLD", "REMOVE_FROM_CRL", "unspecified"):
        with refused("ValidationException", "enum value set"):
            revoke(pki, arn, serial_of(leaf), reason)
    pki.clock.advance(timedelta(days=30, seconds=1))
    with refused("InvalidRequestException", "expired"):
        revoke(pki, arn, serial_of(leaf))
    assert revoked_count(pki) == 0


def test_a_subordinate_is_revoked_by_its_parent_and_stays_active(pki):
    root = pki.root()
    low = pki.subordinate(root)
    serial = pki.describe(low)["Serial"]
    with refused("ResourceNotFoundException"):
        revoke(pki, low, serial)
    revoke(pki, root, serial, "CERTIFICATE_AUTHORITY_COMPROMISE")
    assert pki.status(low) == "ACTIVE"


def test_a_certificate_that_its_own_ca_key_certifies_counts_as_self_signed(pki):
    arn = pki.root()
    again = pki.issue(arn, pki.csr_of(arn), using="RootCACertificate", valid=days(20))
    with refused("InvalidRequestException", "Self-signed certificate can not be revoked"):
        revoke(pki, arn, serial_of(again))


def test_of_parallel_revocations_one_wins(pki):
    arn = pki.root()
    serial = serial_of(pki.issue(arn))

    def attempt(reason):
        try:
            revoke(pki, arn, serial, reason)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "done"

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, ["SUPERSEDED", "UNSPECIFIED", "KEY_COMPROMISE", "A_A_COMPROMISE"] * 2))
    assert sorted(set(outcomes)) == ["RequestAlreadyProcessedException", "done"]
    assert outcomes.count("done") == 1
    assert revoked_count(pki) == 1
