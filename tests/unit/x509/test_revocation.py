"""Revocation judged over lists and answers: what counts, what does not, and what proves what."""

from datetime import timedelta

import pytest

from greatseal.x509 import der
from greatseal.x509.bundle import read_list
from greatseal.x509.crl import REASON_CODE, RevocationList
from greatseal.x509.extensions import (
    OID,
    Extension,
    crl_distribution_points,
    encode_extensions,
    extended_key_usage,
    key_usage,
)
from greatseal.x509.general_names import GeneralName
from greatseal.x509.ocsp import OcspError, Revoked, Unknown, error_response
from greatseal.x509.ocsp.answer import NoAnswer, encode_request, parse_answer
from greatseal.x509.ocsp.request import parse_request
from greatseal.x509.path import Code, Rules
from greatseal.x509.revocation import Material, Mode, Standing, State, judge, standings
from made_certificates import ALGORITHM, LEAF, NOW, ROOT, SUBORDINATE, Order, signer
from made_revocation import HOUR, RESPONDER, answer, answer_der, crl, issuing_point

RULES = Rules(at=NOW)
PATH = tuple(order.sign() for order in (LEAF, SUBORDINATE, ROOT))
LEAF_CERTIFICATE, ISSUER = PATH[:2]
SERIAL = LEAF.serial
URL = GeneralName("uri", "http://x.example/1.crl").encode()
PLACE = der.explicit(0, der.explicit(0, URL))
ELSEWHERE = der.explicit(0, der.explicit(0, GeneralName("uri", "http://x.example/2.crl").encode()))


def standing(*lists, answers=(), nonce=None, path=PATH, others=()) -> Standing:
    return standings(path, Material(lists, answers, nonce), RULES, intermediates=others)[0]


def with_point(*, ca: bool = False):
    """A path whose leaf names the distribution point of PLACE."""
    leaf = LEAF.but(add=(crl_distribution_points("http://x.example/1.crl"),), ca=ca)
    return (leaf.sign(), *PATH[1:])


def test_a_current_list_says_good_or_revoked():
    assert standing(crl()) == Standing(State.GOOD, "CRL")
    found = standing(crl(SUBORDINATE, (SERIAL, 1)))
    assert (found.state, found.source, found.reason) == (State.REVOKED, "CRL", "keyCompromise")
    assert found.revoked_at == NOW - HOUR
    assert standing(crl(SUBORDINATE, (SERIAL + 1, 1))).state is State.GOOD
    assert [each.state for each in standings(PATH, Material([crl(), crl(ROOT)]), RULES)] == [State.GOOD] * 2


@pytest.mark.parametrize(
    ("made", "why"),
    [
        ((), "there is no CRL of its issuer"),
        ((crl(ROOT),), "there is no CRL of its issuer"),
        ((crl(key_of="thief"),), "nobody who may sign it did"),
        ((crl(next_update=NOW - timedelta(seconds=1)),), "expired 2026-07-01T11:59:59Z"),
        ((crl(this_update=NOW + HOUR, next_update=NOW + 2 * HOUR),), "is not valid before"),
        ((crl(next_update=None),), "does not say how long"),
        ((crl(base=1, number=2),), "there is no complete CRL"),
        ((crl(extensions=[issuing_point(der.tlv(0x84, b"\xff"))]),), "it is indirect"),
        ((crl(extensions=[issuing_point(der.tlv(0x82, b"\xff"))]),), "certificates of another kind"),
        ((crl(extensions=[issuing_point(der.tlv(0x85, b"\xff"))]),), "certificates of another kind"),
        ((crl(extensions=[issuing_point(PLACE)]),), "another distribution point"),
        ((crl(extensions=[issuing_point(der.tlv(0x83, b"\x06\x40"))]),), "do not cover every reason"),
        ((crl(extensions=[Extension("1.2.3", True, b"\x05\x00")]),), "critical extension 1.2.3"),
        ((crl(extensions=[Extension("2.5.29.28", True, b"\x05\x00")]),), "tag"),
    ],
)
def test_lists_that_prove_nothing(made, why):
    found = standing(*made)
    assert found.state is State.UNKNOWN
    assert why in found.why
    problem = judge(PATH, [found], Mode.HARD_FAIL)
    assert problem is not None
    assert problem.code is Code.REVOCATION_UNKNOWN
    assert judge(PATH, [found], Mode.SOFT_FAIL) is None


def test_an_old_list_still_revokes():
    found = standing(crl(SUBORDINATE, (SERIAL, 4), next_update=NOW - timedelta(1)))
    assert found.state is State.REVOKED
    problem = judge(PATH, [found], Mode.SOFT_FAIL)
    assert problem is not None
    assert problem.sentence == "certificate 0 (CN=leaf) was revoked 2026-07-01T11:00:00Z (superseded), says CRL"
    assert judge(PATH, [found], Mode.OFF) is None


