"""What signed statements of a zone prove about names that are not there (RFC 4035 section 5.4, RFC 5155, RFC 6840).

Pure: the statements given here were verified with keys of the zone.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Protocol

import dns.dnssec
import dns.name
import dns.rdatatype
from dns.name import Name
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.NSEC3 import NSEC3

Types = frozenset[int]

_NS, _DS, _SOA = dns.rdatatype.NS, dns.rdatatype.DS, dns.rdatatype.SOA
_CNAME, _DNAME = dns.rdatatype.CNAME, dns.rdatatype.DNAME
_MOST_ITERATIONS = 100
"""RFC 9276 section 3.2; more only cost whoever validates, and the statement is not used."""
_OPT_OUT = 1


class Denial(Protocol):
    """The statements of one zone that came with an answer."""

    def types_at(self, name: Name) -> Types | None:
        """The types of records that there are at a name; empty below which names exist, None when nothing is said."""
        ...

    def no_name(self, name: Name) -> bool:
        """Whether neither the name exists nor a wildcard for it."""
        ...

    def by_wildcard(self, name: Name) -> Types | None:
        """The types that a wildcard gives to a name that does not exist itself."""
        ...

    def nothing_closer(self, name: Name, labels: int) -> bool:
        """Whether the name does not exist, nor anything between it and its ancestor of so many labels."""
        ...

    def opted_out(self, name: Name) -> bool:
        """Whether the zone leaves it open that the name is, or is below, a delegation without keys."""
        ...


def no_data(denial: Denial, name: Name, kind: RdataType) -> bool:
    """Whether there are no records of this type at a name that exists, or for which there is a wildcard."""
    types = denial.types_at(name)
    if types is None:
        types = denial.by_wildcard(name)
        if types is None:
            # Only who may sign below an insecure delegation can be left open.
            return kind == _DS and denial.opted_out(name)
    elif kind == _DS and _SOA in types and name != dns.name.root:
        return False  # said by the child, who cannot know
    elif kind != _DS and _below_cut(types):
        return False  # said by the parent, who cannot know
    return kind not in types and _CNAME not in types


def _below_cut(types: Types) -> bool:
    """Whether what lies at or below the name is another zone's (RFC 6840 section 4.1)."""
    return _NS in types and _SOA not in types


def _silent_below(types: Types) -> bool:
    """Whether the owner of these types says nothing about names below it."""
    return _DNAME in types or _below_cut(types)


class ByName:
    """Implements `Denial` for NSEC."""

    def __init__(self, zone: Name, records: Sequence[tuple[Name, NSEC]]) -> None:
        self._zone = zone
        self._records = [(owner, record.next, _types(record)) for owner, record in records]

    def types_at(self, name: Name) -> Types | None:
        """As in the protocol."""
        for owner, following, types in self._records:
            if owner == name:
                return types
            if self._covers(owner, following, types, name) and following.is_subdomain(name):
                return frozenset()
        return None

    def no_name(self, name: Name) -> bool:
        """As in the protocol."""
        encloser = self._encloser(name)
        return encloser is not None and self._gap(_wildcard(encloser)) is not None

    def by_wildcard(self, name: Name) -> Types | None:
        """As in the protocol."""
        encloser = self._encloser(name)
        if encloser is None:
            return None
        return next((types for owner, _, types in self._records if owner == _wildcard(encloser)), None)

    def nothing_closer(self, name: Name, labels: int) -> bool:
        """As in the protocol."""
        return self._gap(_cut_to(name, labels + 1)) is not None

    def opted_out(self, name: Name) -> bool:
        """Never: that is a matter of NSEC3."""
        return False

    def _gap(self, name: Name) -> tuple[Name, Name] | None:
        """The neighbours of a name that does not exist, nor anything below it."""
        for owner, following, types in self._records:
            if self._covers(owner, following, types, name) and not following.is_subdomain(name):
                return owner, following
        return None

    def _encloser(self, name: Name) -> Name | None:
        """The closest ancestor that exists, of a name that does not."""
        found = self._gap(name)
        if found is None:
            return None
        return max((_shared(name, each) for each in found), key=len)

    def _covers(self, owner: Name, following: Name, types: Types, name: Name) -> bool:
        if not name.is_subdomain(self._zone) or (name != owner and name.is_subdomain(owner) and _silent_below(types)):
            return False
        # The last statement of a zone leads back to its apex.
        return bool(owner < name and (name < following or following == self._zone))


