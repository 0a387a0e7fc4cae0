"""SearchCertificates: the whole grammar, compared with an evaluator that nobody could doubt (acm.md 17)."""

import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doors import acm_search_reference as reference
from doors.acm_material import CLIENT, CODE, SERVER, START, Acm, distinguished, make
from doors.pki import days, refused
from greatseal.domain.certificates.store import narrowing

SORTS = (
    "CREATED_AT",
    "NOT_AFTER",
    "STATUS",
    "RENEWAL_STATUS",
    "EXPORTED",
    "IN_USE",
    "NOT_BEFORE",
    "KEY_ALGORITHM",
    "TYPE",
    "CERTIFICATE_ARN",
    "COMMON_NAME",
    "REVOKED_AT",
    "RENEWAL_ELIGIBILITY",
    "ISSUED_AT",
    "MANAGED_BY",
    "EXPORT_OPTION",
    "VALIDATION_METHOD",
    "IMPORTED_AT",
    "ACME_ENDPOINT_ARN",
    "ACME_ACCOUNT_ID",
    "CERTIFICATE_KEY_PAIR_ORIGIN",
)


class Inventory:
    """Certificates of every kind, and what Describe and Search say about each."""

    def __init__(self, storage):
        self.acm = acm = Acm(storage)
        ca = acm.root(valid=days(420))
        permitted = acm.root(valid=days(3650))
        acm.permit(permitted)
        acm.take(make("Front_Door 100%", ["a_b.example.com", "axb.example.com"], purposes=[SERVER]))
        acm.take(make("expired.example.com", key="RSA_2048", end=START + timedelta(hours=2), usages=None))
        acm.advance(hours=1)
        acm.take(make("p521.example.com", key="EC_secp521r1", purposes=None, serial=0x0A1B))
        acm.take(make("WWW.Example.COM", ["WWW.example.com", "*.example.com"], purposes=[CODE, CLIENT]))
        acm.take(make(None, subject=distinguished((NameOID.COUNTRY_NAME, "NL")), key="RSA_1024"))
        acm.take(make("Zoë Müller", ["back\\slash.example.com"], usages=["key_agreement", "data_encipherment"]))
        acm.issued(ca, "app.example.com", ValidationMethod="DNS")
        acm.exported(permitted, "exported.example.com", KeyAlgorithm="EC_secp384r1", ValidationMethod="EMAIL")
        renewed = acm.exported(permitted, "renewed.example.com")
        revoked = acm.exported(ca, "revoked.example.com")
        refused_renewal = acm.exported(ca, "refused.example.com")
        acm.advance(hours=1, seconds=1)
        acm.acm.renew_certificate(CertificateArn=renewed)
        acm.acm.renew_certificate(CertificateArn=refused_renewal)
        acm.acm.revoke_certificate(CertificateArn=revoked, RevocationReason="UNSPECIFIED")
        acm.work()
        acm.set_status(ca, "DISABLED")
        acm.request(ca, "failed.example.com")
        acm.work()
        acm.advance(minutes=1)
        acm.request(permitted, "pending.example.com", SubjectAlternativeNames=["other.example.com"])
        self.refresh()

    def refresh(self):
        found = self.search()
        self.summaries = {
            each["CertificateArn"]: {"ValidationMethod": None} | each["CertificateMetadata"]["AcmCertificateMetadata"]
            for each in found
        }
        self.details = {arn: self.acm.detail(arn) for arn in self.summaries}

    def search(self, statement=None, **query):
        if statement is not None:
            query["FilterStatement"] = statement
        return self.acm.acm.search_certificates(**query)["Results"]

    def arns(self, statement=None, **query):
        return [each["CertificateArn"] for each in self.search(statement, **query)]

    def paged(self, size, statement=None, **query):
        if statement is not None:
            query["FilterStatement"] = statement
        pages = self.acm.acm.get_paginator("search_certificates").paginate(**query, PaginationConfig={"PageSize": size})
        return [[each["CertificateArn"] for each in page["Results"]] for page in pages]

    def expected(self, statement):
        return {a for a, detail in self.details.items() if reference.holds(statement, detail, self.summaries[a])}


@pytest.fixture
def inventory(storage):
    return Inventory(storage)


def metadata(**content):
    return {"Filter": {"AcmCertificateMetadataFilter": content}}


def attribute(**content):
    return {"Filter": {"X509AttributeFilter": content}}


def text(member, inner, value, operator):
    return attribute(**{member: {inner: {"Value": value, "ComparisonOperator": operator}}})


def common(value, operator="EQUALS"):
    return text("Subject", "CommonName", value, operator)


