"""Examines the whole log: every leaf from its record, every tile, every root, every checkpoint.

It streams, a tile at a time, and works beside a running service: what is appended meanwhile is not looked at. A
record is checked against the leaf that the tile holds, the tiles against each other and against the roots that were
signed, so that whoever changes one of them is found by the next.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from greatseal.crypto.merkle import EMPTY_ROOT, HASH_SIZE, Frontier, leaf_hash
from greatseal.crypto.tiles import TILE_WIDTH, grow, sizes, split
from greatseal.domain.audit import epochs, leaf, note
from greatseal.domain.audit.epochs import Epoch
from greatseal.domain.audit.examined_checkpoints import Checkpoints
from greatseal.domain.audit.findings import Finding, Findings, Kind, Report
from greatseal.domain.audit.log import head_parts
from greatseal.domain.audit.note import SignedCheckpoint
from greatseal.domain.audit.seal import HEAD, RECORD, Seals
from greatseal.domain.audit.store import log as store
from greatseal.domain.audit.store import raw
from greatseal.domain.audit.store.log import Head
from greatseal.domain.audit.store.raw import RawRecord
from greatseal.kernel.errors import InvalidArgument
from greatseal.storage import Storage, Tx
from greatseal.storage.errors import StorageError, StorageUnavailable

__all__ = ["Finding", "Kind", "Report", "verify"]

_PAGE = 256
_TALLEST = 8


@dataclass(slots=True)
class _Examination:
    """The state of one run."""

    storage: Storage
    seals: Seals
    head: Head
    checkpoints: Checkpoints
    found: Findings
    frontier: Frontier = field(default_factory=Frontier)
    strays: list[tuple[int, bytes, bytes, str, bool]] = field(default_factory=list)
    """(index, hash in the tile, hash of the record there, its event, whether that is the hash it was stored with)."""
    pending: int = 0


def verify(storage: Storage, seals: Seals, kept: str | None = None) -> Report:
    """Examines the log; `kept` is a checkpoint that was kept elsewhere, and the log must continue it.

    Raises InvalidArgument when `kept` is not a checkpoint at all, and StorageError when the database cannot be read.
    """
    signed = None if kept is None else _parsed(kept)
    found = Findings()
    head = storage.read(lambda tx: _snapshot(tx, found))
    checkpoints = Checkpoints(storage, seals, head, signed, found, _ended(storage, seals, found))
    run = _Examination(storage, seals, head, checkpoints, found)
    _check_head(run)
    for number in range(-(-head.size // TILE_WIDTH)):
        _check_tile(run, number)
    if b"".join(run.frontier.roots) != head.frontier:
        found.add(Kind.TREE, f"the head of the log does not belong to its {head.size} leaves")
    _judge_strays(run)
    _check_waiting(run)
    checkpoints.finish()
    return Report(
        origin=head.origin,
        size=head.size,
        root=run.frontier.root,
        checkpoints=checkpoints.count,
        keys=tuple(sorted(sha256(spki).hexdigest() for spki in checkpoints.keys)),
        pending=run.pending,
        sealed=seals.checked,
        findings=tuple(found.listed),
        more=found.more,
    )


def _parsed(kept: str) -> SignedCheckpoint:
    try:
        return note.parse(kept)
    except ValueError as error:
        raise InvalidArgument(f"The kept checkpoint cannot be read: {error}.") from None


def _ended(storage: Storage, seals: Seals, found: Findings) -> tuple[Epoch, ...]:
    try:
        return storage.read(lambda tx: epochs.ended(tx, seals))
    except ValueError as error:
        found.add(Kind.TREE, str(error))
        return ()


def _snapshot(tx: Tx, found: Findings) -> Head:
    """The head, and what lies outside of what it covers, seen at one moment."""
    head = store.head(tx)
    if head is None:
        head = Head("", 0, b"", b"")
        if raw.outside(tx, 0, 1) or store.last_checkpoint(tx) is not None:
            found.add(Kind.TREE, "the head of the log is gone")
    for row in raw.outside(tx, head.size, _PAGE):
        text = f"the record has place {row.leaf_index}, but the log ends before {head.size}"
        found.add(Kind.INSERTED, text, event_id=row.event_id)
    newest = store.last_checkpoint(tx)
    if newest is not None and newest.size > head.size:
        text = f"a checkpoint was signed over {newest.size} records, but the log has {head.size}"
        found.add(Kind.TRUNCATED, text, index=head.size)
    counts = sizes(head.size)
    for height in range(_TALLEST):
        count = counts.get(height, 0)
        last = (count - 1) // TILE_WIDTH
        short = count and len(store.tile(tx, height, last)) != (count - last * TILE_WIDTH) * HASH_SIZE
        if short or store.tiles_beyond(tx, height, last):
            found.add(Kind.TREE, f"the tiles of height {height} do not hold the {count} hashes of the log")
    return head


def _check_head(run: _Examination) -> None:
    head = run.head
    if head.origin and not run.seals.holds(head.seal, HEAD, *head_parts(head.origin, head.size, head.frontier)):
        run.found.add(Kind.TREE, "the head of the log was not written by this installation")


def _check_tile(run: _Examination, number: int) -> None:
    """The records of one tile, their leaves, the hashes above them, and the checkpoints signed on the way."""
    start = number * TILE_WIDTH
    stop = min(start + TILE_WIDTH, run.head.size)
    rows = _read(run, start, stop)
    try:
        expected = split(_tile(run, 0, number))[: stop - start]
    except ValueError:
        expected = []
    if len(expected) < stop - start:
        run.found.add(Kind.TREE, f"tile 0/{number} lacks hashes of the records from {start + len(expected)}")
    leaves = []
    for index in range(start, stop):
        row, known = rows.get(index), index - start < len(expected)
        leaves.append(expected[index - start] if known else _own_hash(row))
        if row is None:
            before = f" It came after event {rows[index - 1].event_id}." if index - 1 in rows else ""
            run.found.add(Kind.REMOVED, f"the record at place {index} is gone.{before}", index=index)
        else:
            _check_record(run, index, row, leaves[-1] if known else None)
    _climb(run, start, leaves)


def _read(run: _Examination, start: int, stop: int) -> dict[int, RawRecord]:
    """The records by place. One that the database cannot even read is reported, and the others are read on."""
    try:
        rows = run.storage.read(lambda tx: raw.placed(tx, start, stop))
    except StorageUnavailable:
        raise
    except StorageError:
        if stop - start == 1:
            run.found.add(Kind.CHANGED, f"the record at place {start} cannot be read", index=start)
            return {start: RawRecord("", "", start, None, None, None)}
        middle = (start + stop) // 2
        return _read(run, start, middle) | _read(run, middle, stop)
    return {row.leaf_index: row for row in rows if isinstance(row.leaf_index, int)}


def _own_hash(row: RawRecord | None) -> bytes:
    """What stands in for a leaf that the tile does not hold."""
    return row.leaf_hash if row is not None and isinstance(row.leaf_hash, bytes) else EMPTY_ROOT


def _content_hash(row: RawRecord) -> bytes | None:
    """The leaf computed from the record itself; None when there is none in the row."""
    try:
        return None if row.record is None else leaf_hash(leaf.encode(row.record))
    except (ValueError, TypeError):
        return None


def _check_record(run: _Examination, index: int, row: RawRecord, expected: bytes | None) -> None:
    if row.id == "" and row.seal is None:
        return  # unreadable, and reported as such
    content = _content_hash(row)
    if content is None:
        run.found.add(Kind.CHANGED, "the columns do not make a record any more", index=index, event_id=row.event_id)
    elif expected is not None and content != expected:
        run.strays.append((index, expected, content, row.event_id, content == row.leaf_hash))
    elif row.leaf_hash != content:
        run.found.add(Kind.CHANGED, "the stored hash is not that of the record", index=index, event_id=row.event_id)
    elif not run.seals.holds(row.seal, RECORD, content):
        text = "the record was not sealed by this installation"
        run.found.add(Kind.CHANGED, text, index=index, event_id=row.event_id)


def _climb(run: _Examination, start: int, leaves: list[bytes]) -> None:
    """Grows the tree by the leaves of a tile, stopping at every size that a checkpoint was signed over."""
    position = start
    while position < start + len(leaves):
        stop = min(run.checkpoints.next_size(position), start + len(leaves))
        before = run.frontier.size
        run.frontier, gained = grow(run.frontier, leaves[position - start : stop - start])
        for height in set(gained) - {0}:
            _check_above(run, height, before >> (8 * height), gained[height])
        position = stop
        run.checkpoints.reached(run.frontier)


def _check_above(run: _Examination, height: int, first: int, hashes: list[bytes]) -> None:
    """Whether the tiles above the leaves hold what the leaves give."""
    for position, hash in enumerate(hashes, first):
        number, offset = divmod(position, TILE_WIDTH)
        stored = _tile(run, height, number)
        if stored[offset * HASH_SIZE : (offset + 1) * HASH_SIZE] != hash:
            span = TILE_WIDTH**height
            text = (
                f"tile {height}/{number} does not belong to the leaves {position * span} to {(position + 1) * span - 1}"
            )
            run.found.add(Kind.TREE, text)


def _tile(run: _Examination, height: int, number: int) -> bytes:
    return run.storage.read(lambda tx: store.tile(tx, height, number))


def _judge_strays(run: _Examination) -> None:
    """Records whose leaf is not the one at their place: moved from another place, or changed where they stand."""
    lost = {expected: index for index, expected, *_ in run.strays}
    for index, _, content, event_id, consistent in run.strays:
        if content in lost:
            text = f"the record stands at place {index}, but was logged at place {lost[content]}"
            run.found.add(Kind.REORDERED, text, index=index, event_id=event_id)
        elif consistent:
            text = "another record, or a changed one with a new hash, stands in the place of the one that was logged"
            run.found.add(Kind.CHANGED, text, index=index, event_id=event_id)
        else:
            run.found.add(Kind.CHANGED, "the record is not what was logged", index=index, event_id=event_id)


def _check_waiting(run: _Examination) -> None:
    """Records without a place: nothing but their own hash and seal protects them yet."""
    after = ""
    while rows := _waiting(run, after):
        for row in rows:
            content = _content_hash(row)
            if content is None or row.leaf_hash != content:
                run.found.add(Kind.CHANGED, "the record was changed before it was sequenced", event_id=row.event_id)
            elif not run.seals.holds(row.seal, RECORD, content):
                run.found.add(Kind.INSERTED, "the record was not written by this installation", event_id=row.event_id)
        run.pending += len(rows)
        after = str(rows[-1].id)


def _waiting(run: _Examination, after: str) -> list[RawRecord]:
    return list(run.storage.read(lambda tx: raw.waiting(tx, after, _PAGE)))
