"""Validation by e-mail: mails, their page, resending, and the way from e-mail to DNS (acm.md 4.8 to 4.10, 8.2, 8.6)."""

from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from doors.pki import refused
from doors.publics import Publics
from greatseal.domain.delivery.store import delivery
from greatseal.domain.validation.store import approval

BOXES = ("admin", "administrator", "hostmaster", "postmaster", "webmaster")


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Publics(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


def mailed(acm, arn):
    acm.work()
    return acm.mail.codes("admin@" + acm.options(arn)[0]["ValidationDomain"])


@on_both
def test_five_mails_one_click(acm):
    arn = acm.ask(method="EMAIL")
    (option,) = acm.options(arn)
    assert set(option) == {"DomainName", "ValidationDomain", "ValidationStatus", "ValidationMethod", "ValidationEmails"}
    assert option["ValidationDomain"] == "example.com"
    assert sorted(option["ValidationEmails"]) == [f"{box}@example.com" for box in BOXES]
    acm.work()
    assert sorted(each.address["to"] for each in acm.mail.mails) == [f"{box}@example.com" for box in BOXES]
    mail = acm.mail.mails[0]
    assert mail.attributes["subject"] == "Certificate request for www.example.com"
    for fact in (
        "Domain: www.example.com",
        "AWS account ID: 111122223333",
        "AWS Region name: us-east-1",
        f"Certificate Identifier: {arn}",
    ):
        assert fact in mail.body
        assert fact in mail.attributes["html"]
    (link,) = acm.mail.links("admin@example.com")
    assert link.startswith("https://localhost:8443/approvals?code=")
    assert f'href="{link}"' in next(
        each.attributes["html"] for each in acm.mail.mails if each.address["to"] == "admin@example.com"
    )

    # However often a program looks, nothing happens.
    for method in ("GET", "HEAD", "GET"):
        shown = acm.web(method, link.partition("8443")[2])
        assert shown.status == 200
    page = shown.body.decode()
    assert "I Approve" in page
    assert arn in page
    assert dict(shown.headers)[b"referrer-policy"] == b"no-referrer"
    assert b"frame-ancestors 'none'" in dict(shown.headers)[b"content-security-policy"]
    acm.work()
    assert acm.states(arn) == ["PENDING_VALIDATION"]

    code = link.partition("code=")[2]
    assert acm.answer(code) == 200
    acm.work()
    detail = acm.detail(arn)
    assert detail["Status"] == "ISSUED"
    assert acm.states(arn) == ["SUCCESS"]
    assert sorted(acm.options(arn)[0]["ValidationEmails"]) == [f"{box}@example.com" for box in BOXES]
    # Neither this link nor those of the other mailboxes are good for anything now.
    for other in (code, *acm.mail.codes("webmaster@example.com")):
        assert acm.answer(other) == 404
        assert acm.answer(other, "decline") == 404
        assert acm.web("GET", f"/approvals?code={other}").status == 404
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_who_answered_is_on_record(acm):
    arn = acm.ask(method="EMAIL")
    acm.answer(*mailed(acm, arn))
    trail = acm.installation.client("cloudtrail")
    events = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "ApproveDomainValidation"}]
    )["Events"]
    assert len(events) == 1
    told = events[0]["CloudTrailEvent"]
    assert "203.0.113.9" in told
    assert arn in told


def test_each_name_needs_its_own_answer(acm):
    arn = acm.ask("a.example.com", "*.b.example.com", "www.c.example.com", method="EMAIL")
    assert [each["ValidationDomain"] for each in acm.options(arn)] == [
        "a.example.com",
        "b.example.com",
        "c.example.com",
    ]
    acm.work()
    assert len(acm.mail.mails) == 15
    for domain in ("a", "b"):
        acm.answer(*acm.mail.codes(f"hostmaster@{domain}.example.com"))
        acm.work()
        assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    assert acm.states(arn) == ["SUCCESS", "SUCCESS", "PENDING_VALIDATION"]
    acm.answer(*acm.mail.codes("admin@c.example.com"))
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    # Mails are not used again: the next certificate asks anew.
    again = acm.ask("a.example.com", method="EMAIL")
    acm.work()
    assert acm.detail(again)["Status"] == "PENDING_VALIDATION"


