"""The audit log, and our transparency logs."""

from collections.abc import Iterator
from functools import partial

from sqlalchemy import select

from greatseal.app.invariants.model import Case, Violation
from greatseal.crypto.merkle import Frontier
from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, grow
from greatseal.domain.audit import Seals, verify
from greatseal.domain.keys.key_encryption import installation_secret
from greatseal.domain.transparency import heads
from greatseal.domain.transparency.entries import Leaf, read_tile
from greatseal.domain.transparency.model import LogRecord
from greatseal.domain.transparency.store import logs as store
from greatseal.x509.sct import Sct, leaf_index_extension
from greatseal.x509.sct import verify as verify_sct
from greatseal.x509.tls_encoding import EncodingError

_HASH = 32


def audit(case: Case) -> Iterator[Violation]:
    """As `greatseal audit verify`; seals too when the key-encryption key is at hand."""
    ring = case.keyring
    seals = Seals(None) if ring is None else Seals.under(installation_secret(case.storage, ring))
    report = verify(case.storage, seals)
    case.looked(report.size + report.pending)
    for found in report.findings:
        place = "the audit log" if found.index is None else f"place {found.index} of the audit log"
        yield Violation(found.event_id or place, found.text)


def transparency(case: Case) -> Iterator[Violation]:
    """Every log, entry by entry."""
    for record in case.storage.read(store.records):
        yield from (Violation(record.id, text) for text in _log(case, record))


def _log(case: Case, record: LogRecord) -> Iterator[str]:
    head = case.storage.read(lambda tx: store.head(tx, record.id))
    frontier = Frontier()
    while frontier.size < head.size:
        start, end = frontier.size, min(frontier.size + TILE_WIDTH, head.size)
        leaves, wrong = _entries(case, record, start, end)
        yield from wrong
        if leaves is None:
            return  # without an entry nothing can be said of the tree
        frontier, gained = grow(frontier, [leaf.hash for leaf in leaves])
        for height, hashes in gained.items():
            yield from _tiles(case, record.id, height, start >> (TILE_BITS * height), hashes)
        case.looked(end - start)
    if b"".join(frontier.roots) != head.frontier:
        yield "the head does not belong to the entries"
    try:
        signed = heads.read_checkpoint(head.checkpoint, record.origin, record.spki).head
    except ValueError as error:
        yield f"the checkpoint is not good: {error}"
        return
    if (signed.size, signed.root) != (frontier.size, frontier.root):
        yield f"the checkpoint signs another tree than that of the {frontier.size} entries"


def _entries(case: Case, record: LogRecord, start: int, end: int) -> tuple[list[Leaf] | None, list[str]]:
    entries = store.ct_entry
    query = select(entries).where(entries.c.log == record.id, entries.c.place >= start, entries.c.place < end)
    rows = case.storage.read(lambda tx: tx.all(query.order_by(entries.c.place)))
    if [row.place for row in rows] != list(range(start, end)):
        return None, [f"entries are missing at places {start} to {end - 1}"]
    leaves: list[Leaf] = []
    wrong: list[str] = []
    for row in rows:
        try:
            (leaf,) = read_tile(row.leaf)
        except (EncodingError, ValueError) as error:
            return None, [*wrong, f"entry {row.place} cannot be read: {error}"]
        leaves.append(leaf)
        sct = Sct(record.log_id, leaf.timestamp, leaf.extensions, row.signature)
        if leaf.hash != row.leaf_hash or leaf.timestamp != row.timestamp:
            wrong.append(f"entry {row.place} says something else than its row")
        if leaf.extensions != leaf_index_extension(row.place):
            wrong.append(f"the timestamp of entry {row.place} promises another place")
        if not verify_sct(sct, record.spki, leaf.entry):
            wrong.append(f"the signature over entry {row.place} does not verify")
    return leaves, wrong


def _tiles(case: Case, log: str, height: int, first: int, hashes: list[bytes]) -> Iterator[str]:
    for position, hash in enumerate(hashes, first):
        number, offset = divmod(position, TILE_WIDTH)
        if offset == 0 or position == first:
            tile = case.storage.read(partial(store.tile, log=log, height=height, number=number))
        if tile[offset * _HASH : (offset + 1) * _HASH] != hash:
            yield f"tile {height}/{number} does not belong to the entries"
            return
