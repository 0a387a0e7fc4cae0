"""Managed renewal of public certificates, by DNS and by e-mail (acm.md 9, 11)."""

from datetime import timedelta

import pytest

from doors.pki import parse, refused
from doors.publics import Publics
from doors.renewals import ACTION, DAY, HOUR, LISTENER, actions, associate, end_of, live, renewals, sweep

BOXES = 5


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Publics(storage)


def renewal(acm, arn):
    return acm.detail(arn)["RenewalSummary"]


def test_sixty_days_of_a_public_certificate(acm):
    """Requested, validated, in use; its record is gone when it renews, comes back, and the certificate is renewed."""
    arn = acm.ask("www.example.com", "*.example.com")
    acm.publish(arn)
    acm.work()
    before = acm.detail(arn)
    old = acm.body(arn)["Certificate"]
    assert (before["Status"], before["RenewalEligibility"]) == ("ISSUED", "INELIGIBLE")
    associate(acm, arn)
    assert acm.detail(arn)["RenewalEligibility"] == "ELIGIBLE"
    end = end_of(acm, arn)
    assert end - before["NotBefore"] == timedelta(days=198, seconds=-1)

    # Nothing happens for 150 days.
    acm.clock.at = end - 48 * DAY
    assert sweep(acm) == 0
    records, acm.control.cnames = acm.control.cnames, {}
    live(acm, 8)
    tried = renewal(acm, arn)
    assert tried["RenewalStatus"] == "PENDING_VALIDATION"
    assert "RenewalStatusReason" not in tried
    assert {each["ValidationStatus"] for each in tried["DomainValidationOptions"]} == {"PENDING_VALIDATION"}
    assert {each["ResourceRecord"]["Name"] for each in tried["DomainValidationOptions"]} == set(records)
    assert actions(acm, arn) == []
    assert (acm.detail(arn)["Status"], acm.detail(arn)["Serial"]) == ("ISSUED", before["Serial"])

    live(acm, 17)
    told = actions(acm, arn)
    assert [each["DaysToExpiry"] for each in told] == [30]
    assert told[0] == {
        "CertificateType": "AMAZON_ISSUED",
        "CommonName": "www.example.com",
        "FirstSubjectAlternativeName": "www.example.com",
        "ValidityInDays": 198,
        "CertificateKeyPairOrigin": "AWS_MANAGED",
        "DomainValidationMethod": "DNS",
        "RenewalStatusReason": "PENDING_DOMAIN_VALIDATION",
        "DaysToExpiry": 30,
        "CertificateExpirationDate": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "InUse": True,
        "Exported": False,
    }
    live(acm, 9)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [30, 15]

    acm.control.cnames = records
    live(acm, 1)
    after = acm.detail(arn)
    assert after["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert {each["ValidationStatus"] for each in after["DomainValidationOptions"]} == {"SUCCESS"}
    assert (after["Status"], after["CreatedAt"]) == ("ISSUED", before["CreatedAt"])
    assert after["Serial"] != before["Serial"]
    assert after["NotAfter"] > before["NotAfter"] + 150 * DAY
    assert after["InUseBy"] == [LISTENER]
    assert parse(acm.body(arn)["Certificate"]).public_key() != parse(old).public_key()
    (renewed,) = renewals(acm, arn)
    assert (renewed["CertificateType"], renewed["DomainValidationMethod"], renewed["InUse"]) == (
        "AMAZON_ISSUED",
        "DNS",
        True,
    )
    assert acm.key_count() == 1

    live(acm, 25, each=6 * HOUR)
    assert len(actions(acm, arn)) == 2
    assert acm.detail(arn)["Serial"] == after["Serial"]
    assert acm.now > end, "the old one has ended, and nobody noticed"


def test_a_record_that_stays_renews_unseen(acm):
    arn = acm.had()
    associate(acm, arn)
    end, serial = end_of(acm, arn), acm.detail(arn)["Serial"]
    acm.clock.at = end - 46 * DAY
    live(acm, 5)
    assert renewal(acm, arn)["RenewalStatus"] == "SUCCESS"
    assert timedelta(days=41) < end - renewal(acm, arn)["UpdatedAt"] < timedelta(days=45)
    assert acm.detail(arn)["Serial"] != serial
    assert acm.events(ACTION) == []


def test_what_nobody_uses_is_not_renewed(acm):
    arn = acm.had()
    acm.clock.at = end_of(acm, arn) - 20 * DAY
    assert sweep(acm) == 0
    live(acm, 21, each=DAY)
    assert acm.detail(arn)["Status"] == "EXPIRED"
    assert (acm.events(ACTION), "RenewalSummary" in acm.detail(arn)) == ([], False)


def test_caa_that_forbids_is_the_reason(acm):
    arn = acm.had()
    associate(acm, arn)
    acm.control.caa_records["example.com"] = [(0, "issue", "other.example")]
    acm.clock.at = end_of(acm, arn) - 31 * DAY
    live(acm, 2)
    assert (renewal(acm, arn)["RenewalStatus"], renewal(acm, arn)["RenewalStatusReason"]) == ("FAILED", "CAA_ERROR")
    assert [each["ValidationStatus"] for each in renewal(acm, arn)["DomainValidationOptions"]] == ["FAILED"]
    assert acm.states(arn) == ["SUCCESS"], "those of the certificate that there is"
    assert [(each["RenewalStatusReason"], each["DaysToExpiry"]) for each in actions(acm, arn)] == [("CAA_ERROR", 30)]
    assert acm.detail(arn)["Status"] == "ISSUED"
    acm.control.caa_records.clear()
    live(acm, 2)
    assert renewal(acm, arn)["RenewalStatus"] == "SUCCESS"


def test_one_bad_name_blocks_the_whole_certificate(acm):
    arn = acm.had("a.example.com", "b.example.com")
    associate(acm, arn)
    (gone,) = [each["ResourceRecord"]["Name"] for each in acm.options(arn) if each["DomainName"] == "b.example.com"]
    acm.control.cnames.pop(gone)
    acm.clock.at = end_of(acm, arn) - 40 * DAY
    live(acm, 1)
    states = {each["DomainName"]: each["ValidationStatus"] for each in renewal(acm, arn)["DomainValidationOptions"]}
    assert states == {"a.example.com": "SUCCESS", "b.example.com": "PENDING_VALIDATION"}
    assert renewal(acm, arn)["RenewalStatus"] == "PENDING_VALIDATION"


def test_mails_go_out_at_the_steps_until_one_is_answered(acm):
    arn = acm.ask(method="EMAIL")
    acm.work()
    code = acm.mail.codes("admin@example.com")[0]
    assert acm.answer(code) == 200
    acm.work()
    associate(acm, arn)
    acm.mail.mails.clear()
    acm.clock.at = end_of(acm, arn) - 46 * DAY
    live(acm, 14, each=2 * HOUR)
    assert len(acm.mail.mails) == BOXES, "at 45 days, and not again every three days"
    assert renewal(acm, arn)["RenewalStatus"] == "PENDING_VALIDATION"
    live(acm, 26.5)
    assert len(acm.mail.mails) == BOXES * 4, "at 30, 15 and 7"
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [30, 15]
    live(acm, 4.5)
    assert len(acm.mail.mails) == BOXES * 6, "at 3, and once more at 1 while those still stand"
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [30, 15, 3, 1]
    assert acm.answer(acm.mail.codes("admin@example.com")[-1]) == 200
    acm.work()
    assert renewal(acm, arn)["RenewalStatus"] == "SUCCESS"
    live(acm, 4)
    assert len(acm.mail.mails) == BOXES * 6


def test_a_renewal_that_never_validates_ends_with_the_certificate(acm):
    arn = acm.had()
    associate(acm, arn)
    acm.control.cnames.clear()
    end = end_of(acm, arn)
    for left in (30, 15, 7, 3, 1):
        acm.clock.at = end - left * DAY - 5 * HOUR
        live(acm, 1)
    assert [each["DaysToExpiry"] for each in actions(acm, arn)] == [30, 15, 3, 1]
    acm.clock.at = end + HOUR
    sweep(acm)
    acm.work()
    assert (acm.detail(arn)["Status"], renewal(acm, arn)["RenewalStatus"]) == ("EXPIRED", "FAILED")
    assert acm.key_count() == 1
    acm.control.cnames = {}
    live(acm, 4, each=6 * HOUR)
    assert acm.detail(arn)["Status"] == "EXPIRED"


def test_an_exportable_certificate_and_renewals_that_are_asked_for(acm):
    arn = acm.had(Options={"Export": "ENABLED"})
    never = "has not been exported so it is not eligible for the Renew Certificate API."
    with refused("ValidationException", f"Certificate ARN {arn} {never}"):
        acm.acm.renew_certificate(CertificateArn=arn)
    acm.export(arn)
    before = acm.detail(arn)
    assert before["RenewalEligibility"] == "ELIGIBLE"
    acm.acm.renew_certificate(CertificateArn=arn)
    with refused("RequestInProgressException", arn):
        acm.acm.renew_certificate(CertificateArn=arn)
    acm.advance(seconds=1)
    acm.work()
    after = acm.detail(arn)
    assert (after["RenewalSummary"]["RenewalStatus"], after["RenewalEligibility"]) == ("SUCCESS", "INELIGIBLE")
    assert after["Serial"] != before["Serial"]
    acm.export(arn)
    acm.clock.at = end_of(acm, arn) - 41 * DAY
    live(acm, 1)
    assert [each["Exported"] for each in renewals(acm, arn)] == [True, True]


def test_pending_and_plain_public_certificates_are_not_renewed_when_asked(acm):
    pending, plain = acm.ask("a.example.com"), acm.had("b.example.com")
    associate(acm, plain)
    with refused("ValidationException", f"Certificate ARN {pending} is not eligible"):
        acm.acm.renew_certificate(CertificateArn=pending)
    with refused("ValidationException", f"Certificate ARN {plain} has not been exported"):
        acm.acm.renew_certificate(CertificateArn=plain)


def test_who_moves_to_dns_inside_the_window_is_renewed_at_once(acm):
    arn = acm.ask(method="EMAIL")
    acm.work()
    assert acm.answer(acm.mail.codes("admin@example.com")[0]) == 200
    acm.work()
    associate(acm, arn)
    acm.clock.at = end_of(acm, arn) - 25 * DAY
    live(acm, 4, each=6 * HOUR)
    assert renewal(acm, arn)["RenewalStatus"] == "PENDING_VALIDATION"
    acm.acm.update_certificate_options(CertificateArn=arn, Options={"ValidationMethod": "DNS"})
    answer = acm.acm.list_certificate_domain_validations(CertificateArn=arn)
    (wanted,) = next(value for value in answer.values() if isinstance(value, list))
    challenge = wanted["RequestedValidationConfiguration"]["ValidationChallenge"]
    record = challenge["DnsValidationChallenge"]["ResourceRecord"]
    acm.control.cnames[record["Name"]] = record["Value"]
    live(acm, 0.25)
    assert renewal(acm, arn)["RenewalStatus"] == "SUCCESS"
    assert acm.options(arn)[0]["ValidationMethod"] == "DNS"