def test_an_unknown_critical_extension_of_an_entry_spoils_the_list():
    entry = der.sequence(
        der.integer(7), der.time(NOW - HOUR), encode_extensions([Extension("1.2.3", True, b"\x05\x00")])
    )
    assert "critical extension 1.2.3" in standing(crl(SUBORDINATE, (SERIAL, 1), entries=[entry])).why


def test_partitions_count_for_the_certificates_that_name_them():
    here, there = (crl(extensions=[issuing_point(place)]) for place in (PLACE, ELSEWHERE))
    assert standing(here, path=with_point()).state is State.GOOD
    assert standing(there, path=with_point()).state is State.UNKNOWN
    # A list without a place is about everything that its issuer made.
    assert standing(crl(), path=with_point()).state is State.GOOD
    users = crl(extensions=[issuing_point(PLACE, der.tlv(0x81, b"\xff"))])
    assert standing(users, path=with_point()).state is State.GOOD
    assert standing(users, path=with_point(ca=True)).state is State.UNKNOWN


def test_reasons_add_up():
    halves = [crl(extensions=[issuing_point(der.tlv(0x83, flags))]) for flags in (b"\x06\x40", b"\x07\x3f\x80")]
    assert standing(halves[0]).state is standing(halves[1]).state is State.UNKNOWN
    assert standing(*halves).state is State.GOOD


@pytest.mark.parametrize(
    ("complete", "delta", "state"),
    [
        (crl(number=5), crl(SUBORDINATE, (SERIAL, 1), base=5, number=6), State.REVOKED),
        (crl(number=5), crl(SUBORDINATE, (SERIAL, 1), base=6, number=7), State.GOOD),
        (crl(number=8), crl(SUBORDINATE, (SERIAL, 1), base=5, number=7), State.GOOD),
        (crl(SUBORDINATE, (SERIAL, 6), number=5), crl(SUBORDINATE, (SERIAL, 8), base=4, number=6), State.GOOD),
        (crl(SUBORDINATE, (SERIAL, 1), number=5), crl(base=5, number=6), State.REVOKED),
        (crl(number=5), crl(SUBORDINATE, (SERIAL, 1), base=5, number=6, key_of="thief"), State.GOOD),
        (crl(number=5), crl(SUBORDINATE, (SERIAL, 1), base=5, number=6, next_update=NOW - HOUR), State.GOOD),
        (
            crl(number=5),
            crl(SUBORDINATE, (SERIAL, 1), base=5, number=6, extensions=[issuing_point(PLACE)]),
            State.GOOD,
        ),
        (
            crl(number=5, next_update=NOW - timedelta(minutes=1)),
            crl(base=5, number=6),
            State.UNKNOWN,
        ),
    ],
)
def test_deltas_change_what_their_base_says(complete, delta, state):
    assert standing(complete, delta).state is state
    assert standing(delta, complete).state is state


def test_the_newest_delta_counts():
    old = crl(SUBORDINATE, (SERIAL, 6), base=5, number=6)
    new = crl(SUBORDINATE, (SERIAL, 8), base=5, number=7)
    assert standing(crl(number=5), new, old).state is State.GOOD
    assert standing(crl(number=5), old).state is State.REVOKED


def test_a_key_of_its_own_for_lists_needs_a_path_and_a_good_standing():
    usage = key_usage(["CRLSign"])
    lists = SUBORDINATE.but(label="lists", subject=SUBORDINATE.name, add=(usage,), serial=99)
    by_lists = crl(SUBORDINATE, (SERIAL, 1), key_of="lists")
    of_root = crl(ROOT)
    assert standing(by_lists, of_root).state is State.UNKNOWN
    assert standing(by_lists, of_root, others=[lists.sign()]).state is State.REVOKED
    assert standing(by_lists, crl(ROOT, (99, 1)), others=[lists.sign()]).state is State.UNKNOWN
    assert standing(by_lists, of_root, others=[lists.sign(key_of="thief")]).state is State.UNKNOWN


def test_an_issuer_that_may_not_sign_lists_did_not():
    middle = SUBORDINATE.but(add=(key_usage(["KeyCertSign"]),))
    path = (LEAF.but(issuer=middle).sign(), middle.sign(), ROOT.sign())
    assert "nobody who may sign it did" in standing(crl(), path=path).why


def test_answers_say_good_revoked_and_unknown():
    good = answer(LEAF_CERTIFICATE, ISSUER)
    assert standing(answers=[good]) == Standing(State.GOOD, "OCSP")
    revoked = answer(LEAF_CERTIFICATE, ISSUER, Revoked(NOW - HOUR, 1))
    found = standing(answers=[good, revoked])
    assert (found.state, found.revoked_at, found.reason) == (State.REVOKED, NOW - HOUR, "keyCompromise")
    unknown = standing(answers=[answer(LEAF_CERTIFICATE, ISSUER, Unknown())])
    assert (unknown.state, unknown.why) == (State.UNKNOWN, "the OCSP responder does not know it")
    assert standing(answers=[answer(LEAF_CERTIFICATE, ISSUER, Unknown()), good]).state is State.GOOD
    by_itself = answer(LEAF_CERTIFICATE, ISSUER, responder=ISSUER, key_of="subordinate")
    assert standing(answers=[by_itself]).state is State.GOOD


