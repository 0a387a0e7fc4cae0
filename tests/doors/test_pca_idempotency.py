"""Tokens, parallel requests and serial numbers: one outcome each (acm-pca.md 2.1, 2.7; faults.md 40, 56)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from doors.pki import Pki, csr, days, name, parse, refused, serial_of

TOKEN = "a-token"


@pytest.fixture
def pki(storage):
    return Pki(storage)


def test_the_same_token_makes_one_ca_for_five_minutes(pki):
    first = pki.create(IdempotencyToken=TOKEN, Tags=[{"Key": "a", "Value": "1"}])
    pki.clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
    assert pki.create(IdempotencyToken=TOKEN, Tags=[{"Key": "a", "Value": "1"}]) == first
    # Other parameters: the first answer again (acm-pca.md 2.1).
    assert pki.create("SUBORDINATE", "EC_secp384r1", "Other", IdempotencyToken=TOKEN) == first
    assert pki.create(IdempotencyToken="another") != first
    assert len(pki.pca.list_certificate_authorities()["CertificateAuthorities"]) == 2
    pki.clock.advance(timedelta(seconds=1))
    assert pki.create(IdempotencyToken=TOKEN) != first


def test_the_same_token_issues_one_certificate_for_five_minutes(pki):
    arn = pki.root()
    first = pki.issue(arn, IdempotencyToken=TOKEN)
    with pki.nothing_issued():
        pki.clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
        assert pki.issue(arn, IdempotencyToken=TOKEN) == first
        assert pki.issue(arn, csr("other.example.com"), valid=days(7), IdempotencyToken=TOKEN) == first
    pki.clock.advance(timedelta(seconds=1))
    again = pki.issue(arn, IdempotencyToken=TOKEN)
    assert again != first
    assert pki.get(arn, first) != pki.get(arn, again)


def test_tokens_belong_to_one_ca_and_one_region(pki):
    one, two = pki.root(), pki.root()
    assert pki.issue(one, IdempotencyToken=TOKEN) != pki.issue(two, IdempotencyToken=TOKEN)
    abroad = pki.installation.client("acm-pca", region="eu-central-1")
    configuration = pki.describe(one)["CertificateAuthorityConfiguration"]
    here = pki.create(IdempotencyToken=TOKEN)
    there = abroad.create_certificate_authority(
        CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration, IdempotencyToken=TOKEN
    )["CertificateAuthorityArn"]
    assert here != there


def test_a_refused_request_leaves_its_token_free(pki):
    arn = pki.root()
    with pki.nothing_issued(), refused("ValidationException"):
        pki.issue(arn, valid=days(4000), IdempotencyToken=TOKEN)
    assert pki.get(arn, pki.issue(arn, IdempotencyToken=TOKEN))["Certificate"]


@pytest.mark.parametrize(
    ("token", "text"), [("", "greater than or equal to 1"), ("x" * 37, "less than or equal to 36")]
)
def test_a_token_has_1_to_36_characters(pki, token, text):
    arn = pki.root()
    with pki.nothing_issued(), refused("ValidationException", text):
        pki.issue(arn, IdempotencyToken=token)
    with refused("ValidationException", text):
        pki.create(IdempotencyToken=token)


def test_parallel_requests_with_one_token_have_one_outcome(pki):
    arn = pki.root()
    before = pki.issued_count()
    with ThreadPoolExecutor(4) as pool:
        issued = list(pool.map(lambda _: pki.issue(arn, IdempotencyToken=TOKEN), range(8)))
        created = list(pool.map(lambda _: pki.create(IdempotencyToken=TOKEN), range(8)))
    assert len(set(issued)) == len(set(created)) == 1
    assert pki.issued_count() == before + 1
    assert len(pki.pca.list_certificate_authorities()["CertificateAuthorities"]) == 2
    assert pki.get(arn, issued[0])["Certificate"]


def test_parallel_requests_without_a_token_are_all_carried_out(pki):
    arn = pki.root()
    with ThreadPoolExecutor(4) as pool:
        issued = list(pool.map(lambda _: pki.issue(arn), range(12)))
    assert len(set(issued)) == 12
    for each in issued:
        assert pki.get(arn, each)["Certificate"]


@pytest.fixture
def serials(monkeypatch):
    """The numbers that the next certificates try, in this order."""
    numbers = []
    monkeypatch.setattr("greatseal.domain.authorities.issuance.new_serial", lambda entropy: numbers.pop(0))
    return numbers


@pytest.fixture
def root(pki, serials):
    serials.append(2**100)
    return pki.root()


@pytest.mark.parametrize("token", [{}, {"IdempotencyToken": TOKEN}])
def test_a_serial_that_is_taken_is_never_used_again(pki, serials, root, token):
    serials += [2**101, 2**101, 2**100, 2**102]
    first = pki.issue(root)
    second = pki.issue(root, csr("second.example.com"), **token)
    assert serial_of(first) == f"{2**101:032x}"
    assert serial_of(second) == f"{2**102:032x}"
    assert parse(pki.get(root, second)["Certificate"]).subject == name("second.example.com")
    if token:
        serials += [2**103]
        assert pki.issue(root, **token) == second


def test_randomness_that_stands_still_ends_in_a_refusal(pki, serials, root):
    serials += [2**100] * 20
    with pki.nothing_issued(), refused("RequestFailedException", "randomness"):
        pki.issue(root, IdempotencyToken=TOKEN)
    serials[:] = [2**101]
    assert serial_of(pki.issue(root, IdempotencyToken=TOKEN)) == f"{2**101:032x}"


@pytest.mark.parametrize("serial", [2**128 - 1, 2**127, 2**64, 1])
def test_serials_at_the_edges_stay_positive_numbers(pki, serials, root, serial):
    serials.append(serial)
    issued = pki.issue(root)
    assert parse(pki.get(root, issued)["Certificate"]).serial_number == serial
    assert serial_of(issued) == f"{serial:032x}"
    pki.pca.revoke_certificate(
        CertificateAuthorityArn=root, CertificateSerial=f"{serial:x}", RevocationReason="SUPERSEDED"
    )
