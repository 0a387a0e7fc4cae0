"""Finding a path among candidates in any order, and giving up before a hostile heap does harm."""

import time
from datetime import timedelta
from itertools import permutations

import pytest

from greatseal.x509.path import Code, Invalid, Problem, Rules, Valid, find
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order, named

RULES = Rules(at=NOW)


def names(verdict):
    assert isinstance(verdict, Valid), verdict.problem
    return [each.subject.display().removeprefix("CN=") for each in verdict.path]


def test_the_order_of_the_candidates_does_not_matter():
    a = Order("a", ca=True)
    b = Order("b", a, ca=True)
    c = Order("c", b, ca=True)
    leaf = Order("leaf", c)
    for order in permutations((b.sign(), c.sign(), a.sign())):
        assert names(find(leaf.sign(), order, [a.sign()], RULES)) == ["leaf", "c", "b", "a"]


def test_an_anchor_may_stand_anywhere():
    leaf, middle, root = (order.sign() for order in (LEAF, SUBORDINATE, ROOT))
    assert names(find(leaf, [], [middle], RULES)) == ["leaf", "subordinate"]
    assert names(find(leaf, [root], [middle], RULES)) == ["leaf", "subordinate"]
    assert names(find(root, [], [root], RULES)) == ["root"]
    assert names(find(leaf, [], [leaf], RULES)) == ["leaf"]


def test_a_cross_signed_root_leads_to_either_anchor():
    other = Order("other", ca=True)
    crossed = ROOT.but(issuer=other)
    candidates = [each.sign() for each in (SUBORDINATE, crossed)]
    assert names(find(LEAF.sign(), candidates, [ROOT.sign()], RULES)) == ["leaf", "subordinate", "root"]
    assert names(find(LEAF.sign(), candidates, [other.sign()], RULES)) == ["leaf", "subordinate", "root", "other"]


def test_two_cas_that_certify_each_other_make_no_circle():
    one, two = Order("one", ca=True), Order("two", ca=True)
    candidates = [one.but(issuer=two).sign(), two.but(issuer=one).sign()]
    verdict = find(Order("leaf", one).sign(), candidates, [ROOT.sign()], RULES)
    assert isinstance(verdict, Invalid)
    assert verdict.problem.code is Code.NO_ISSUER


def test_an_expired_twin_or_a_wrong_key_does_not_hide_the_right_certificate():
    old = SUBORDINATE.but(not_after=NOW - timedelta(seconds=1))
    impostor = Order("impostor", ROOT, ca=True, subject=named("subordinate"))
    for bag in permutations([old.sign(), impostor.sign(), SUBORDINATE.sign()]):
        verdict = find(LEAF.sign(), bag, [ROOT.sign()], RULES)
        assert isinstance(verdict, Valid)
        assert verdict.path[1] == SUBORDINATE.sign()
    verdict = find(LEAF.sign(), [old.sign(), impostor.sign()], [ROOT.sign()], RULES)
    assert isinstance(verdict, Invalid)
    assert verdict.problem.code is Code.EXPIRED


@pytest.mark.parametrize(
    ("bag", "code", "index", "says"),
    [
        ([], Code.NO_ISSUER, 0, "was issued by 'CN=subordinate', of which no certificate was given"),
        ([SUBORDINATE], Code.NO_ISSUER, 1, "was issued by 'CN=root'"),
        ([SUBORDINATE, ROOT], Code.NO_ISSUER, 2, "is self-issued and not among the trust anchors"),
        ([SUBORDINATE.but(ca=False, path_length=None)], Code.NOT_A_CA, 1, "is not the certificate of a CA"),
        ([Order("x", ROOT, ca=True, subject=named("subordinate"))], Code.SIGNATURE, 0, "was not made by"),
    ],
)
def test_a_dead_end_is_told_where_it_is(bag, code, index, says):
    verdict = find(LEAF.sign(), [each.sign() for each in bag], [Order("elsewhere", ca=True).sign()], RULES)
    assert isinstance(verdict, Invalid)
    assert (verdict.problem.code, verdict.problem.index) == (code, index)
    assert says in verdict.problem.what


def test_the_check_of_one_path_makes_another_be_tried():
    other = Order("other", ca=True)
    candidates = [each.sign() for each in (SUBORDINATE, ROOT.but(issuer=other))]
    anchors = [ROOT.sign(), other.sign()]

    def not_by_root(path):
        return None if len(path) == 4 else Problem(Code.REVOKED, 1, "CN=subordinate", "was revoked")

    assert names(find(LEAF.sign(), candidates, anchors, RULES, check=not_by_root))[-1] == "other"
    refused = find(LEAF.sign(), candidates, anchors[:1], RULES, check=not_by_root)
    assert isinstance(refused, Invalid)
    assert refused.problem.code is Code.REVOKED


def test_hostile_heaps_are_given_up():
    """Everybody certifies everybody, and the anchor is not among them: as many paths as a tree has leaves."""
    cas = [Order(f"ca{number}", ca=True) for number in range(12)]
    heap = [one.but(issuer=two).sign() for one in cas for two in cas if one is not two]
    started = time.process_time()
    verdict = find(Order("leaf", cas[0]).sign(), heap, [ROOT.sign()], RULES)
    assert isinstance(verdict, Invalid)
    assert verdict.problem.code is Code.SEARCH_LIMIT
    assert time.process_time() - started < 10


def test_many_keys_under_one_name_are_given_up():
    heap = [Order(f"k{n}", ROOT, ca=True, subject=named("subordinate")).sign() for n in range(400)]
    verdict = find(LEAF.sign(), heap, [Order("elsewhere", ca=True).sign()], RULES)
    assert isinstance(verdict, Invalid)
    assert verdict.problem.code is Code.SEARCH_LIMIT
    # The right one has the key identifier that the leaf names, and is found among as many.
    assert isinstance(find(LEAF.sign(), [*heap, SUBORDINATE.sign()], [ROOT.sign()], RULES), Valid)
