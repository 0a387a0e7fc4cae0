"""Damaged certificates, lists and answers: nothing is raised but DerError, and nothing damaged is ever valid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList
from greatseal.x509.extensions import OID, Extension, certificate_policies, name_constraints, subject_alternative_name
from greatseal.x509.general_names import dns
from greatseal.x509.ocsp.answer import parse_answer
from greatseal.x509.path import Purpose, Rules, Valid, find, validate
from greatseal.x509.path.policies import PolicyGraph
from greatseal.x509.revocation import Material, Mode, State, judge, standings
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE
from made_revocation import answer_der, crl
from properties.examples import examples

POLICY = certificate_policies([("1.2.3", []), ("1.2.4", [])])
MIDDLE = SUBORDINATE.but(add=(POLICY, name_constraints([dns("example.com")], [dns("no.example.com")])))
END = LEAF.but(issuer=MIDDLE, add=(POLICY, subject_alternative_name([dns("a.example.com")])))
PATH = tuple(order.sign() for order in (END, MIDDLE, ROOT))
LIST = crl(MIDDLE, (END.serial + 1, 1)).der
ANSWER = answer_der(*PATH[:2])
RULES = Rules(
    at=NOW,
    purpose=Purpose.SERVER_AUTH,
    server_name="a.example.com",
    policies=frozenset({"1.2.3"}),
    require_explicit_policy=True,
)


@st.composite
def damaged(draw: st.DrawFn, original: bytes) -> bytes:
    """Some bits flipped, a piece cut out or doubled."""
    octets = bytearray(original)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(octets) - 1))
        kind = draw(st.sampled_from(("flip", "cut", "double", "set")))
        if kind == "flip":
            octets[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "set":
            octets[at] = draw(st.integers(0, 255))
        elif kind == "cut" and len(octets) > 2:
            del octets[at : at + draw(st.integers(1, 8))]
        else:
            octets[at:at] = octets[at : at + 8]
    return bytes(octets)


def test_the_originals_are_valid():
    assert isinstance(validate(PATH, RULES), Valid)
    found = standings(PATH[:2], Material([RevocationList.parse(LIST)], [parse_answer(ANSWER)]), RULES)
    assert [each.state for each in found] == [State.GOOD]


@pytest.mark.parametrize("position", [0, 1])
@given(data=st.data())
@examples(400)
def test_a_damaged_certificate_is_never_valid(position, data):
    octets = data.draw(damaged(PATH[position].der))
    try:
        certificate = Certificate.parse(octets)
    except der.DerError:
        return
    path = (*PATH[:position], certificate, *PATH[position + 1 :])
    for verdict in (validate(path, RULES), find(path[0], path[1:-1], [PATH[-1]], RULES)):
        assert isinstance(verdict, Valid) is (octets == PATH[position].der)
        if not isinstance(verdict, Valid):
            assert verdict.problem.sentence


@given(data=st.data())
@examples(400)
def test_a_damaged_certificate_is_judged_even_as_an_anchor(data):
    """Nobody signed the anchor's part, so that damage may go unnoticed; but it must not be a defect."""
    try:
        anchor = Certificate.parse(data.draw(damaged(PATH[-1].der)))
    except der.DerError:
        return
    validate((*PATH[:-1], anchor), RULES)
    find(PATH[0], PATH, [anchor], RULES)
    standings((*PATH[:-1], anchor), Material([RevocationList.parse(LIST)], [parse_answer(ANSWER)]), RULES)


@given(data=st.data())
@examples(400)
def test_a_damaged_list_proves_nothing(data):
    octets = data.draw(damaged(LIST))
    try:
        damaged_list = RevocationList.parse(octets)
    except der.DerError:
        return
    found = standings(PATH[:2], Material([damaged_list]), RULES)
    assert found[0].state is (State.GOOD if octets == LIST else State.UNKNOWN)


@given(data=st.data())
@examples(400)
def test_a_damaged_answer_proves_nothing(data):
    octets = data.draw(damaged(ANSWER))
    try:
        damaged_answer = parse_answer(octets)
    except der.DerError:
        return
    found = standings(PATH[:2], Material(answers=[damaged_answer]), RULES)
    # The certificate that comes along is only needed to find the responder's key.
    if damaged_answer.tbs != parse_answer(ANSWER).tbs:
        assert found[0].state is State.UNKNOWN
    assert judge(PATH, found, Mode.SOFT_FAIL) is None


@given(
    levels=st.lists(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12), min_size=1, max_size=24
    )
)
@examples(60)
def test_mappings_do_not_multiply(levels):
    """Every certificate maps policies onto each other: RFC 5280's tree would double at each level (RFC 9618)."""
    policies = certificate_policies([(f"1.2.{number}", []) for number in range(6)])
    graph = PolicyGraph(RULES, len(levels) + 1)
    for pairs in levels:
        mapped = der.sequence(*(der.sequence(der.oid(f"1.2.{a}"), der.oid(f"1.2.{b}")) for a, b in set(pairs)))
        middle = SUBORDINATE.but(add=(policies, Extension(OID.POLICY_MAPPINGS, True, mapped))).sign()
        graph.take(middle, last=False)
        assert graph.prepare(middle)
        assert graph.size <= 6 * (len(levels) + 1) + 1
