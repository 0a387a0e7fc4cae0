"""Events before and at the end of a certificate (acm.md 11)."""

import threading
from datetime import timedelta

import pytest

from doors.acm_material import START, Acm, make
from greatseal.domain.certificates import expiry

SOON, ENDED = "ACM Certificate Approaching Expiration", "ACM Certificate Expired"
DAY = timedelta(days=1)


@pytest.fixture
def acm(storage):
    return Acm(storage)


def sweep(acm):
    return acm.installation.rooms.watching.expiry.sweep()


def days_told(acm, arn):
    return [each["detail"]["DaysToExpiry"] for each in acm.events(SOON) if each["resources"] == [arn]]


def by_the_hour(acm, days):
    for _ in range(days * 24):
        acm.advance(hours=1)
        sweep(acm)


def test_a_notice_a_day_from_45_days_and_the_end_once(acm):
    imported = acm.take(make("www.example.com", ["www.example.com"], end=START + 47 * DAY))
    by_the_hour(acm, 49)
    assert days_told(acm, imported) == list(range(45, 0, -1))
    assert acm.events(ENDED) == [], "imported certificates have no event at their end"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_fields_of_both_events(acm):
    authority = acm.root()
    acm.permit(authority)
    arn = acm.issued(authority, "app.example.com")
    end = acm.detail(arn)["NotAfter"]
    acm.clock.at = end - 3 * DAY - timedelta(minutes=5)
    sweep(acm)
    (soon,) = acm.events(SOON)
    validity = soon["detail"]["ValidityInDays"]
    assert validity in (395, 396)
    common = {
        "CommonName": "app.example.com",
        "FirstSubjectAlternativeName": "app.example.com",
        "ValidityInDays": validity,
        "CertificateKeyPairOrigin": "AWS_MANAGED",
    }
    assert soon["detail"] == {"DaysToExpiry": 3, **common}
    assert (soon["source"], soon["resources"]) == ("aws.acm", [arn])
    acm.clock.at = end + timedelta(minutes=5)
    sweep(acm)
    sweep(acm)
    (ended,) = acm.events(ENDED)
    assert ended["detail"] == {
        **common,
        "CertificateType": "PRIVATE",
        "CertificateCreatedDate": "2026-01-15T12:00:00Z",
        "CertificateExpirationDate": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InUse": False,
        "Exported": False,
    }


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_clock_that_jumps_sends_each_once_with_the_right_days(acm):
    arns = [acm.take(make(end=START + timedelta(days=60 + n))) for n in range(3)]
    acm.advance(days=55, hours=12)
    sweep(acm)
    sweep(acm)
    assert [days_told(acm, arn) for arn in arns] == [[4], [5], [6]]
    acm.advance(days=30)
    sweep(acm)
    assert [len(days_told(acm, arn)) for arn in arns] == [1, 1, 1], "what has ended is not approaching its end"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_account_says_when_notices_begin(acm):
    acm.acm.put_account_configuration(IdempotencyToken="a", ExpiryEvents={"DaysBeforeExpiry": 10})
    arn = acm.take(make(end=START + 40 * DAY + timedelta(hours=3)))
    sweep(acm)
    assert days_told(acm, arn) == []
    elsewhere = acm.installation.client("acm", region="eu-west-1")
    elsewhere.import_certificate(**make("eu.example.com", end=START + 40 * DAY).parcel())
    sweep(acm)
    assert len(acm.events(SOON)) == 1, "the setting is one of an account and region"
    acm.acm.put_account_configuration(IdempotencyToken="b", ExpiryEvents={"DaysBeforeExpiry": 45})
    sweep(acm)
    sweep(acm)
    assert days_told(acm, arn) == [40], "more days take effect at once"
    acm.acm.put_account_configuration(IdempotencyToken="c", ExpiryEvents={"DaysBeforeExpiry": 9})
    by_the_hour(acm, 32)
    assert days_told(acm, arn) == [40, 9], "and so do fewer"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_reimport_begins_anew_and_an_export_does_not(acm):
    first = make(end=START + 20 * DAY)
    arn = acm.take(first)
    sweep(acm)
    acm.take(make(end=START + 80 * DAY), CertificateArn=arn)
    by_the_hour(acm, 3)
    assert days_told(acm, arn) == [20]
    acm.advance(days=36)
    sweep(acm)
    assert len(days_told(acm, arn)) == 2


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_is_said_about_revoked_and_deleted_certificates(acm):
    authority = acm.root()
    acm.permit(authority)
    revoked, deleted = acm.exported(authority, "a.example.com"), acm.issued(authority, "b.example.com")
    acm.acm.revoke_certificate(CertificateArn=revoked, RevocationReason="UNSPECIFIED")
    acm.work()
    acm.acm.delete_certificate(CertificateArn=deleted)
    acm.advance(days=380)
    sweep(acm)
    acm.advance(days=60)
    sweep(acm)
    assert acm.events(SOON, ENDED) == []


def test_two_nodes_send_each_once(acm, monkeypatch):
    monkeypatch.setattr(expiry, "_BATCH", 3)
    arns = [acm.take(make(f"n{n}.example.com", end=START + 10 * DAY)) for n in range(20)]
    nodes = [threading.Thread(target=sweep, args=(acm,)) for _ in range(2)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    assert [len(days_told(acm, arn)) for arn in arns] == [1] * 20


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_crash_in_between_loses_nothing(acm, monkeypatch):
    arn = acm.take(make(end=START + 10 * DAY))
    events = acm.installation.rooms.watching.expiry._events
    original = events.emit

    def dies(tx, event):
        original(tx, event)
        raise KeyboardInterrupt

    monkeypatch.setattr(events, "emit", dies)
    with pytest.raises(KeyboardInterrupt):
        sweep(acm)
    monkeypatch.undo()
    assert days_told(acm, arn) == []
    sweep(acm)
    assert len(days_told(acm, arn)) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_census_behind_the_metrics(acm):
    for days in (5, 400):
        acm.take(make(end=START + days * DAY))
    census = acm.installation.rooms.watching.expiry.census(1)
    assert census.counts == {("IMPORTED", "ISSUED"): 2}
    assert census.soonest[0][1] == START + 5 * DAY
    acm.advance(days=6)
    census = acm.installation.rooms.watching.expiry.census(10)
    assert census.counts == {("IMPORTED", "ISSUED"): 1, ("IMPORTED", "EXPIRED"): 1}
    assert len(census.soonest) == 1