class ByHash:
    """Implements `Denial` for NSEC3."""

    def __init__(self, zone: Name, records: Sequence[tuple[Name, NSEC3]]) -> None:
        self._zone = zone
        self._records: dict[bytes, tuple[bytes, Types, bool]] = {}
        self._salt: tuple[bytes | None, int] | None = None
        self._hashes: dict[Name, bytes] = {}
        for owner, record in records:
            salt = (record.salt, record.iterations)
            known = record.algorithm == 1 and record.flags in (0, _OPT_OUT) and record.iterations <= _MOST_ITERATIONS
            place = _unhexed(owner, zone)
            if known and place is not None and self._salt in (None, salt):
                self._salt = salt
                self._records[place] = (record.next, _types(record), record.flags == _OPT_OUT)

    def types_at(self, name: Name) -> Types | None:
        """As in the protocol."""
        found = self._records.get(self._hash(name)) if name.is_subdomain(self._zone) else None
        return None if found is None else found[1]

    def no_name(self, name: Name) -> bool:
        """As in the protocol."""
        found = self._proof(name)
        return found is not None and self._gap(_wildcard(found[0])) is not None

    def by_wildcard(self, name: Name) -> Types | None:
        """As in the protocol."""
        found = self._proof(name)
        return None if found is None else self.types_at(_wildcard(found[0]))

    def nothing_closer(self, name: Name, labels: int) -> bool:
        """As in the protocol."""
        return self._gap(_cut_to(name, labels + 1)) is not None

    def opted_out(self, name: Name) -> bool:
        """As in the protocol."""
        found = self._proof(name)
        return found is not None and found[1]

    def _proof(self, name: Name) -> tuple[Name, bool] | None:
        """The closest ancestor that exists, of a name that does not, and whether the gap is an opt-out span."""
        if not name.is_subdomain(self._zone) or name == self._zone:
            return None
        closer, at = name, name.parent()
        while True:
            types = self.types_at(at)
            if types is not None:
                gap = self._gap(closer)
                return None if gap is None or _silent_below(types) else (at, gap)
            if at == self._zone:
                return None
            closer, at = at, at.parent()

    def _gap(self, name: Name) -> bool | None:
        """Whether the gap in which the hash of a name lies is an opt-out span; None when no gap is known."""
        place = self._hash(name)
        for owner, (following, _, open_) in self._records.items():
            inside = owner < place < following if owner < following else place > owner or place < following
            if inside and place not in (owner, following):
                return open_
        return None

    def _hash(self, name: Name) -> bytes:
        if self._salt is None:
            return b""
        if name not in self._hashes:
            salt, iterations = self._salt
            text = dns.dnssec.nsec3_hash(name.canonicalize(), salt, iterations, 1)
            self._hashes[name] = base64.b32hexdecode(text)
        return self._hashes[name]


def _types(record: NSEC | NSEC3) -> Types:
    """The types of a bitmap."""
    return frozenset(
        256 * window + 8 * index + bit
        for window, bitmap in record.windows
        for index, octet in enumerate(bitmap)
        for bit in range(8)
        if octet & (0x80 >> bit)
    )


def _unhexed(owner: Name, zone: Name) -> bytes | None:
    """The hash in the first label of an owner right below the zone."""
    if len(owner) < 2 or owner.parent() != zone:
        return None
    try:
        return base64.b32hexdecode(owner[0].upper())
    except binascii.Error:
        return None


def _wildcard(name: Name) -> Name:
    return dns.name.Name((b"*", *name.labels))


def _cut_to(name: Name, labels: int) -> Name:
    """The ancestor of so many labels, without that of the root."""
    return name.split(min(labels + 1, len(name)))[1]


def _shared(one: Name, other: Name) -> Name:
    """The closest common ancestor."""
    return one.split(one.fullcompare(other)[2])[1]
