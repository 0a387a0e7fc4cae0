"""Bad input to Private CA, row by row of faults.md: the service's own error, nothing stored, nothing signed."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa

from doors import requests_made as made
from doors.pki import P256, P384, Pki, csr, days, refused
from greatseal.x509 import der
from greatseal.x509.certificate import assemble
from greatseal.x509.csr import parse_csr
from greatseal.x509.extensions import Extension
from greatseal.x509.pem import write
from made_certificates import ALGORITHM, ROOT, Order, signer
from unit.crypto.spki_made import rsa_spki

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

MALFORMED = "MalformedCSRException"
INVALID = "InvalidArgsException"
GOOD = made.signed(made.info())
PEM = made.text(GOOD)
UTF8 = der.UTF8_STRING


@pytest.fixture
def pki(storage):
    return Pki(storage)


@pytest.fixture
def root(pki):
    return pki.root()


def flipped(data, at):
    """The data with one bit of one octet changed."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def nested(depth):
    value = der.null()
    for _ in range(depth):
        value = der.sequence(value)
    return value


def foreign_attribute(value):
    return der.sequence(der.oid("1.2.3.4.5"), der.tlv(0x31, value))


def unknown(critical, value=b"\x05\x00"):
    return Extension("1.2.3.4", critical, value)


BASIC = made.san((0x82, b"a.example.com"))
P256_NAME = der.oid("1.2.840.10045.3.1.7")
POINT = made.spki_of(P256)[-65:]

ED25519 = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ML_DSA_65 = "2.16.840.1.101.3.4.3.18"


def plain_spki(oid, size, parameters=b""):
    """A key of zeros."""
    return der.sequence(der.sequence(der.oid(oid), parameters), der.bit_string(bytes(size)))


