"""Conditions and ranges of requests for an object (RFC 9110 sections 13 and 14)."""

import re
from dataclasses import dataclass
from datetime import datetime

from greatseal.domain.objects.model import Version
from greatseal.domain.objects.refusals import InvalidRange, NotModified, PreconditionFailed

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four headers; None where absent."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None

    def check_reading(self, found: Version) -> None:
        """Raises PreconditionFailed and NotModified, in the order of RFC 9110 section 13.2.2."""
        modified = found.modified_at.replace(microsecond=0)
        if self.if_match is not None:
            if not _names(self.if_match, found):
                raise PreconditionFailed
        elif self.if_unmodified_since is not None and modified > self.if_unmodified_since:
            raise PreconditionFailed
        if self.if_none_match is not None:
            if _names(self.if_none_match, found):
                raise NotModified
        elif self.if_modified_since is not None and modified <= self.if_modified_since:
            raise NotModified

    def check_writing(self, present: Version | None) -> None:
        """Raises PreconditionFailed; `present` is what would be replaced."""
        here = present if present is not None and not present.delete_marker else None
        if self.if_match is not None and (here is None or not _names(self.if_match, here)):
            raise PreconditionFailed
        if self.if_none_match is not None and here is not None and _names(self.if_none_match, here):
            raise PreconditionFailed


def _names(header: str, found: Version) -> bool:
    tags = {each.strip().removeprefix("W/").strip('"') for each in header.split(",")}
    return "*" in tags or found.etag in tags


def octets(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, length) of the one range that is asked for; None for the whole object, also for what is no range.

    Raises InvalidRange.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or found[1] == found[2] == "":
        return None
    if found[1] == "":
        wanted = min(int(found[2]), size)
        start, end = size - wanted, size
    else:
        start = int(found[1])
        end = min(int(found[2]) + 1, size) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= size or end <= start:
        raise InvalidRange
    return start, end - start
