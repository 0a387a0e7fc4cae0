"""Every call of the database fails once, before it starts and after it was applied; then everything is as it must be.

The matrix needs no list of the calls: it lets the first one fail, then the second, until none is left.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog
from botocore.exceptions import ClientError

from doors.pki import Pki, csr
from faults.recovery import check
from greatseal.storage.errors import StorageError
from greatseal.testing.faults import FaultyStorage

APPLIED = pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
MORE_THAN_ENOUGH = 40


@pytest.fixture
def faulty(storage_url: str) -> Iterator[FaultyStorage]:
    storage = FaultyStorage(storage_url)
    yield storage
    storage.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Defects are logged with rich tracebacks, which take longer than the tests."""
    with structlog.testing.capture_logs():
        yield


def is_worth_another_try(error: ClientError) -> None:
    """The database is down: a 5xx, which every SDK sends again."""
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def recover(pki: Pki, faulty: FaultyStorage) -> None:
    faulty.heal()
    pki.installation.rooms.issuance.finish_open(older_than=timedelta(0))


@APPLIED
def test_a_direct_request(faulty: FaultyStorage, applied: bool) -> None:
    pki = Pki(faulty)
    authority = pki.root()
    request = csr()
    reached = 0
    for at in range(1, MORE_THAN_ENOUGH):
        pki.installation.rooms.keys._signer.cache_clear()  # the key is read from the database as well
        faulty.fail(at=at, applied=applied)
        try:
            arn = pki.issue(authority, request, algorithm="SHA256WITHECDSA", IdempotencyToken=f"token-{at}")
        except ClientError as error:
            is_worth_another_try(error)
            arn = None
        if not faulty.failed:
            break
        reached = at
        recover(pki, faulty)
        again = pki.issue(authority, request, algorithm="SHA256WITHECDSA", IdempotencyToken=f"token-{at}")
        assert arn in (None, again)
        assert pki.get(authority, again)["Certificate"]
        # What failed before the journal row left none; the second try made it.
        assert len(check(faulty).journal) == 1 + at
    assert reached == 5  # who signed, what may it, prepare, read the key, close


@APPLIED
def test_a_request_of_acm(faulty: FaultyStorage, applied: bool) -> None:
    pki = Pki(faulty)
    authority = pki.root()
    acm = pki.installation.client("acm")
    reached = 0
    for at in range(1, MORE_THAN_ENOUGH):
        wanted = {
            "DomainName": f"host-{at}.example.com",
            "CertificateAuthorityArn": authority,
            "KeyAlgorithm": "EC_prime256v1",
            "IdempotencyToken": f"token{at}",
        }
        faulty.fail(at=at, applied=applied)
        arn = None
        try:
            arn = acm.request_certificate(**wanted)["CertificateArn"]
            pki.installation.work()
        except ClientError as error:
            is_worth_another_try(error)
        except StorageError:
            pass  # the loop around the runner tries again at its next tick
        if not faulty.failed:
            break
        reached = at
        recover(pki, faulty)
        again = acm.request_certificate(**wanted)["CertificateArn"]
        assert arn in (None, again)
        pki.clock.advance(timedelta(minutes=10))  # leases and pauses of the job are over
        pki.installation.work()
        assert acm.describe_certificate(CertificateArn=again)["Certificate"]["Status"] == "ISSUED"
        # The CA's own certificate, and one for each request so far: no second one for the repeated request.
        assert len(check(faulty).journal) == 1 + at
    assert reached >= 10


@APPLIED
def test_a_key_that_cannot_be_read_for_a_moment_fails_nothing_for_good(faulty: FaultyStorage, applied: bool) -> None:
    pki = Pki(faulty)
    authority = pki.root()
    pki.installation.rooms.keys._signer.cache_clear()
    faulty.fail(at=2, applied=applied)
    with pytest.raises(ClientError, match="InternalFailure"):
        pki.issue(authority, algorithm="SHA256WITHECDSA", IdempotencyToken="token")
    assert faulty.failed
    recover(pki, faulty)
    assert pki.get(authority, pki.issue(authority, IdempotencyToken="token"))["Certificate"]
    assert {row["state"] for row in check(faulty).journal} == {"ISSUED"}


@APPLIED
def test_recovery_itself(faulty: FaultyStorage, applied: bool) -> None:
    """Recovery is recovered from by running it again."""
    pki = Pki(faulty)
    authority = pki.root()
    finish = pki.installation.rooms.issuance.finish_open
    for at in range(1, MORE_THAN_ENOUGH):
        faulty.fail(at=4, applied=False)  # after the row of the journal
        pki.installation.rooms.keys._signer.cache_clear()
        with pytest.raises(ClientError):
            pki.issue(authority, algorithm="SHA256WITHECDSA")
        pki.installation.rooms.keys._signer.cache_clear()
        faulty.fail(at=at, applied=applied)
        try:
            finish(older_than=timedelta(0))
        except StorageError:
            assert faulty.failed
        if not faulty.failed:
            break
        recover(pki, faulty)
        assert len(check(faulty).journal) == 1 + at
    assert at == 5  # what is open, the issuer, the key, the end
