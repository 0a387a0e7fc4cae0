"""ListCertificates: what it hides, every filter, order and pages (acm.md 4.4, 5.4)."""

from datetime import timedelta

import pytest
from cryptography.x509.oid import NameOID

from doors.acm_material import CLIENT, CODE, SERVER, START, Acm, distinguished, make
from doors.pki import refused

EVERY_KEY = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]
ALL = {"keyTypes": EVERY_KEY}


@pytest.fixture
def acm(storage):
    return Acm(storage)


def test_what_the_default_hides(acm):
    shown = [
        acm.take(make("a.example.com", key="RSA_1024")),
        acm.take(make("b.example.com", key="RSA_2048")),
        acm.take(make("Common Name", ["c.example.com"], key="RSA_2048")),
    ]
    hidden = [
        acm.take(make("d.example.com", key="RSA_3072")),
        acm.take(make("e.example.com", key="EC_prime256v1")),
        acm.take(make("f.example.com", key="EC_secp521r1")),
        acm.issued(acm.root()),
        # Domainless: no name that a certificate could be asked for by.
        acm.take(make("Common Name", key="RSA_2048")),
        acm.take(make(None, subject=distinguished((NameOID.COUNTRY_NAME, "NL")), key="RSA_2048")),
    ]
    assert set(acm.arns()) == set(shown)
    assert set(acm.arns(Includes=ALL)) == {*shown, *hidden}
    assert set(acm.arns(CertificateKeyPairOrigins=["AWS_MANAGED"], Includes=ALL)) == {hidden[3]}
    assert set(acm.arns(CertificateKeyPairOrigins=["ACME"], Includes=ALL)) == set()
    assert set(acm.arns(CertificateKeyPairOrigins=["AWS_MANAGED"])) == set()
    assert len(acm.arns(CertificateKeyPairOrigins=["AWS_MANAGED", "CUSTOMER_PROVIDED", "ACME"], Includes=ALL)) == 9
    # Searching hides nothing.
    assert len(acm.acm.search_certificates()["Results"]) == 9


def test_a_summary(acm):
    made = make("a.example.com", ["a.example.com", "b.example.com"], key="RSA_2048")
    imported = acm.take(made)
    (summary,) = acm.listed()
    assert summary == {
        "CertificateArn": imported,
        "DomainName": "a.example.com",
        "SubjectAlternativeNameSummaries": ["a.example.com", "b.example.com"],
        "HasAdditionalSubjectAlternativeNames": False,
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "KeyAlgorithm": "RSA-2048",
        "KeyUsages": ["DIGITAL_SIGNATURE"],
        "ExtendedKeyUsages": ["TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION"],
        "ExportOption": "DISABLED",
        "InUse": False,
        "Exported": False,
        "RenewalEligibility": "INELIGIBLE",
        "NotBefore": START - timedelta(days=1),
        "NotAfter": START + timedelta(days=365),
        "CreatedAt": acm.now,
        "ImportedAt": acm.now,
        "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED",
    }
    ca = acm.root()
    pending = acm.request(ca)
    (summary,) = acm.listed(CertificateStatuses=["PENDING_VALIDATION"], Includes=ALL)
    assert summary["CertificateArn"] == pending
    assert (summary["KeyUsages"], summary["ExtendedKeyUsages"]) == ([], [])
    assert not {"NotBefore", "NotAfter", "IssuedAt", "ImportedAt", "RevokedAt"} & set(summary)
    acm.work()
    (summary,) = acm.listed(CertificateKeyPairOrigins=["AWS_MANAGED"], Includes=ALL)
    assert {"NotBefore", "NotAfter", "IssuedAt"} <= set(summary)
    assert "ImportedAt" not in summary


def test_filters_are_all_wanted_and_their_values_any(acm):
    server = acm.take(make("a.example.com", purposes=[SERVER], usages=["digital_signature"]))
    both = acm.take(make("b.example.com", purposes=[SERVER, CLIENT], usages=["key_encipherment"], key="RSA_2048"))
    code = acm.take(make("c.example.com", purposes=[CODE], usages=["key_agreement"]))
    bare = acm.take(make("d.example.com", purposes=None, usages=None, key="RSA_1024"))

    def found(**includes):
        return set(acm.arns(Includes=ALL | includes))

    tls, client = "TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION"
    assert found(extendedKeyUsage=[tls]) == {server, both}
    assert found(extendedKeyUsage=[client]) == {both}
    assert found(extendedKeyUsage=[client, "CODE_SIGNING"]) == {both, code}
    assert found(extendedKeyUsage=["NONE"]) == {bare}
    assert found(extendedKeyUsage=["ANY"]) == set()
    assert found(keyUsage=["ANY"]) == {bare}
    assert found(keyUsage=["DIGITAL_SIGNATURE", "KEY_AGREEMENT"]) == {server, code}
    assert found(keyUsage=["DIGITAL_SIGNATURE"], extendedKeyUsage=["CODE_SIGNING"]) == set()
    assert found(keyTypes=["RSA_1024", "RSA_2048"]) == {both, bare}
    assert found(keyTypes=["EC_secp384r1"]) == set()
    assert found(exportOption="DISABLED") == {server, both, code, bare}
    assert found(exportOption="ENABLED") == set()
    assert found(managedBy="CLOUDFRONT") == set()
    # A filter of another kind leaves the default of the key types.
    assert set(acm.arns(Includes={"extendedKeyUsage": [tls]})) == {both}