def test_declining(acm):
    arn = acm.ask("a.example.com", "b.example.com", method="EMAIL")
    acm.work()
    assert acm.answer(*acm.mail.codes("admin@a.example.com"), "decline") == 200
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", "DOMAIN_VALIDATION_DENIED")
    assert acm.states(arn) == ["FAILED", "PENDING_VALIDATION"]
    assert acm.answer(*acm.mail.codes("admin@b.example.com")) == 404


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"code={code}", ()),
        (b"code={code}&decision=maybe", ()),
        (b"decision=approve", ()),
        (b"code=%00%ff&decision=approve", ()),
        (b"code=&decision=approve", ()),
        (b"\xff\xfe&" * 500, ()),
        (b"code={code}&decision=approve", ((b"sec-fetch-site", b"cross-site"),)),
    ],
)
def test_what_approves_nothing(acm, body, headers):
    arn = acm.ask(method="EMAIL")
    (code,) = mailed(acm, arn)
    answer = acm.web("POST", "/approvals", body.replace(b"{code}", code.encode()), headers)
    assert answer.status in (400, 404)
    # A code in the address approves nothing either.
    assert acm.web("POST", f"/approvals?code={code}&decision=approve").status == 400
    assert acm.web("PUT", f"/approvals?code={code}").status == 405
    assert acm.web("GET", f"/approvals/x?code={code}").status == 404
    acm.work()
    assert acm.states(arn) == ["PENDING_VALIDATION"]
    assert acm.answer(code) == 200


def test_the_token_is_nowhere_in_the_database(acm):
    arn = acm.ask(method="EMAIL")
    waiting = acm.storage.read(lambda tx: [str(row) for row in tx.all(select(delivery))])
    (code,) = mailed(acm, arn)
    stored = acm.storage.read(lambda tx: [str(row) for row in tx.all(select(approval))])
    assert waiting
    assert stored
    assert not any(code in text for text in (*waiting, *stored))


def test_after_72_hours_nobody_can_approve(acm):
    arn = acm.ask(method="EMAIL")
    (code,) = mailed(acm, arn)
    acm.advance(hours=72)
    assert acm.answer(code) == 404
    acm.work()
    assert acm.detail(arn)["Status"] == "VALIDATION_TIMED_OUT"
    assert acm.states(arn) == ["FAILED"]
    with refused("InvalidStateException"):
        acm.acm.resend_validation_email(
            CertificateArn=arn, Domain="www.example.com", ValidationDomain="www.example.com"
        )


def test_without_a_mail_server(storage):
    acm = Publics(storage, can_mail=False)
    arn = acm.ask(method="EMAIL")
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", "NO_AVAILABLE_CONTACTS")
    assert acm.options(arn)[0]["ValidationEmails"] == []
    assert acm.mail.mails == []


def test_validation_domains(acm):
    chosen = [{"DomainName": "a.b.example.com", "ValidationDomain": "Example.com"}]
    arn = acm.ask("a.b.example.com", method="EMAIL", DomainValidationOptions=chosen)
    assert acm.options(arn)[0]["ValidationDomain"] == "example.com"
    acm.work()
    assert len(acm.mail.codes("postmaster@example.com")) == 1
    # A registry's own domain speaks for nobody, and `www.` is not stripped down to one.
    for name, domain in (
        ("a.example.co.uk", "co.uk"),
        ("a.example.com", "ample.com"),
        ("a.example.com", "b.example.com"),
        ("a.example.com", "x.a.example.com"),
    ):
        with refused("InvalidDomainValidationOptionsException"):
            acm.ask(name, method="EMAIL", DomainValidationOptions=[{"DomainName": name, "ValidationDomain": domain}])
    with refused("InvalidDomainValidationOptionsException"):
        acm.ask(
            method="EMAIL",
            DomainValidationOptions=[{"DomainName": "other.example.com", "ValidationDomain": "example.com"}],
        )
    assert acm.options(acm.ask("www.co.uk", method="EMAIL"))[0]["ValidationDomain"] == "www.co.uk"


