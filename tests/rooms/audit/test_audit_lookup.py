"""Looking up events as CloudTrail's clients do."""

from datetime import timedelta

import pytest
from audit_room import ACCOUNT, AUTHORITY, REGION, Room, caller

from greatseal.domain.audit import InvalidLookup, InvalidTimeRange, Lookup, search
from greatseal.kernel.errors import InvalidToken

ALICE = f"arn:aws:iam::{ACCOUNT}:user/team/Alice"
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c"


@pytest.fixture
def room(storage) -> Room:
    made = Room(storage)
    made.act(3)
    made.clock.advance(timedelta(hours=1))
    made.audit.record_call(caller("acm:DescribeCertificate", principal=ALICE), CERTIFICATE)
    made.clock.advance(timedelta(hours=1))
    made.audit.record_call(
        caller("acm:DeleteCertificate", principal=ALICE), CERTIFICATE, error_code="AccessDeniedException"
    )
    return made


def names(room: Room, *attributes: tuple[str, str], **bounds) -> list[str]:
    page = room.audit.lookup(ACCOUNT, REGION, Lookup(attributes, **bounds))
    assert page.next_token is None
    return [record.event_name for record in page.items]


def test_newest_first_and_only_of_the_account_and_region(room):
    assert names(room) == ["DeleteCertificate", "DescribeCertificate"] + ["IssueCertificate"] * 3
    assert room.audit.lookup("999999999999", REGION, Lookup()).items == ()
    assert room.audit.lookup(ACCOUNT, "eu-west-1", Lookup()).items == ()


@pytest.mark.parametrize(
    ("key", "value", "count"),
    [
        ("EventName", "IssueCertificate", 3),
        ("EventName", "issuecertificate", 0),
        ("EventSource", "acm.amazonaws.com", 2),
        ("ReadOnly", "true", 1),
        ("ReadOnly", "false", 4),
        ("Username", "Alice", 2),
        ("Username", "alice", 0),
        ("Username", "team", 0),
        ("Username", "root", 3),
        ("ResourceName", AUTHORITY, 3),
        ("ResourceName", CERTIFICATE.upper(), 0),
        ("ResourceName", "0a1b2c", 2),
        ("ResourceName", "%", 0),
        ("ResourceType", "AWS::ACMPCA::CertificateAuthority", 3),
        ("AccessKeyId", "AKIAEXAMPLE", 5),
        ("EventId", "00000000-0000-4000-8000-000000000000", 0),
    ],
)
def test_attributes(room, key, value, count):
    assert len(names(room, (key, value))) == count


def test_an_event_by_its_id_and_two_attributes_at_once(room):
    event = room.audit.lookup(ACCOUNT, REGION, Lookup()).items[0]
    assert names(room, ("EventId", event.event_id)) == ["DeleteCertificate"]
    assert names(room, ("Username", "Alice"), ("ReadOnly", "true")) == ["DescribeCertificate"]


def test_both_ends_of_the_time_belong_to_it(room):
    end = room.clock.now()
    middle = end - timedelta(hours=1)
    tick = timedelta(microseconds=1)
    assert names(room, start=middle) == ["DeleteCertificate", "DescribeCertificate"]
    assert names(room, start=middle, end=middle) == ["DescribeCertificate"]
    assert names(room, start=middle + tick, end=end - tick) == []
    with pytest.raises(InvalidTimeRange):
        names(room, start=end, end=middle)


def test_pages(room, monkeypatch):
    monkeypatch.setattr(search, "_STEP", 2)
    for wanted, count in ((Lookup(), 5), (Lookup((("Username", "root"),)), 3), (Lookup((("Username", "Alice"),)), 2)):
        found, token = [], None
        while True:
            page = room.audit.lookup(ACCOUNT, REGION, wanted, limit=1, token=token)
            found += page.items
            token = page.next_token
            if token is None:
                break
        assert len({record.event_id for record in found}) == len(found) == count


def test_a_long_search_ends_a_page_early(room, monkeypatch):
    monkeypatch.setattr(search, "_LONGEST_SEARCH", 2)
    monkeypatch.setattr(search, "_STEP", 2)
    page = room.audit.lookup(ACCOUNT, REGION, Lookup((("ResourceType", "AWS::KMS::Key"),)), limit=1)
    assert page.items == ()
    assert page.next_token is not None


def test_tokens_are_bound_to_their_lookup(room):
    token = room.audit.lookup(ACCOUNT, REGION, Lookup(), limit=2).next_token
    assert token is not None
    for other in (Lookup((("ReadOnly", "true"),)), Lookup(start=room.clock.now())):
        with pytest.raises(InvalidToken):
            room.audit.lookup(ACCOUNT, REGION, other, limit=2, token=token)
    with pytest.raises(InvalidToken):
        room.audit.lookup("999999999999", REGION, Lookup(), limit=2, token=token)


@pytest.mark.parametrize("limit", [0, 51])
def test_bad_limits_and_attributes(room, limit):
    with pytest.raises(InvalidLookup):
        room.audit.lookup(ACCOUNT, REGION, Lookup(), limit=limit)
    with pytest.raises(InvalidLookup):
        room.audit.lookup(ACCOUNT, REGION, Lookup((("Colour", "red"),)))
