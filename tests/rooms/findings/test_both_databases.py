"""Findings and rounds on both databases, also when they are written at the same time."""

import threading
from datetime import timedelta

import pytest

from doors.acm_material import START, make
from doors.hub import emitted, finding, ids, put, text
from greatseal.domain.findings.reading import everything
from greatseal.domain.watch import Wishes
from greatseal.testing import Installation


@pytest.fixture
def installation(storage):
    return Installation(storage, watch=Wishes())


def test_stored_updated_found_and_read_by_pages(installation, monkeypatch):
    monkeypatch.setattr("greatseal.domain.findings.reading._RUN", 3)
    monkeypatch.setattr("greatseal.domain.findings.store.findings._RUN", 2)
    hub = installation.client("securityhub")
    put(hub, *(finding(f"f-{n}", Title=f"title {n % 3}") for n in range(9)))
    put(hub, finding("f-4", UpdatedAt="2026-01-15T12:00:01Z", Title="newest"))
    assert ids(hub)[0] == "f-4"
    assert sorted(ids(hub, Title=text("title 0"))) == ["f-0", "f-3", "f-6"]
    assert [each.identity.id for each in everything(installation.rooms.storage)] == ids(hub)
    assert ids(hub, sort=[{"Field": "Title", "SortOrder": "desc"}])[0] in ("f-2", "f-5", "f-8")


def test_two_imports_of_one_finding_at_once_make_one(installation):
    failures = []

    def work(number):
        try:
            put(installation.client("securityhub"), finding(Title=f"by {number}"))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert len(list(everything(installation.rooms.storage))) == 1


def test_two_nodes_begin_and_carry_out_one_round(installation):
    acm = installation.client("acm")
    rounds = installation.rooms.watching.rounds
    rounds.begin_due()
    for number in range(5):
        acm.import_certificate(**make(f"n{number}.example.com", end=START + timedelta(days=20)).parcel())
    installation.clock.advance(timedelta(days=1))
    begun = []

    def node():
        begun.append(rounds.begin_due())
        rounds.look_at("111122223333", "us-east-1", START + timedelta(hours=9))

    threads = [threading.Thread(target=node) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    installation.work()
    assert sorted(begun) == [0, 1]
    assert len(emitted(installation, "Security Hub Findings - Imported")) == 5
    assert len(emitted(installation, "Greatseal Certificate Expiry Report")) == 1


def test_a_round_that_is_killed_anywhere_is_finished_by_the_next_try(installation, monkeypatch):
    acm = installation.client("acm")
    for number in range(3):
        acm.import_certificate(**make(f"n{number}.example.com", end=START + timedelta(days=20)).parcel())
    watching = installation.rooms.watching
    watching.rounds.begin_due()
    installation.clock.advance(timedelta(days=1))
    watching.rounds.begin_due()
    original = watching.rounds._events.emit

    def dies(tx, event):
        original(tx, event)
        raise KeyboardInterrupt

    # Findings are written one in a transaction, and each try dies in the next of them, the last in the report.
    monkeypatch.setattr("greatseal.domain.watch.rounds._BATCH", 1)
    for done in range(4):
        monkeypatch.setattr(watching.rounds._events, "emit", dies)
        with pytest.raises(KeyboardInterrupt):
            watching.rounds.look_at("111122223333", "us-east-1", START + timedelta(hours=9))
        monkeypatch.setattr(watching.rounds._events, "emit", original)
        assert len(emitted(installation, "Security Hub Findings - Imported")) == done
        if done < 3:
            hold_one_more(installation, monkeypatch)
    installation.work()
    assert len(emitted(installation, "Security Hub Findings - Imported")) == 3
    assert len(emitted(installation, "Greatseal Certificate Expiry Report")) == 1


def hold_one_more(installation, monkeypatch):
    """Lets one transaction of a round through, and kills the round in the next."""
    watching = installation.rooms.watching
    original, count = watching.rounds._events.emit, iter(range(9))

    def dies(tx, event):
        original(tx, event)
        if next(count):
            raise KeyboardInterrupt

    monkeypatch.setattr(watching.rounds._events, "emit", dies)
    with pytest.raises(KeyboardInterrupt):
        watching.rounds.look_at("111122223333", "us-east-1", START + timedelta(hours=9))
    monkeypatch.setattr(watching.rounds._events, "emit", original)
