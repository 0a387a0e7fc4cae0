"""Tampering through the back door: raw SQL by somebody who can write to the database. Every kind is found.

Each test has 300 records (a full tile and a part of one) under three checkpoints, and looks three ways: with the
key-encryption key, without it, and with a checkpoint that was kept elsewhere.
"""

from hashlib import sha256

import pytest
from audit_room import OTHER_SIGNER, Room, caller
from sqlalchemy import text

from greatseal.crypto.merkle import Frontier, leaf_hash
from greatseal.crypto.tiles import grow
from greatseal.domain.audit import LogDamaged, Seals, leaf, newest, note, verify
from greatseal.domain.audit.store.records import audit_record
from greatseal.kernel.errors import InvalidArgument

COUNT = 300
VICTIM = 270


@pytest.fixture
def room(storage) -> Room:
    made = Room(storage)
    for count in (100, 170, 30):
        made.act_in_one(count)
        made.sign()
    assert made.verify().ok
    return made


@pytest.fixture
def kept(room: Room) -> str:
    found = room.log.checkpoint()
    assert found is not None
    return found


def sql(room: Room, statement: str, **values: object) -> None:
    room.storage.transact(lambda tx: tx.execute(text(statement), values))


def without_key(room: Room, kept: str | None = None):
    return verify(room.storage, Seals(None), kept)


def event_at(room: Room, place: int) -> str:
    return str(
        room.storage.read(
            lambda tx: tx.scalar(text("SELECT event_id FROM audit_record WHERE leaf_index = :i"), {"i": place})
        )
    )


# What every column becomes. `leaf_index` moves the record out of the log.
CHANGES: dict[str, object] = {
    "id": "0" * 32,
    "at": 1,
    "account": "999999999999",
    "region": "eu-west-1",
    "principal_arn": "arn:aws:iam::111122223333:user/Mallory",
    "access_key_id": "AKIAOTHER",
    "operation": "acm-pca:ListTags",
    "request_id": "r-2",
    "resources": "[]",
    "source_ip": "198.51.100.1",
    "user_agent": "curl",
    "service_principal": "acm.amazonaws.com",
    "request_parameters": "{}",
    "detail": "{}",
    "event_id": "00000000-0000-4000-8000-000000000000",
    "event_source": "acm.amazonaws.com",
    "event_name": "ListTags",
    "read_only": True,
    "error_code": "AccessDenied",
    "error_message": "no",
    "response_elements": "{}",
    "identity": '{"userName":"Mallory"}',
    "leaf_hash": bytes(32),
    "seal": bytes(32),
    "leaf_index": 4711,
}


def test_the_table_of_changes_names_every_column():
    assert list(CHANGES) == [column.name for column in audit_record.columns]


@pytest.mark.parametrize("column", CHANGES)
def test_a_changed_column(room, kept, column):
    event = event_at(room, VICTIM)
    sql(room, f"UPDATE audit_record SET {column} = :v WHERE leaf_index = {VICTIM}", v=CHANGES[column])
    findings = room.verify(kept).findings
    if column == "leaf_index":
        assert {(f.kind.value, f.index) for f in findings} == {("inserted", None), ("removed", VICTIM)}
        return
    (finding,) = findings
    assert (finding.kind.value, finding.index) == ("changed", VICTIM)
    assert finding.event_id == (event if column != "event_id" else CHANGES["event_id"])
    assert without_key(room).ok is (column == "seal"), "only seals need the key"


@pytest.mark.parametrize(("column", "value"), [("at", 2**62), ("resources", "{"), ("detail", "[1]"), ("detail", "")])
def test_a_column_that_makes_no_record_any_more(room, column, value):
    sql(room, f"UPDATE audit_record SET {column} = :v WHERE leaf_index = {VICTIM}", v=value)
    assert [(f.kind.value, f.index) for f in room.verify().findings] == [("changed", VICTIM)]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("value", ["CAST(x'ff' AS TEXT)", "x'00'", "1.5"])
@pytest.mark.parametrize("column", ["user_agent", "at", "read_only", "leaf_hash", "event_id"])
def test_what_no_column_of_this_type_may_hold(room, column, value):
    sql(room, f"UPDATE audit_record SET {column} = {value} WHERE leaf_index = {VICTIM}")
    assert [(f.kind.value, f.index) for f in room.verify().findings] == [("changed", VICTIM)]


