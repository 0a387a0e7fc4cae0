"""Our verdicts about name constraints beside those of `openssl verify`, over real chains."""

import base64
import subprocess
from itertools import product
from pathlib import Path

import pytest

from greatseal.kernel.errors import NameConstraintViolation
from greatseal.x509 import der
from greatseal.x509.attributes import EMAIL_ADDRESS, Attribute
from greatseal.x509.certificate import Certificate
from greatseal.x509.chain import name_constraints_of
from greatseal.x509.constraints import check_names
from greatseal.x509.extensions import name_constraints, subject_alternative_name
from greatseal.x509.general_names import GeneralName, dns, ip
from greatseal.x509.names import Name
from made_certificates import LEAF, NOW, ROOT, SUBORDINATE, Order, named

pytestmark = pytest.mark.interop


def pem(*certificates: Certificate) -> str:
    return "".join(
        f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(certificate.der).decode()}-----END CERTIFICATE-----\n"
        for certificate in certificates
    )


def openssl_accepts(folder: Path, leaf: Certificate, middle: Certificate, root: Certificate) -> bool:
    for name, certificate in (("leaf", leaf), ("middle", middle), ("root", root)):
        (folder / name).write_text(pem(certificate))
    arguments = ["-attime", str(int(NOW.timestamp())), "-CAfile", "root", "-untrusted", "middle", "leaf"]
    run = subprocess.run(["openssl", "verify", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    output = run.stdout + run.stderr
    # Only name constraints may make the difference: 47 permitted, 48 excluded, 51 to 53 unsupported.
    assert run.returncode == 0 or any(f"error {code} at" in output for code in (47, 48, 51, 52, 53)), output
    return run.returncode == 0


def chain_under(permitted, excluded) -> tuple[Order, Order]:
    return SUBORDINATE.but(issuer=ROOT, add=(name_constraints(permitted, excluded),)), ROOT


def verdicts(folder: Path, leaf: Order, middle: Order, root: Order) -> tuple[bool, bool]:
    """Ours and that of OpenSSL."""
    made = [order.sign() for order in (leaf.but(issuer=middle), middle, root)]
    try:
        check_names(name_constraints_of(made[1:]), subject=made[0].subject, san=made[0].san)
        ours = True
    except NameConstraintViolation:
        ours = False
    return ours, openssl_accepts(folder, *made)


def with_names(*names: GeneralName) -> Order:
    return LEAF.but(add=(subject_alternative_name(names),))


DNS_BASES = ["example.com", ".example.com", "www.example.com", ""]
DNS_NAMES = ["example.com", "www.example.com", "a.www.example.com", "badexample.com", "WWW.EXAMPLE.COM", "example.org"]


@pytest.mark.parametrize(("base", "host"), list(product(DNS_BASES, DNS_NAMES)))
def test_dns_permitted(tmp_path, base, host):
    ours, theirs = verdicts(tmp_path, with_names(dns(host)), *chain_under([dns(base)], []))
    assert ours == theirs


@pytest.mark.parametrize(("base", "host"), list(product(DNS_BASES, DNS_NAMES)))
def test_dns_excluded(tmp_path, base, host):
    ours, theirs = verdicts(tmp_path, with_names(dns(host)), *chain_under([], [dns(base)]))
    assert ours == theirs


EMAIL_BASES = ["example.com", ".example.com", "root@example.com"]
EMAIL_NAMES = ["root@example.com", "other@example.com", "a@mail.example.com", "a@example.org", "root@EXAMPLE.com"]


@pytest.mark.parametrize(("base", "mailbox"), list(product(EMAIL_BASES, EMAIL_NAMES)))
def test_email(tmp_path, base, mailbox):
    bases, leaf = [GeneralName("email", base)], with_names(GeneralName("email", mailbox))
    assert len(set(verdicts(tmp_path, leaf, *chain_under(bases, [])))) == 1
    assert len(set(verdicts(tmp_path, leaf, *chain_under([], bases)))) == 1


@pytest.mark.parametrize("mailbox", ["a@example.com", "a@example.org"])
def test_email_in_the_subject(tmp_path, mailbox):
    subject = Name.build([(Attribute(EMAIL_ADDRESS, der.IA5_STRING, mailbox),)])
    ours, theirs = verdicts(
        tmp_path, LEAF.but(subject=subject), *chain_under([GeneralName("email", "example.com")], [])
    )
    assert ours == theirs


URI_NAMES = [
    "https://host.example/x",
    "https://www.host.example:8443/",
    "urn:x",
    "https://h.example",
]


@pytest.mark.parametrize(("base", "uri"), list(product(["host.example", ".host.example"], URI_NAMES)))
def test_uri(tmp_path, base, uri):
    bases, leaf = [GeneralName("uri", base)], with_names(GeneralName("uri", uri))
    assert len(set(verdicts(tmp_path, leaf, *chain_under(bases, [])))) == 1
    assert len(set(verdicts(tmp_path, leaf, *chain_under([], bases)))) == 1


NETWORKS = [bytes([10, 0, 0, 0, 255, 0, 0, 0]), bytes(8), ip("2001:db8::").value + ip("ffff:ffff::").value]


@pytest.mark.parametrize(
    ("network", "address"), list(product(NETWORKS, ["10.1.2.3", "192.0.2.1", "2001:db8::1", "::1"]))
)
def test_ip(tmp_path, network, address):
    bases, leaf = [GeneralName("ip", network)], with_names(ip(address))
    assert len(set(verdicts(tmp_path, leaf, *chain_under(bases, [])))) == 1
    assert len(set(verdicts(tmp_path, leaf, *chain_under([], bases)))) == 1


@pytest.mark.parametrize("parts", [("Example", "web"), ("EXAMPLE ",), ("Other",), ("web", "Example")])
def test_directory(tmp_path, parts):
    bases, leaf = [GeneralName("directory", named("Example"))], LEAF.but(subject=named(*parts))
    assert len(set(verdicts(tmp_path, leaf, *chain_under(bases, [])))) == 1
    assert len(set(verdicts(tmp_path, leaf, *chain_under([], bases)))) == 1


@pytest.mark.parametrize("common_name", ["www.example.com", "www.evil.org", "Jane Doe", "localhost", "a_b.evil.org"])
def test_a_common_name_alone(tmp_path, common_name):
    ours, theirs = verdicts(tmp_path, LEAF.but(subject=named(common_name)), *chain_under([dns("example.com")], []))
    assert ours == theirs


@pytest.mark.parametrize(
    ("order", "bases"),
    [
        (with_names(dns("*.example.com")), [dns("www.example.com")]),
        (with_names(GeneralName("email", "ROOT@example.com")), [GeneralName("email", "root@example.com")]),
        (with_names(ip("::ffff:10.0.0.1")), [GeneralName("ip", NETWORKS[0])]),
        (with_names(GeneralName("uri", "https://u@host.example/")), [GeneralName("uri", "host.example")]),
    ],
    ids=["wildcard", "local part", "mapped address", "user in a URI"],
)
def test_where_we_are_stricter_on_purpose(tmp_path, order, bases):
    """What OpenSSL lets past an exclusion and another relying party may not."""
    assert verdicts(tmp_path, order, *chain_under([], bases)) == (False, True)


def test_the_traps_of_the_walk_through(tmp_path):
    under = chain_under([dns(".dev.example.com")], [dns(".prod.dev.example.com")])
    for host in ("dev.example.com", "app.dev.example.com", "prod.dev.example.com", "app.prod.dev.example.com"):
        ours, theirs = verdicts(tmp_path, with_names(dns(host)), *under)
        assert ours == theirs, host


def test_two_levels(tmp_path):
    root = ROOT.but(add=(name_constraints([dns(".private"), dns(".corp")], []),))
    middle = SUBORDINATE.but(issuer=root, add=(name_constraints([dns("sub.private")], []),))
    for host in ("a.sub.private", "a.private", "a.corp"):
        ours, theirs = verdicts(tmp_path, with_names(dns(host)), middle, root)
        assert ours == theirs, host
