"""Lanes: order, patience, rest, dead letters; on both databases."""

from datetime import timedelta

import pytest
from lanes import SECOND, Lanes, parcel
from sqlalchemy import select

from greatseal.domain.delivery import Parcel, Patience, Undeliverable
from greatseal.storage import Storage, Tx
from greatseal.storage.schema import job

only_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def jobs(lanes: Lanes) -> list[str]:
    return [row.key for row in lanes.storage.read(lambda tx: tx.all(select(job.c.key).order_by(job.c.key)))]


def test_parcels_arrive_in_order_and_leave_nothing(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.post(*(parcel(f"m{n}", key="a") for n in range(120)))
    lanes.work()
    assert lanes.receiver.got == [f"m{n}" for n in range(120)]
    assert (lanes.deliveries.census().waiting, lanes.deliveries.dead(), jobs(lanes)) == (0, [], [])


def test_a_parcel_arrives_as_it_was_posted(storage: Storage) -> None:
    lanes, seen = Lanes(storage), []
    lanes.receiver.behave = seen.append
    posted = Parcel("lane ü", "k", {"to": "a@b.example"}, 'b\n"ö" 🔑', "id-1", "key", {"subject": "é"}, "111122223333")
    lanes.post(posted)
    lanes.work()
    assert seen == [posted]


def test_what_was_rolled_back_is_never_sent(storage: Storage) -> None:
    lanes = Lanes(storage)

    def work(tx: Tx) -> None:
        lanes.deliveries.post(tx, [parcel("m")])
        raise LookupError

    with pytest.raises(LookupError):
        storage.transact(work)
    assert (lanes.work(), lanes.receiver.tried) == (0, [])


def test_a_failure_holds_back_its_order_key_only(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse("a1")
    lanes.post(parcel("a1", key="a"), parcel("a2", key="a"), parcel("b1", key="b"), parcel("c"), parcel("a3", key="a"))
    lanes.work()
    assert lanes.receiver.got == ["b1", "c"]
    lanes.receiver.accept()
    lanes.pass_time(2 * SECOND)
    assert lanes.receiver.got == ["b1", "c", "a1", "a2", "a3"]


def test_a_dead_letter_lets_the_next_of_its_key_pass_and_can_be_replayed(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse("a1", final=True)
    lanes.post(parcel("a1", key="a"), parcel("a2", key="a"))
    lanes.work()
    assert lanes.receiver.got == ["a2"]
    (letter,) = lanes.deliveries.dead(account="111122223333")
    assert (letter.parcel.message_id, letter.error, letter.attempts) == ("a1", "no", 1)
    assert lanes.deliveries.dead(account="222222222222") == []
    lanes.receiver.accept()
    lanes.clock.advance(timedelta(days=2))
    assert lanes.deliveries.replay(letter.id)
    assert not lanes.deliveries.replay(letter.id)
    lanes.work()
    assert (lanes.receiver.got, lanes.deliveries.dead()) == (["a2", "a1"], [])


def test_a_receiver_that_is_down_is_asked_once_and_the_lane_rests(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse(down=True)
    lanes.post(*(parcel(f"m{n}") for n in range(10)))
    lanes.post(parcel("other", lane="two"))
    lanes.work()
    assert lanes.receiver.tried == ["m0", "other"]
    # A new parcel does not wake a lane that rests.
    lanes.post(parcel("m10"))
    lanes.work()
    assert lanes.receiver.tried == ["m0", "other"]
    # Nor does it forget after a restart of the process.
    fresh = Lanes(storage, lanes.clock)
    fresh.work()
    assert fresh.receiver.tried == []
    lanes.receiver.accept()
    lanes.pass_time(2 * SECOND)
    assert sorted(lanes.receiver.got) == sorted([*(f"m{n}" for n in range(11)), "other"])


@only_sqlite
def test_retries_come_further_and_further_apart(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse(down=True)
    lanes.post(parcel("m"))
    lanes.work()
    lanes.pass_time(timedelta(hours=2), step=timedelta(seconds=5))
    # 1, 2, 4, … seconds, then every five to ten minutes.
    assert 18 <= len(lanes.receiver.tried) <= 32


@only_sqlite
def test_after_a_day_a_parcel_is_given_up_and_with_it_what_is_as_old(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse(down=True)
    lanes.post(parcel("m0"), parcel("m1"))
    lanes.work()
    lanes.clock.advance(timedelta(hours=12))
    lanes.post(parcel("young"))
    lanes.clock.advance(timedelta(hours=12))
    tried = len(lanes.receiver.tried)
    lanes.work()
    assert [letter.parcel.message_id for letter in lanes.deliveries.dead()] == ["m1", "m0"]
    assert len(lanes.receiver.tried) == tried + 2  # m0, and later the young one
    assert lanes.deliveries.census().waiting == 1


@only_sqlite
def test_a_parcel_may_bring_less_patience(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse()
    lanes.post(
        parcel("never", retry_attempts="0"), parcel("twice", retry_attempts="1"), parcel("minute", retry_seconds="60")
    )
    lanes.work()
    assert [letter.parcel.message_id for letter in lanes.deliveries.dead()] == ["never"]
    lanes.pass_time(timedelta(minutes=3))
    assert {letter.parcel.message_id for letter in lanes.deliveries.dead()} == {"never", "twice", "minute"}
    assert lanes.receiver.tried.count("twice") == 2


@only_sqlite
@pytest.mark.parametrize(("asked", "waited"), [(timedelta(minutes=20), 20), (timedelta(days=9), 60)])
def test_a_receiver_is_left_alone_as_long_as_it_asks_but_not_for_ever(
    storage: Storage, asked: timedelta, waited: int
) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse(retry_after=asked)
    lanes.post(parcel("m"))
    lanes.work()
    lanes.receiver.accept()
    lanes.pass_time(timedelta(minutes=waited - 1), step=timedelta(seconds=30))
    assert lanes.receiver.got == []
    lanes.pass_time(timedelta(minutes=2), step=timedelta(seconds=10))
    assert lanes.receiver.got == ["m"]


@only_sqlite
def test_a_carrier_that_breaks_is_a_failure_like_any_other(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    lanes = Lanes(storage)

    def behave(each: Parcel) -> None:
        raise KeyError("a defect")

    lanes.receiver.behave = behave
    lanes.post(parcel("m"))
    lanes.work()
    assert lanes.results == ["failed"]
    lanes.receiver.accept()
    lanes.pass_time(2 * SECOND)
    assert lanes.receiver.got == ["m"]


@only_sqlite
def test_a_kind_that_nobody_carries_becomes_a_dead_letter(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.post(parcel("m", kind="gone"))
    lanes.work()
    (letter,) = lanes.deliveries.dead()
    assert letter.error == "nobody carries parcels of the kind gone"


@only_sqlite
def test_a_message_id_that_no_row_holds_is_refused(storage: Storage) -> None:
    lanes = Lanes(storage)
    for wrong in ("", "x" * 129):
        with pytest.raises(ValueError, match="message id"):
            lanes.post(parcel(wrong))


@only_sqlite
def test_who_wants_to_hear_of_dead_letters_hears_in_their_transaction(storage: Storage) -> None:
    heard: list[tuple[str, str]] = []

    def bury(tx: Tx, each: Parcel, reason: str) -> None:
        heard.append((each.message_id, reason))
        lanes.deliveries.post(tx, [parcel("letter", lane="dead letters")])

    lanes = Lanes(storage, on_death=bury)
    lanes.receiver.refuse("m", final=True)
    lanes.post(parcel("m"))
    lanes.work()
    assert (heard, lanes.receiver.got, lanes.results) == ([("m", "no")], ["letter"], ["dead", "delivered"])


@only_sqlite
def test_a_turn_ends_in_time_and_goes_on_later(storage: Storage) -> None:
    lanes = Lanes(storage, patience=Patience(turn=timedelta(seconds=60)))
    lanes.receiver.behave = lambda each: lanes.clock.advance(timedelta(seconds=10))
    lanes.post(*(parcel(f"m{n}") for n in range(20)))
    lanes.runner().run_due(lanes.clock.now())
    assert len(lanes.receiver.got) == 6
    lanes.work()
    assert len(lanes.receiver.got) == 20


def test_the_sweep_finds_lanes_without_a_job_and_forgets_old_letters(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse("old", final=True)
    lanes.post(parcel("m", lane="one"), parcel("n", lane="two"), parcel("old", lane="three"))
    storage.transact(lambda tx: tx.execute(job.delete().where(job.c.key != "three")))
    lanes.work()
    assert lanes.receiver.got == []
    lanes.deliveries.sweep()
    lanes.work()
    assert sorted(lanes.receiver.got) == ["m", "n"]
    lanes.clock.advance(timedelta(days=31))
    lanes.deliveries.sweep()
    assert lanes.deliveries.dead() == []


@only_sqlite
def test_a_receiver_that_is_no_more_gets_nothing(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.post(parcel("m"), parcel("n", lane="two"))
    assert storage.transact(lambda tx: lanes.deliveries.close(tx, "one")) == 1
    lanes.work()
    assert lanes.receiver.got == ["n"]


@only_sqlite
def test_the_census_counts(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse("dead", final=True)
    began = lanes.clock.now()
    lanes.post(parcel("dead"))
    lanes.work()
    lanes.receiver.refuse("late")
    lanes.post(parcel("late"))
    lanes.work()
    census = lanes.deliveries.census()
    assert (census.waiting, census.oldest, census.dead) == (1, began, 1)


@only_sqlite
def test_a_clock_that_is_set_back_does_not_lose_a_parcel(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.refuse(down=True)
    lanes.post(parcel("m"))
    lanes.work()
    lanes.clock.advance(timedelta(days=-1))
    lanes.receiver.accept()
    lanes.pass_time(timedelta(days=1, minutes=1), step=timedelta(hours=1))
    assert lanes.receiver.got == ["m"]


@only_sqlite
def test_two_lanes_never_wait_for_each_other(storage: Storage) -> None:
    lanes = Lanes(storage)

    def behave(each: Parcel) -> None:
        if each.lane == "bad":
            raise Undeliverable("hangs", down=True)

    lanes.receiver.behave = behave
    for n in range(50):
        lanes.post(parcel(f"b{n}", lane="bad"), parcel(f"g{n}", lane="good"))
    lanes.work()
    assert lanes.receiver.got == [f"g{n}" for n in range(50)]


@only_sqlite
def test_a_stop_ends_the_turn_and_leaves_the_rest_for_later(storage: Storage) -> None:
    lanes = Lanes(storage)
    lanes.receiver.behave = lambda each: lanes.deliveries.stop()
    lanes.post(*(parcel(f"m{n}") for n in range(10)))
    lanes.runner().run_due(lanes.clock.now())
    assert lanes.receiver.got == ["m0"]
    later = Lanes(storage, lanes.clock)
    later.work()
    assert later.receiver.got == [f"m{n}" for n in range(1, 10)]
