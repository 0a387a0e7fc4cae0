"""Every rule of ImportCertificateAuthorityCertificate (acm-pca.md 2.5)."""

from datetime import timedelta

import pytest

from greatseal.kernel.errors import CertificateMismatch, InvalidRequest, MalformedCertificate
from greatseal.x509 import der
from greatseal.x509.chain import check_ca_import
from greatseal.x509.extensions import OID, Extension, basic_constraints, key_usage, name_constraints
from greatseal.x509.general_names import GeneralName, dns
from made_certificates import CA_USAGE, LEAF, NOW, ROOT, SUBORDINATE, Order, named, signer


def install(order: Order, chain=(ROOT,), kind: str = "SUBORDINATE", **changes) -> None:
    """Imports a certificate into the CA of its own key and name, unless `changes` say otherwise."""
    arguments = {"ca_spki": order.key, "csr_subject": order.name, "now": NOW} | changes
    check_ca_import(order.sign(), [element.sign() for element in chain], kind=kind, **arguments)


def test_a_root_and_a_subordinate_are_installed():
    install(ROOT, (), "ROOT")
    install(SUBORDINATE)


def test_three_levels_are_installed():
    middle = Order("middle", ROOT, ca=True, path_length=1)
    install(SUBORDINATE.but(issuer=middle), (middle, ROOT))


def test_a_root_stands_alone():
    with pytest.raises(InvalidRequest, match="must not be given"):
        install(ROOT, (ROOT,), "ROOT")
    with pytest.raises(InvalidRequest, match="must be self-signed"):
        install(SUBORDINATE, (), "ROOT")


def test_a_subordinate_does_not():
    with pytest.raises(InvalidRequest, match="is required"):
        install(SUBORDINATE, ())
    with pytest.raises(InvalidRequest, match="must not be self-signed"):
        install(ROOT, (ROOT,))


def test_key_and_subject_must_be_those_of_the_ca():
    with pytest.raises(CertificateMismatch, match="public key"):
        install(SUBORDINATE, ca_spki=signer("other").spki)
    with pytest.raises(CertificateMismatch, match="subject"):
        install(SUBORDINATE, csr_subject=named("other"))
    install(SUBORDINATE, csr_subject=named("SUBORDINATE"))


@pytest.mark.parametrize(
    "change",
    [
        {"drop": (OID.BASIC_CONSTRAINTS,)},
        {"add": (basic_constraints(True, critical=False),)},
        {"ca": False, "path_length": None},
        {"add": (Extension(OID.BASIC_CONSTRAINTS, True, b"\x30\x03\x01\x01\x01"),)},
        {"add": (key_usage(["DigitalSignature"]),)},
        {"version": 1},
    ],
)
def test_only_certificates_of_cas_are_installed(change):
    with pytest.raises(MalformedCertificate):
        install(SUBORDINATE.but(**change))


def test_key_usage_and_key_identifiers_may_be_missing():
    install(SUBORDINATE.but(drop=(OID.KEY_USAGE, OID.SUBJECT_KEY_IDENTIFIER, OID.AUTHORITY_KEY_IDENTIFIER)))


MIDDLE = Order("middle", ROOT, ca=True)


@pytest.mark.parametrize(
    ("order", "chain"),
    [
        (SUBORDINATE.but(issuer=MIDDLE), (ROOT, MIDDLE)),
        (SUBORDINATE.but(issuer=MIDDLE), (MIDDLE,)),
        (SUBORDINATE, (Order("root", ca=True, subject=named("another")),)),
        (SUBORDINATE, (SUBORDINATE, ROOT)),
        (SUBORDINATE, (ROOT, ROOT)),
        (SUBORDINATE.but(issuer=LEAF), (LEAF, SUBORDINATE, ROOT)),
    ],
    ids=["order", "no root", "stranger", "itself", "root twice", "not a CA"],
)
def test_the_chain_is_complete_and_in_order(order, chain):
    with pytest.raises(MalformedCertificate, match="chain is not valid"):
        install(order, chain)


def test_a_signature_by_another_key_is_found():
    forged = SUBORDINATE.sign(key_of="someone else")
    with pytest.raises(MalformedCertificate, match="was not made by"):
        check_ca_import(
            forged,
            [ROOT.sign()],
            ca_spki=SUBORDINATE.key,
            csr_subject=SUBORDINATE.name,
            kind="SUBORDINATE",
            now=NOW,
        )


