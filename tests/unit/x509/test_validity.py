"""The table of validity types (acm-pca.md 6.1), and the limits."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from greatseal.kernel.errors import DurationExceeded, InvalidArgument, ValidationFailed
from greatseal.x509.validity import (
    NO_EXPIRY,
    Validity,
    ValidityType,
    check_short_lived,
    check_within_issuer,
    validity_period,
)

NOW = datetime(2020, 7, 20, 14, 37, 54, 999_999, tzinfo=UTC)
ISSUED = NOW.replace(microsecond=0)


def at(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def end(value, kind, issued=NOW):
    return validity_period(Validity(value, ValidityType[kind]), None, issued)[1]


@pytest.mark.parametrize(
    ("value", "kind", "issued", "expected"),
    [
        (1, "DAYS", NOW, "2020-07-21 14:37:54"),
        (365, "DAYS", NOW, "2021-07-20 14:37:54"),
        (13, "MONTHS", NOW, "2021-08-20 14:37:54"),
        (9, "YEARS", NOW, "2029-07-20 14:37:54"),
        (1, "MONTHS", at("2023-01-31 00:00:00"), "2023-02-28 00:00:00"),
        (1, "MONTHS", at("2024-01-31 00:00:00"), "2024-02-29 00:00:00"),
        (1, "YEARS", at("2024-02-29 12:00:00"), "2025-02-28 12:00:00"),
        (4, "YEARS", at("2024-02-29 12:00:00"), "2028-02-29 12:00:00"),
        (11, "MONTHS", at("2026-01-31 00:00:00"), "2026-12-31 00:00:00"),
        (12, "MONTHS", at("2026-12-31 00:00:00"), "2027-12-31 00:00:00"),
        (1, "DAYS", at("2049-12-31 00:00:00"), "2050-01-01 00:00:00"),
        (491231235959, "END_DATE", NOW, "2049-12-31 23:59:59"),
        (20491231235959, "END_DATE", NOW, "2049-12-31 23:59:59"),
        (20500101000000, "END_DATE", NOW, "2050-01-01 00:00:00"),
        (99991231235959, "END_DATE", NOW, "9999-12-31 23:59:59"),
        (210101000000, "END_DATE", NOW, "2021-01-01 00:00:00"),
        (1893456000, "ABSOLUTE", NOW, "2030-01-01 00:00:00"),
        (253402300799, "ABSOLUTE", NOW, "9999-12-31 23:59:59"),
    ],
)
def test_the_types(value, kind, issued, expected):
    assert end(value, kind, issued) == at(expected)


def test_leading_zeros_that_a_json_number_loses_come_back():
    # 08-01-15, 00-00-05 and so on need an issuance in the years 2000 to 2009.
    issued = at("2000-01-01 00:00:00")
    assert end(80115093000, "END_DATE", issued) == at("2008-01-15 09:30:00")
    assert end(102030405, "END_DATE", issued) == at("2000-01-02 03:04:05")


def test_it_begins_an_hour_before_issuance_in_whole_seconds():
    start, stop = validity_period(Validity(365, ValidityType.DAYS), None, NOW)
    assert start == at("2020-07-20 13:37:54")
    assert stop - start == timedelta(days=365, hours=1)


def test_the_end_does_not_depend_on_the_beginning():
    begin = Validity(int(at("2020-07-01 00:00:00").timestamp()), ValidityType.ABSOLUTE)
    start, stop = validity_period(Validity(1, ValidityType.DAYS), begin, NOW)
    assert (start, stop) == (at("2020-07-01 00:00:00"), at("2020-07-21 14:37:54"))


def test_other_zones_are_converted():
    local = NOW.astimezone(timezone(timedelta(hours=9)))
    assert validity_period(Validity(1, ValidityType.MONTHS), None, local) == validity_period(
        Validity(1, ValidityType.MONTHS), None, NOW
    )


@pytest.mark.parametrize("kind", ["DAYS", "MONTHS", "YEARS", "END_DATE"])
def test_only_an_absolute_beginning(kind):
    with pytest.raises(InvalidArgument, match="ABSOLUTE"):
        validity_period(Validity(1, ValidityType.DAYS), Validity(1, ValidityType[kind]), NOW)


@pytest.mark.parametrize(
    ("value", "kind", "reason"),
    [
        (0, "DAYS", "at least 1"),
        (-1, "ABSOLUTE", "at least 1"),
        (10**9, "DAYS", "9999"),
        (10**30, "DAYS", "9999"),
        (8000, "YEARS", "9999"),
        (10**30, "MONTHS", "9999"),
        (253402300800, "ABSOLUTE", "9999"),
        (10**30, "ABSOLUTE", "9999"),
        (210229000000, "END_DATE", "calendar"),
        (211301000000, "END_DATE", "calendar"),
        (20210101240000, "END_DATE", "calendar"),
        (20161231235960, "END_DATE", "calendar"),  # a leap second
        (2021010100000, "END_DATE", "written"),
        (202101010000000, "END_DATE", "written"),
        (200720143754, "END_DATE", "past"),
        (500101000000, "END_DATE", "past"),  # 1950
        (1, "ABSOLUTE", "past"),
    ],
)
def test_what_is_refused(value, kind, reason):
    with pytest.raises(ValidationFailed, match=reason):
        end(value, kind)


def test_a_beginning_at_or_after_the_end_is_refused():
    day_after = Validity(int((ISSUED + timedelta(days=1)).timestamp()), ValidityType.ABSOLUTE)
    with pytest.raises(ValidationFailed, match="before it begins"):
        validity_period(Validity(1, ValidityType.DAYS), day_after, NOW)


def test_one_second_is_enough():
    second = Validity(int(ISSUED.timestamp()) + 1, ValidityType.ABSOLUTE)
    assert validity_period(second, None, NOW)[1] == ISSUED + timedelta(seconds=1)


def test_ending_with_the_issuer_is_allowed_and_a_second_later_is_not():
    check_within_issuer(NO_EXPIRY, NO_EXPIRY)
    with pytest.raises(DurationExceeded) as refused:
        check_within_issuer(ISSUED + timedelta(seconds=1), ISSUED)
    assert refused.value.message == "The certificate validity specified exceeds the CA validity."


def test_short_lived():
    check_short_lived(ISSUED + timedelta(days=7), NOW)
    with pytest.raises(DurationExceeded, match="7 days"):
        check_short_lived(ISSUED + timedelta(days=7, seconds=1), NOW)
