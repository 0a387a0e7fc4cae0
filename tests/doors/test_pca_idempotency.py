"""Tokens, parallel requests and serial numbers: each request has one outcome (acm-pca.md 2.1, 2.7; faults.md 40, 56)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from doors.pki import Pki, csr, days, refused, serial_of

from greatseal.testing import FakeEntropy

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


@pytest.mark.parametrize(("token", "text"), [("", "greater than or equal to 1"), ("x" * 37, "less than or equal to 36")])
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


class Repeating(FakeEntropy):
    """Gives the serial numbers that a test put there; the last of them for ever, if told so."""

    def __init__(self):
        super().__init__()
        self.serials = []

    def token_bytes(self, size):
        if size == 16 and self.serials:
            return self.serials.pop(0)
        return super().token_bytes(size)


def test_a_serial_that_is_taken_is_never_used_again(storage):
    entropy = Repeating()
    pki = Pki(storage, entropy=entropy)
    arn = pki.root()
    taken, free = bytes(range(1, 17)), bytes(range(2, 18))
    # Only the serial of the next certificate: ids that take 16 octets are asked for afterwards.
    entropy.serials = [taken]
    first = pki.issue_raw(arn)
    assert serial_of(first) == taken.hex()
    for token in ({}, {"IdempotencyToken": TOKEN}):
        entropy.serials = [taken, taken, free] if not token else [taken, free, bytes(range(3, 19))]
        issued = pki.issue_raw(arn, **token)
        assert issued != first
        assert pki.get(arn, issued)["Certificate"] != pki.get(arn, first)["Certificate"]
    assert pki.issue_raw(arn, **token) == issued


def test_randomness_that_stands_still_ends_in_a_refusal(storage):
    entropy = Repeating()
    pki = Pki(storage, entropy=entropy)
    arn = pki.root()
    entropy.serials = [bytes(range(1, 17))]
    pki.issue_raw(arn)
    entropy.serials = [bytes(range(1, 17))] * 4
    with pki.nothing_issued(), refused("RequestFailedException", "randomness"):
        pki.issue_raw(arn)


@pytest.mark.parametrize("serial", [b"\xff" * 16, b"\x80" + bytes(15), bytes(15) + b"\x01"])
def test_serials_at_the_edges_are_positive_and_at_most_20_octets(storage, serial):
    entropy = Repeating()
    pki = Pki(storage, entropy=entropy)
    arn = pki.root()
    entropy.serials = [serial]
    issued = pki.issue_raw(arn)
    from doors.pki import parse

    number = parse(pki.get(arn, issued)["Certificate"]).serial_number
    assert number == int.from_bytes(serial) > 0
    assert serial_of(issued) == serial.hex()