def test_resending(acm):
    arn = acm.ask("sub.example.com", method="EMAIL")
    acm.work()

    def resend(domain="sub.example.com", validation="sub.example.com", certificate=arn):
        acm.acm.resend_validation_email(CertificateArn=certificate, Domain=domain, ValidationDomain=validation)

    with refused("ThrottlingException"):
        resend()
    acm.advance(minutes=2)
    for domain, validation in (
        ("other.example.com", "example.com"),
        ("sub.example.com", "example.net"),
        ("sub.example.com", "com.example"),
    ):
        with refused("InvalidDomainValidationOptionsException"):
            resend(domain, validation)
    resend(validation="Example.com")
    acm.work()
    assert len(acm.mail.mails) == 10
    # For this mail only.
    assert acm.options(arn)[0]["ValidationDomain"] == "sub.example.com"
    for _ in range(20):
        acm.advance(minutes=2)
        with suppress(acm.acm.exceptions.ClientError):
            resend()
    acm.work()
    assert len(acm.mail.mails) == 50
    # Whichever mail is answered.
    assert acm.answer(*acm.mail.codes("admin@example.com")) == 200
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    with refused("InvalidStateException"):
        resend()
    by_record = acm.ask("sub.example.com")
    with refused("InvalidStateException"):
        resend(certificate=by_record)
    private = acm.request(acm.root())
    with refused("InvalidStateException"):
        resend("app.example.com", "example.com", private)
    with refused("ResourceNotFoundException"):
        resend(certificate=arn[:-4] + "0000")


def test_domain_validations_are_listed(acm):
    arn = acm.ask("a.example.com", "b.example.com")
    acm.work()
    paginator = acm.acm.get_paginator("list_certificate_domain_validations")
    pages = list(paginator.paginate(CertificateArn=arn, PaginationConfig={"PageSize": 1}))
    entries = [entry for page in pages for entry in page["DomainValidationSummaryList"]]
    assert len(pages) == 2
    assert [each["DomainName"] for each in entries] == ["a.example.com", "b.example.com"]
    for entry, option in zip(entries, acm.options(arn), strict=True):
        assert entry["ActiveValidationConfiguration"] == {
            "ValidationMethod": "DNS",
            "ValidationStatus": "PENDING_VALIDATION",
            "ValidationChallenge": {"DnsValidationChallenge": {"ResourceRecord": option["ResourceRecord"]}},
        }
    with refused("InvalidArgsException"):
        acm.acm.list_certificate_domain_validations(CertificateArn=arn, NextToken="forged")
    private = acm.request(acm.root())
    found = acm.acm.list_certificate_domain_validations(CertificateArn=private)["DomainValidationSummaryList"]
    assert found == [{"DomainName": "app.example.com"}]
    web = acm.ask("cdn.example.com", method="HTTP", ManagedBy="CLOUDFRONT")
    (entry,) = acm.acm.list_certificate_domain_validations(CertificateArn=web)["DomainValidationSummaryList"]
    assert "ValidationChallenge" not in entry["ActiveValidationConfiguration"]


def by_mail(acm, *names):
    names = names or ("www.example.com",)
    arn = acm.ask(*names, method="EMAIL", Options={"Export": "ENABLED"})
    acm.work()
    for each in acm.options(arn):
        acm.answer(acm.mail.codes("admin@" + each["ValidationDomain"])[-1])
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    return arn