def rehash(room: Room, *, tiles: bool) -> None:
    """Makes the victim's hash, and on request every tile, agree with what its columns say now."""
    rows = [
        (record, room.storage.read(lambda tx, id=record.id: tx.scalar(_INDEX, {"id": id})))
        for record in newest(room.storage, COUNT)
    ]
    hashes = [leaf_hash(leaf.encode(record)) for record, _ in sorted(rows, key=lambda row: row[1])]
    sql(room, "UPDATE audit_record SET leaf_hash = :h WHERE leaf_index = :i", h=hashes[VICTIM], i=VICTIM)
    if tiles:
        frontier, gained = grow(Frontier(), hashes)
        for number in range(2):
            part = b"".join(hashes[256 * number : 256 * (number + 1)])
            sql(room, "UPDATE audit_tile SET hashes = :h WHERE height = 0 AND number = :n", h=part, n=number)
        sql(room, "UPDATE audit_tile SET hashes = :h WHERE height = 1", h=gained[1][0])
        sql(room, "UPDATE audit_head SET frontier = :f", f=b"".join(frontier.roots))


_INDEX = text("SELECT leaf_index FROM audit_record WHERE id = :id")


def test_a_changed_record_with_a_new_hash(room):
    sql(room, f"UPDATE audit_record SET source_ip = '198.51.100.1' WHERE leaf_index = {VICTIM}")
    rehash(room, tiles=False)
    assert [(f.kind.value, f.index) for f in without_key(room).findings] == [("changed", VICTIM)]


def test_a_changed_record_with_a_whole_new_tree(room, kept):
    """Nothing inside contradicts it any more: the signatures do, and say between which checkpoints."""
    sql(room, f"UPDATE audit_record SET source_ip = '198.51.100.1' WHERE leaf_index = {VICTIM}")
    rehash(room, tiles=True)
    (finding,) = without_key(room).findings
    assert finding.kind.value == "checkpoint"
    assert "places 270 to 299" in finding.text
    assert {f.kind.value for f in room.verify().findings} == {"checkpoint", "changed", "tree"}
    sql(room, "DELETE FROM audit_checkpoint")
    assert without_key(room).ok, "this is what a kept checkpoint is for"
    assert any("rewritten" in f.text for f in without_key(room, kept).findings)
    with pytest.raises(LogDamaged):
        room.log.sequence()


def test_a_removed_record(room, kept):
    before = event_at(room, VICTIM - 1)
    sql(room, f"DELETE FROM audit_record WHERE leaf_index = {VICTIM}")
    (finding,) = room.verify(kept).findings
    assert (finding.kind.value, finding.index) == ("removed", VICTIM)
    assert before in finding.text
    assert not without_key(room).ok


def test_two_records_that_changed_places(room):
    events = event_at(room, 5), event_at(room, VICTIM)
    for old, new in ((5, -1), (VICTIM, 5), (-1, VICTIM)):
        sql(room, f"UPDATE audit_record SET leaf_index = {new} WHERE leaf_index = {old}")
    findings = without_key(room).findings
    assert [(f.kind.value, f.index, f.event_id) for f in findings] == [
        ("reordered", 5, events[1]),
        ("reordered", VICTIM, events[0]),
    ]


def test_records_that_moved_up_over_a_removed_one(room):
    sql(room, f"DELETE FROM audit_record WHERE leaf_index = {VICTIM}")
    for place in range(VICTIM + 1, COUNT):
        sql(room, f"UPDATE audit_record SET leaf_index = {place - 1} WHERE leaf_index = {place}")
    found = without_key(room).findings
    assert ("removed", COUNT - 1) in [(f.kind.value, f.index) for f in found]
    assert sum(f.kind.value == "reordered" for f in found) == COUNT - VICTIM - 2


def test_an_inserted_record_is_never_signed(room, kept):
    """Somebody without the key adds a record to the waiting ones: it gets no place, and is reported."""
    forger = Room(room.storage, node="forger", clock=room.clock)
    forger.audit._seals = Seals(None)
    forger.act()
    room.act(2)
    assert room.log.catch_up(1) == 2
    report = room.verify(kept)
    assert (report.size, report.pending) == (COUNT + 2, 1)
    assert [f.kind.value for f in report.findings] == ["inserted"]
    forger.act(5)
    room.act()
    assert room.log.catch_up(1) == 1, "a crowd of forged records does not stop the log"