def dns(value, operator="EQUALS"):
    return text("SubjectAlternativeName", "DnsName", value, operator)


def filters(inventory):
    """Any one filter; values that occur and some that do not."""
    details = list(inventory.details.values())
    names = sorted({n for d in details for n in [*d["SubjectAlternativeNames"], *reference.common_names(d)]})
    # Upper and lower case of letters beyond ASCII differ between databases.
    ascii_text = st.text("aAbB.*_%\\0123xX ", min_size=1, max_size=3)
    values = st.sampled_from(names) | st.sampled_from(names).map(lambda n: n[1:4] or n) | ascii_text
    swapped = values.map(lambda n: n.swapcase() if n.isascii() else n)
    operators = st.sampled_from(["EQUALS", "CONTAINS"])
    times = st.sampled_from(sorted({d[m] for d in details for m in ("NotAfter", "NotBefore") if m in d}))
    moments = times | times.map(lambda at: at + timedelta(seconds=1))
    ranges = st.fixed_dictionaries({}, optional={"Start": moments, "End": moments})
    serials = st.sampled_from([d["Serial"] for d in details if len(d.get("Serial", "")) in range(5, 60)])
    usages = ["DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT", "KEY_AGREEMENT", "ANY", "CUSTOM", "CERTIFICATE_SIGNING"]
    purposes = ["TLS_WEB_SERVER_AUTHENTICATION", "TLS_WEB_CLIENT_AUTHENTICATION", "CODE_SIGNING", "NONE", "ANY"]
    algorithms = ["RSA_1024", "RSA_2048", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1", "RSA_4096"]
    statuses = ["PENDING_VALIDATION", "ISSUED", "EXPIRED", "REVOKED", "FAILED", "INACTIVE"]
    one = st.sampled_from
    return st.one_of(
        one(list(inventory.details)).map(lambda arn: {"Filter": {"CertificateArn": arn}}),
        st.builds(common, swapped, operators),
        st.builds(dns, swapped, operators),
        one(purposes).map(lambda v: attribute(ExtendedKeyUsage=v)),
        one(usages).map(lambda v: attribute(KeyUsage=v)),
        one(algorithms).map(lambda v: attribute(KeyAlgorithm=v)),
        serials.map(lambda v: attribute(SerialNumber=v)),
        ranges.map(lambda v: attribute(NotAfter=v)),
        ranges.map(lambda v: attribute(NotBefore=v)),
        one(statuses).map(lambda v: metadata(Status=v)),
        one(["SUCCESS", "FAILED", "PENDING_AUTO_RENEWAL"]).map(lambda v: metadata(RenewalStatus=v)),
        one(["IMPORTED", "PRIVATE", "AMAZON_ISSUED"]).map(lambda v: metadata(Type=v)),
        st.booleans().map(lambda v: metadata(InUse=v)),
        st.booleans().map(lambda v: metadata(Exported=v)),
        one(["ENABLED", "DISABLED"]).map(lambda v: metadata(ExportOption=v)),
        st.just(metadata(ManagedBy="CLOUDFRONT")),
        one(["DNS", "EMAIL", "HTTP"]).map(lambda v: metadata(ValidationMethod=v)),
        one(["AWS_MANAGED", "CUSTOMER_PROVIDED", "ACME"]).map(lambda v: metadata(CertificateKeyPairOrigin=v)),
        st.just(metadata(AcmeAccountId="11111111-2222-4333-8444-555555555555")),
        st.just(metadata(AcmeEndpointArn="arn:aws:acm:us-east-1:111122223333:acme-endpoint/x")),
    )


def statements(inventory):
    def nested(inner):
        parts = st.lists(inner, min_size=1, max_size=4)
        return st.one_of(
            inner.map(lambda part: {"Not": part}),
            parts.map(lambda several: {"And": several}),
            parts.map(lambda several: {"Or": several}),
        )

    return st.recursive(filters(inventory), nested, max_leaves=10)


def test_every_statement_finds_what_it_says(inventory, monkeypatch):
    statement = statements(inventory)
    assert len(inventory.details) == 13

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def check(data):
        wanted = data.draw(statement)
        # So that these few certificates are narrowed down, and walked as many would be.
        monkeypatch.setattr(narrowing, "FEW", data.draw(st.sampled_from([0, 2, 1000])))
        found = inventory.arns(wanted)
        assert len(found) == len(set(found))
        assert set(found) == inventory.expected(wanted)
        opposite = inventory.arns({"Not": wanted})
        assert set(opposite) == set(inventory.details) - set(found)

    check()


@pytest.mark.parametrize("order", ["ASCENDING", "DESCENDING"])
def test_every_order_and_every_page_size(inventory, order):
    for by in SORTS:
        whole = inventory.arns(SortBy=by, SortOrder=order)
        assert sorted(whole) == sorted(inventory.details), by
        for size in (1, 4, 12, 13, 14):
            pages = inventory.paged(size, SortBy=by, SortOrder=order)
            assert [arn for page in pages for arn in page] == whole, (by, size)
            assert all(len(page) <= size for page in pages)
            assert all(pages)
        if by in reference.SORT_KEYS:
            keys = [reference.SORT_KEYS[by](inventory.details[arn], inventory.summaries[arn]) for arn in whole]
            assert reference.is_sorted(keys, descending=order == "DESCENDING"), (by, keys)
    opposite = inventory.arns(SortBy="STATUS", SortOrder="DESCENDING" if order == "ASCENDING" else "ASCENDING")
    assert opposite == inventory.arns(SortBy="STATUS", SortOrder=order)[::-1]


def test_defaults(inventory):
    whole = inventory.arns()
    assert set(whole) == set(inventory.details)
    assert whole == inventory.arns(SortBy="CREATED_AT", SortOrder="DESCENDING")
    # Either of the two may come alone here, unlike in a listing.
    assert inventory.arns(SortOrder="ASCENDING") == whole[::-1]
    assert set(inventory.arns(SortBy="NOT_AFTER")) == set(whole)
    answer = inventory.acm.acm.search_certificates(MaxResults=500)
    assert "NextToken" not in answer


def test_a_result(inventory):
    (result,) = inventory.search(common("p521.example.com"))
    attributes = result["X509Attributes"]
    assert attributes["KeyAlgorithm"] == "EC_secp521r1"
    assert attributes["SerialNumber"] == "0a:1b"
    assert attributes["Subject"] == attributes["Issuer"] == {"CommonName": "p521.example.com"}
    assert attributes["ExtendedKeyUsages"] == ["NONE"]
    assert attributes["KeyUsages"] == ["DIGITAL_SIGNATURE"]
    assert attributes["SubjectAlternativeNames"] == []
    assert result["CertificateMetadata"]["AcmCertificateMetadata"] == {
        "CreatedAt": START + timedelta(hours=1),
        "ImportedAt": START + timedelta(hours=1),
        "Exported": False,
        "InUse": False,
        "RenewalEligibility": "INELIGIBLE",
        "Status": "ISSUED",
        "Type": "IMPORTED",
        "ExportOption": "DISABLED",
        "CertificateKeyPairOrigin": "CUSTOMER_PROVIDED",
    }
    (pending,) = inventory.search(metadata(Status="PENDING_VALIDATION"))
    assert pending["X509Attributes"] == {"KeyAlgorithm": "EC_prime256v1"}


def test_wildcards_of_the_database_are_ordinary_characters(inventory):
    def found(value):
        return len(inventory.arns(common(value, "CONTAINS"))), len(inventory.arns(dns(value, "CONTAINS")))

    assert found("%") == (1, 0)
    assert found("_") == (1, 1)
    assert found("\\") == (0, 1)
    assert found("t_D") == (1, 0)
    assert found("t%") == (0, 0)
    assert found("100%") == (1, 0)
    assert found("'; DROP TABLE certificate; --") == (0, 0)
    assert len(inventory.arns(dns("a_B.example.com"))) == 1
    assert inventory.arns(dns("a%")) == inventory.arns(dns("a__.example.com")) == []


def test_letters_beyond_ascii_and_characters_that_no_name_has(inventory):
    assert len(inventory.arns(common("Zoë Müller"))) == 1
    assert len(inventory.arns(common("ë Mü", "CONTAINS"))) == 1
    for operator in ("EQUALS", "CONTAINS"):
        for statement in (common("a\0b", operator), dns("\0", operator), {"Not": dns("\0", operator)}):
            with refused("ValidationException", "Member must not contain a null character"):
                inventory.arns(statement)
        assert inventory.arns(common("💥" * 256, operator)) == []


def test_time_ranges_include_both_ends(inventory):
    detail = next(d for d in inventory.details.values() if d["DomainName"] == "p521.example.com")
    end = detail["NotAfter"]
    second = timedelta(seconds=1)

    def found(**limits):
        return detail["CertificateArn"] in inventory.arns(attribute(NotAfter=limits))

    assert found(Start=end, End=end)
    assert found(Start=end)
    assert found(End=end)
    assert not found(Start=end + second)
    assert not found(End=end - second)
    assert not found(Start=end + second, End=end - second)
    # Without an end it asks for certificates that have one at all.
    assert len(inventory.arns(attribute(NotAfter={}))) == 11


def test_grammar_violations(storage):
    acm = Acm(storage)
    one = metadata(Type="PRIVATE")
    for statement in (
        {},
        {"And": [one], "Or": [one]},
        {"Filter": {}},
        {"Filter": {"CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/x", "X509AttributeFilter": {}}},
        metadata(),
        metadata(Type="PRIVATE", InUse=True),
        metadata(Type="OTHER"),
        attribute(),
        attribute(KeyAlgorithm="RSA-2048"),
        attribute(SerialNumber="0a"),
        attribute(SerialNumber="0A:1B"),
        attribute(Subject={}),
        common(""),
        common("a" * 257),
        common("a", "STARTS_WITH"),
        {"And": []},
        {"Or": [one] * 16},
        {"And": [one] * 16},
        {"Not": {}},
        {"And": [{"Or": [{"Not": {"And": []}}]}]},
    ):
        with refused("ValidationException"):
            acm.acm.search_certificates(FilterStatement=statement)
    for query in ({"MaxResults": 0}, {"MaxResults": 501}, {"SortBy": "NAME"}, {"SortOrder": "UP"}, {"NextToken": ""}):
        with refused("ValidationException"):
            acm.acm.search_certificates(**query)
    assert acm.acm.search_certificates(FilterStatement={"Or": [one] * 15})["Results"] == []


def bomb(opening, closing, levels):
    return b'{"FilterStatement":' + opening * levels + b'{"Filter":{}}' + closing * levels + b"}"


@pytest.mark.parametrize("levels", [40, 70, 200, 1000, 5000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b'{"Not":', b"}"), (b'{"And":[', b"]}")])
def test_nesting_without_end(inventory, opening, closing, levels):
    answer = inventory.acm.post("SearchCertificates", bomb(opening, closing, levels))
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] in ("SerializationException", "ValidationException")


