"""How SQLite finds the pages of the inventory: in an index, in order, whatever the number of certificates."""

import pytest
from sqlalchemy import event

from doors.acm_material import SERVER, START, Acm, make
from greatseal.domain.certificates.store import narrowing

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

KEYS = {"keyTypes": ["EC_prime256v1", "RSA_2048"]}
ENDS = {"SortBy": "NOT_AFTER"}


def metadata(**content):
    return {"Filter": {"AcmCertificateMetadataFilter": content}}


def attribute(**content):
    return {"Filter": {"X509AttributeFilter": content}}


def text(member, inner, operator="EQUALS"):
    return attribute(**{member: {inner: {"Value": "n1.example.com", "ComparisonOperator": operator}}})


ISSUED = metadata(Status="ISSUED")
WALKS = {
    "list_certificates": [
        {},
        {"Includes": KEYS},
        {"Includes": KEYS, "SortBy": "CREATED_AT", "SortOrder": "ASCENDING"},
        {"Includes": KEYS, "SortBy": "CREATED_AT", "SortOrder": "DESCENDING"},
        {"Includes": KEYS, "CertificateStatuses": ["ISSUED"]},
        {"Includes": KEYS, "CertificateStatuses": ["ISSUED", "PENDING_VALIDATION", "EXPIRED"]},
        {
            "Includes": {
                **KEYS,
                "extendedKeyUsage": ["TLS_WEB_SERVER_AUTHENTICATION"],
                "keyUsage": ["DIGITAL_SIGNATURE"],
            }
        },
        {"Includes": {**KEYS, "exportOption": "DISABLED"}, "CertificateKeyPairOrigins": ["CUSTOMER_PROVIDED"]},
    ],
    "search_certificates": [
        {},
        {"FilterStatement": ISSUED},
        {"FilterStatement": metadata(InUse=False), "SortBy": "CREATED_AT", "SortOrder": "ASCENDING"},
        {"FilterStatement": metadata(Type="IMPORTED")},
        {"FilterStatement": {"And": [ISSUED, metadata(Type="IMPORTED"), attribute(NotAfter={"Start": START})]}},
        {"FilterStatement": text("SubjectAlternativeName", "DnsName")},
        {"FilterStatement": {"Not": metadata(InUse=True)}},
        {**ENDS, "SortOrder": "ASCENDING"},
        {**ENDS, "SortOrder": "DESCENDING"},
        {**ENDS, "SortOrder": "ASCENDING", "FilterStatement": ISSUED},
        {**ENDS, "SortOrder": "DESCENDING", "FilterStatement": ISSUED},
        {**ENDS, "SortOrder": "ASCENDING", "FilterStatement": attribute(NotAfter={"Start": START})},
    ],
}
FEW = [
    metadata(Status="FAILED"),
    metadata(Status="EXPIRED"),
    metadata(Status="ISSUED"),
    metadata(RenewalStatus="FAILED"),
    text("SubjectAlternativeName", "DnsName"),
    text("Subject", "CommonName"),
    attribute(SerialNumber="0a:1b"),
    attribute(NotAfter={"Start": START}),
    {"Or": [text("Subject", "CommonName"), text("SubjectAlternativeName", "DnsName")]},
    {"And": [ISSUED, text("SubjectAlternativeName", "DnsName", "CONTAINS"), text("Subject", "CommonName")]},
]


class Plans:
    """An inventory, and how its database runs what a request asks for."""

    def __init__(self, storage):
        self._storage = storage
        self.acm = Acm(storage)
        for number in range(5):
            self.acm.take(make(f"n{number}.example.com", purposes=[SERVER], key="RSA_2048", serial=0x0A1B + number))

    def of(self, operation, **query):
        """The answer and the plan, line by line, of all that was asked about certificates."""
        asked, engine = [], self._storage._engines.reader

        def note(connection, cursor, statement, parameters, context, many):
            if statement.startswith("SELECT certificate"):
                asked.append((statement, parameters))

        event.listen(engine, "before_cursor_execute", note)
        try:
            answer = getattr(self.acm.acm, operation)(**query)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return answer, [line for each in asked for line in self._storage.read(lambda tx, each=each: plan(tx, *each))]


def plan(tx, statement, parameters):
    """What SQLite says about a statement."""
    return [row.detail for row in tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


@pytest.fixture
def plans(storage):
    return Plans(storage)


def walks(operation, size):
    """Each walk of an operation, by pages."""
    return [(operation, {**query, size: 2}) for query in WALKS[operation]]


@pytest.mark.parametrize(
    ("operation", "query"), [*walks("list_certificates", "MaxItems"), *walks("search_certificates", "MaxResults")]
)
def test_pages_are_read_in_the_order_of_an_index(plans, monkeypatch, operation, query):
    # As if more were found than are read to be sorted.
    monkeypatch.setattr(narrowing, "FEW", 0)
    index = "ix_certificate_ending" if query.get("SortBy") == "NOT_AFTER" else "ix_certificate_listing"
    token = {}
    for start in ("(account=? AND region=?", "(account=? AND region=? AND "):
        answer, found = plans.of(operation, **query, **token)
        assert any(f"{index} {start}" in line for line in found), found
        assert not [line for line in found if "SCAN certificate" in line or "TEMP B-TREE" in line]
        if "NextToken" not in answer:
            assert query.get("FilterStatement") == text("SubjectAlternativeName", "DnsName")
            break
        token = {"NextToken": answer["NextToken"]}


@pytest.mark.parametrize("statement", FEW)
def test_few_certificates_are_found_by_an_index(plans, statement):
    _, found = plans.of("search_certificates", FilterStatement=statement)
    assert found
    assert not [line for line in found if "SCAN certificate" in line]
    assert not [line for line in found if "ix_certificate_listing" in line]


def test_part_of_a_name_is_looked_for_in_the_names(plans):
    statement = text("SubjectAlternativeName", "DnsName", "CONTAINS")
    _, found = plans.of("search_certificates", FilterStatement=statement)
    assert [line.split()[1] for line in found if "SCAN certificate" in line] == ["certificate_name"]
    assert not [line for line in found if "ix_certificate_listing" in line]
