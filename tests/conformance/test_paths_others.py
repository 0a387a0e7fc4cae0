"""The same chains before our validator, `openssl verify` and `cryptography.x509.verification`: one verdict."""

import base64
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from greatseal.x509 import pem as pems
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList
from greatseal.x509.extensions import (
    OID,
    Extension,
    certificate_policies,
    extended_key_usage,
    key_usage,
    name_constraints,
    subject_alternative_name,
)
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.path import ANY_POLICY, Purpose, Rules, Valid, find
from greatseal.x509.revocation import Material, Mode, judge, standings
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order, named
from made_revocation import crl

HOST = "app.example.com"
SERVER = (extended_key_usage([OID.SERVER_AUTH]), subject_alternative_name([dns(HOST), dns("*.wild.example.com")]))
SUB = SUBORDINATE
END = LEAF.but(add=SERVER)
POLICY = certificate_policies([("1.2.3", [])])
OTHER_POLICY = certificate_policies([("1.2.4", [])])
INHIBITED = Extension(OID.INHIBIT_ANY_POLICY, True, b"\x02\x01\x00")
ANY = certificate_policies([(OID.ANY_POLICY, [])])
MAPPED = Extension(OID.POLICY_MAPPINGS, True, bytes.fromhex("300a3008 06022a03 06022a04".replace(" ", "")))


def with_ca(**changes: object) -> tuple[Order, Order, Order]:
    """Leaf below a changed subordinate."""
    middle = SUB.but(**changes)
    return END.but(issuer=middle), middle, ROOT


def with_policies(*extensions: Extension, leaf: Extension = POLICY) -> tuple[Order, Order, Order]:
    leaf_order, middle, root = with_ca(add=extensions)
    return leaf_order.but(add=(*SERVER, leaf)), middle, root


@dataclass(frozen=True)
class Case:
    """`chain` is leaf, CA, root; `lists` are CRLs, whose presence means that everything is checked."""

    chain: tuple[Order, ...]
    valid: bool
    host: str | None = HOST
    at: datetime = NOW
    lists: tuple[RevocationList, ...] = ()
    policy: str | None = None
    signer: str | None = None

    @property
    def certificates(self) -> list[Certificate]:
        leaf, *above = self.chain
        return [leaf.sign(key_of=self.signer), *(order.sign() for order in above)]


GOOD = (END, SUB, ROOT)
BOTH = (crl(), crl(ROOT))
TWICE = Order("middle", ROOT, ca=True, path_length=0)
CASES = {
    "good": Case(GOOD, True),
    "last second": Case(GOOD, True, at=END.not_after),
    "expired": Case(GOOD, False, at=END.not_after + timedelta(seconds=1)),
    "not yet valid": Case(GOOD, False, at=END.not_before - timedelta(seconds=1)),
    "expired CA": Case(with_ca(not_after=NOW - timedelta(days=1)), False),
    "wrong host": Case(GOOD, False, host="www.example.com"),
    "wildcard": Case(GOOD, True, host="x.wild.example.com"),
    "wildcard over two labels": Case(GOOD, False, host="x.y.wild.example.com"),
    "signature": Case(GOOD, False, signer="thief"),
    "other issuer": Case((END, SUB.but(subject=named("another")), ROOT), False),
    "not a CA": Case(with_ca(ca=False, path_length=None), False),
    "CA without keyCertSign": Case(with_ca(add=(key_usage(["CRLSign"]),)), False),
    "path length": Case((END.but(issuer=SUB.but(issuer=TWICE)), SUB.but(issuer=TWICE), TWICE, ROOT), False),
    "client only": Case((LEAF.but(add=(extended_key_usage([OID.CLIENT_AUTH]), SERVER[1])), SUB, ROOT), False),
    "CA for clients only": Case(with_ca(add=(extended_key_usage([OID.CLIENT_AUTH]),)), False),
    "unknown critical": Case((END.but(add=(*SERVER, Extension("1.2.3.4", True, b"\x05\0"))), SUB, ROOT), False),
    "permitted": Case(with_ca(add=(name_constraints([dns("example.com")], []),)), True),
    "not permitted": Case(with_ca(add=(name_constraints([dns("example.org")], []),)), False),
    "excluded": Case(with_ca(add=(name_constraints([], [dns("wild.example.com")]),)), False),
    "other form": Case(with_ca(add=(name_constraints([GeneralName("ip", bytes(8))], []),)), True),
    "address": Case(
        (LEAF.but(add=(SERVER[0], subject_alternative_name([ip("192.0.2.1")]))), SUB, ROOT), True, host="192.0.2.1"
    ),
    "policy": Case(with_policies(POLICY), True, policy="1.2.3"),
    "other policy": Case(with_policies(OTHER_POLICY), False, policy="1.2.3"),
    "no policy": Case(GOOD, False, policy="1.2.3"),
    "anyPolicy": Case(with_policies(ANY), True, policy="1.2.3"),
    "anyPolicy that is inhibited": Case(with_policies(ANY, INHIBITED, leaf=ANY), False, policy="1.2.3"),
    "mapped": Case(
        with_policies(certificate_policies([("1.2.3", [])]), MAPPED, leaf=OTHER_POLICY), True, policy="1.2.3"
    ),
    "lists": Case(GOOD, True, lists=BOTH),
    "revoked": Case(GOOD, False, lists=(crl(SUB, (END.serial, 1)), crl(ROOT))),
    "revoked CA": Case(GOOD, False, lists=(crl(), crl(ROOT, (SUB.serial, 1)))),
    "no list of the root": Case(GOOD, False, lists=(crl(),)),
    "expired list": Case(GOOD, False, lists=(crl(next_update=NOW - timedelta(seconds=1)), crl(ROOT))),
    "forged list": Case(GOOD, False, lists=(crl(key_of="thief"), crl(ROOT))),
}


