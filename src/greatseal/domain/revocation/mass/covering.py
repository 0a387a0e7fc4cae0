"""What a mass revocation goes through: which CAs, and of each the certificates in the order of their serials.

A rehearsal and a run read the same pages and judge them by the same rule, so that one says what the other does.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Protocol

from greatseal.domain.authorities.issued import JournalEntry, certificate_arn
from greatseal.domain.authorities.model import Authority
from greatseal.domain.authorities.store import authorities, hierarchy, journal
from greatseal.domain.authorities.store.journal import Wanted
from greatseal.domain.revocation import store as revocations
from greatseal.domain.revocation.mass import store
from greatseal.domain.revocation.mass.model import Judged, Kind, Outcome, Selection, judge
from greatseal.kernel.clock import Clock
from greatseal.storage import Tx

Page = Sequence[tuple[str, JournalEntry | None]]
"""Serial numbers of one CA in their order, each with its row of the journal if it was issued; such a row is final."""


class Pages(Protocol):
    """The certificates that are gone through."""

    def page(self, tx: Tx, authority_id: str, *, after: str, limit: int) -> Page:
        """Those of a CA behind a serial number; fewer than `limit` are the last ones."""
        ...


class JournalPages:
    """What the journal has of a CA or a key."""

    def __init__(self, selection: Selection) -> None:
        self._wanted = wanted(selection)

    def page(self, tx: Tx, authority_id: str, *, after: str, limit: int) -> Page:
        """As Pages."""
        found = journal.issued(tx, authority_id, after=after, limit=limit, wanted=self._wanted)
        return [(entry.serial, entry) for entry in found]


class KeptPages:
    """What a list names that was loaded for a run."""

    def __init__(self, mass_id: str) -> None:
        self._mass_id = mass_id

    def page(self, tx: Tx, authority_id: str, *, after: str, limit: int) -> Page:
        """As Pages."""
        return _with_entries(tx, authority_id, store.items(tx, self._mass_id, authority_id, after=after, limit=limit))


class HeldPages:
    """What a list names that a rehearsal holds in memory: serial numbers in their order, by the id of the CA."""

    def __init__(self, serials: Mapping[str, Sequence[str]]) -> None:
        self._serials = serials

    def page(self, tx: Tx, authority_id: str, *, after: str, limit: int) -> Page:
        """As Pages."""
        serials = self._serials[authority_id]
        start = bisect_right(serials, after)
        return _with_entries(tx, authority_id, serials[start : start + limit])


def wanted(selection: Selection) -> Wanted:
    """The limits of a selection. What a CA is limits nothing here: the journal is asked CA by CA."""
    return Wanted(
        key_fingerprint=selection.target if selection.kind is Kind.KEY else None,
        template=selection.template,
        issued_after=selection.issued_after,
        issued_before=selection.issued_before,
    )


def scope(tx: Tx, selection: Selection, authority: Authority | None) -> list[str]:
    """The ids of the CAs that issued what is covered; a subordinate comes after those above it."""
    if selection.kind is Kind.KEY:
        return journal.certified(tx, selection.target)
    assert authority is not None
    return [authority.id, *(hierarchy.below(tx, authority.id) if selection.recursive else ())]


def judged(tx: Tx, selection: Selection, authority_id: str, page: Page, clock: Clock) -> list[Judged]:
    """What becomes of each certificate of a page, as things stand now."""
    authority = authorities.find(tx, authority_id)
    if authority is None:
        # Only a CA that never issued anything is ever removed.
        return [Judged(f"{authority_id}/certificate/{serial}", Outcome.NOT_ISSUED) for serial, _ in page]
    now, limits = clock.now(), wanted(selection)
    revoked = revocations.among(tx, authority_id, [serial for serial, _ in page])
    return [
        Judged(
            certificate_arn(authority.arn, serial),
            judge(
                authority,
                entry,
                kind=selection.kind,
                revoked=serial in revoked,
                selected=entry is None or limits.covers(entry),
                now=now,
            ),
        )
        for serial, entry in page
    ]


def _with_entries(tx: Tx, authority_id: str, serials: Sequence[str]) -> Page:
    found = journal.issued_among(tx, authority_id, serials)
    return [(serial, found.get(serial)) for serial in serials]
