"""Who certifies whom, and how deep a path may go."""

import pytest

from greatseal.kernel.errors import MalformedCertificate, ValidationFailed
from greatseal.x509 import der
from greatseal.x509.chain import (
    MAX_LENGTH,
    BrokenChain,
    check_end_entity_chain,
    check_issues,
    check_path_length,
    effective_path_length,
    is_self_signed,
    name_constraints_of,
)
from greatseal.x509.extensions import OID, Extension, key_usage, name_constraints
from greatseal.x509.general_names import dns
from made_certificates import LEAF, ROOT, SUBORDINATE, Order, named


def signed(*orders: Order):
    return [order.sign() for order in orders]


def test_a_good_chain_passes_with_and_without_its_root():
    leaf, subordinate, root = signed(LEAF, SUBORDINATE, ROOT)
    check_end_entity_chain(leaf, [subordinate, root])
    check_end_entity_chain(leaf, [subordinate])
    check_end_entity_chain(leaf, [])


@pytest.mark.parametrize(
    ("chain", "reason"),
    [
        ([ROOT, SUBORDINATE], "'CN=leaf' names the issuer"),
        ([ROOT], "'CN=leaf' names the issuer"),
        ([LEAF, SUBORDINATE, ROOT], "itself is part"),
        ([SUBORDINATE, SUBORDINATE, ROOT], "twice"),
        ([SUBORDINATE, ROOT, ROOT], "twice"),
        ([SUBORDINATE, Order("other", ca=True)], "'CN=subordinate' names the issuer"),
        ([SUBORDINATE, Order("other", ca=True, subject=named("root"))], "was not made by"),
        ([SUBORDINATE.but(ca=False, path_length=None), ROOT], "not the certificate of a CA"),
        ([SUBORDINATE.but(drop=(OID.BASIC_CONSTRAINTS,)), ROOT], "not the certificate of a CA"),
        ([SUBORDINATE.but(add=(Extension(OID.BASIC_CONSTRAINTS, True, b"x"),)), ROOT], "not the certificate of a CA"),
        ([SUBORDINATE.but(add=(key_usage(["CRLSign"]),)), ROOT], "key usage"),
        ([SUBORDINATE.but(add=(Extension(OID.KEY_USAGE, True, b""),)), ROOT], "key usage"),
    ],
)
def test_broken_chains_say_what_is_wrong(chain, reason):
    with pytest.raises(BrokenChain, match=reason):
        check_end_entity_chain(LEAF.sign(), signed(*chain))


def test_an_altered_signature_is_found():
    with pytest.raises(BrokenChain, match="was not made by"):
        check_end_entity_chain(LEAF.sign(key_of="someone else"), signed(SUBORDINATE, ROOT))


def test_names_chain_by_comparison_not_only_by_octets():
    shouted = LEAF.but(issuer_name=named("SUBORDINATE"))
    check_end_entity_chain(shouted.sign(), signed(SUBORDINATE, ROOT))


def test_a_root_of_version_1_counts_as_a_ca_and_a_subordinate_does_not():
    old_root = ROOT.but(version=1)
    below = Order("below", old_root)
    check_issues(old_root.sign(), below.sign())
    old_subordinate = SUBORDINATE.but(version=1)
    with pytest.raises(BrokenChain, match="not the certificate of a CA"):
        check_issues(old_subordinate.sign(), LEAF.but(issuer=old_subordinate).sign())


def test_a_path_length_of_the_root_limits_the_chain():
    root = ROOT.but(path_length=0)
    middle = SUBORDINATE.but(issuer=root)
    with pytest.raises(BrokenChain, match="'CN=root' allows a path length"):
        check_end_entity_chain(LEAF.but(issuer=middle).sign(), signed(middle, root))
    root = ROOT.but(path_length=1)
    middle = SUBORDINATE.but(issuer=root)
    check_end_entity_chain(LEAF.but(issuer=middle).sign(), signed(middle, root))


def test_a_ca_at_the_end_of_a_path_does_not_use_up_length():
    # RFC 5280 section 4.2.1.9: the last certificate is not an intermediate one, even when it is a CA.
    end = Order("end", SUBORDINATE, ca=True)
    check_end_entity_chain(end.sign(), signed(SUBORDINATE, ROOT))


def test_endless_chains_are_refused_before_any_signature_is_checked():
    chain = [Order(f"ca{number}", ca=True).sign() for number in range(MAX_LENGTH)]
    with pytest.raises(BrokenChain, match="more than"):
        check_end_entity_chain(LEAF.sign(), chain)


def test_self_signed_needs_name_and_key():
    assert is_self_signed(ROOT.sign())
    assert not is_self_signed(SUBORDINATE.sign())
    assert not is_self_signed(SUBORDINATE.but(subject=named("root")).sign())


def ladder(*lengths: int | None):
    """Orders from the lowest CA to the root, with these path lengths in that order."""
    above = None
    orders = []
    for level, length in enumerate(reversed(lengths)):
        above = Order(f"level{level}", above, ca=True, path_length=length)
        orders.append(above)
    return signed(*reversed(orders))


@pytest.mark.parametrize(
    ("lengths", "effective"),
    [
        ((None,), None),
        ((None, None), None),
        ((0,), 0),
        ((3,), 3),
        ((None, 3), 2),
        ((None, None, 2), 0),
        ((5, 2), 1),
        ((0, None), 0),
        ((1, 5, None), 1),
        ((None, 0), 0),
        ((None, None, 0), 0),
        ((2**20000,), 32),
    ],
)
def test_effective_path_length(lengths, effective):
    assert effective_path_length(ladder(*lengths)) == effective


def test_self_issued_certificates_use_up_nothing():
    root = ROOT.but(path_length=1)
    # The key rolled over: same name, new key, signed by the old one.
    rolled = Order("new key", root, ca=True, subject=named("root"), issuer_name=named("root"))
    assert effective_path_length(signed(rolled, root)) == 1


@pytest.mark.parametrize(
    ("lengths", "requested", "fine"),
    [
        ((None,), None, True),
        ((None,), 3, True),
        ((1,), 0, True),
        ((1,), 1, False),
        ((1,), None, False),
        ((0,), 0, False),
        ((0,), None, False),
        ((3, 3), 1, True),
        ((3, 3), 2, False),
        ((None, 1), 0, False),
    ],
)
def test_requested_path_lengths(lengths, requested, fine):
    chain = ladder(*lengths)
    if fine:
        check_path_length(chain, requested)
        return
    with pytest.raises(ValidationFailed, match="path length"):
        check_path_length(chain, requested)


def test_name_constraints_of_every_level_are_collected():
    constrained = ROOT.but(add=(name_constraints([dns("example.com")], []),))
    middle = SUBORDINATE.but(issuer=constrained, add=(name_constraints([], [dns("a.example.com")]),))
    found = name_constraints_of(signed(middle, constrained))
    assert [len(level.permitted) for level in found] == [0, 1]
    assert name_constraints_of(signed(SUBORDINATE, ROOT)) == ()


def test_name_constraints_that_cannot_be_read_are_not_taken_for_none():
    broken = ROOT.but(add=(Extension(OID.NAME_CONSTRAINTS, True, der.sequence()),))
    with pytest.raises(MalformedCertificate, match="cannot be read"):
        name_constraints_of([broken.sign()])