def ours(case: Case) -> bool:
    leaf, *above = case.certificates
    rules = Rules(
        at=case.at,
        purpose=Purpose.SERVER_AUTH,
        server_name=case.host,
        policies=frozenset({case.policy}) if case.policy else ANY_POLICY,
        require_explicit_policy=case.policy is not None,
    )
    mode = Mode.HARD_FAIL if case.lists else Mode.OFF

    def not_revoked(path):
        return judge(path, standings(path, Material(case.lists), rules), mode)

    return isinstance(find(leaf, above[:-1], above[-1:], rules, check=not_revoked), Valid)


@pytest.mark.parametrize("name", CASES)
def test_our_verdict(name):
    assert ours(CASES[name]) is CASES[name].valid


def pem(certificates: list[Certificate]) -> str:
    return pems.write_certificates([each.der for each in certificates]) + "\n"


def crl_pem(made: RevocationList) -> str:
    body = base64.encodebytes(made.der).decode()
    return f"-----BEGIN X509 CRL-----\n{body}-----END X509 CRL-----\n"


# RFC 5280 section 4.1.2.5 counts the second of notAfter in; OpenSSL does not.
OPENSSL_DIFFERS = {"last second"}


@pytest.mark.interop
@pytest.mark.parametrize("name", CASES)
def test_openssl_says_the_same(name, tmp_path: Path):
    case = CASES[name]
    leaf, *above = case.certificates
    (tmp_path / "leaf").write_text(pem([leaf]))
    (tmp_path / "middle").write_text(pem(above[:-1]))
    (tmp_path / "root").write_text(pem(above[-1:]) + "".join(map(crl_pem, case.lists)))
    arguments = ["-attime", str(int(case.at.timestamp())), "-purpose", "sslserver", "-no-CApath", "-no-CAstore"]
    if case.host is not None:
        arguments += ["-verify_ip" if case.host[0].isdigit() else "-verify_hostname", case.host]
    if case.policy is not None:
        arguments += ["-policy_check", "-explicit_policy", "-policy", case.policy]
    if case.lists:
        arguments += ["-crl_check", "-crl_check_all"]
    done = subprocess.run(
        ["openssl", "verify", *arguments, "-CAfile", "root", "-untrusted", "middle", "leaf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) is (case.valid and name not in OPENSSL_DIFFERS), done.stdout + done.stderr


# What the library does not look at, or demands beyond RFC 5280 because the Web PKI does.
NOT_COMPARED = {
    "policy": "policies are not evaluated",
    "other policy": "policies are not evaluated",
    "no policy": "policies are not evaluated",
    "anyPolicy": "policies are not evaluated",
    "anyPolicy that is inhibited": "policies are not evaluated",
    "mapped": "policies are not evaluated",
    "revoked": "revocation is not checked",
    "revoked CA": "revocation is not checked",
    "no list of the root": "revocation is not checked",
    "expired list": "revocation is not checked",
    "forged list": "revocation is not checked",
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_COMPARED])
def test_cryptography_says_the_same(name):
    case = CASES[name]
    leaf, *above = (x509.load_der_x509_certificate(each.der) for each in case.certificates)
    subject = x509.IPAddress(ip_address(case.host)) if case.host[0].isdigit() else x509.DNSName(case.host)
    builder = PolicyBuilder().store(Store(above[-1:])).time(case.at)
    try:
        builder.build_server_verifier(subject).verify(leaf, above[:-1])
        accepted = True
    except VerificationError as error:
        accepted, said = False, str(error)
        assert not case.valid, said
    assert accepted is case.valid
