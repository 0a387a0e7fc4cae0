"""The tables of the revocation room: who is revoked, and the lists that say so."""

from greatseal.domain.revocation.store.revocations import add, among, entries, entries_since, find, revocation

__all__ = ["add", "among", "entries", "entries_since", "find", "revocation"]
