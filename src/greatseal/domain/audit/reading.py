"""What is read of the log: the newest records, the newest checkpoint, proofs. Needs no key."""

import base64
from collections.abc import Sequence
from functools import lru_cache

from greatseal.crypto import merkle
from greatseal.crypto.merkle import Subtree
from greatseal.crypto.tiles import subtrees
from greatseal.domain.audit import leaf, note
from greatseal.domain.audit.model import AuditRecord, LogDamaged
from greatseal.domain.audit.store import log as store
from greatseal.domain.audit.store import records
from greatseal.kernel.errors import InProgress, NotFound
from greatseal.storage import Storage, Tx

PROOF_FORMAT = "greatseal-audit-proof/1"


def newest(storage: Storage, limit: int) -> Sequence[AuditRecord]:
    """The newest records of all accounts, newest first."""
    return storage.read(lambda tx: records.newest(tx, limit))


def sequenced(tx: Tx, *, after: int, limit: int) -> Sequence[tuple[int, AuditRecord]]:
    """Records of all accounts with their places in the log, from behind a place on: nobody who waits misses one."""
    return records.sequenced(tx, after=after, limit=limit)


def last_place(tx: Tx) -> int:
    """The place of the newest record of the log; -1 before the first."""
    head = store.head(tx)
    return -1 if head is None else head.size - 1


def newest_checkpoint(storage: Storage) -> str | None:
    """The newest checkpoint that was signed, or None."""
    last = storage.read(store.last_checkpoint)
    return None if last is None else last.note


def prove(storage: Storage, event_id: str) -> dict[str, object]:
    """A proof that the event is in the log, complete in itself (docs/audit.md shows how to check it).

    Raises NotFound; InProgress until a checkpoint covers the event; LogDamaged when the proof would not hold.
    """

    def work(tx: Tx) -> dict[str, object]:
        found = records.by_event(tx, event_id)
        if found is None:
            raise NotFound(f"There is no event {event_id}.")
        record, index = found
        checkpoint = None if index is None else store.last_checkpoint(tx, above=index)
        if index is None or checkpoint is None:
            raise InProgress(f"No checkpoint covers event {event_id} yet. Try again in a minute.")
        try:
            content = leaf.encode(record)
            signed = note.parse(checkpoint.note).checkpoint
            path = merkle.inclusion_proof(index, checkpoint.size, stored_subtrees(tx))
        except ValueError as error:
            raise LogDamaged(f"the log cannot prove event {event_id}: {error}") from error
        if not merkle.verify_inclusion(merkle.leaf_hash(content), index, checkpoint.size, path, signed.root):
            raise LogDamaged(f"event {event_id} is not what was logged, or its log was altered")
        return {
            "format": PROOF_FORMAT,
            "leaf": content.decode(),
            "index": index,
            "size": checkpoint.size,
            "path": [_text(step) for step in path],
            "checkpoint": checkpoint.note,
            "key": _text(checkpoint.spki),
        }

    return storage.read(work)


def stored_subtrees(tx: Tx) -> Subtree:
    """The subtrees of the stored log, each tile read once."""
    return subtrees(lru_cache(lambda height, number: store.tile(tx, height, number)))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
