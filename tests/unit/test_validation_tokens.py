"""What customers publish never changes: a record that is there must go on to be the right one (acm.md 8.1)."""

import re

from greatseal.domain.validation.tokens import Tokens
from greatseal.kernel.secret import Secret

TOKENS = Tokens(Secret(bytes(range(32))))
ACCOUNT = "111122223333"


def test_the_record_of_a_domain_is_the_same_for_ever():
    record = TOKENS.record(ACCOUNT, "example.com")
    assert record.name == "_c5af279962842fa1a37d9187fb2bba69.example.com."
    assert record.value == "_a966e87eaf1e67028c3906343fde0afa.sippdkszys.acm-validations.aws."


def test_a_wildcard_has_the_record_of_its_domain():
    assert TOKENS.record(ACCOUNT, "*.example.com") == TOKENS.record(ACCOUNT, "example.com")
    assert TOKENS.record(ACCOUNT, "www.example.com") != TOKENS.record(ACCOUNT, "example.com")


def test_accounts_and_installations_have_records_of_their_own():
    own = TOKENS.record(ACCOUNT, "example.com")
    for other in (
        TOKENS.record("444455556666", "example.com"),
        Tokens(Secret(bytes(32))).record(ACCOUNT, "example.com"),
    ):
        assert other.name != own.name
        assert other.value.split(".")[0] != own.value.split(".")[0]


def test_the_zone_of_the_values_is_a_setting():
    record = Tokens(Secret(bytes(32)), suffix="Validations.Corp.Example.").record(ACCOUNT, "example.com")
    assert re.fullmatch(r"_[0-9a-f]{32}\.[a-z]{10}\.validations\.corp\.example\.", record.value)


def test_the_parts_of_what_is_sealed_cannot_be_shifted():
    """An account and a domain that are written together are two different things than others written together."""
    assert TOKENS.record("1", "2example.com").value != TOKENS.record("12", "example.com").value
