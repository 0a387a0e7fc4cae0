"""Identifiers that sort by the time at which they were made."""

import uuid
from datetime import UTC, datetime, timedelta

from greatseal.kernel.entropy import SystemEntropy
from greatseal.kernel.ids import new_ordered_id, new_ordered_uuid

AT = datetime(2026, 1, 15, 12, 0, 0, 123456, tzinfo=UTC)


def test_ordered_uuids_are_version_7_and_tell_their_millisecond() -> None:
    found = uuid.UUID(new_ordered_uuid(SystemEntropy(), AT))
    assert (found.version, found.variant) == (7, uuid.RFC_4122)
    assert found.int >> 80 == int(AT.timestamp() * 1000)


def test_ordered_identifiers_sort_by_time_and_differ_within_a_moment() -> None:
    entropy = SystemEntropy()
    for make in (new_ordered_uuid, new_ordered_id):
        made = [make(entropy, AT + timedelta(milliseconds=step)) for step in (0, 1, 2, 1000, 10**9)]
        assert made == sorted(made)
        assert len({make(entropy, AT) for _ in range(100)}) == 100
