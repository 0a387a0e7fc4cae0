"""Requests made of damage and of nonsense: each is issued or refused, never a defect, and a refusal stores nothing."""

import base64
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doors.pki import MLDSA65, P256, P384, csr, rsa_key
from faults.recovery import check, order
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import SoftwareSigner
from greatseal.kernel.errors import MalformedCsr
from greatseal.x509 import der, pem
from greatseal.x509.csr import parse_csr
from greatseal.x509.extensions import OID
from properties.examples import Counted, examples

NAMES = ("app.example.com", "*.example.com")
ORIGINALS = [
    pem.read_blocks(csr("app.example.com", *NAMES, key=key))[0].der for key in (P256, P384, rsa_key(), MLDSA65)
]
SIGNER = SoftwareSigner.of(P256)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    made = Counted(tmp_path_factory.mktemp("properties"))
    yield made
    check(made.storage)
    made.storage.close()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real request with bits flipped, octets changed, a piece cut out, doubled or cut off."""
    octets = bytearray(draw(st.sampled_from(ORIGINALS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(octets) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                octets[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                octets[at] = draw(st.sampled_from([0, 0x30, 0x31, 0x7F, 0x80, 0x82, 0xA0, 0xFF]))
            case 2:
                del octets[at : at + draw(st.integers(1, 40))]
            case 3:
                octets[at:at] = octets[at : at + draw(st.integers(1, 40))]
            case _:
                del octets[max(at, 1) :]
        if not octets:
            break
    return bytes(octets)


@st.composite
def wrapped(draw: st.DrawFn) -> bytes:
    """Damage of the DER, of the PEM around it, or of both; and bytes that never were a request."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    octets = draw(damaged())
    if draw(st.booleans()):
        return octets
    text = b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.encodebytes(octets) + b"-----END CERTIFICATE REQUEST-----"
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.binary(max_size=5)) + text[at + draw(st.integers(0, 9)) :]
    return text


@examples(10_000)
@given(wrapped())
def test_a_damaged_request_is_parsed_or_refused(data: bytes) -> None:
    try:
        request = parse_csr(data)
    except MalformedCsr:
        return
    assert request.der in ORIGINALS


@examples(10_000)
@given(data=wrapped())
def test_a_damaged_request_is_never_issued(counted: Counted, data: bytes) -> None:
    if counted.issued(order(data)) is not None:
        assert parse_csr(data).der in ORIGINALS  # what was damaged was text around the request


_OIDS = st.sampled_from(
    [
        OID.SUBJECT_ALTERNATIVE_NAME,
        OID.BASIC_CONSTRAINTS,
        OID.KEY_USAGE,
        OID.EXTENDED_KEY_USAGE,
        OID.NAME_CONSTRAINTS,
        OID.CERTIFICATE_POLICIES,
        "1.2.3.4",
    ]
)
_TEXTS = st.text(max_size=20) | st.sampled_from(
    ["*", "*.com", "a..b", "-a.example.com", "xn--a", "a" * 64, "a\x00b", "1.2.3.4", "\u0130.example", "."]
)
_VALUES = (
    st.binary(max_size=40)
    | st.builds(lambda names: der.sequence(*(der.tlv(0x82, name.encode()) for name in names)), st.lists(_TEXTS))
    | st.builds(
        lambda tag, content: der.sequence(der.tlv(tag, content)), st.integers(0x80, 0x8A), st.binary(max_size=20)
    )
)
_STRINGS = st.sampled_from([0x0C, 0x13, 0x14, 0x16, 0x1C, 0x1E])
_ATTRIBUTES = st.sampled_from(["2.5.4.3", "2.5.4.6", "2.5.4.10", "2.5.4.5", "1.2.840.113549.1.9.1", "1.2.3"])
_RDN = st.lists(
    st.builds(
        lambda oid, tag, text: der.sequence(der.oid(oid), der.tlv(tag, text.encode())), _ATTRIBUTES, _STRINGS, _TEXTS
    ),
    max_size=2,
)


@st.composite
def signed_nonsense(draw: st.DrawFn) -> bytes:
    """A request whose frame and signature are right, and whose names and extensions are anything."""
    subject = der.sequence(*(der.set_of(rdn) for rdn in draw(st.lists(_RDN, max_size=3))))
    extensions = [
        der.sequence(der.oid(oid), *([der.tlv(1, b"\xff")] if critical else []), der.tlv(4, value))
        for oid, critical, value in draw(st.lists(st.tuples(_OIDS, st.booleans(), _VALUES), max_size=3))
    ]
    attribute = der.sequence(der.oid(OID.EXTENSION_REQUEST), der.set_of([der.sequence(*extensions)]))
    info = der.sequence(der.integer(0), subject, SIGNER.spki, der.tlv(0xA0, attribute if extensions else b""))
    algorithm = SignatureAlgorithm.SHA256WITHECDSA
    return der.sequence(info, algorithm.identifier, der.bit_string(SIGNER.sign(info, algorithm)))


@examples(2_000)
@given(data=signed_nonsense())
def test_signed_nonsense_is_issued_by_the_rules_or_refused(counted: Counted, data: bytes) -> None:
    issued = counted.issued(order(data))
    if issued is not None:
        assert issued.spki == SIGNER.spki
        assert not issued.is_ca
