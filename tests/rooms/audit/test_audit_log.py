"""The log: places, checkpoints and proofs, with crashes and rivals in between."""

import contextlib
import json
import subprocess
import sys
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from audit_room import AUTHORITY, OTHER_SIGNER, SIGNER, Room, caller
from sqlalchemy import select

from greatseal.crypto.merkle import leaf_hash, root_of
from greatseal.domain.audit import AuditLog, LogDamaged, leaf, newest, newest_checkpoint, note, prove
from greatseal.domain.audit.store.records import audit_record
from greatseal.kernel.errors import InProgress, NotFound
from greatseal.storage.errors import OutcomeUnknown, StorageUnavailable
from greatseal.testing.faults import FaultyStorage, TamperedSigner

DOC = Path(__file__).parents[3] / "docs" / "audit.md"


def places(storage) -> list[int]:
    """The places, in the order of ids."""
    return [row.leaf_index for row in storage.read(lambda tx: tx.all(select(audit_record).order_by(audit_record.c.id)))]


def test_the_root_is_that_of_rfc_9162_over_the_records(storage):
    room = Room(storage)
    for count in (1, 2, 5, 300):
        room.act_in_one(count)
        text = room.sign()
        records = list(reversed(newest(storage, 1000)))
        hashes = [leaf_hash(leaf.encode(record)) for record in records]
        checkpoint = note.parse(text).checkpoint
        assert (checkpoint.size, checkpoint.root) == (len(records), root_of(hashes))
    assert places(storage) == list(range(308))
    report = room.verify()
    assert report.ok, report.findings
    assert (report.size, report.checkpoints, report.pending, report.sealed) == (308, 4, 0, True)
    assert report.keys == (sha256(SIGNER.spki).hexdigest(),)


def test_an_empty_trail_is_whole(storage):
    room = Room(storage)
    assert room.verify().ok
    assert room.log.catch_up() == 0
    assert room.log.checkpoint() is None
    assert room.verify().ok
    assert newest_checkpoint(storage) is None


def test_records_that_commit_late_get_a_later_place(storage):
    early, late = Room(storage, node="early"), Room(storage, node="late")
    late.clock.advance(timedelta(hours=1))
    late.act(3)
    late.sign()
    early.act(2)  # smaller ids, committed afterwards
    early.log.catch_up()
    assert places(storage) == [3, 4, 0, 1, 2]
    late.sign()
    assert late.verify().ok


def test_sequencing_goes_in_steps(storage):
    room = Room(storage)
    room.act_in_one(10)
    assert [room.log.sequence(4) for _ in range(4)] == [4, 4, 2, 0]
    assert room.verify().size == 10


def test_a_checkpoint_is_signed_at_most_once_a_minute_and_only_when_the_log_grew(storage):
    room = Room(storage)
    room.act()
    first = room.sign()
    room.clock.advance(timedelta(hours=1))
    assert room.log.checkpoint() == first
    room.act()
    second = room.sign()
    assert second != first
    room.act()
    room.log.catch_up()
    assert room.log.checkpoint() == second
    room.clock.advance(timedelta(seconds=61))
    assert room.log.checkpoint() != second
    assert newest_checkpoint(storage) == room.log.checkpoint()


def test_a_restarted_service_goes_on_where_the_other_stopped(storage):
    """A crash between write and sequence: the records are there, and the next service gives them their place."""
    room = Room(storage)
    room.act(3)
    room.sign()
    room.act(2)
    assert room.verify().pending == 2
    again = Room(storage, node="b", clock=room.clock)
    again.sign()
    assert again.verify().size == 5
    assert again.verify().ok


@pytest.mark.parametrize("applied", [False, True])
@pytest.mark.parametrize("call", range(1, 9))
def test_a_failure_at_any_call_leaves_a_log_that_goes_on(storage_url, call, applied):
    storage = FaultyStorage(storage_url)
    room = Room(storage)
    room.act(5)
    room.clock.advance(timedelta(minutes=2))
    storage.fail(at=call, applied=applied)
    with contextlib.suppress(StorageUnavailable, OutcomeUnknown):
        room.log.catch_up(3)
    storage.heal()
    room.act(2)
    room.sign()
    assert sorted(places(storage)) == list(range(7))
    assert room.verify().ok
    storage.close()


