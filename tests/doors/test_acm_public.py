"""Public certificates on the ACM wire: requests, records, states, what Describe shows (acm.md 4.1, 5, 8.1)."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from doors.acm_material import SERVER
from doors.pki import parse, refused
from doors.publics import Publics
from greatseal.domain.certificates.requests import Quotas
from greatseal.kernel.errors import InProgress, LimitExceeded

ALWAYS = {
    "CertificateArn",
    "DomainName",
    "SubjectAlternativeNames",
    "Subject",
    "Issuer",
    "SignatureAlgorithm",
    "Status",
    "Type",
    "KeyAlgorithm",
    "InUseBy",
    "CreatedAt",
    "RenewalEligibility",
    "Options",
    "KeyUsages",
    "ExtendedKeyUsages",
    "CertificateKeyPairOrigin",
    "DomainValidationOptions",
}
ISSUED = ALWAYS | {"Serial", "NotBefore", "NotAfter", "IssuedAt"}


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Publics(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


@on_both
def test_a_request_its_record_and_the_certificate(acm):
    arn = acm.ask("*.Example.COM", "example.com", "EXAMPLE.com")
    pending = acm.detail(arn)
    assert set(pending) == ALWAYS
    assert (pending["Status"], pending["Type"]) == ("PENDING_VALIDATION", "AMAZON_ISSUED")
    assert pending["Subject"] == "CN=*.example.com"
    assert pending["SubjectAlternativeNames"] == ["*.example.com", "example.com"]
    assert pending["KeyAlgorithm"] == "RSA-2048"
    assert pending["SignatureAlgorithm"] == "SHA256WITHRSA"
    assert pending["Options"] == {"CertificateTransparencyLoggingPreference": "ENABLED", "Export": "DISABLED"}
    assert pending["RenewalEligibility"] == "INELIGIBLE"
    assert (pending["KeyUsages"], pending["ExtendedKeyUsages"], pending["InUseBy"]) == ([], [], [])
    wildcard, apex = pending["DomainValidationOptions"]
    assert set(wildcard) == {
        "DomainName",
        "ValidationDomain",
        "ValidationStatus",
        "ValidationMethod",
        "ResourceRecord",
    }
    assert (wildcard["DomainName"], wildcard["ValidationDomain"]) == ("*.example.com", "*.example.com")
    assert (wildcard["ValidationStatus"], wildcard["ValidationMethod"]) == ("PENDING_VALIDATION", "DNS")
    record = wildcard["ResourceRecord"]
    assert record == apex["ResourceRecord"]
    assert record["Type"] == "CNAME"
    assert re.fullmatch(r"_[0-9a-f]{32}\.example\.com\.", record["Name"])
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.", record["Value"])
    with refused("RequestInProgressException", "has not yet been issued"):
        acm.acm.get_certificate(CertificateArn=arn)

    acm.work()
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    acm.publish(arn)
    acm.advance(minutes=1)
    acm.work()
    issued = acm.detail(arn)
    assert set(issued) == ISSUED
    assert issued["Status"] == "ISSUED"
    assert acm.states(arn) == ["SUCCESS", "SUCCESS"]
    assert issued["ExtendedKeyUsages"] == [{"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"}]
    certificate = parse(acm.body(arn)["Certificate"])
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["*.example.com", "example.com"]
    assert list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [SERVER]
    assert issued["NotBefore"] == datetime(2026, 1, 15, tzinfo=UTC)
    assert issued["NotAfter"] - issued["NotBefore"] == timedelta(days=198, seconds=-1)
    assert acm.events("ACM Certificate Available")[0]["detail"]["DomainValidationMethod"] == "DNS"


def test_email_is_the_default_method(acm):
    arn = acm.ask(method=None)
    assert acm.options(arn)[0]["ValidationMethod"] == "EMAIL"


def test_records_follow_from_account_and_domain(acm):
    first = acm.ask("example.com", "www.example.com")
    apex, www = (each["ResourceRecord"] for each in acm.options(first))
    assert apex["Name"].split(".")[0] != www["Name"].split(".")[0]
    elsewhere = acm.installation.client("acm", region="eu-west-1")
    arn = elsewhere.request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    found = elsewhere.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]
    assert found["ResourceRecord"] == apex
    acm.acm.delete_certificate(CertificateArn=first)
    assert acm.options(acm.ask("example.com"))[0]["ResourceRecord"] == apex
    other = acm.installation.rooms.access.ensure_root(account="444455556666")
    theirs = acm.installation.client("acm", credential=other)
    arn = theirs.request_certificate(DomainName="example.com", ValidationMethod="DNS")["CertificateArn"]
    found = theirs.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]
    assert found["ResourceRecord"]["Name"] != apex["Name"]
    assert found["ResourceRecord"]["Value"] != apex["Value"]


def test_a_record_that_exists_validates_new_requests_at_once(acm):
    acm.had("example.com")
    again = acm.ask("*.example.com", "example.com")
    acm.work()
    assert acm.detail(again)["Status"] == "ISSUED"
    # However many wait for a domain, it is one look.
    acm.control.asked.clear()
    arns = [acm.ask("example.com") for _ in range(5)]
    acm.work()
    assert {acm.detail(arn)["Status"] for arn in arns} == {"ISSUED"}
    assert [verb for verb, *_ in acm.control.asked].count("cname") == 1


def test_looks_become_rarer_and_the_request_times_out(acm):
    arn = acm.ask()
    looks = []
    for _ in range(72 * 12):
        acm.work()
        looks.append(len(acm.control.asked))
        acm.advance(minutes=5)
    assert 150 < looks[-1] < 72 * 12
    assert looks[11] > 5
    acm.publish(arn)
    acm.advance(minutes=1)
    acm.work()
    detail = acm.detail(arn)
    assert set(detail) == ALWAYS
    assert detail["Status"] == "VALIDATION_TIMED_OUT"
    assert acm.states(arn) == ["FAILED"]
    assert acm.key_count() == 0
    with refused("RequestInProgressException"):
        acm.acm.get_certificate(CertificateArn=arn)
    # A new request for the same name finds the record.
    assert acm.detail(acm.had())["Status"] == "ISSUED"


def test_some_names_are_valid_before_others(acm):
    arn = acm.ask("a.example.com", "b.example.com")
    first = acm.options(arn)[0]["ResourceRecord"]
    acm.control.cnames[first["Name"]] = first["Value"]
    acm.work()
    assert acm.states(arn) == ["SUCCESS", "PENDING_VALIDATION"]
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    second = acm.options(arn)[1]["ResourceRecord"]
    acm.control.cnames[second["Name"]] = "_wrong.acm-validations.aws."
    acm.advance(minutes=10)
    acm.work()
    assert acm.states(arn) == ["SUCCESS", "PENDING_VALIDATION"]
    acm.control.cnames[second["Name"]] = "elsewhere.example.net."
    acm.control.cnames["elsewhere.example.net."] = second["Value"]
    acm.advance(minutes=10)
    acm.work()
    assert acm.states(arn) == ["SUCCESS", "SUCCESS"]
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_whoever_waits_for_the_names_finds_the_certificate(acm):
    arn = acm.ask("a.example.com", "b.example.com")
    acm.publish(arn)
    acm.issuer.refusals = [InProgress("The log does not answer.")]
    acm.work()
    # Both names are valid, but there is nothing to fetch yet.
    assert sorted(acm.states(arn)) == ["PENDING_VALIDATION", "SUCCESS"]
    acm.advance(seconds=10)
    acm.work()
    assert acm.states(arn) == ["SUCCESS", "SUCCESS"]
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert [order.token for order in acm.issuer.orders] == [f"{arn.rpartition('/')[2]}/1"] * 2


def test_the_waiter_of_the_sdk_ends(acm):
    arn = acm.had("a.example.com", "b.example.com")
    acm.acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"MaxAttempts": 1})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("host.corp.internal", "INVALID_PUBLIC_DOMAIN"),
        ("*.co.uk", "INVALID_PUBLIC_DOMAIN"),
        ("1.2.3.44", "INVALID_PUBLIC_DOMAIN"),
        ("app.elasticbeanstalk.com", "DOMAIN_NOT_ALLOWED"),
        ("www.google.com", "ADDITIONAL_VERIFICATION_REQUIRED"),
    ],
)
def test_names_that_fail_whatever_the_dns_says(acm, name, reason):
    arn = acm.ask("fine.example.com", name)
    acm.publish(arn)
    acm.work()
    detail = acm.detail(arn)
    assert set(detail) == ALWAYS | {"FailureReason"}
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", reason)
    assert acm.states(arn) == ["PENDING_VALIDATION", "FAILED"]
    assert acm.control.asked == []
    assert acm.key_count() == 0
    assert acm.arns(CertificateStatuses=["FAILED"]) == [arn]
    acm.acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException"):
        acm.acm.delete_certificate(CertificateArn=arn)


def test_caa_of_every_name_is_looked_at_when_the_certificate_is_made(acm):
    acm.had("a.example.com", "*.b.example.com", "b.example.com")
    asked = [(domain, wildcard) for verb, domain, wildcard, *_ in acm.control.asked if verb == "caa"]
    assert asked == [("a.example.com", "False"), ("b.example.com", "True"), ("b.example.com", "False")]
    methods = {each[3:] for each in acm.control.asked if each[0] == "caa"}
    assert methods == {("dns", "arn:aws:iam::111122223333:root")}


def test_issuewild_forbids_only_the_wildcard(acm):
    acm.control.caa_records["example.com"] = [(0, "issuewild", ";")]
    acm.had("example.com")
    arn = acm.ask("example.com", "*.example.com")
    acm.work()
    detail = acm.detail(arn)
    assert (detail["Status"], detail["FailureReason"]) == ("FAILED", "CAA_ERROR")
    assert acm.states(arn) == ["SUCCESS", "FAILED"]
    assert acm.key_count() == 1


def test_servers_that_are_silent_about_caa_are_asked_again_for_an_hour(acm):
    acm.had("example.com")
    arn = acm.ask("example.com", "other.example.net")
    acm.publish(arn)
    names = [each["ResourceRecord"]["Name"] for each in acm.options(arn)]
    caa = acm.control.caa

    def silent(domain, **more):
        acm.control.silent.add("other.example.net")
        try:
            return caa(domain, **more)
        finally:
            acm.control.silent.clear()

    acm.control.caa = silent
    acm.work()
    assert len(names) == 2
    assert acm.detail(arn)["Status"] == "PENDING_VALIDATION"
    for _ in range(7):
        acm.advance(minutes=10)
        acm.work()
    assert acm.detail(arn)["FailureReason"] == "CAA_ERROR"


def test_slow_answers_about_caa_do_not_outlive_the_lease_of_the_job(acm):
    arn = acm.ask(*[f"n{number}.example.com" for number in range(8)])
    acm.publish(arn)
    caa = acm.control.caa

    def slow(domain, **more):
        acm.advance(minutes=1)
        return caa(domain, **more)

    acm.control.caa = slow
    begun = acm.now
    acm.work()
    assert acm.now - begun < timedelta(minutes=5)
    assert (acm.detail(arn)["Status"], acm.issuer.orders) == ("PENDING_VALIDATION", [])
    acm.control.caa = caa
    acm.advance(minutes=10)
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_refusals_of_the_issuer(acm):
    acm.issuer.refusals = [LimitExceeded("No more today.")]
    arn = acm.ask()
    acm.publish(arn)
    acm.work()
    assert acm.detail(arn)["FailureReason"] == "OTHER"

    broken = acm.ask()
    acm.issuer.refusals = [RuntimeError("out of paper")] * 12
    for _ in range(13):
        acm.advance(hours=2)
        acm.work()
    assert acm.detail(broken)["FailureReason"] == "OTHER"
    assert acm.key_count() == 0

    down = acm.ask()
    acm.issuer.refusals = [InProgress("The log is down.")] * 5000
    for _ in range(74):
        acm.work()
        acm.advance(hours=1)
    assert acm.detail(down)["FailureReason"] == "OTHER"


def test_what_the_call_refuses(acm):
    long = "a" * 53 + ".example.com"
    with refused("InvalidDomainValidationOptionsException", "no longer than 64 characters"):
        acm.ask(long)
    acm.had("example.com", long)
    with refused("ValidationException", "Encryption Algorithm RSA_3072 is not supported in us-east-1 region"):
        acm.ask(KeyAlgorithm="RSA_3072")
    with refused("ValidationException", "idempotencyToken"):
        acm.ask(IdempotencyToken="with-dashes")
    with refused("LimitExceededException", "10 names"):
        acm.ask(*[f"n{number}.example.com" for number in range(11)])
    acm.ask(*[f"n{number}.example.com" for number in range(10)])
    with refused("InvalidParameterException", "CLOUDFRONT"):
        acm.ask(method="HTTP")
    with refused("InvalidDomainValidationOptionsException", "wildcard"):
        acm.ask("*.example.com", method="HTTP", ManagedBy="CLOUDFRONT")


def test_the_same_token_gives_the_same_certificate_for_an_hour(acm):
    first = acm.ask(IdempotencyToken="once")
    assert acm.ask(IdempotencyToken="once", method="EMAIL") == first
    acm.advance(minutes=59)
    assert acm.ask(IdempotencyToken="once") == first
    acm.advance(minutes=2)
    assert acm.ask(IdempotencyToken="once") != first
    assert acm.ask() != acm.ask()


@on_both
def test_quotas_of_certificates(storage):
    acm = Publics(storage, quotas=Quotas(names=2, certificates=2))
    with refused("LimitExceededException"):
        acm.ask("a.example.com", "b.example.com", "c.example.com")
    arns = [acm.ask(), acm.ask(IdempotencyToken="t")]
    with refused("LimitExceededException", "maximum number of certificates"):
        acm.ask()
    assert acm.ask(IdempotencyToken="t") == arns[1]
    for arn in arns:
        acm.acm.delete_certificate(CertificateArn=arn)
    for _ in range(2):
        acm.acm.delete_certificate(CertificateArn=acm.ask())
    with refused("LimitExceededException", "your limit of 4 certificates in the last year"):
        acm.ask()
    acm.advance(days=366)
    acm.ask()


@pytest.mark.parametrize(
    ("algorithm", "shown", "signed"),
    [("EC_prime256v1", "EC-prime256v1", "SHA256WITHECDSA"), ("EC_secp384r1", "EC-secp384r1", "SHA384WITHECDSA")],
)
def test_elliptic_curves(acm, algorithm, shown, signed):
    arn = acm.ask(KeyAlgorithm=algorithm)
    assert acm.detail(arn)["KeyAlgorithm"] == shown
    assert acm.detail(arn)["SignatureAlgorithm"] == signed
    acm.publish(arn)
    acm.work()
    assert acm.arns() == []
    assert acm.arns(Includes={"keyTypes": [algorithm]}) == [arn]
    found = acm.acm.search_certificates()["Results"]
    assert [each["CertificateArn"] for each in found] == [arn]


def test_searching_for_public_certificates(acm):
    arn = acm.ask("cdn.example.com", method="HTTP", ManagedBy="CLOUDFRONT")
    acm.had()

    def search(**wanted):
        statement = {"Filter": {"AcmCertificateMetadataFilter": wanted}}
        return [each["CertificateArn"] for each in acm.acm.search_certificates(FilterStatement=statement)["Results"]]

    assert search(ManagedBy="CLOUDFRONT") == [arn]
    assert search(ValidationMethod="HTTP") == [arn]
    assert len(search(Type="AMAZON_ISSUED")) == 2
    assert acm.arns(Includes={"managedBy": "CLOUDFRONT"}) == [arn]
    assert acm.detail(arn)["ManagedBy"] == "CLOUDFRONT"
    assert acm.listed(Includes={"managedBy": "CLOUDFRONT"})[0]["ManagedBy"] == "CLOUDFRONT"


def test_export_and_revocation(acm):
    closed = acm.had()
    with refused("ValidationException", "not exportable"):
        acm.export(closed)
    with refused("ValidationException", "never been exported"):
        acm.acm.revoke_certificate(CertificateArn=closed, RevocationReason="SUPERSEDED")
    arn = acm.ask("open.example.com", Options={"Export": "ENABLED"})
    with refused("RequestInProgressException"):
        acm.export(arn)
    acm.publish(arn)
    acm.work()
    assert acm.detail(arn)["Options"]["Export"] == "ENABLED"
    assert acm.detail(arn)["RenewalEligibility"] == "INELIGIBLE"
    with refused("ValidationException", "passphrase"):
        acm.export(arn, b"no#hash")
    assert "ENCRYPTED PRIVATE KEY" in acm.export(arn)["PrivateKey"]
    assert acm.detail(arn)["RenewalEligibility"] == "ELIGIBLE"
    acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")
    acm.work()
    detail = acm.detail(arn)
    assert set(detail) == ISSUED | {"RevokedAt", "RevocationReason"}
    assert (detail["Status"], detail["RevocationReason"]) == ("REVOKED", "SUPERSEDED")
    assert acm.events("ACM Certificate Revoked")[0]["detail"]["Exportable"] is True
    with refused("ValidationException", "already been revoked"):
        acm.acm.revoke_certificate(CertificateArn=arn, RevocationReason="SUPERSEDED")


def test_a_certificate_that_is_deleted_while_it_is_validated(acm):
    arn = acm.ask()
    acm.publish(arn)
    acm.acm.delete_certificate(CertificateArn=arn)
    acm.work()
    assert acm.issuer.orders == []
    assert acm.key_count() == 0


def test_the_transparency_preference_reaches_the_issuer(acm):
    acm.had("a.example.com", Options={"CertificateTransparencyLoggingPreference": "DISABLED"})
    acm.had("b.example.com")
    assert [order.logged for order in acm.issuer.orders] == [False, True]


def test_http_validation(acm):
    arn = acm.ask("cdn.example.com", method="HTTP", ManagedBy="CLOUDFRONT")
    (option,) = acm.options(arn)
    assert set(option) == {"DomainName", "ValidationDomain", "ValidationStatus", "ValidationMethod", "HttpRedirect"}
    redirect = option["HttpRedirect"]
    source = r"http://cdn\.example\.com/\.well-known/pki-validation/[0-9a-f]{32}\.txt"
    assert re.fullmatch(source, redirect["RedirectFrom"])
    target = r"http://127\.0\.0\.1:8080/validation/[0-9a-f]{12}/\.well-known/pki-validation/[0-9a-f]{32}\.txt"
    assert re.fullmatch(target, redirect["RedirectTo"])
    acm.control.pages[redirect["RedirectFrom"]] = "something else"
    acm.work()
    assert acm.states(arn) == ["PENDING_VALIDATION"]
    acm.publish(arn)
    acm.advance(minutes=1)
    acm.work()
    assert acm.detail(arn)["Status"] == "ISSUED"
    assert {each[3] for each in acm.control.asked if each[0] == "caa"} == {"http"}


def test_a_redirect_of_one_account_speaks_for_no_other(acm):
    first = acm.options(acm.ask("cdn.example.com", method="HTTP", ManagedBy="CLOUDFRONT"))[0]["HttpRedirect"]
    tokens = acm.installation.rooms.publics.validating.validation.tokens
    theirs = tokens.page("444455556666", "cdn.example.com")
    # A site that sends every name of a page into the folder of the first account.
    folder = first["RedirectTo"].partition("/validation/")[2].partition("/")[0]
    file = theirs.redirect_from.rpartition("/")[2].removesuffix(".txt")
    served = acm.page(f"/validation/{folder}/.well-known/pki-validation/{file}.txt")
    assert served != theirs.content