# Row of faults.md and what is wrong -> (CSR, error code).
REQUESTS = {
    "1 signature altered": (made.text(flipped(GOOD, len(GOOD) - 1)), MALFORMED),
    "1 subject altered": (made.text(GOOD.replace(b"app.example", b"bpp.example")), MALFORMED),
    "1 signature empty": (made.text(made.signed(made.info(), signature=b"")), MALFORMED),
    "1 algorithm unknown": (made.text(made.signed(made.info(), identifier=der.sequence(der.oid("1.2.3")))), MALFORMED),
    "1 SHA-1": (
        made.text(made.signed(made.info(), identifier=der.sequence(der.oid("1.2.840.10045.4.1")))),
        MALFORMED,
    ),
    "2 trailing octet": (made.text(GOOD + b"\0"), MALFORMED),
    "2 indefinite length": (made.text(b"\x30\x80" + GOOD[3:] + b"\0\0"), MALFORMED),
    "2 length not minimal": (made.text(b"\x30\x82\x00" + GOOD[2:]), MALFORMED),
    "2 truncated": (made.text(GOOD[:-7]), MALFORMED),
    "2 only a tag": (made.text(b"\x30"), MALFORMED),
    "2 trailing value inside": (made.text(made.signed(made.info(rest=der.null()))), MALFORMED),
    "3 two blocks": (PEM + PEM, MALFORMED),
    "3 a certificate": (write("CERTIFICATE", GOOD).encode(), MALFORMED),
    "3 no PEM": (b"not a request", MALFORMED),
    "3 not closed": (PEM[:-10], MALFORMED),
    "3 not base64": (PEM.replace(b"MI", b"M*", 1), MALFORMED),
    "3 block empty": (b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----", MALFORMED),
    "3 nothing": (b"", "ValidationException"),
    "3 zeros": (bytes(500), MALFORMED),
    "4 version 1": (made.text(made.signed(made.info(version=1))), MALFORMED),
    "4 version -1": (made.text(made.signed(made.info(version=-1))), MALFORMED),
    "5 extension twice": (made.with_extensions(BASIC, BASIC), MALFORMED),
    "5 two extension requests": (
        made.text(made.signed(made.info(attributes=made.attribute(BASIC) + made.attribute(unknown(False))))),
        MALFORMED,
    ),
    "8 RDN empty": (made.with_extensions(subject=der.sequence(der.tlv(0x31, b""))), MALFORMED),
    "8 CN of 65 characters": (made.with_extensions(subject=der.sequence(made.rdn(b"x" * 65))), MALFORMED),
    "8 CN is a number": (made.with_extensions(subject=der.sequence(made.rdn(b"\1", tag=2))), (MALFORMED, INVALID)),
    "8 broken UTF-8": (made.with_extensions(subject=der.sequence(made.rdn(b"\xff\xfe"))), (MALFORMED, INVALID)),
    "8 odd BMPString": (made.with_extensions(subject=der.sequence(made.rdn(b"\0a\0", tag=30))), (MALFORMED, INVALID)),
    "8 empty value": (made.with_extensions(subject=der.sequence(made.rdn(b""))), (MALFORMED, INVALID)),
    "8 neither subject nor SAN": (made.with_extensions(subject=der.sequence()), MALFORMED),
    "8 SAN without names": (made.with_extensions(made.san(), subject=der.sequence()), MALFORMED),
    "9 too large": (PEM + b"\n" * 32768, "ValidationException"),
    "9 nested deeply": (
        made.text(made.signed(made.info(attributes=foreign_attribute(nested(3000))))),
        MALFORMED,
    ),
    "9 length of gigabytes": (made.text(b"\x30\x84\x7f\xff\xff\xff" + GOOD[3:]), MALFORMED),
    "11 RSA 512": (made.rsa_request(made.primes_of(512)), MALFORMED),
    "11 RSA 1024": (made.rsa_request(made.primes_of(1024)), MALFORMED),
    "11 RSA 2046": (made.rsa_request(made.primes_of(2046)), MALFORMED),
    "11 RSA 17000": (made.with_key(rsa_spki(made.odd_number(17000, 3))), MALFORMED),
    "12 e 1": (made.rsa_request(made.primes_of(2048), 1), MALFORMED),
    "12 e 3": (made.rsa_request(made.primes_of(2048), 3), MALFORMED),
    "12 e even": (made.rsa_request(made.primes_of(2048), 65536), MALFORMED),
    "12 e larger than n": (made.rsa_request(made.primes_of(2048), made.odd_number(2100, 9)), MALFORMED),
    "12 e negative": (made.rsa_request(made.primes_of(2048), -3), MALFORMED),
    "13 small factor": (made.rsa_request((3, *made.primes_of(2048))), MALFORMED),
    "14 ROCA": (made.rsa_request(made.roca_primes()), MALFORMED),
    "16 primes close": (made.rsa_request(made.close_primes()), MALFORMED),
    "18 not on the curve": (made.with_key(made.ec_spki(P256_NAME, flipped(POINT, 40))), MALFORMED),
    "18 at infinity": (made.with_key(made.ec_spki(P256_NAME, b"\0")), MALFORMED),
    "18 hybrid point": (made.with_key(made.ec_spki(P256_NAME, b"\6" + POINT[1:])), MALFORMED),
    "18 explicit parameters": (made.with_key(made.ec_spki(der.sequence(der.integer(1)), POINT)), MALFORMED),
    "19 secp256k1": (csr(key=ec.derive_private_key(99, ec.SECP256K1())), MALFORMED),
    "19 P-224": (csr(key=ec.derive_private_key(99, ec.SECP224R1())), MALFORMED),
    "20 Ed25519": (csr(key=ED25519), MALFORMED),
    "20 Ed25519 with parameters": (made.with_key(plain_spki("1.3.101.112", 32, der.null())), MALFORMED),
    "21 ML-DSA too short": (made.with_key(plain_spki(ML_DSA_65, 100)), MALFORMED),
    "21 ML-DSA with parameters": (made.with_key(plain_spki(ML_DSA_65, 1952, der.null())), MALFORMED),
    "23 a key of an RFC": (csr(key=mldsa.MLDSA65PrivateKey.from_seed_bytes(bytes(range(32)))), MALFORMED),
    "24 signed by another key": (made.with_key(made.spki_of(ec.derive_private_key(5**80, ec.SECP256R1()))), MALFORMED),
    "33 SAN is not DER": (made.with_extensions(Extension(made.SAN, False, b"\x30\x05\x82\x09ab")), MALFORMED),
    "33 SAN is a string": (made.with_extensions(Extension(made.SAN, False, b"\x0c\x01a")), MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("wrong", REQUESTS)
def test_a_bad_request_is_refused(pki, root, wrong):
    request, code = REQUESTS[wrong]
    with pki.nothing_issued(), refused(code):
        pki.issue(root, request)


# What looks unusual and is right; with it the tables above prove that it is the fault which is refused.
ACCEPTED = {
    "the model of all of them": PEM,
    "3 CRLF": PEM.replace(b"\n", b"\r\n"),
    "3 byte order mark": b"\xef\xbb\xbf" + PEM,
    "3 UTF-16": PEM.decode().encode("utf-16"),
    "3 text around": b"Certificate Request:\n  Data:\n" + PEM + b"\nthanks\n",
    "3 the old label": made.text(GOOD, "NEW CERTIFICATE REQUEST"),
    "6 unknown critical extension": made.with_extensions(unknown(True)),
    "8 multi-valued RDN": made.with_extensions(
        subject=der.sequence(
            der.tlv(
                0x31,
                b"".join(der.sequence(der.oid(oid), der.tlv(UTF8, b"a")) for oid in ("2.5.4.3", "2.5.4.11")),
            )
        )
    ),
    "8 CN of 64 characters": made.with_extensions(subject=der.sequence(made.rdn(b"x" * 64))),
    "9 many names": made.with_extensions(made.san(*((0x82, b"n%d.example.com" % n) for n in range(1000)))),
    "9 nested a little": made.text(made.signed(made.info(attributes=foreign_attribute(nested(5))))),
    "10 CN not in SAN": csr("a.example.com", "b.example.com"),
    "11 RSA 2048": made.rsa_request(made.primes_of(2048)),
    "18 P-384": csr(key=P384),
    "18 P-521": csr(key=ec.derive_private_key(5**100, ec.SECP521R1())),
    "30 single label": csr("printer", "printer", "nas.local", "x.internal"),
}  # fmt: skip


@pytest.mark.parametrize("unusual", ACCEPTED)
def test_an_unusual_request_is_accepted(pki, root, unusual):
    pki.certificate(root, ACCEPTED[unusual])


DNS, EMAIL, URI, IP, OTHER = 0x82, 0x81, 0x86, 0x87, 0xA0
NAMES = {
    "25 NUL inside": (DNS, b"good.example.com\0.evil.com"),
    "26 wildcard in the middle": (DNS, b"a.*.example.com"),
    "26 two wildcards": (DNS, b"*.*.example.com"),
    "26 bare wildcard": (DNS, b"*"),
    "26 part of a label": (DNS, b"a*.example.com"),
    "27 leading hyphen": (DNS, b"-a.example.com"),
    "27 trailing hyphen": (DNS, b"a-.example.com"),
    "27 empty label": (DNS, b"a..example.com"),
    "27 leading dot": (DNS, b".example.com"),
    "27 trailing dot": (DNS, b"a.example.com."),
    "27 label of 64": (DNS, b"a" * 64 + b".example.com"),
    "27 name of 254": (DNS, (b"a" * 49 + b".") * 5 + b"abcd"),
    "27 empty": (DNS, b""),
    "27 space": (DNS, b"a b.example.com"),
    "27 an address with port": (DNS, b"a.example.com:443"),
    "28 punycode invalid": (DNS, b"xn--\x2d.example.com"),
    "28 U-label": (DNS, "b\u00fccher.example.com".encode()),
    "28 decodes to ASCII": (DNS, b"xn--abc-.example.com"),
    "28 not canonical": (DNS, b"xn--example-.example.com"),
    "29 address as dNSName": (DNS, b"192.0.2.1"),
    "29 IPv6 as dNSName": (DNS, b"2001:db8::1"),
    "29 address of five octets": (IP, bytes(5)),
    "31 local part in UTF-8": (EMAIL, "j\u00fcrgen@example.com".encode()),
    "31 comment": (EMAIL, b"a(comment)@example.com"),
    "31 space": (EMAIL, b"a b@example.com"),
    "31 no host": (EMAIL, b"a@"),
    "31 display name": (EMAIL, b"A <a@example.com>"),
    "32 without authority": (URI, b"https:///path"),
    "32 relative": (URI, b"/path"),
    "32 not ASCII": (URI, "https://b\u00fccher.example/".encode()),
    "33 broken inner DER": (OTHER, der.oid("1.3.6.1.4.1.311.20.2.3") + b"\xa0\x05\x0c\x09ab"),
    "33 no type": (OTHER, b"\xa0\x03\x0c\x01a"),
    "33 unknown form": (0x9F, b"\x20a"),
}


@pytest.mark.parametrize("wrong", NAMES)
def test_a_bad_name_in_a_csr_is_refused(pki, root, wrong):
    request = made.with_extensions(made.san(NAMES[wrong]))
    with pki.nothing_issued(), refused((MALFORMED, INVALID)):
        pki.issue(root, request)


MEMBERS = {DNS: "DnsName", EMAIL: "Rfc822Name", URI: "UniformResourceIdentifier"}


@pytest.mark.parametrize("wrong", [key for key, (kind, _) in NAMES.items() if kind in MEMBERS])
def test_a_bad_name_from_the_api_is_refused(pki, root, wrong):
    kind, value = NAMES[wrong]
    names = [{MEMBERS[kind]: value.decode()}]
    with pki.nothing_issued(), refused(("ValidationException", INVALID)):
        pki.issue(
            root,
            using="EndEntityCertificate_APIPassthrough",
            ApiPassthrough={"Extensions": {"SubjectAlternativeNames": names}},
        )


@pytest.mark.parametrize(
    "common_name", [b"good.example.com\0.evil.com", b"line\nbreak", b"\x1b[31mred", b"\x7f", b"\xc2\x85"]
)
def test_row_25_control_characters_in_a_common_name(pki, root, common_name):
    request = made.with_extensions(subject=der.sequence(made.rdn(common_name)))
    with pki.nothing_issued(), refused((MALFORMED, INVALID)):
        pki.issue(root, request)


USAGES = {
    "keyCertSign": Extension("2.5.29.15", True, bytes.fromhex("03020204")),
    "usage of no bits": Extension("2.5.29.15", True, bytes.fromhex("030100")),
    "usage is no bit string": Extension("2.5.29.15", True, b"\x05\x00"),
    "purposes empty": Extension("2.5.29.37", False, b"\x30\x00"),
    "purposes broken": Extension("2.5.29.37", False, b"\x30\x05"),
    "policies broken": Extension("2.5.29.32", False, b"\x04"),
}


@pytest.mark.parametrize("using", ["CSRPassthrough", "APIPassthrough", "APICSRPassthrough"])
@pytest.mark.parametrize("wrong", USAGES)
def test_rows_6_and_7_extensions_that_an_end_entity_cannot_have(pki, root, wrong, using):
    extension = USAGES[wrong]
    custom = {
        "ObjectIdentifier": extension.oid,
        "Value": base64.b64encode(extension.value).decode(),
        "Critical": extension.critical,
    }
    api = using != "CSRPassthrough"
    with pki.nothing_issued(), refused((INVALID, MALFORMED, "ValidationException")):
        pki.issue(
            root,
            csr() if api else made.with_extensions(extension),
            using=f"BlankEndEntityCertificate_{using}",
            **({"ApiPassthrough": {"Extensions": {"CustomExtensions": [custom]}}} if api else {}),
        )


def test_row_7_no_template_for_end_entities_makes_a_ca(pki, root):
    wanted = (
        Extension("2.5.29.19", True, der.sequence(b"\x01\x01\xff")),
        Extension("2.5.29.15", True, bytes.fromhex("03020106")),
        Extension("2.5.29.37", False, der.sequence(der.oid("2.5.29.37.0"))),
    )
    for using in (
        "EndEntityCertificate",
        "EndEntityCertificate_CSRPassthrough",
        "CodeSigningCertificate_CSRPassthrough",
    ):
        issued = pki.certificate(root, made.with_extensions(*wanted), using=using)
        values = {each.oid.dotted_string: each.value for each in issued.extensions}
        assert values["2.5.29.19"].ca is False
        assert values["2.5.29.15"].key_cert_sign is False
        assert "2.5.29.37.0" not in [oid.dotted_string for oid in values["2.5.29.37"]]


# -- certificates that arrive ----------------------------------------------------------------------------------


def ordered(pki, arn, **changes):
    """A certificate for the CA, by a root that is known to nobody, with these changes."""
    request = parse_csr(pki.csr_of(arn))
    at = pki.now
    return Order(
        "imported",
        ROOT.but(not_before=at.replace(year=2025), not_after=at.replace(year=2040)),
        ca=True,
        subject=request.subject,
        spki=request.spki,
        not_before=at.replace(year=2025),
        not_after=at.replace(year=2030),
    ).but(**changes)


def test_certificates_that_cannot_be_read_are_not_imported(pki):
    arn = pki.create("SUBORDINATE")
    good = ordered(pki, arn)
    encoded = good.sign().der
    chain = write("CERTIFICATE", good.issuer.sign().der).encode()

    def install(certificate, above=chain):
        pki.pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn, Certificate=certificate, CertificateChain=above
        )

    def block(data, label="CERTIFICATE"):
        return write(label, data).encode()

    # The same OID twice; its maker would refuse, so the second is renamed before it is signed.
    tbs = good.but(add=(unknown(False), Extension("1.2.3.5", False, b"\x05\x00"))).tbs()
    tbs = tbs.replace(der.oid("1.2.3.5"), der.oid("1.2.3.4"))
    twice = assemble(tbs, ALGORITHM, signer("root").sign(tbs, ALGORITHM))
    for wrong in (
        block(encoded + b"\0"),
        block(encoded[:-5]),
        block(b"\x30\x80" + encoded[4:] + b"\0\0"),
        block(encoded, "PKCS7"),
        block(encoded) + b"\n" + block(b"\x30\x00", "PRIVATE KEY"),
        block(flipped(encoded, len(encoded) - 1)),
        block(good.but(version=1).sign().der),
        block(twice),
        block(good.but(serial=-5).sign().der),
        block(good.but(serial=2**161).sign().der),
        PEM,
        bytes(100),
    ):
        with refused("MalformedCertificateException"):
            install(wrong)
        assert pki.status(arn) == "PENDING_CERTIFICATE"
    with refused("ValidationException", "less than or equal to 32768"):
        install(block(encoded) + b"\n" * 32768)
    for wrong in (chain[:-20], chain + b"\n-----BEGIN CERTIFICATE", chain * 2, b"\xff" * 100):
        with refused("MalformedCertificateException"):
            install(block(encoded), wrong)
    # Zero is against RFC 5280 section 4.1.2.2 and yet the serial of roots that everybody trusts.
    install(block(good.but(serial=0).sign().der))
    assert pki.describe(arn)["Serial"] == ":".join(["00"] * 16)
    install(block(encoded))
    assert pki.status(arn) == "ACTIVE"
    assert pki.issue(arn, valid=days(3))
