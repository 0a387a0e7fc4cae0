"""What becomes of the trust services over the years: CAs that end, and a root that does (docs/trust-services.md)."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import DNSName
from cryptography.x509.verification import PolicyBuilder, Store

from doors.pki import Pki
from greatseal.domain.authorities.model import Status
from greatseal.domain.authorities.revocation_settings import RevocationChange
from greatseal.domain.trust_services import Chain, Plan
from greatseal.domain.trust_services.store import all_roles
from greatseal.kernel.errors import InvalidState
from made_trust import Ordered

YEAR = timedelta(days=365.25)
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def pki(storage):
    pki = Pki(storage, trust=Plan(issuers=2, chain=Chain.LONG))
    pki.trusting = pki.installation.rooms.trusting
    pki.trusting.services._submission = None
    return pki


def issue(pki, token):
    return pki.trusting.services.issue(Ordered(token=token, logged=False))


def root(pki):
    [newest] = [each for each in pki.trusting.hierarchy.roots() if each.tier.number]
    return x509.load_der_x509_certificate(newest.der)


def verified(pki, issued):
    builder = PolicyBuilder().store(Store([root(pki)])).time(pki.clock.now())
    above = [x509.load_der_x509_certificate(each) for each in issued.chain]
    leaf = x509.load_der_x509_certificate(issued.certificate)
    return builder.build_server_verifier(DNSName("www.example.com")).verify(leaf, above)


def issuers(pki):
    return [role for role in pki.storage.read(all_roles) if role.number is not None]


def disabled(pki, arn):
    caller = pki.trusting.hierarchy.caller("Test")
    pki.installation.rooms.lifecycle.update(caller, arn, status=Status.DISABLED, revocation=RevocationChange())


def test_an_issuing_ca_ends_with_its_root(pki):
    issue(pki, "order/1")
    pki.clock.advance(12 * YEAR)
    later = issue(pki, "order/2")
    _, issuer, *_ = verified(pki, later)
    assert issuer.not_valid_after_utc == root(pki).not_valid_after_utc
    assert len(issuers(pki)) == 4


def test_a_cross_certificate_that_has_ended_is_not_handed_out(pki):
    first = issue(pki, "order/1")
    assert len(first.chain) == 3
    pki.clock.advance(15.1 * YEAR)
    later = issue(pki, "order/2")
    assert len(later.chain) == 1
    assert pki.trusting.services.chain(first.certificate) == first.chain[:1]
    assert len(verified(pki, later)) == 3


def test_a_root_in_its_last_year_gets_no_orders_and_no_cas(pki):
    issue(pki, "order/1")
    pki.clock.advance(18 * YEAR)
    issue(pki, "order/2")
    before = issuers(pki)
    pki.clock.advance(1.1 * YEAR)
    with pytest.raises(InvalidState, match="ends within a year"):
        issue(pki, "order/3")
    assert issuers(pki) == before


def test_issuing_goes_on_with_fewer_cas_than_planned(pki):
    """The root is disabled, so that the one issuing CA that is left gets no second beside it."""
    first = issue(pki, "order/1")
    arn = first.arn.partition("/certificate/")[0]
    [kept] = [role.arn for role in issuers(pki) if role.arn != arn]
    disabled(pki, arn)
    disabled(pki, next(each.authority.arn for each in pki.trusting.hierarchy.roots() if each.tier.number))
    for n in range(2, 6):
        assert issue(pki, f"order/{n}").arn.startswith(kept)
    disabled(pki, kept)
    with pytest.raises(InvalidState):
        issue(pki, "order/6")