def test_a_record_that_was_changed_before_it_had_a_place(room):
    room.act()
    sql(room, "UPDATE audit_record SET source_ip = '198.51.100.1' WHERE leaf_index IS NULL")
    assert room.kinds() == {"changed"}
    record = newest(room.storage, 1)[0]
    hash = leaf_hash(leaf.encode(record))
    sql(room, "UPDATE audit_record SET leaf_hash = :h WHERE leaf_index IS NULL", h=hash)
    assert without_key(room).ok, "the window that the seal closes"
    assert room.kinds() == {"inserted"}
    assert room.log.catch_up() == 0


def truncate(room: Room, size: int) -> None:
    sql(room, f"DELETE FROM audit_record WHERE leaf_index >= {size}")
    sql(room, f"DELETE FROM audit_checkpoint WHERE size > {size}")
    for number in range(2):
        rest = max(0, min(256, size - 256 * number))
        sql(
            room,
            f"UPDATE audit_tile SET hashes = substr(hashes, 1, {32 * rest}) WHERE height = 0 AND number = {number}",
        )


def test_a_tail_that_was_cut_off(room, kept):
    truncate(room, VICTIM)
    found = room.verify().findings
    assert [f.index for f in found if f.kind.value == "removed"] == list(range(VICTIM, COUNT))
    assert any(f.kind.value == "tree" for f in found)


def test_a_tail_that_was_cut_off_is_not_signed_over(room):
    truncate(room, VICTIM)
    with pytest.raises(LogDamaged):
        room.log.checkpoint()


def test_a_head_that_was_put_back_under_a_checkpoint(room):
    sql(room, "UPDATE audit_head SET size = 100")
    assert "truncated" in room.kinds()


def test_a_perfect_rollback_and_a_new_end_are_found_by_the_kept_checkpoint(storage):
    """The head, the tiles and the checkpoints of an earlier day are put back, and the service goes on from there."""
    room = Room(storage)
    room.act_in_one(10)
    early = room.sign()
    head = storage.read(lambda tx: tx.one(text("SELECT size, frontier, seal FROM audit_head")))
    room.act_in_one(5)
    kept = room.sign()
    sql(room, "DELETE FROM audit_record WHERE leaf_index >= 10")
    sql(room, "DELETE FROM audit_checkpoint WHERE size > 10")
    sql(room, "UPDATE audit_tile SET hashes = substr(hashes, 1, 320)")
    values = {"s": head.size, "f": head.frontier, "h": head.seal}
    sql(room, "UPDATE audit_head SET size = :s, frontier = :f, seal = :h", **values)
    assert room.verify().ok, "from the inside it looks like the day before"
    assert room.verify(early).ok
    assert room.kinds(kept) == {"truncated"}
    room.act_in_one(8)
    room.sign()
    assert room.verify().ok
    (finding,) = room.verify(kept).findings
    assert "rewritten" in finding.text


@pytest.mark.parametrize("number", [0, 1])
def test_an_edited_tile(room, number):
    row = room.storage.read(
        lambda tx: tx.scalar(text(f"SELECT hashes FROM audit_tile WHERE height = 0 AND number = {number}"))
    )
    edited = bytes([row[0] ^ 1]) + row[1:]
    sql(room, f"UPDATE audit_tile SET hashes = :h WHERE height = 0 AND number = {number}", h=edited)
    assert {"changed", "checkpoint", "tree"} == {f.kind.value for f in without_key(room).findings}


def test_an_edited_node_above_the_leaves(room):
    sql(room, "UPDATE audit_tile SET hashes = :h WHERE height = 1", h=bytes(32))
    (finding,) = without_key(room).findings
    assert finding.kind.value == "tree"
    assert "0 to 255" in finding.text


@pytest.mark.parametrize("statement", ["height = 0 AND number = 1", "height = 1", "height = 0 AND number = 0"])
def test_a_removed_tile(room, statement):
    sql(room, f"DELETE FROM audit_tile WHERE {statement}")
    assert "tree" in {f.kind.value for f in without_key(room).findings}


