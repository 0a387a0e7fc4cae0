"""The CA upstream changes its mind about when a certificate is to be renewed (RFC 9773 4.2)."""

from datetime import datetime, timedelta

import pytest

from doors.publics import PrivateIssuer, Publics
from doors.renewals import DAY, associate, renewals, sweep
from greatseal.app.upstream import UpstreamWishes
from greatseal.domain.renewal import ASK_JOB, Asking, asking
from greatseal.domain.upstream import Wishes
from greatseal.storage import Storage, queue
from greatseal.testing import FakeClock, Installation
from made_acme import MadeCa

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def acm(storage: Storage) -> Publics:
    return Publics(storage)


def ask(acm: Publics, monkeypatch: pytest.MonkeyPatch, at: datetime | None, after: str = "") -> int:
    monkeypatch.setattr(PrivateIssuer, "renews_at", lambda self, certificate: at)
    return Asking(storage=acm.storage, issuer=acm.issuer, clock=acm.clock).carry_on(after)


def test_a_window_that_was_moved_is_kept(acm: Publics, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = acm.had()
    associate(acm, arn)
    assert ask(acm, monkeypatch, acm.now + 2 * DAY) == 1
    assert ask(acm, monkeypatch, acm.now + 2 * DAY) == 0, "it was pulled already"
    acm.clock.advance(2 * DAY - timedelta(minutes=1))
    assert sweep(acm) == 0
    acm.clock.advance(timedelta(minutes=2))
    assert sweep(acm) == 1
    acm.work()
    assert len(renewals(acm, arn)) == 1


@pytest.mark.parametrize("days", [None, 170])
def test_what_is_wanted_later_or_not_at_all_changes_nothing(
    acm: Publics, monkeypatch: pytest.MonkeyPatch, days: int | None
) -> None:
    associate(acm, acm.had())
    assert ask(acm, monkeypatch, None if days is None else acm.now + days * DAY) == 0


def test_a_certificate_that_nobody_uses_is_not_asked_about(acm: Publics, monkeypatch: pytest.MonkeyPatch) -> None:
    acm.had()
    assert ask(acm, monkeypatch, acm.now) == 0
    assert sweep(acm) == 0


def test_a_round_goes_on_behind_each_batch(acm: Publics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "_BATCH", 1)
    arns = sorted((acm.had(f"{name}.example.com") for name in "ab"), key=lambda arn: arn.rpartition("/")[2])
    for arn in arns:
        associate(acm, arn)
    assert ask(acm, monkeypatch, acm.now + DAY) == 1
    first = arns[0].rpartition("/")[2]
    assert acm.storage.read(lambda tx: queue.due_count(tx, [ASK_JOB], acm.now, limit=9)) == 1
    assert ask(acm, monkeypatch, acm.now + DAY, first) == 1
    assert ask(acm, monkeypatch, acm.now + DAY, arns[1].rpartition("/")[2]) == 0


def test_rounds_are_made_with_a_ca_upstream_only(storage: Storage) -> None:
    clock = FakeClock()
    plain = Installation(storage, clock=clock).rooms
    wanted = UpstreamWishes(MadeCa(clock, lambda *_: True), Wishes(), "dns-01")
    above = Installation(storage, clock=clock, upstream=wanted).rooms
    for rooms, has in ((plain, False), (above, True)):
        assert (ASK_JOB in rooms.delivery_handlers()) is has
        assert ("ask-when-to-renew" in [each.name for each in rooms.recurring()]) is has