def test_an_answer_and_a_list_that_disagree():
    good = answer(LEAF_CERTIFICATE, ISSUER)
    assert standing(crl(SUBORDINATE, (SERIAL, 1)), answers=[good]).state is State.REVOKED
    stale = answer(LEAF_CERTIFICATE, ISSUER, next_update=NOW - HOUR)
    assert standing(crl(), answers=[stale]) == Standing(State.GOOD, "CRL")
    assert "expired" in standing(answers=[stale]).why


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (answer(ISSUER, ROOT.sign()), "there is no CRL of its issuer"),
        (answer(LEAF_CERTIFICATE, ROOT.sign()), "there is no CRL of its issuer"),
        (answer(LEAF_CERTIFICATE, ISSUER, key_of="thief"), "nobody who may answer for the issuer"),
        (
            answer(LEAF_CERTIFICATE, ISSUER, responder=Order("responder", SUBORDINATE).sign()),
            "may not sign OCSP answers",
        ),
        (answer(LEAF_CERTIFICATE, ISSUER, responder=RESPONDER.but(issuer=ROOT).sign()), "not made by the issuer"),
        (answer(LEAF_CERTIFICATE, ISSUER, responder=RESPONDER.sign(key_of="thief")), "not made by the issuer"),
        (answer(LEAF_CERTIFICATE, ISSUER, responder=RESPONDER.but(not_after=NOW - HOUR).sign()), "not valid at"),
        (
            answer(
                LEAF_CERTIFICATE,
                ISSUER,
                responder=RESPONDER.but(
                    add=(extended_key_usage([OID.OCSP_SIGNING]), key_usage(["KeyEncipherment"]))
                ).sign(),
            ),
            "key usage that does not allow signatures",
        ),
        (answer(LEAF_CERTIFICATE, ISSUER, this_update=NOW + HOUR), "is not valid before"),
    ],
)
def test_answers_that_prove_nothing(made, why):
    found = standing(answers=[made])
    assert found.state is State.UNKNOWN
    assert why in found.why


def test_a_nonce_is_demanded_only_when_asked_for():
    with_nonce, without = answer(LEAF_CERTIFICATE, ISSUER, nonce=b"once" * 8), answer(LEAF_CERTIFICATE, ISSUER)
    assert standing(answers=[with_nonce]).state is standing(answers=[without]).state is State.GOOD
    assert standing(answers=[with_nonce], nonce=b"once" * 8).state is State.GOOD
    for made in (with_nonce, without):
        assert "does not repeat the nonce" in standing(answers=[made], nonce=b"other" * 4).why


def test_a_request_is_read_by_the_responder():
    request = parse_request(encode_request(LEAF_CERTIFICATE, ISSUER, b"nonce"))
    assert request.nonce == b"nonce"
    assert request.certificates[0].serial == SERIAL
    assert parse_request(encode_request(LEAF_CERTIFICATE, ISSUER)).nonce is None


def test_answers_without_a_status_say_why():
    with pytest.raises(NoAnswer, match="not authoritative"):
        parse_answer(error_response(OcspError.UNAUTHORIZED))
    whole = answer_der(LEAF_CERTIFICATE, ISSUER)
    for broken in (b"", b"\x30\x00", whole[:-1], whole + b"\x00", b"\x30" * 400_000):
        with pytest.raises(der.DerError):
            parse_answer(broken)


def test_a_hold_that_a_delta_lifts_is_told_by_its_reason():
    lifted = crl(SUBORDINATE, (SERIAL, 8), base=1, number=2)
    assert lifted.entries[0].reason == "removeFromCRL"
    assert lifted.entries[0].extensions[0].oid == REASON_CODE


def test_long_lists_are_read_and_only_as_lists():
    entries = [der.sequence(der.integer(2**100 + number), der.time(NOW - HOUR)) for number in range(40_000)]
    tail = der.explicit(0, encode_extensions([Extension("2.5.29.20", False, der.integer(1))]))
    times = der.time(NOW - HOUR) + der.time(NOW + HOUR)
    head = der.integer(1) + ALGORITHM.identifier + SUBORDINATE.name.der + times
    tbs = der.sequence(head, der.sequence(*entries), tail)
    signature = signer("subordinate").sign(tbs, ALGORITHM)
    long = der.sequence(tbs, ALGORITHM.identifier, der.bit_string(signature))
    assert len(long) > der.MAX_SIZE
    with pytest.raises(der.DerError, match="more than"):
        RevocationList.parse(long)
    found = read_list(long)
    assert len(found.entries) == 40_000
    assert standing(found).state is State.GOOD
