"""Names of public certificates: the registries' rules, imitations, and what an installation adds (faults.md 25-36)."""

import idna
import pytest

from greatseal.domain.policy.public_names import NameRules, PublicNameRefused, check_public

RULES = NameRules(private_suffixes=("corp.internal",), high_value=("bank.com",), blocked=("amazonaws.com",))


def label(text: str) -> str:
    return idna.alabel(text).decode()


@pytest.mark.parametrize(
    "name",
    ["example.com", "www.example.com", "*.example.com", "WWW.Example.COM", "a--x.com", "xn--bcher-kva.example.com",
     "github.io", "a.github.io", "a.x.ck", "www.ck", "*.sub.example.co.uk", "bank.community", "notbank.com",
     f"{label('почта')}.com", f"{label('日本語abcカナ')}.jp", f"{label('한국어')}.kr", f"{label('αβγδ')}.gr",
     "host.corp.internal", "*.corp.internal", "1.example.com", ".".join(["a" * 63] * 3) + "." + "b" * 57 + ".com"],
)  # fmt: skip
def test_names_that_are_let_through(name):
    check_public([name], RULES)


@pytest.mark.parametrize(
    "name",
    [
        # syntax
        "", "*", "com", "*.com", "a..com", ".example.com", "example.com.", "_a.example.com", "-a.com", "a-.com",
        "a" * 64 + ".com", ".".join(["a" * 63] * 4), "*.*.example.com", "a.*.example.com", "a*.example.com",
        "a b.com", "a\x00.com", "bücher.com", "xn--.com",
        # addresses
        "192.0.2.1", "1.2.3.0x7f", "::1", "[::1]", "1.2.0.192.in-addr.arpa", "x.ip6.arpa", "home.arpa",
        # names that the DNS of the public does not know
        "a.local", "localhost.localdomain", "a.onion", "a.internal", "a.test", "a.invalid", "a.corp", "a.nosuchtop",
        "host.example", "othercorp.internal", "corp.internal.local",
        # public suffixes
        "co.uk", "*.co.uk", "x.ck", "*.github.io", "*.ck",
        # internationalized labels
        "ab--x.com", "xn--example.com", "xn--abc-.com", "xn--abc.com", f"{label('раypal')}.com",
        f"{label('аррӏе')}.com", "xn--80ak6aa92e.com", "xn--999999999.com",
    ],
)  # fmt: skip
def test_names_that_are_refused(name):
    with pytest.raises(PublicNameRefused) as caught:
        check_public(["www.example.com", name], RULES)
    assert caught.value.reason == "INVALID_PUBLIC_DOMAIN"


def test_blocked_names():
    for name in ("amazonaws.com", "x.s3.amazonaws.com", "*.AmazonAWS.com"):
        with pytest.raises(PublicNameRefused) as caught:
            check_public([name], RULES)
        assert caught.value.reason == "DOMAIN_NOT_ALLOWED"


def test_high_value_names():
    for name in ("bank.com", "login.bank.com", "*.bank.com"):
        with pytest.raises(PublicNameRefused) as caught:
            check_public([name], RULES)
        assert caught.value.reason == "ADDITIONAL_VERIFICATION_REQUIRED"


def test_private_names_are_still_names():
    for name in ("xn--abc-.corp.internal", "_x.corp.internal", f"{label('раypal')}.corp.internal"):
        with pytest.raises(PublicNameRefused):
            check_public([name], RULES)
    assert RULES.is_private("*.Corp.internal")
    assert not RULES.is_private("xcorp.internal")