def test_statuses(acm):
    ca = acm.root()
    expired = acm.take(make("a.example.com", end=START + timedelta(days=1)))
    revoked = acm.issued(ca)
    acm.acm.revoke_certificate(CertificateArn=revoked, RevocationReason="UNSPECIFIED")
    acm.advance(days=2)
    acm.work()
    issued = acm.issued(ca)
    acm.set_status(ca, "DISABLED")
    failed = acm.request(ca)
    acm.work()
    pending = acm.request(ca)
    by_status = {
        "EXPIRED": expired,
        "REVOKED": revoked,
        "ISSUED": issued,
        "FAILED": failed,
        "PENDING_VALIDATION": pending,
    }
    for status, arn in by_status.items():
        assert acm.arns(CertificateStatuses=[status], Includes=ALL) == [arn]
    for status in ("INACTIVE", "VALIDATION_TIMED_OUT"):
        assert acm.arns(CertificateStatuses=[status], Includes=ALL) == []
    assert set(acm.arns(CertificateStatuses=["EXPIRED", "FAILED"], Includes=ALL)) == {expired, failed}
    assert set(acm.arns(Includes=ALL)) == set(by_status.values())


def test_order(acm):
    arns = []
    for number in range(4):
        arns.append(acm.take(make(f"n{number}.example.com", key="RSA_2048")))
        acm.advance(seconds=1)
    assert acm.arns(SortBy="CREATED_AT", SortOrder="ASCENDING") == arns
    assert acm.arns(SortBy="CREATED_AT", SortOrder="DESCENDING") == arns[::-1]
    for alone in ({"SortBy": "CREATED_AT"}, {"SortOrder": "ASCENDING"}):
        with refused(("InvalidArgsException", "ValidationException"), "together"):
            acm.acm.list_certificates(**alone)
    with refused("ValidationException", "'sortBy'"):
        acm.acm.list_certificates(SortBy="NAME", SortOrder="ASCENDING")


def test_values_that_the_model_refuses(acm):
    for query in (
        {"MaxItems": 0},
        {"MaxItems": 1001},
        {"NextToken": ""},
        {"CertificateStatuses": ["DONE"]},
        {"CertificateKeyPairOrigins": []},
        {"Includes": {"keyTypes": ["RSA-2048"]}},
        {"Includes": {"keyUsage": ["blah"]}},
        {"Includes": {"exportOption": "MAYBE"}},
    ):
        with refused("ValidationException", "failed to satisfy constraint"):
            acm.acm.list_certificates(**query)


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_pages_while_certificates_arrive(acm, order):
    made = make(key="RSA_2048")
    arns = {acm.take(made) for _ in range(7)}
    sorting = {"SortBy": "CREATED_AT", "SortOrder": order}
    assert "NextToken" not in acm.acm.list_certificates(MaxItems=7)
    seen, token = [], {}
    for turn in range(50):
        answer = acm.acm.list_certificates(MaxItems=1, **sorting, **token)
        assert len(answer["CertificateSummaryList"]) == 1
        seen += [each["CertificateArn"] for each in answer["CertificateSummaryList"]]
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}
        if turn < 5:
            # At the same moment and a moment later.
            acm.take(made)
            acm.advance(seconds=turn % 2)
    assert len(seen) == len(set(seen))
    assert arns <= set(seen)


def test_deleting_what_the_token_stands_on(acm):
    made = make(key="RSA_2048")
    arns = {acm.take(made) for _ in range(4)}
    first = acm.acm.list_certificates(MaxItems=2)
    gone = {each["CertificateArn"] for each in first["CertificateSummaryList"]}
    for arn in gone:
        acm.acm.delete_certificate(CertificateArn=arn)
    rest = acm.acm.list_certificates(MaxItems=5, NextToken=first["NextToken"])["CertificateSummaryList"]
    assert {each["CertificateArn"] for each in rest} == arns - gone


def test_a_token_is_good_for_its_own_listing_only(acm):
    made = make(key="RSA_2048")
    for _ in range(3):
        acm.take(made)
    token = acm.acm.list_certificates(MaxItems=1)["NextToken"]
    for query in (
        {"CertificateStatuses": ["ISSUED"]},
        {"Includes": ALL},
        {"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"},
    ):
        with refused(("ValidationException", "InvalidArgsException"), "token"):
            acm.acm.list_certificates(MaxItems=1, NextToken=token, **query)
    with refused("ValidationException", "token"):
        acm.acm.search_certificates(MaxResults=1, NextToken=token)
    with refused("ValidationException", "token"):
        acm.acm.search_certificates(MaxResults=1, NextToken=token, SortBy="CREATED_AT", SortOrder="ASCENDING")
    ireland = acm.installation.client("acm", region="eu-west-1")
    with refused("ValidationException", "token"):
        ireland.list_certificates(MaxItems=1, NextToken=token)
    other = acm.installation.rooms.access.ensure_root(account="444455556666")
    stranger = acm.installation.client("acm", credential=other)
    with refused("ValidationException", "token"):
        stranger.list_certificates(MaxItems=1, NextToken=token)
    with refused("ValidationException", "token"):
        acm.acm.list_certificates(NextToken="garbage")
    assert stranger.list_certificates()["CertificateSummaryList"] == []


def test_the_paginator_of_the_sdk(acm):
    made = make(key="RSA_2048")
    arns = {acm.take(made) for _ in range(5)}
    pages = acm.acm.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 2})
    found = [each["CertificateArn"] for page in pages for each in page["CertificateSummaryList"]]
    assert len(found) == 5
    assert set(found) == arns
