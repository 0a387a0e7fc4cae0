"""When the renewal of a certificate may begin: pure arithmetic, no clock and no table (acm.md 9.2)."""

import zlib
from datetime import datetime, timedelta

from greatseal.domain.certificates.model import Type

_DAY = timedelta(days=1)
_LEAD_DAYS = {Type.PRIVATE: 60, Type.AMAZON_ISSUED: 45}
_LEGACY_LEAD_DAYS = 60
# Public certificates that live longer than this were issued under the rules before 2026.
_LEGACY_LIFE = 200 * _DAY
# What lives for a short time is renewed in the last third of it, as ACME clients do.
_LARGEST_SHARE = 3
# The spread is so small a part of the lead that a certificate renews long before anybody is told of it.
_SPREAD_SHARE = 15


def nominal_lead_days(type_: Type, not_before: datetime, not_after: datetime) -> int:
    """How many days before the end the window opens by the tables."""
    if type_ is Type.AMAZON_ISSUED and not_after - not_before > _LEGACY_LIFE:
        return _LEGACY_LEAD_DAYS
    return _LEAD_DAYS[type_]


def lead(type_: Type, not_before: datetime, not_after: datetime) -> timedelta:
    """How long before the end the window opens: what the tables say, but no more than a third of the life."""
    return min(nominal_lead_days(type_, not_before, not_after) * _DAY, (not_after - not_before) / _LARGEST_SHARE)


def share_of(certificate_id: str) -> float:
    """A number in [0, 1) that belongs to the certificate: what happens to many at once is spread by it."""
    return zlib.crc32(certificate_id.encode()) / 2**32


def opens(certificate_id: str, type_: Type, not_before: datetime, not_after: datetime) -> datetime:
    """The instant of the first attempt.

    Certificates that end together begin over a fifteenth of their lead (three days of 45), or those that were issued
    in one hour would renew in one hour for ever.
    """
    before = lead(type_, not_before, not_after)
    return not_after - before + before / _SPREAD_SHARE * share_of(certificate_id)