def test_statements_as_deep_and_as_wide_as_they_may_be(inventory):
    acm, one = inventory.acm.acm, metadata(Type="PRIVATE")
    deep = one
    for _ in range(25):
        deep = {"And": [deep, *[{"Not": {"Not": one}}] * 14]}
    assert set(inventory.arns(deep)) == inventory.expected(one)
    wide = {"Or": [{"Or": [one] * 15}] * 15}
    assert set(inventory.arns(wide)) == inventory.expected(one)
    wide = {"Or": [attribute(KeyUsage="ANY")]}
    for _ in range(3):
        wide = {"Or": [wide] * 15}
    with refused("ValidationException", "more than 500 filters"):
        acm.search_certificates(FilterStatement=wide)


def test_a_token_is_good_for_its_own_search_only(inventory):
    acm = inventory.acm.acm
    first = acm.search_certificates(MaxResults=2, SortBy="NOT_AFTER")
    token = first["NextToken"]
    # The size of a page may change on the way.
    assert len(acm.search_certificates(MaxResults=3, SortBy="NOT_AFTER", NextToken=token)["Results"]) == 3
    for query in (
        {},
        {"SortBy": "NOT_BEFORE"},
        {"SortBy": "NOT_AFTER", "SortOrder": "ASCENDING"},
        {"SortBy": "NOT_AFTER", "FilterStatement": metadata(Type="PRIVATE")},
    ):
        with refused("ValidationException", "token"):
            acm.search_certificates(MaxResults=2, NextToken=token, **query)
    ireland = inventory.acm.installation.client("acm", region="eu-west-1")
    with refused("ValidationException", "token"):
        ireland.search_certificates(MaxResults=2, SortBy="NOT_AFTER", NextToken=token)
    for broken in (token[:-4], token[4:], "A" + token, token + "AAAA", "ÿ" * 20, "x", token.swapcase()):
        with refused("ValidationException"):
            acm.search_certificates(MaxResults=2, SortBy="NOT_AFTER", NextToken=broken)


def test_paging_while_certificates_come_and_go(inventory):
    acm = inventory.acm
    for order in ("ASCENDING", "DESCENDING"):
        before = set(inventory.arns())
        seen, token, turn = [], {}, 0
        while True:
            answer = acm.acm.search_certificates(MaxResults=1, SortBy="COMMON_NAME", SortOrder=order, **token)
            seen += [each["CertificateArn"] for each in answer["Results"]]
            if "NextToken" not in answer:
                break
            token = {"NextToken": answer["NextToken"]}
            turn += 1
            if turn < 5:
                acm.take(make(f"{'az'[turn % 2]}{turn}.example.com", [x509.DNSName("x.example.com")]))
        assert len(seen) == len(set(seen))
        assert before <= set(seen)
