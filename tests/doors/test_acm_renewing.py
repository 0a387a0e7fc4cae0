"""Managed renewal of private certificates, and the use of certificates that asks for it (acm.md 9, 11)."""

import threading
from datetime import timedelta

import pytest

from doors.acm_material import Acm, make
from doors.pki import refused
from doors.renewals import DAY, LISTENER, OTHER, actions, associate, dissociate, end_of, live, owner, renewals, sweep
from greatseal.domain.renewal import service
from greatseal.kernel.errors import InvalidArn, InvalidState, NotFound

ACTION = "ACM Certificate Renewal Action Required"
EC = {"keyTypes": ["EC_prime256v1"]}


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def acm(storage):
    return Acm(storage)


# In use


@on_both
def test_a_certificate_in_use(acm):
    arn, spare = acm.issued(acm.root()), acm.take(make())
    associate(acm, arn, OTHER)
    associate(acm, arn)
    associate(acm, arn)
    detail = acm.detail(arn)
    assert detail["InUseBy"] == [OTHER, LISTENER]
    assert detail["RenewalEligibility"] == "ELIGIBLE"
    listed = {each["CertificateArn"]: each for each in acm.listed(Includes={"keyTypes": ["EC_prime256v1"]})}
    assert [(listed[each]["InUse"], listed[each]["RenewalEligibility"]) for each in (arn, spare)] == [
        (True, "ELIGIBLE"),
        (False, "INELIGIBLE"),
    ]
    for in_use, expected in ((True, arn), (False, spare)):
        wanted = {"Filter": {"AcmCertificateMetadataFilter": {"InUse": in_use}}}
        (found,) = acm.acm.search_certificates(FilterStatement=wanted)["Results"]
        assert found["CertificateArn"] == expected
        assert found["CertificateMetadata"]["AcmCertificateMetadata"]["InUse"] is in_use
    ordered = acm.acm.search_certificates(SortBy="RENEWAL_ELIGIBILITY", SortOrder="ASCENDING")["Results"]
    assert [each["CertificateArn"] for each in ordered] == [arn, spare]

    in_use = f"Certificate {arn} in account 111122223333 is in use."
    for resource in (OTHER, LISTENER):
        with refused("ResourceInUseException", in_use):
            acm.acm.delete_certificate(CertificateArn=arn)
        with refused("ResourceInUseException", in_use):
            acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
        dissociate(acm, arn, resource)
    assert (acm.detail(arn)["InUseBy"], acm.detail(arn)["RenewalEligibility"]) == ([], "INELIGIBLE")
    acm.acm.delete_certificate(CertificateArn=arn)
    acts = [
        each.operation
        for each in acm.storage.read(lambda tx: acm.installation.rooms.audit.recent(tx, "111122223333", 20))
    ]
    assert acts.count("greatseal:AssociateCertificate") == 4


def test_what_cannot_be_used(acm):
    ca = acm.root()
    pending, arn = acm.request(ca), acm.take(make())
    with pytest.raises(InvalidState, match="PENDING_VALIDATION"):
        associate(acm, pending)
    for resource in (
        "web-1",
        "arn:aws:::",
        "arn:aws:custom:::a\nb",
        "arn:aws:custom:::" + "a" * 2048,
        "arn:aws:::1:web",
    ):
        with pytest.raises(InvalidArn):
            associate(acm, arn, resource)
    with pytest.raises(NotFound):
        associate(acm, arn.replace("certificate/", "certificate/0"))
    with pytest.raises(NotFound):
        acm.installation.rooms.renewals.associations.associate(owner(acm, account="444455556666"), arn, OTHER)
    with pytest.raises(NotFound, match="not in use"):
        dissociate(acm, arn)
    associate(acm, arn)
    acm.advance(days=500)
    with pytest.raises(InvalidState, match="EXPIRED"):
        associate(acm, arn, OTHER)
    dissociate(acm, arn)
    assert acm.detail(arn)["RenewalEligibility"] == "INELIGIBLE"


def test_a_reimport_keeps_the_association(acm):
    arn = acm.take(make())
    associate(acm, arn)
    acm.take(make(number=2), CertificateArn=arn)
    assert acm.detail(arn)["InUseBy"] == [LISTENER]
    assert acm.detail(arn)["RenewalEligibility"] == "INELIGIBLE", "what was imported is never renewed"


# Renewal


