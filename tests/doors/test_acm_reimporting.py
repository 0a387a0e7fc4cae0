"""Reimport: what a certificate may become and what it may not (acm.md 10.5)."""

from datetime import timedelta

import pytest

from doors.acm_material import CLIENT, CODE, MAIL, SERVER, START, Acm, authorities, key_pem, make, private_key
from doors.pki import parse, refused

MISSING_PURPOSE = (
    "New certificate is missing one or more Extended Key Usages supported by the currently imported certificate"
)
MISSING_USAGE = "New certificate is missing one or more Key Usages supported by the currently imported certificate"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


def again(acm, arn, made, **changes):
    assert acm.take(made, CertificateArn=arn, **changes) == arn


def refuse(acm, arn, text, made, **changes):
    before = acm.detail(arn), acm.body(arn), acm.tags(arn), acm.key_count()
    with refused("ValidationException", text):
        acm.take(made, CertificateArn=arn, **changes)
    assert (acm.detail(arn), acm.body(arn), acm.tags(arn), acm.key_count()) == before


@on_both
def test_the_certificate_changes_and_everything_around_it_stays(acm):
    tags = [{"Key": "team", "Value": "web"}]
    arn = acm.take(make("www.example.com", ["www.example.com", "old.example.com"]), Tags=tags)
    before = acm.detail(arn)
    acm.advance(days=3)
    sub, _ = authorities()
    new = make("new.example.com", ["new.example.com", "WWW.example.com"], number=2, issuer=sub)
    again(acm, arn, new)
    after = acm.detail(arn)
    assert after["CreatedAt"] == before["CreatedAt"]
    assert after["ImportedAt"] == before["ImportedAt"] + timedelta(days=3)
    assert after["DomainName"] == "new.example.com"
    assert after["SubjectAlternativeNames"] == ["new.example.com", "WWW.example.com"]
    assert after["Serial"] != before["Serial"]
    assert parse(acm.body(arn)["Certificate"]) == new.certificate
    assert acm.body(arn)["CertificateChain"] == new.chain.decode().strip()
    assert acm.tags(arn) == tags
    assert acm.key_count() == 1
    # Searching finds it under its new names only.
    found = [each["X509Attributes"]["SubjectAlternativeNames"] for each in acm.acm.search_certificates()["Results"]]
    assert found == [[{"DnsName": "new.example.com"}, {"DnsName": "WWW.example.com"}]]
    # The chain may go again.
    again(acm, arn, new, CertificateChain=None)
    assert "CertificateChain" not in acm.body(arn)


def test_tags_cannot_come_along(acm):
    made = make()
    arn = acm.take(made)
    refuse(acm, arn, "Tagging is not permitted on re-import.", made, Tags=[{"Key": "a", "Value": "b"}])


@pytest.mark.parametrize(
    ("old", "new"),
    [("RSA_2048", "EC_prime256v1"), ("EC_prime256v1", "EC_secp384r1"), ("RSA_2048", "RSA_1024")],
)
def test_type_and_size_of_the_key_stay(acm, old, new):
    arn = acm.take(make(key=old))
    refuse(acm, arn, "same key type and size", make(key=new))


def test_not_all_names_may_go(acm):
    arn = acm.take(make("a.example.com", ["a.example.com", "b.example.com"]))
    refuse(acm, arn, "at least one domain name", make("c.example.com", ["c.example.com"]))
    again(acm, arn, make("c.example.com", ["c.example.com", "B.EXAMPLE.com"]))
    again(acm, arn, make("c.example.com"))
    refuse(acm, arn, "at least one domain name", make("b.example.com"))


KU = ("digital_signature", "key_encipherment")


@pytest.mark.parametrize(
    ("key", "old", "new", "text"),
    [
        ("RSA_2048", KU, (*KU, "data_encipherment"), ""),
        ("RSA_2048", KU, KU, ""),
        ("RSA_2048", KU, ("digital_signature",), MISSING_USAGE),
        ("RSA_2048", KU, ("key_encipherment",), MISSING_USAGE),
        # An ECDSA key cannot encipher: that usage may go, others may not (3 April 2026).
        ("EC_prime256v1", KU, ("digital_signature",), ""),
        ("EC_prime256v1", KU, ("key_encipherment",), MISSING_USAGE),
        ("EC_prime256v1", None, None, ""),
        ("EC_prime256v1", None, ("digital_signature",), "cannot be introduced"),
        ("EC_prime256v1", ("digital_signature",), None, MISSING_USAGE),
    ],
)
def test_key_usages(acm, key, old, new, text):
    arn = acm.take(make(key=key, usages=old))
    if text:
        refuse(acm, arn, text, make(key=key, usages=new))
    else:
        again(acm, arn, make(key=key, usages=new))


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ((SERVER,), (SERVER, MAIL), ""),
        # Client authentication may go (22 October 2025), nothing else.
        ((SERVER, CLIENT), (SERVER,), ""),
        ((SERVER, CLIENT), (CLIENT,), MISSING_PURPOSE),
        ((SERVER, MAIL), (SERVER,), MISSING_PURPOSE),
        ((SERVER,), None, MISSING_PURPOSE),
        (None, (SERVER,), "cannot be introduced"),
        (None, None, ""),
        ((CODE,), (CODE, SERVER), ""),
    ],
)
def test_extended_key_usages(acm, old, new, text):
    arn = acm.take(make(purposes=old))
    if text:
        refuse(acm, arn, text, make(purposes=new))
    else:
        again(acm, arn, make(purposes=new))


def test_the_checks_of_an_import_hold_here_too(acm):
    arn = acm.take(make())
    refuse(acm, arn, "expired", make(end=START - timedelta(hours=1)))
    refuse(acm, arn, "does not match", make(), PrivateKey=key_pem(private_key(number=3)))
    refuse(acm, arn, "certificate chain", make(), CertificateChain=make("Other", ca=True).pem)


def test_an_expired_certificate_comes_back_to_life(acm):
    arn = acm.take(make(end=START + timedelta(days=10)))
    acm.advance(days=11)
    assert acm.detail(arn)["Status"] == "EXPIRED"
    again(acm, arn, make())
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_only_what_was_imported(acm):
    arn = acm.issued(acm.root())
    refuse(acm, arn, "was not imported", make("app.example.com"))


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("arn:aws:acm:us-east-1:111122223333:certificate/bad-arn", "ResourceNotFoundException"),
        ("arn:aws:acm:eu-west-1:111122223333:certificate/bad-arn", "ResourceNotFoundException"),
        ("arn:aws:acm:us-east-1:444455556666:certificate/bad-arn", "AccessDeniedException"),
        ("arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x", "ValidationException"),
        ("nothing", "ValidationException"),
    ],
)
def test_targets_that_are_not_there(acm, arn, code):
    with refused(code):
        acm.take(make(), CertificateArn=arn)
    assert acm.key_count() == 0


def test_a_certificate_of_another_region(acm):
    arn = acm.take(make())
    ireland = acm.installation.client("acm", region="eu-west-1")
    with refused("ResourceNotFoundException", arn):
        ireland.import_certificate(**make().parcel(), CertificateArn=arn)
    acm.acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException", arn):
        acm.take(make(), CertificateArn=arn)