def test_two_sequencers_never_fork_the_log(storage):
    rooms = [Room(storage, node=name) for name in "abcd"]
    for room in rooms:
        room.act_in_one(40)
    start = threading.Barrier(len(rooms))
    failures: list[Exception] = []

    def race(room: Room) -> None:
        start.wait()
        try:
            for _ in range(40):
                room.log.sequence(7)
        except Exception as error:  # noqa: BLE001 - the main thread judges it
            failures.append(error)

    threads = [threading.Thread(target=race, args=(room,)) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rooms[0].sign()
    assert sorted(places(storage)) == list(range(160))
    assert rooms[0].verify().ok


def test_writers_and_sequencers_do_not_disturb_each_other(storage):
    writer, sequencer = Room(storage, node="writer"), Room(storage, node="sequencer")
    done = threading.Event()
    failures: list[Exception] = []

    def sequence() -> None:
        try:
            while not done.is_set():
                sequencer.log.sequence(5)
        except Exception as error:  # noqa: BLE001 - the main thread judges it
            failures.append(error)

    thread = threading.Thread(target=sequence)
    thread.start()
    writer.act(60)
    done.set()
    thread.join()
    assert failures == []
    sequencer.sign()
    report = sequencer.verify()
    assert report.ok, report.findings
    assert report.size == 60


def test_five_thousand_records(storage):
    room = Room(storage)
    for _ in range(5):
        room.act_in_one(1000)
    kept = room.sign()
    room.act()
    room.sign()
    report = room.verify(kept)
    assert report.ok, report.findings
    assert report.size == 5001
    event = newest(storage, 2500)[-1].event_id
    assert len(prove(storage, event)["path"]) == 13


def test_a_signer_that_signs_wrongly_gives_no_checkpoint(storage):
    room = Room(storage)
    room.act()
    room.log.sequence()
    bad = TamperedSigner(SIGNER, lambda made: made[:-1] + bytes([made[-1] ^ 1]))
    log = AuditLog(storage=storage, clock=room.clock, entropy=room.log._entropy, seals=room.seals, signer=lambda: bad)
    with pytest.raises(ValueError, match="does not verify"):
        log.checkpoint()
    assert newest_checkpoint(storage) is None


def test_a_new_key_goes_on_with_the_same_log(storage):
    room = Room(storage)
    room.act()
    kept = room.sign()
    room.log._signer = lambda: OTHER_SIGNER
    room.act()
    room.sign()
    report = room.verify(kept)
    assert report.ok, report.findings
    assert len(report.keys) == 2


class TestProofs:
    """Inclusion proofs, checked by the program in the documentation."""

    def check(self, proof: object, tmp_path: Path, key: str | None = None) -> subprocess.CompletedProcess[str]:
        page = DOC.read_text(encoding="utf-8")
        (tmp_path / "check.py").write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
        (tmp_path / "proof.json").write_text(json.dumps(proof), encoding="utf-8")
        pinned = key or sha256(SIGNER.spki).hexdigest()
        command = [sys.executable, "-I", "check.py", "proof.json", pinned]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    def test_the_page_of_independent_code_accepts_every_proof(self, storage, tmp_path):
        room = Room(storage)
        room.act_in_one(21)
        room.sign()
        for record in (*newest(storage, 2), newest(storage, 21)[-1]):
            done = self.check(prove(storage, record.event_id), tmp_path)
            assert done.returncode == 0, done.stderr
            assert record.event_id in done.stdout

    @pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
    def test_and_refuses_what_was_altered(self, storage, tmp_path):
        room = Room(storage)
        room.act_in_one(21)
        room.sign()
        proof = prove(storage, newest(storage, 5)[-1].event_id)
        checkpoint = str(proof["checkpoint"])
        altered = [
            proof | {"leaf": str(proof["leaf"]).replace("Issue", "issue")},
            proof | {"index": 15},
            proof | {"size": 22},
            proof | {"path": [*proof["path"], proof["path"][0]]},  # type: ignore[misc,index]
            proof | {"path": proof["path"][:-1]},  # type: ignore[index]
            proof | {"checkpoint": checkpoint.replace("\n21\n", "\n22\n"), "size": 22},
            proof | {"checkpoint": checkpoint.replace("time 2026", "time 2027")},
        ]
        for each in altered:
            assert self.check(each, tmp_path).returncode != 0
        assert self.check(proof, tmp_path, sha256(OTHER_SIGNER.spki).hexdigest()).returncode != 0
        assert self.check(proof, tmp_path).returncode == 0

    def test_what_cannot_be_proven(self, storage):
        room = Room(storage)
        with pytest.raises(NotFound):
            prove(storage, "no-such-event")
        room.act()
        event = newest(storage, 1)[0].event_id
        with pytest.raises(InProgress):
            prove(storage, event)
        room.log.sequence()
        with pytest.raises(InProgress):
            prove(storage, event)
        room.sign()
        assert prove(storage, event)["index"] == 0

    def test_an_altered_record_is_not_proven(self, storage):
        room = Room(storage)
        room.act(2)
        room.sign()
        event = newest(storage, 1)[0].event_id
        storage.transact(lambda tx: tx.execute(audit_record.update().values(source_ip="198.51.100.1")))
        with pytest.raises(LogDamaged):
            prove(storage, event)


def test_calls_and_acts_share_one_log(storage):
    room = Room(storage)
    room.act()
    room.audit.record_call(caller("acm-pca:ListTags"), AUTHORITY)
    room.sign()
    assert room.verify().size == 2
