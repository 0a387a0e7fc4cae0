"""SCTs from logs that are good, down, slow, or lie: what counts, who is asked next, and when there are too few."""

import threading
from dataclasses import replace
from datetime import timedelta

import ct_checker as checker
import pytest
from ct_room import Room, chain

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.transparency import Demand, KnownLog, Submission
from greatseal.domain.transparency.ports import LogFailed
from greatseal.kernel.errors import InProgress, MalformedCertificate
from greatseal.testing import FakeClock
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate
from greatseal.x509.sct import Sct
from made_certificates import LEAF, signer

NOW = FakeClock().now()
FRESH = LEAF.but(not_before=NOW - timedelta(hours=1))
CHAIN = chain(1, order=FRESH)


class Log:
    """A log with a key of its own that does as it is told."""

    def __init__(self, label: str, *, shift: timedelta = timedelta(0), **behaviour: object) -> None:
        self.signer = signer(label)
        self.shift = shift
        self.behaviour = behaviour
        self.asked = 0

    def add_pre_chain(self, certificates):
        self.asked += 1
        if "fails" in self.behaviour:
            raise LogFailed(str(self.behaviour["fails"]))
        if "breaks" in self.behaviour:
            raise ZeroDivisionError
        gate = self.behaviour.get("gate")
        if isinstance(gate, threading.Event):
            assert gate.wait(30)
        entry = sct.precertificate_entry(
            Certificate.parse(certificates[1]).spki, Certificate.parse(certificates[0]).tbs
        )
        timestamp = int((NOW + self.shift).timestamp() * 1000)
        signed = self.signer.sign(sct.signed_data(timestamp, entry, b""), SignatureAlgorithm.SHA256WITHECDSA)
        made = Sct(sct.log_id_of(self.signer.spki), timestamp, b"", signed)
        change = self.behaviour.get("change", {})
        assert isinstance(change, dict)
        return replace(made, **change)

    def known(self, name: str, operator: str) -> KnownLog:
        return KnownLog(name, operator, self.signer.spki, self)


def submission(*logs: KnownLog, clock: FakeClock | None = None, **demand: float) -> Submission:
    wanted = Demand(**{"patience": 30.0, "deadline": 60.0, **demand})  # type: ignore[arg-type]
    return Submission(logs=lambda: logs, clock=clock or FakeClock(), demand=wanted)


def ids(found: tuple[bytes, ...]) -> list[bytes]:
    return [Sct.parse(each).log_id for each in found]


def collect(asked: Submission) -> tuple[bytes, ...]:
    return asked.collect(CHAIN[0], CHAIN[1:])


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_our_own_two_logs(storage):
    room = Room(storage)
    found = room.room.submission.collect(CHAIN[0], CHAIN[1:])
    assert len(found) == 2
    entry = checker.precert_entry(CHAIN[1], CHAIN[0])
    for encoded, log in zip(found, room.logs.active(), strict=True):
        timestamp, extensions, index = checker.check_sct(log.record.spki, encoded, entry)
        _, root, _ = checker.check_checkpoint(
            room.logs.reading(log.record.id).checkpoint(), log.record.origin, log.record.spki
        )
        assert index == 0
        assert checker.h_leaf(checker.leaf_input(timestamp, entry, extensions)) == root
    assert room.room.submission.collect(CHAIN[0], CHAIN[1:]) == found, "what is asked for again is the same"


def test_as_few_logs_as_needed_are_asked_in_their_order():
    logs = [Log(label) for label in "abc"]
    known = [log.known(label, label.upper()) for log, label in zip(logs, "abc", strict=True)]
    assert ids(collect(submission(*known))) == [sct.log_id_of(each.spki) for each in known[:2]]
    assert [log.asked for log in logs] == [1, 1, 0]


def test_two_logs_of_one_operator_are_one_opinion():
    logs = [Log(label) for label in "abc"]
    known = [log.known(label, "same" if label != "c" else "other") for log, label in zip(logs, "abc", strict=True)]
    found = collect(submission(*known))
    assert sct.log_id_of(known[2].spki) in ids(found)
    with pytest.raises(InProgress):
        collect(submission(*known[:2]))


BAD = {
    "down": Log("bad", fails="it answered 503"),
    "broken": Log("bad", breaks=True),
    "signs wrongly": Log("bad", change={"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}),
    "no signature": Log("bad", change={"signature": b""}),
    "another log's": Log("bad", change={"log_id": bytes(32)}),
    "another hash": Log("bad", change={"algorithm": b"\2\3"}),
    "with extensions that were not signed": Log("bad", change={"extensions": b"\0\0\5" + bytes(5)}),
    "of the future": Log("bad", shift=timedelta(minutes=2)),
    "stale": Log("bad", shift=timedelta(days=-2)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_log_is_passed_over(bad):
    good, third = Log("good"), Log("third")
    known = [bad.known("bad", "B"), good.known("good", "G"), third.known("third", "T")]
    found = collect(submission(*known))
    assert ids(found) == [sct.log_id_of(good.signer.spki), sct.log_id_of(third.signer.spki)]
    with pytest.raises(InProgress, match="bad: ") as caught:
        collect(submission(*known[:2]))
    assert isinstance(caught.value, InProgress)


def test_why_a_timestamp_does_not_count_is_told():
    reasons = []
    for bad in (BAD["of the future"], BAD["stale"], BAD["signs wrongly"], BAD["another log's"], BAD["down"]):
        with pytest.raises(InProgress) as caught:
            collect(submission(bad.known("bad", "B")))
        reasons.append(caught.value.message.partition("bad: ")[2])
    assert reasons == [
        "the timestamp is of the future",
        "the timestamp is older than the precertificate",
        "the signature of the timestamp does not verify",
        "the timestamp is of another log",
        "it answered 503",
    ]


def test_a_slow_log_delays_nobody_for_long():
    gate = threading.Event()
    slow, good, third = Log("slow", gate=gate), Log("good"), Log("third")
    known = [slow.known("slow", "S"), good.known("good", "G"), third.known("third", "T")]
    try:
        found = collect(submission(*known, patience=0.05))
        assert ids(found) == [sct.log_id_of(good.signer.spki), sct.log_id_of(third.signer.spki)]
        with pytest.raises(InProgress, match="1 logs did not answer in time"):
            collect(submission(*known[:2], patience=0.05, deadline=0.2))
    finally:
        gate.set()


def test_a_log_that_failed_is_asked_last_for_a_minute():
    clock = FakeClock()
    bad, good, third = Log("bad", fails="it is down"), Log("good"), Log("third")
    asked = submission(bad.known("bad", "B"), good.known("good", "G"), third.known("third", "T"), clock=clock)
    collect(asked)
    collect(asked)
    assert bad.asked == 1
    clock.advance(timedelta(minutes=2))
    bad.behaviour = {}
    bad.shift = timedelta(minutes=2)
    collect(asked)
    assert bad.asked == 2


def test_more_timestamps_than_two():
    known = [Log(label).known(label, label) for label in "abcd"]
    assert len(collect(submission(*known, scts=3))) == 3
    with pytest.raises(InProgress):
        collect(submission(*known, scts=5))
    with pytest.raises(InProgress, match="none is configured"):
        collect(submission())


def test_what_is_no_precertificate_is_refused():
    asked = submission(Log("a").known("a", "A"))
    with pytest.raises(MalformedCertificate):
        asked.collect(b"\x30\x00", CHAIN[1:])
    with pytest.raises(MalformedCertificate):
        asked.collect(CHAIN[0], ())