def to_dns(acm, arn, **more):
    acm.acm.update_certificate_options(CertificateArn=arn, Options={"ValidationMethod": "DNS", **more})


@on_both
def test_from_email_to_dns(acm):
    arn = by_mail(acm, "www.example.com", "a.example.com")
    before = acm.detail(arn)
    requested = acm.now
    to_dns(acm, arn)
    running = acm.detail(arn)["UpdateSummary"]
    assert running == {
        "Status": "PENDING_DOMAIN_VALIDATION",
        "Type": "DOMAIN_VALIDATION_METHOD",
        "DomainValidationMethodUpdateSummary": {"From": "EMAIL", "To": "DNS"},
        "RequestedAt": requested,
        "UpdatedAt": requested,
    }
    with refused("ConflictException"):
        to_dns(acm, arn)
    entries = acm.acm.list_certificate_domain_validations(CertificateArn=arn)["DomainValidationSummaryList"]
    for entry in entries:
        active, wanted = entry["ActiveValidationConfiguration"], entry["RequestedValidationConfiguration"]
        assert (active["ValidationMethod"], active["ValidationStatus"]) == ("EMAIL", "SUCCESS")
        assert len(active["ValidationChallenge"]["EmailValidationChallenge"]["ValidationEmails"]) == 5
        assert (wanted["ValidationMethod"], wanted["ValidationStatus"]) == ("DNS", "PENDING_VALIDATION")
        record = wanted["ValidationChallenge"]["DnsValidationChallenge"]["ResourceRecord"]
        acm.control.cnames[record["Name"]] = record["Value"]
    assert acm.options(arn)[0]["ValidationMethod"] == "EMAIL"
    acm.advance(minutes=1)
    acm.work()
    after = acm.detail(arn)
    assert after["UpdateSummary"]["Status"] == "SUCCESS"
    assert after["UpdateSummary"]["UpdatedAt"] == acm.now
    assert {each["ValidationMethod"] for each in after["DomainValidationOptions"]} == {"DNS"}
    assert acm.states(arn) == ["SUCCESS", "SUCCESS"]
    same = ("CertificateArn", "Serial", "NotAfter", "CreatedAt", "Status")
    assert [before[name] for name in same] == [after[name] for name in same]
    entries = acm.acm.list_certificate_domain_validations(CertificateArn=arn)["DomainValidationSummaryList"]
    assert not any("RequestedValidationConfiguration" in each for each in entries)
    with refused("InvalidStateException"):
        to_dns(acm, arn)


def test_a_change_that_is_not_shown_in_time_can_be_tried_again(acm):
    arn = by_mail(acm)
    to_dns(acm, arn)
    acm.work()
    acm.advance(hours=72, minutes=1)
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["UpdateSummary"]["Status"]) == ("ISSUED", "FAILED")
    assert detail["DomainValidationOptions"][0]["ValidationMethod"] == "EMAIL"
    to_dns(acm, arn)
    assert acm.detail(arn)["UpdateSummary"]["Status"] == "PENDING_DOMAIN_VALIDATION"
    acm.acm.delete_certificate(CertificateArn=arn)
    acm.work()


