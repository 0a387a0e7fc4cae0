"""Paths that hold, and the one exact reason of each that does not (RFC 5280 section 6.1)."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from greatseal.x509.extensions import (
    OID,
    Extension,
    basic_constraints,
    certificate_policies,
    extended_key_usage,
    key_usage,
    name_constraints,
    subject_alternative_name,
)
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.path import Code, Invalid, NotAServerName, Purpose, Rules, Valid, find, validate
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order, named

UNKNOWN = Extension("1.2.3.4", True, b"\x05\x00")
SHA1 = bytes.fromhex("300906072a8648ce3d0401")


def path_of(*orders):
    return tuple(order.sign() for order in orders)


def problem(path, rules=None):
    verdict = validate(path, rules or Rules(at=NOW))
    assert isinstance(verdict, Invalid)
    return verdict.problem


def under(**changes):
    """Leaf, changed subordinate, root."""
    middle = SUBORDINATE.but(**changes)
    return path_of(LEAF.but(issuer=middle), middle, ROOT)


def leaf(**changes):
    return path_of(LEAF.but(**changes), SUBORDINATE, ROOT)


def test_a_good_path_is_good_to_the_last_second():
    path = path_of(LEAF, SUBORDINATE, ROOT)
    for at in (NOW, LEAF.not_before, LEAF.not_after, LEAF.not_after + timedelta(microseconds=999)):
        verdict = validate(path, Rules(at=at))
        assert isinstance(verdict, Valid)
        assert verdict.path == path
    assert isinstance(validate(path[1:], Rules(at=NOW)), Valid)
    assert isinstance(validate(path[2:], Rules(at=NOW)), Valid)


@pytest.mark.parametrize(
    ("path", "code", "index", "says"),
    [
        (leaf(not_after=NOW - timedelta(seconds=1)), Code.EXPIRED, 0, "expired 2026-07-01T11:59:59Z"),
        (under(not_before=NOW + timedelta(1)), Code.NOT_YET_VALID, 1, "is not valid before 2026-07-02T12:00:00Z"),
        (path_of(LEAF, SUBORDINATE, Order("other", ca=True)), Code.ISSUER_NAME, 1, "names the issuer 'CN=root'"),
        (
            (LEAF.sign(key_of="thief"), *path_of(SUBORDINATE, ROOT)),
            Code.SIGNATURE,
            0,
            "has a signature that was not made by 'CN=subordinate'",
        ),
        (leaf(algorithm=SHA1), Code.SIGNATURE_ALGORITHM, 0, "names two signature algorithms"),
        (under(drop=(OID.BASIC_CONSTRAINTS,)), Code.NOT_A_CA, 1, "is not the certificate of a CA"),
        (under(add=(key_usage(["CRLSign"]),)), Code.KEY_USAGE, 1, "does not allow signing certificates"),
        (leaf(add=(UNKNOWN,)), Code.UNKNOWN_CRITICAL, 0, "the critical extension 1.2.3.4"),
        (under(add=(UNKNOWN,)), Code.UNKNOWN_CRITICAL, 1, "the critical extension 1.2.3.4"),
        (leaf(add=(Extension(OID.KEY_USAGE, False, b"x"),)), Code.UNREADABLE, 0, "cannot be read"),
        (under(add=(Extension(OID.POLICY_MAPPINGS, False, b"\x30\x00"),)), Code.UNREADABLE, 1, "cannot be read"),
        (path_of(LEAF, SUBORDINATE, ROOT, ROOT), Code.REPEATED, 3, "occurs twice"),
        (path_of(*([LEAF] * 40)), Code.PATH_TOO_LONG, 0, "more than 32"),
    ],
)
def test_each_reason_names_the_certificate(path, code, index, says):
    found = problem(path)
    assert (found.code, found.index) == (code, index)
    assert says in found.what
    assert found.sentence == f"certificate {index} ({path[index].subject.display()}) {found.what}"


def test_weak_keys_are_refused_wherever_they_are():
    weak = rsa.generate_private_key(65537, 1024).public_key()
    spki = weak.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    found = problem(leaf(spki=spki))
    assert (found.code, found.what) == (Code.WEAK_KEY, "has an RSA key of 1024 bits; 2048 is least")


def test_the_anchor_binds_what_is_below_it():
    root = ROOT.but(path_length=0)
    middle = SUBORDINATE.but(issuer=root)
    found = problem(path_of(LEAF.but(issuer=middle), middle, root))
    assert (found.code, found.index) == (Code.PATH_LENGTH, 2)
    assert found.what == "allows a path length of 0, which is exceeded"
    old = ROOT.but(not_after=NOW - timedelta(1))
    middle = SUBORDINATE.but(issuer=old)
    assert problem(path_of(LEAF.but(issuer=middle), middle, old)).index == 2


def test_self_issued_certificates_use_up_no_path_length():
    root = ROOT.but(path_length=1)
    middle = Order("middle", root, ca=True, path_length=0)
    rolled = Order("rolled", middle, ca=True, subject=middle.name)
    path = path_of(Order("leaf", rolled), rolled, middle, root)
    assert isinstance(validate(path, Rules(at=NOW)), Valid)
    other = Order("third", middle, ca=True)
    assert problem(path_of(Order("leaf", other), other, middle, root)).code is Code.PATH_LENGTH


@pytest.mark.parametrize(
    ("permitted", "excluded", "names", "says"),
    [
        ([dns("example.com")], [], [dns("a.example.org")], "'a.example.org' (dNSName) is not permitted"),
        ([], [dns("example.com")], [dns("a.example.com")], "'a.example.com' (dNSName) is excluded"),
        ([], [GeneralName("ip", bytes([10, 0, 0, 0, 255, 0, 0, 0]))], [ip("10.1.2.3")], "'10.1.2.3' (iPAddress)"),
        ([GeneralName("directory", named("nobody"))], [], [dns("a.example")], "'CN=leaf' (directoryName)"),
    ],
)
def test_name_constraints_say_which_name(permitted, excluded, names, says):
    middle = SUBORDINATE.but(add=(name_constraints(permitted, excluded),))
    end = LEAF.but(issuer=middle, add=(subject_alternative_name(names),))
    found = problem(path_of(end, middle, ROOT))
    assert (found.code, found.index) == (Code.NAME_CONSTRAINTS, 0)
    assert says in found.what
    assert "certificate 1" in found.what


def test_more_name_constraints_than_anybody_checks():
    many = [dns(f"n{number}.example") for number in range(1000)]
    middle = SUBORDINATE.but(add=(name_constraints(many, []),))
    end = LEAF.but(issuer=middle, add=(subject_alternative_name(many),))
    assert "more name constraints" in problem(path_of(end, middle, ROOT)).what


SERVER, CLIENT = extended_key_usage([OID.SERVER_AUTH]), extended_key_usage([OID.CLIENT_AUTH])


@pytest.mark.parametrize(
    ("purpose", "end", "middle", "code"),
    [
        (Purpose.SERVER_AUTH, (), (), None),
        (Purpose.SERVER_AUTH, (SERVER,), (SERVER,), None),
        (Purpose.SERVER_AUTH, (CLIENT,), (), Code.PURPOSE),
        (Purpose.SERVER_AUTH, (SERVER,), (CLIENT,), Code.PURPOSE),
        (Purpose.SERVER_AUTH, (extended_key_usage([OID.ANY_EXTENDED_KEY_USAGE]),), (), None),
        (Purpose.ANY, (SERVER,), (CLIENT,), None),
        (Purpose.CLIENT_AUTH, (key_usage(["KeyEncipherment"]),), (), Code.KEY_USAGE),
        (Purpose.SERVER_AUTH, (key_usage(["KeyEncipherment"]),), (), None),
        (Purpose.CODE_SIGNING, (), (), Code.PURPOSE),
        (Purpose.CODE_SIGNING, (extended_key_usage([OID.CODE_SIGNING]),), (), None),
    ],
)
def test_purposes(purpose, end, middle, code):
    above = SUBORDINATE.but(add=middle)
    verdict = validate(path_of(LEAF.but(issuer=above, add=end), above, ROOT), Rules(at=NOW, purpose=purpose))
    assert (None if isinstance(verdict, Valid) else verdict.problem.code) is code


@pytest.mark.parametrize(
    ("server", "fits"),
    [
        ("app.example.com", True),
        ("APP.example.com.", True),
        ("x.wild.example.com", True),
        ("a.b.wild.example.com", False),
        ("wild.example.com", False),
        ("example.com", False),
        ("x.com", False),
        ("bücher.example", True),
        ("xn--bcher-kva.example", True),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
        ("2001:db8::1", True),
        ("[2001:db8::1]", True),
        ("leaf", False),
    ],
)
def test_server_names(server, fits):
    names = ("app.example.com", "*.wild.example.com", "*.com", "xn--bcher-kva.example", "192.0.2.1")
    san = subject_alternative_name([*map(dns, names), ip("192.0.2.1"), ip("2001:db8::1")])
    verdict = validate(leaf(add=(san,)), Rules(at=NOW, server_name=server))
    assert isinstance(verdict, Valid) is fits
    if not fits:
        assert verdict.problem.code is Code.SERVER_NAME
        assert "app.example.com, *.wild.example.com" in verdict.problem.what


def test_the_common_name_is_no_server_name():
    found = problem(leaf(subject=named("app.example.com")), Rules(at=NOW, server_name="app.example.com"))
    assert found.what == "is not for app.example.com: it has no subject alternative name of a server"


@pytest.mark.parametrize("server", ["", ".", "a..b", "*.example.com", "a b", "a/b", "x" * 64 + "ü" * 64, "a\0b"])
def test_what_is_no_server_name_is_said(server):
    with pytest.raises(NotAServerName):
        validate(leaf(), Rules(at=NOW, server_name=server))


def test_policies_are_required_only_when_asked_for():
    policy = certificate_policies([("1.2.3", [])])
    middle = SUBORDINATE.but(add=(policy,))
    path = path_of(LEAF.but(issuer=middle, add=(policy,)), middle, ROOT)
    asked = Rules(at=NOW, policies=frozenset({"1.2.3", "1.2.4"}), require_explicit_policy=True)
    verdict = validate(path, asked)
    assert isinstance(verdict, Valid)
    assert verdict.policies == {"1.2.3"}
    found = problem(leaf(), asked)
    assert found.code is Code.POLICY
    assert "no valid certificate policy" in found.what


def test_a_root_of_version_1_is_an_anchor_and_a_subordinate_is_not_a_ca():
    old = ROOT.but(version=1)
    below = Order("below", old, add=(basic_constraints(False),))
    assert isinstance(find(below.sign(), [], [old.sign()], Rules(at=NOW)), Valid)
    middle = SUBORDINATE.but(version=1)
    assert problem(path_of(LEAF.but(issuer=middle), middle, ROOT)).code is Code.NOT_A_CA
