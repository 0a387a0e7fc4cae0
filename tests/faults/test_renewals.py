"""Managed renewal when the database fails at each call: nothing is lost, started twice or told twice."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest
import structlog

from doors.acm_material import Acm
from doors.pki import days
from doors.renewals import DAY, actions, associate, dissociate, end_of, renewals
from greatseal.domain.certificates.store import certificates
from greatseal.storage.errors import StorageError
from greatseal.testing.faults import FaultyStorage

APPLIED = pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
MORE_THAN_ENOUGH = 60


@pytest.fixture
def faulty(storage_url: str) -> Iterator[FaultyStorage]:
    storage = FaultyStorage(storage_url)
    yield storage
    storage.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


def generation(acm: Acm, arn: str) -> int:
    found = acm.storage.read(lambda tx: certificates.find(tx, arn.rpartition("/")[2]))
    assert found is not None
    return found.generation


def go_on(acm: Acm, faulty: FaultyStorage) -> None:
    """The database is well again, and time passes."""
    faulty.heal()
    for _ in range(4):
        acm.installation.rooms.issuance.finish_open()
        acm.work()
        acm.advance(minutes=10)
        acm.installation.rooms.renewals.managed.carry_on()


@APPLIED
def test_a_renewal(faulty: FaultyStorage, applied: bool) -> None:
    acm = Acm(faulty)
    authority = acm.root(valid=days(36500))
    acm.permit(authority)
    arn = acm.issued(authority)
    associate(acm, arn)
    managed = acm.installation.rooms.renewals.managed
    for number in range(1, MORE_THAN_ENOUGH):
        acm.clock.at = end_of(acm, arn) - 50 * DAY
        before = generation(acm, arn)
        faulty.fail(at=number, applied=applied)
        with suppress(StorageError):
            managed.carry_on()
            acm.work()
        reached = faulty.failed
        go_on(acm, faulty)
        assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS", number
        assert (generation(acm, arn), acm.key_count()) == (before + 1, 1), number
        assert len(renewals(acm, arn)) == number
        assert actions(acm, arn) == []
        if not reached:
            assert number > 5
            return
    raise AssertionError("more calls than anybody thought")


@APPLIED
def test_a_notice(faulty: FaultyStorage, applied: bool) -> None:
    """The CA has given no permission: the attempt fails, and the owner hears of it once."""
    acm = Acm(faulty)
    authority = acm.root(valid=days(36500))
    managed = acm.installation.rooms.renewals.managed
    for number in range(1, MORE_THAN_ENOUGH):
        arn = acm.issued(authority, f"n{number}.example.com")
        associate(acm, arn)
        acm.clock.at = end_of(acm, arn) - 31 * DAY
        managed.carry_on()
        acm.work()
        acm.advance(hours=26)
        faulty.fail(at=number, applied=applied)
        with suppress(StorageError):
            managed.carry_on()
            acm.work()
            acm.clock.advance(timedelta(hours=1, minutes=1))
            managed.carry_on()
        reached = faulty.failed
        go_on(acm, faulty)
        acm.advance(hours=1)
        managed.carry_on()
        assert len(actions(acm, arn)) == 1, number
        assert (generation(acm, arn), acm.detail(arn)["Status"]) == (3, "ISSUED")
        dissociate(acm, arn)
        if not reached:
            assert number > 5
            return
    raise AssertionError("more calls than anybody thought")