@on_both
def test_a_private_certificate_renews_by_itself(acm):
    ca = acm.root()
    acm.permit(ca)
    arn, unused = acm.issued(ca), acm.issued(ca, "unused.example.com")
    associate(acm, arn)
    before = acm.detail(arn)
    acm.clock.at = end_of(acm, arn) - 61 * DAY
    assert sweep(acm) == 0
    live(acm, 6)
    after = acm.detail(arn)
    assert after["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert timedelta(days=55) < before["NotAfter"] - after["RenewalSummary"]["UpdatedAt"] <= timedelta(days=60)
    assert after["Serial"] != before["Serial"]
    assert after["NotAfter"] > before["NotAfter"] + 300 * DAY
    assert (after["CreatedAt"], after["InUseBy"]) == (before["CreatedAt"], [LISTENER])
    assert after["RenewalEligibility"] == "ELIGIBLE", "what is in use stays in use"
    assert "RenewalSummary" not in acm.detail(unused)
    (told,) = renewals(acm, arn)
    assert (told["InUse"], told["Exported"], told["Exportable"]) == (True, False, True)
    assert acm.events(ACTION) == []
    assert acm.key_count() == 2
    assert sweep(acm) == 0
    # And so on, for ever.
    acm.clock.at = end_of(acm, arn) - 55 * DAY
    sweep(acm)
    acm.work()
    assert len(renewals(acm, arn)) == 2


def test_an_export_makes_one_renewal_and_asks_for_the_next(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.exported(ca)
    acm.clock.at = end_of(acm, arn) - 56 * DAY
    sweep(acm)
    acm.work()
    assert len(renewals(acm, arn)) == 1
    assert renewals(acm, arn)[0]["Exported"] is True
    assert acm.detail(arn)["RenewalEligibility"] == "INELIGIBLE"
    acm.clock.at = end_of(acm, arn) - 10 * DAY
    assert sweep(acm) == 0
    acm.export(arn)
    assert sweep(acm) == 1
    acm.work()
    assert len(renewals(acm, arn)) == 2


def test_the_schedule_of_a_renewal_that_fails_to_the_end(acm):
    """Without CreatePermission: attempts day after day, notices at the steps, and FAILED at the end."""
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    end = end_of(acm, arn)
    acm.clock.at = end - 62 * DAY
    with acm.nothing_issued():
        live(acm, 63)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [45, 30, 15, 3, 1]
    first = actions(acm, arn)[0]
    assert first.pop("ValidityInDays") in (395, 396)
    assert first == {
        "CertificateType": "PRIVATE",
        "CommonName": "app.example.com",
        "FirstSubjectAlternativeName": "app.example.com",
        "CertificateKeyPairOrigin": "AWS_MANAGED",
        "CertificateExpirationDate": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "RenewalStatusReason": "PCA_ACCESS_DENIED",
        "DaysToExpiry": 45,
        "InUse": True,
        "Exported": False,
    }
    summary = acm.detail(arn)["RenewalSummary"]
    assert (summary["RenewalStatus"], summary["RenewalStatusReason"]) == ("FAILED", "PCA_ACCESS_DENIED")
    assert acm.detail(arn)["Status"] == "EXPIRED"
    assert acm.key_count() == 1
    assert sweep(acm) == 0
    acm.permit(ca)
    live(acm, 5)
    assert renewals(acm, arn) == [], "what has ended stays ended"


def test_the_permission_comes_late(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 58 * DAY
    live(acm, 20)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [45]
    acm.permit(ca)
    live(acm, 2)
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    live(acm, 30, each=DAY)
    assert len(actions(acm, arn)) == 1, "what is solved is not told any more"


def test_a_clock_that_jumps_makes_one_attempt_and_one_notice(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 2 * DAY
    generation = acm.storage.read(lambda tx: service.certificates.find(tx, arn.rpartition("/")[2])).generation
    sweep(acm)
    acm.work()
    assert actions(acm, arn) == []
    acm.advance(hours=2)
    sweep(acm)
    acm.work()
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [1]
    item = acm.storage.read(lambda tx: service.certificates.find(tx, arn.rpartition("/")[2]))
    assert item.generation == generation + 1
    # Beyond the end: no attempt at all.
    late = acm.issued(ca, "late.example.com")
    associate(acm, late)
    acm.clock.at = end_of(acm, late) + DAY
    with acm.nothing_issued():
        sweep(acm)
        acm.work()
    assert "RenewalSummary" not in acm.detail(late)


def test_who_loses_the_use_hears_no_more(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 50 * DAY
    live(acm, 10)
    dissociate(acm, arn)
    live(acm, 30)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [45]
    associate(acm, arn)
    live(acm, 2)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)][1:] == [9], "one notice for the step that was missed"


def test_revoked_and_deleted_ones_are_left_alone(acm):
    ca = acm.root()
    acm.permit(ca)
    revoked, deleted = acm.exported(ca), acm.exported(ca, "b.example.com")
    end = end_of(acm, revoked)
    acm.acm.revoke_certificate(CertificateArn=revoked, RevocationReason="SUPERSEDED")
    acm.work()
    acm.acm.delete_certificate(CertificateArn=deleted)
    acm.clock.at = end - 40 * DAY
    with acm.nothing_issued():
        assert sweep(acm) == 0
        acm.work()


def test_the_trail_tells_who_renewed(acm):
    ca = acm.root()
    acm.permit(ca)
    arn = acm.issued(ca)
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 50 * DAY
    sweep(acm)
    (record,) = [
        each
        for each in acm.storage.read(lambda tx: acm.installation.rooms.audit.recent(tx, "111122223333", 20))
        if each.operation == "acm:RenewCertificate"
    ]
    assert record.service_principal == "acm.amazonaws.com"
    assert record.principal_arn.endswith("role/aws-service-role/acm.amazonaws.com/AWSServiceRoleForCertificateManager")
    assert record.resources == (arn,)


def test_the_loop_renews_without_anybody(acm):
    """The recurring task and the job behind it, in batches."""
    ca = acm.root()
    acm.permit(ca)
    arns = [acm.issued(ca, f"n{n}.example.com") for n in range(3)]
    for arn in arns:
        associate(acm, arn)
    acm.clock.at = end_of(acm, arns[0]) - 50 * DAY
    acm.work()
    for _ in range(3):
        acm.advance(minutes=1)
        acm.installation.rooms.renewals.managed.carry_on()
        acm.work()
    assert [acm.detail(arn)["RenewalSummary"]["RenewalStatus"] for arn in arns] == ["SUCCESS"] * 3


# Storms, nodes and crashes


def test_a_storm_is_limited_and_goes_on_by_itself(acm, monkeypatch):
    ca = acm.root()
    acm.permit(ca)
    arns = [acm.issued(ca, f"n{n}.example.com") for n in range(12)]
    for arn in arns:
        associate(acm, arn)
    acm.clock.at = end_of(acm, arns[0]) - 50 * DAY
    managed = acm.installation.rooms.renewals.managed
    monkeypatch.setattr(managed, "_most_waiting", 5)
    monkeypatch.setattr(service, "_BATCH", 4)
    assert managed.carry_on() == service.Round(4, 4, has_more=True)
    assert managed.carry_on() == service.Round(1, 1, has_more=True)
    assert managed.carry_on() == service.Round(0, 0, has_more=True)
    for _ in range(6):
        acm.work()
        acm.advance(seconds=3)
    assert [acm.detail(arn)["RenewalSummary"]["RenewalStatus"] for arn in arns] == ["SUCCESS"] * 12


@on_both
def test_two_nodes_start_each_renewal_once(acm, monkeypatch):
    monkeypatch.setattr(service, "_BATCH", 3)
    ca = acm.root()
    acm.permit(ca)
    arns = [acm.issued(ca, f"n{n}.example.com") for n in range(10)]
    for arn in arns:
        associate(acm, arn)
    acm.clock.at = end_of(acm, arns[0]) - 50 * DAY
    nodes = [threading.Thread(target=sweep, args=(acm,)) for _ in range(2)]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    found = acm.storage.read(lambda tx: service.looks.among(tx, [arn.rpartition("/")[2] for arn in arns]))
    assert [item.generation for item in found] == [2] * 10
    acm.work()
    assert [len(renewals(acm, arn)) for arn in arns] == [1] * 10
    assert acm.key_count() == 10


@pytest.mark.parametrize("verb", ["keep", "plan", "action_required"])
def test_a_crash_in_a_look_loses_and_doubles_nothing(acm, monkeypatch, verb):
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 44 * DAY
    owners = {"keep": service.courses, "plan": service.looks, "action_required": service.happenings}
    if verb == "action_required":
        sweep(acm)
        acm.work()
        acm.advance(hours=2)

    def dies(*_):
        raise KeyboardInterrupt

    keys = acm.key_count()
    with monkeypatch.context() as patched:
        patched.setattr(owners[verb], verb, dies)
        with pytest.raises(KeyboardInterrupt):
            sweep(acm)
    assert (acm.key_count(), actions(acm, arn)) == (keys, [])
    sweep(acm)
    acm.work()
    acm.advance(hours=2)
    sweep(acm)
    assert len(actions(acm, arn)) == 1
    assert acm.key_count() == 1


def test_what_the_health_events_say(acm):
    ca = acm.root()
    arn = acm.issued(ca)
    associate(acm, arn)
    end = end_of(acm, arn)
    acm.clock.at = end - 8 * DAY
    live(acm, 1)
    assert actions(acm, arn) == actions(acm, arn)[:1], "at 7 days no action is required"
    acm.clock.at = end + DAY
    sweep(acm)
    *_, seventh, last = acm.events("AWS Health Event")
    assert (seventh["source"], seventh["resources"], seventh["detail"]["service"]) == ("aws.health", [arn], "ACM")
    detail = seventh["detail"]
    assert (detail["eventTypeCode"], detail["affectedEntities"]) == ("AWS_ACM_RENEWAL_FAILURE", [{"entityValue": arn}])
    (text,) = detail["eventDescription"]
    assert text["latestDescription"] == (
        "The certificate for app.example.com ends in 7 days and was not renewed: PCA_ACCESS_DENIED."
    )
    assert "has expired" in last["detail"]["eventDescription"][0]["latestDescription"]
    assert last["detail"]["eventArn"] == detail["eventArn"]