def test_a_tile_too_many(room):
    sql(room, "INSERT INTO audit_tile (height, number, hashes) VALUES (2, 0, :h)", h=bytes(32))
    assert room.kinds() == {"tree"}


@pytest.mark.parametrize(
    ("column", "value"), [("size", 299), ("frontier", bytes(32 * 4)), ("seal", bytes(32)), ("origin", "other")]
)
def test_an_edited_head(room, column, value):
    sql(room, f"UPDATE audit_head SET {column} = :v", v=value)
    assert not room.verify().ok
    room.act()
    with pytest.raises(LogDamaged):
        room.log.sequence()


def test_a_removed_head(room):
    sql(room, "DELETE FROM audit_head")
    assert "tree" in room.kinds()
    room.act()
    with pytest.raises(LogDamaged):
        room.log.sequence()


def edit_checkpoint(room: Room, size: int, change) -> None:
    old = room.storage.read(
        lambda tx: tx.scalar(text("SELECT note FROM audit_checkpoint WHERE size = :s"), {"s": size})
    )
    sql(room, "UPDATE audit_checkpoint SET note = :n WHERE size = :s", n=change(old), s=size)


@pytest.mark.parametrize(
    "change",
    [
        lambda note: "",
        lambda note: note.replace("time 2026", "time 2025"),
        lambda note: note.replace("\n270\n", "\n271\n"),
        lambda note: note.replace("greatseal/audit", "greatseal/other"),
        lambda note: note.rstrip("\n=")[:-8] + "AAAAAAA=\n",
        lambda note: note.rstrip("\n")[: note.rindex(" ")] + " AAAAAAAA\n",
        lambda text: note.sign(note.parse(text).checkpoint, OTHER_SIGNER),
    ],
)
def test_an_edited_checkpoint(room, change):
    edit_checkpoint(room, 270, change)
    (finding,) = without_key(room).findings
    assert (finding.kind.value, finding.index) == ("checkpoint", 270)


def test_a_checkpoint_of_another_key_that_brings_its_key_along(room, kept):
    edit_checkpoint(room, 270, lambda text: note.sign(note.parse(text).checkpoint, OTHER_SIGNER))
    sql(room, "UPDATE audit_checkpoint SET spki = :k WHERE size = 270", k=OTHER_SIGNER.spki)
    (finding,) = room.verify().findings
    assert "was not signed by this installation" in finding.text
    assert sha256(OTHER_SIGNER.spki).hexdigest() in room.verify().keys
    sql(room, "DELETE FROM audit_checkpoint WHERE size <> 270")
    (finding,) = without_key(room, kept).findings
    assert "no key that signed" in finding.text


def test_a_log_that_does_not_continue_its_last_checkpoint_is_not_signed(room):
    edit_checkpoint(room, 300, lambda text: text.replace(text.splitlines()[2], "A" * 43 + "="))
    room.act()
    room.clock.advance(room.log._every)
    with pytest.raises(LogDamaged, match="does not continue"):
        room.log.catch_up()


def test_kept_checkpoints_of_elsewhere_and_nonsense(room, storage_url, tmp_path):
    other = note.Checkpoint("greatseal/audit/other", 100, bytes(32), room.clock.now())
    found = room.verify(note.sign(other, OTHER_SIGNER)).findings
    assert {f.kind.value for f in found} == {"checkpoint"}
    assert len(found) == 3
    for nonsense in ("", "x", "a\n1\n\n"):
        with pytest.raises(InvalidArgument):
            room.verify(nonsense)


def test_many_findings_are_counted(room):
    sql(room, "UPDATE audit_record SET source_ip = '198.51.100.1'")
    report = room.verify()
    assert len(report.findings) + report.more == COUNT


def test_examining_beside_a_service_that_goes_on(room):
    """What is appended after the examination began is not looked at, and nothing is reported for it."""
    read = room.storage.read

    def busy(work):
        room.storage.read = read
        room.storage.transact(lambda tx: room.audit.record(tx, caller()))
        room.sign()
        room.storage.read = busy
        return read(work)

    room.storage.read = busy
    report = room.verify()
    room.storage.read = read
    assert report.ok, report.findings
    assert COUNT < report.size < room.verify().size
