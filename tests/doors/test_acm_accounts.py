"""Tags, account configuration, options, regions, other accounts, and what is not offered yet (acm.md 4, 10.6)."""

import pytest

from doors.acm_material import Acm, make
from doors.pki import refused

ENDPOINT = "arn:aws:acm:us-east-1:111122223333:acme-endpoint/11111111-2222-4333-8444-555555555555"
NOBODY = "arn:aws:acm:us-east-1:111122223333:certificate/bad-arn"


@pytest.fixture
def database_kind(request):
    """SQLite, unless a test says that its SQL matters."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def acm(storage):
    return Acm(storage)


on_both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"], indirect=True)


def tag(key, value=None):
    return {"Key": key} if value is None else {"Key": key, "Value": value}


def add(acm, arn, *tags):
    acm.acm.add_tags_to_certificate(CertificateArn=arn, Tags=list(tags))


def remove(acm, arn, *tags):
    acm.acm.remove_tags_from_certificate(CertificateArn=arn, Tags=list(tags))


@on_both
def test_tags(acm):
    arn = acm.take(make())
    assert acm.tags(arn) == []
    add(acm, arn, tag("b", "2"), tag("a"), tag("A", "x"), tag("empty", ""))
    assert sorted(acm.tags(arn), key=str) == sorted([tag("b", "2"), tag("a"), tag("A", "x"), tag("empty", "")], key=str)
    add(acm, arn, tag("b", "3"), tag("a", "now"))
    assert {each["Key"]: each.get("Value") for each in acm.tags(arn)} == {"b": "3", "a": "now", "A": "x", "empty": ""}
    # With another value it stays, without a value it goes; what is not there is no error.
    remove(acm, arn, tag("b", "2"), tag("unknown"), tag("empty", "x"))
    assert {each["Key"] for each in acm.tags(arn)} == {"b", "a", "A", "empty"}
    remove(acm, arn, tag("b", "3"), tag("a"), tag("empty", ""))
    assert acm.tags(arn) == [tag("A", "x")]


@on_both
def test_tags_with_every_letter_that_is_allowed(acm):
    arn = acm.take(make())
    odd = tag("Ключ 名前_.:/=+-@" + "k" * 110, "värde _.:/=+-@" + "v" * 240)
    add(acm, arn, odd)
    assert acm.tags(arn) == [odd]
    for bad in (tag(""), tag("k" * 129), tag("k", "v" * 257), tag("k*"), tag("k", "v*"), tag("k", "a\0b"), {}):
        with refused("ValidationException", "tags.1.member"):
            add(acm, arn, bad)
    for tags in ([], [tag(f"k{number}") for number in range(51)]):
        with refused("ValidationException", "'tags'"):
            add(acm, arn, *tags)


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aWs:cloudformation:stack"])
def test_reserved_tags(acm, key):
    arn = acm.take(make())
    text = f'Invalid Tag Key: "{key}". AWS internal tags cannot be changed with this API'
    with refused("ValidationException", text):
        add(acm, arn, tag("fine"), tag(key, "y"))
    with refused("ValidationException", text):
        remove(acm, arn, tag(key))
    assert acm.tags(arn) == []
    with refused("ValidationException", text):
        acm.request(acm.root(), Tags=[tag(key)])


@on_both
def test_fifty_tags_and_no_more(acm):
    arn = acm.take(make(), Tags=[tag(f"k{number}") for number in range(50)])
    with refused("TooManyTagsException", "the TagSet: '{extra=v}' contains too many Tags"):
        add(acm, arn, tag("extra", "v"))
    add(acm, arn, tag("k1", "changed"))
    assert len(acm.tags(arn)) == 50
    assert tag("k1", "changed") in acm.tags(arn)


def test_the_same_key_twice(acm):
    arn = acm.take(make())
    with refused("ValidationException", "only once"):
        add(acm, arn, tag("a", "1"), tag("a", "2"))


def test_tags_of_a_request(acm):
    arn = acm.request(acm.root(), Tags=[tag("a", "1")])
    assert acm.tags(arn) == [tag("a", "1")]
    acm.work()
    assert acm.tags(arn) == [tag("a", "1")]


def test_tags_of_nobody(acm):
    for call in (
        lambda: acm.tags(NOBODY),
        lambda: add(acm, NOBODY, tag("a")),
        lambda: remove(acm, NOBODY, tag("a")),
    ):
        with refused("ResourceNotFoundException", NOBODY):
            call()


def test_the_other_family_of_tag_operations(acm):
    arn = acm.take(make())
    for resource in (arn, ENDPOINT):
        for call in (
            lambda: acm.acm.tag_resource(ResourceArn=resource, Tags=[tag("a")]),  # noqa: B023
            lambda: acm.acm.untag_resource(ResourceArn=resource, TagKeys=["a"]),  # noqa: B023
            lambda: acm.acm.list_tags_for_resource(ResourceArn=resource),  # noqa: B023
        ):
            with refused("ValidationException", resource):
                call()
    assert acm.tags(arn) == []


@on_both
def test_account_configuration(acm):
    def days():
        return acm.acm.get_account_configuration()["ExpiryEvents"]["DaysBeforeExpiry"]

    def put(token, **events):
        acm.acm.put_account_configuration(IdempotencyToken=token, **events)

    assert days() == 45
    put("t1", ExpiryEvents={"DaysBeforeExpiry": 10})
    assert days() == 10
    # The same token within the hour changes nothing.
    put("t1", ExpiryEvents={"DaysBeforeExpiry": 20})
    assert days() == 10
    put("t2", ExpiryEvents={"DaysBeforeExpiry": 20})
    assert days() == 20
    acm.advance(hours=1)
    put("t1", ExpiryEvents={"DaysBeforeExpiry": 1})
    assert days() == 1
    for empty in ({}, {"ExpiryEvents": {}}):
        with refused("ValidationException", "Configuration for events is empty."):
            put("t3", **empty)
    for wrong in (0, -1, 46, 2**31 - 1):
        with refused("ValidationException"):
            put("t4", ExpiryEvents={"DaysBeforeExpiry": wrong})
    with refused("ValidationException", "Value null at 'idempotencyToken'"):
        acm.acm.put_account_configuration(ExpiryEvents={"DaysBeforeExpiry": 5})
    with refused("ValidationException", "'idempotencyToken'"):
        put("a-b", ExpiryEvents={"DaysBeforeExpiry": 5})
    assert days() == 1
    ireland = acm.installation.client("acm", region="eu-west-1")
    assert ireland.get_account_configuration()["ExpiryEvents"] == {"DaysBeforeExpiry": 45}


def test_options_cannot_be_updated(acm):
    options = {"CertificateTransparencyLoggingPreference": "ENABLED"}
    private, imported = acm.issued(acm.root()), acm.take(make())
    with refused(
        "InvalidStateException", "The UpdateCertificateOptions command is not permitted for private certificates."
    ):
        acm.acm.update_certificate_options(CertificateArn=private, Options=options)
    with refused("InvalidStateException", "imported"):
        acm.acm.update_certificate_options(CertificateArn=imported, Options=options)
    with refused("ResourceNotFoundException", NOBODY):
        acm.acm.update_certificate_options(CertificateArn=NOBODY, Options=options)
    with refused("ValidationException", "Value null at 'options'"):
        acm.acm.update_certificate_options(CertificateArn=private)
    assert acm.detail(private)["Options"]["CertificateTransparencyLoggingPreference"] == "ENABLED"


def by_arn(client, arn):
    """Every operation on one certificate."""
    one = {"CertificateArn": arn}
    tags = [tag("a")]
    return {
        "describe": lambda: client.describe_certificate(**one),
        "get": lambda: client.get_certificate(**one),
        "export": lambda: client.export_certificate(**one, Passphrase=b"open sesame"),
        "renew": lambda: client.renew_certificate(**one),
        "revoke": lambda: client.revoke_certificate(**one, RevocationReason="UNSPECIFIED"),
        "reimport": lambda: client.import_certificate(**make().parcel(), **one),
        "tag": lambda: client.add_tags_to_certificate(**one, Tags=tags),
        "untag": lambda: client.remove_tags_from_certificate(**one, Tags=tags),
        "tags": lambda: client.list_tags_for_certificate(**one),
        "update": lambda: client.update_certificate_options(**one, Options={}),
        "delete": lambda: client.delete_certificate(**one),
    }


@on_both
def test_regions_are_separate(acm):
    arn = acm.exported(acm.root())
    ireland = acm.installation.client("acm", region="eu-west-1")
    for call in by_arn(ireland, arn).values():
        with refused("ResourceNotFoundException", arn):
            call()
    assert ireland.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"] == []
    assert ireland.search_certificates()["Results"] == []
    there = ireland.import_certificate(**make().parcel())["CertificateArn"]
    assert there.startswith("arn:aws:acm:eu-west-1:111122223333:certificate/")
    assert [each["CertificateArn"] for each in acm.acm.search_certificates()["Results"]] == [arn]
    assert acm.detail(arn)["Status"] == "ISSUED"


def test_accounts_are_separate(acm):
    arn = acm.exported(acm.root())
    other = acm.installation.rooms.access.ensure_root(account="444455556666")
    stranger = acm.installation.client("acm", credential=other)
    for call in by_arn(stranger, arn).values():
        with refused("AccessDeniedException", "is not authorized to perform: acm:"):
            call()
    # An ARN that claims to be theirs does not help.
    for call in by_arn(stranger, arn.replace("111122223333", "444455556666")).values():
        with refused("ResourceNotFoundException"):
            call()
    assert stranger.search_certificates()["Results"] == []
    assert acm.detail(arn)["Status"] == "ISSUED"


@pytest.mark.parametrize(
    "arn",
    [
        "nothing",
        "arn:aws:acm:us-east-1::certificate/x",
        "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/x",
        "arn:aws:acm:us-east-1:111122223333:certificate",
    ],
)
def test_what_is_no_arn(acm, arn):
    for name, call in by_arn(acm.acm, arn).items():
        expected = ("ValidationException", "ResourceNotFoundException")
        with refused(expected):
            call()
        assert name


def test_operations_that_are_not_there_yet(acm):
    for call in (
        lambda: acm.acm.list_acme_endpoints(),
        lambda: acm.acm.describe_acme_endpoint(AcmeEndpointArn=ENDPOINT),
        lambda: acm.acm.delete_acme_endpoint(AcmeEndpointArn=ENDPOINT),
        lambda: acm.acm.list_acme_accounts(AcmeEndpointArn=ENDPOINT),
    ):
        with refused("UnsupportedOperation", "not available yet"):
            call()