def test_a_change_ends_a_renewal_that_waits_for_mail(acm):
    arn = by_mail(acm)
    acm.export(arn)
    serial = acm.detail(arn)["Serial"]
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    summary = acm.detail(arn)["RenewalSummary"]
    assert summary["RenewalStatus"] == "PENDING_VALIDATION"
    assert summary["DomainValidationOptions"][0]["ValidationStatus"] == "PENDING_VALIDATION"
    assert acm.mail.mails[-1].attributes["subject"] == "Certificate renewal for www.example.com"
    to_dns(acm, arn)
    entries = acm.acm.list_certificate_domain_validations(CertificateArn=arn)["DomainValidationSummaryList"]
    record = entries[0]["RequestedValidationConfiguration"]["ValidationChallenge"]["DnsValidationChallenge"]
    acm.control.cnames[record["ResourceRecord"]["Name"]] = record["ResourceRecord"]["Value"]
    acm.advance(minutes=1)
    acm.work()
    detail = acm.detail(arn)
    assert detail["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert detail["Serial"] != serial
    assert detail["DomainValidationOptions"][0]["ValidationMethod"] == "DNS"


def test_renewal_by_dns_and_by_mail(acm):
    arn = acm.had(Options={"Export": "ENABLED"})
    acm.export(arn)
    first = acm.detail(arn)
    acm.acm.renew_certificate(CertificateArn=arn)
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "PENDING_AUTO_RENEWAL"
    acm.work()
    renewed = acm.detail(arn)
    assert renewed["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert renewed["Serial"] != first["Serial"]
    assert renewed["CreatedAt"] == first["CreatedAt"]

    acm.export(arn)
    acm.control.cnames.clear()
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    waiting = acm.detail(arn)
    assert waiting["Status"] == "ISSUED"
    assert waiting["RenewalSummary"]["RenewalStatus"] == "PENDING_VALIDATION"
    assert waiting["RenewalSummary"]["DomainValidationOptions"][0]["ValidationStatus"] == "PENDING_VALIDATION"
    assert acm.states(arn) == ["SUCCESS"]
    acm.advance(hours=72, minutes=1)
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert acm.detail(arn)["Serial"] == renewed["Serial"]
    acm.publish(arn)
    acm.export(arn)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"


def test_a_renewal_mails_to_the_domain_that_was_chosen(acm):
    chosen = [{"DomainName": "a.example.com", "ValidationDomain": "example.com"}]
    arn = acm.ask("a.example.com", method="EMAIL", DomainValidationOptions=chosen, Options={"Export": "ENABLED"})
    acm.answer(*mailed(acm, arn))
    acm.work()
    acm.export(arn)
    acm.acm.renew_certificate(CertificateArn=arn)
    acm.work()
    assert acm.mail.mails[-1].address["to"].endswith("@example.com")
    acm.answer(acm.mail.codes("admin@example.com")[-1])
    acm.work()
    assert acm.detail(arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"


def test_options_that_cannot_be_changed(acm):
    pending = acm.ask()
    with refused("InvalidStateException"):
        acm.acm.update_certificate_options(CertificateArn=pending, Options={"ValidationMethod": "DNS"})
    arn = by_mail(acm)
    for options in ({"ValidationMethod": "HTTP"}, {"ValidationMethod": "EMAIL"}, {"Export": "DISABLED"}):
        with refused("ValidationException"):
            acm.acm.update_certificate_options(CertificateArn=arn, Options=options)
    preference = "CertificateTransparencyLoggingPreference"
    acm.acm.update_certificate_options(CertificateArn=arn, Options={preference: "DISABLED", "Export": "ENABLED"})
    assert acm.detail(arn)["Options"] == {preference: "DISABLED", "Export": "ENABLED"}
    private = acm.issued(acm.root())
    text = "The UpdateCertificateOptions command is not permitted for private certificates."
    with refused("InvalidStateException", text):
        acm.acm.update_certificate_options(CertificateArn=private, Options={preference: "ENABLED"})


def test_the_hour_of_the_mail_does_not_prolong_the_request(acm):
    arn = acm.ask(method="EMAIL")
    acm.work()
    acm.advance(hours=71)
    acm.acm.resend_validation_email(CertificateArn=arn, Domain="www.example.com", ValidationDomain="example.com")
    acm.work()
    code = acm.mail.codes("admin@example.com")[-1]
    acm.clock.advance(timedelta(hours=1, minutes=1))
    assert acm.answer(code) == 404
    acm.work()
    assert acm.detail(arn)["Status"] == "VALIDATION_TIMED_OUT"