@pytest.mark.parametrize(("length", "fine"), [(None, True), (1, True), (0, False)])
def test_the_ca_itself_uses_up_path_length(length, fine):
    root = ROOT.but(path_length=length)
    order = SUBORDINATE.but(issuer=root)
    if fine:
        install(order, (root,))
        return
    with pytest.raises(MalformedCertificate, match="path length"):
        install(order, (root,))


def test_expired_certificates_are_refused_wherever_they_are():
    with pytest.raises(MalformedCertificate, match="has expired"):
        install(SUBORDINATE, now=NOW + timedelta(days=366))
    old_root = ROOT.but(not_after=NOW - timedelta(seconds=1))
    with pytest.raises(MalformedCertificate, match="'CN=root' has expired"):
        install(SUBORDINATE.but(issuer=old_root), (old_root,))
    install(SUBORDINATE, now=NOW + timedelta(days=365))


ALLOWED = [
    OID.AUTHORITY_KEY_IDENTIFIER,
    OID.CERTIFICATE_POLICIES,
    OID.EXTENDED_KEY_USAGE,
    OID.INHIBIT_ANY_POLICY,
    OID.ISSUER_ALTERNATIVE_NAME,
    OID.POLICY_MAPPINGS,
    OID.SUBJECT_ALTERNATIVE_NAME,
    OID.SUBJECT_DIRECTORY_ATTRIBUTES,
    OID.SUBJECT_KEY_IDENTIFIER,
    OID.SUBJECT_INFORMATION_ACCESS,
]
REFUSED = [
    OID.AUTHORITY_INFORMATION_ACCESS,
    OID.CRL_DISTRIBUTION_POINTS,
    OID.FRESHEST_CRL,
    OID.POLICY_CONSTRAINTS,
    "1.2.3.4",
]


@pytest.mark.parametrize("oid", ALLOWED)
def test_these_extensions_may_be_critical(oid):
    install(SUBORDINATE.but(add=(Extension(oid, True, der.null()),)))


@pytest.mark.parametrize("oid", REFUSED)
def test_these_extensions_must_not_be_critical(oid):
    install(SUBORDINATE.but(add=(Extension(oid, False, der.null()),)))
    with pytest.raises(MalformedCertificate, match=oid):
        install(SUBORDINATE.but(add=(Extension(oid, True, der.null()),)))


def test_critical_extensions_count_in_the_chain_as_well():
    root = ROOT.but(add=(Extension("1.2.3.4", True, b""),))
    with pytest.raises(MalformedCertificate, match=r"1\.2\.3\.4"):
        install(SUBORDINATE.but(issuer=root), (root,))


def constrained(order: Order, *, permitted=(), excluded=()) -> Order:
    return order.but(add=(name_constraints(permitted, excluded),))


def test_name_constraints_of_supported_forms_are_installed():
    install(constrained(SUBORDINATE, permitted=[dns(".example.com")]))


@pytest.mark.parametrize(
    "base",
    [
        GeneralName("other", "x", "1.2.3"),
        GeneralName("registered_id", "1.2.3"),
        GeneralName("ip", bytes([10, 0, 0, 0, 255, 0, 255, 0])),
        GeneralName("dns", "*.example.com"),
    ],
    ids=str,
)
def test_other_name_constraints_are_refused_wherever_they_are(base):
    with pytest.raises(MalformedCertificate, match="not met or not supported"):
        install(constrained(SUBORDINATE, excluded=[base]))
    root = constrained(ROOT, excluded=[base])
    with pytest.raises(MalformedCertificate, match="not met or not supported"):
        install(SUBORDINATE.but(issuer=root), (root,))


def test_the_ca_obeys_the_constraints_above_it():
    root = constrained(ROOT, permitted=[GeneralName("directory", named("allowed"))])
    with pytest.raises(MalformedCertificate, match="not met"):
        install(SUBORDINATE.but(issuer=root), (root,))
    install(SUBORDINATE.but(issuer=root, subject=named("allowed", "x")), (root,))


def test_the_common_name_of_a_ca_is_not_a_host():
    root = constrained(ROOT, permitted=[dns("example.com")])
    install(SUBORDINATE.but(issuer=root, subject=named("ca.example.org")), (root,))


def test_key_usage_with_certificate_signing_is_enough():
    install(SUBORDINATE.but(add=(key_usage(CA_USAGE[1:2]),)))
