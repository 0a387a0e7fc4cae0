"""Signatures over files made to order for tests: any key, any attribute, any timestamp, right or wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa

from greatseal.domain.signing import Author, LocalKey
from greatseal.kernel.secret import Secret
from greatseal.x509 import cms, der
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import Digest, SignerInfo
from greatseal.x509.extensions import OID, extended_key_usage
from greatseal.x509.timestamp import Imprint, TstInfo
from made_certificates import NOW, ROOT, SUBORDINATE, Order

CONTENT = b"what was released\r\n" * 400
DIGESTS = {digest: digest.of(CONTENT) for digest in Digest}
LABELS = ("p256", "p384", "p521", "rsa", "ed25519", "mldsa44", "mldsa65", "mldsa87")
_KINDS = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}


@cache
def private_key(label: str) -> Any:
    """A key of the algorithm that the label begins with; the rest of the label makes another key of it."""
    number = int.from_bytes(label.encode().ljust(24, b"\1"), "big")
    if label[:4] in _KINDS:
        return ec.derive_private_key(number, _KINDS[label[:4]])
    seed = label.encode().ljust(32, b"\7")[:32]
    if label.startswith("mldsa"):
        return getattr(mldsa, f"MLDSA{label[5:7]}PrivateKey").from_seed_bytes(seed)
    if label.startswith("ed25519"):
        return ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    return rsa.generate_private_key(65537, 2048)


def pkcs8(label: str, encoding: serialization.Encoding = serialization.Encoding.DER) -> bytes:
    """The key as a file."""
    made: bytes = private_key(label).private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made


@cache
def key(label: str) -> LocalKey:
    """The key as one that signs files."""
    return LocalKey.open(label, Secret(pkcs8(label)))


def order(label: str, *, purpose: str = OID.CODE_SIGNING, critical: bool = True, issuer: Order = SUBORDINATE) -> Order:
    """A certificate of that key, for code signing unless told."""
    serial = int.from_bytes(label.encode(), "big")
    usage = extended_key_usage([purpose])
    return Order(label, issuer, spki=key(label).spki, serial=serial, add=(replace(usage, critical=critical),))


@cache
def certificate(label: str) -> Certificate:
    """The certificate of `order`."""
    return order(label).sign()


def author(label: str, digest: Digest | None = None, *, pss: bool = False) -> Author:
    """Somebody with that key and its certificate."""
    own = certificate(label)
    return Author(key(label), own, cms.scheme_for(own.spki, digest, pss=pss))


def info(who: Author, *, at: datetime | None = NOW, content: bytes = CONTENT, **more: Any) -> SignerInfo:
    """One signer over the content."""
    digest = who.scheme.digest.of(content)
    return cms.sign(
        who.certificate, who.scheme, digest, lambda octets: who.key.sign(octets, who.scheme.effective), at=at, **more
    )


def resigned(who: Author, found: SignerInfo, attributes: Sequence[bytes], *, ordered: bool = True) -> SignerInfo:
    """The signer with these attributes (DER), over which its signature is good."""
    encoded = der.set_of(attributes) if ordered else der.tlv(der.SET, b"".join(attributes))
    return replace(found, attributes=encoded, signature=who.key.sign(encoded, who.scheme.effective))


def attributes_of(found: SignerInfo) -> list[bytes]:
    """The DER of each signed attribute."""
    assert found.attributes is not None
    reader = der.only(found.attributes, der.SET)
    listed = []
    while reader.peek() is not None:
        listed.append(reader.raw())
    return listed


def signed(*infos: SignerInfo, **more: Any) -> bytes:
    """The file: these signers, the certificates of all keys that have signed, and the subordinate."""
    named = [certificate(label) for label in LABELS]
    used = [
        each for each in named if any(i.sid == der.sequence(each.issuer.der, der.integer(each.serial)) for i in infos)
    ]
    return cms.encode(infos, [*used, subordinate()], **more)


@cache
def root() -> Certificate:
    """The root."""
    return ROOT.sign()


@cache
def subordinate() -> Certificate:
    """What the root certified, and what certifies signers."""
    return SUBORDINATE.sign()


TSA = "p384-tsa"


def tsa_order() -> Order:
    """A timestamp authority under the same root."""
    return order(TSA, purpose=OID.TIME_STAMPING).but(not_after=NOW + timedelta(days=3650))


def token(
    stamped: bytes,
    *,
    at: datetime = NOW,
    authority: Order | None = None,
    over: TstInfo | None = None,
    bind: bool = True,
) -> bytes:
    """A timestamp over these octets."""
    made = (authority or tsa_order()).sign()
    content = (over or TstInfo("1.2.3.4", Imprint.of(Digest.SHA512, stamped), 7, at)).encode()
    scheme = cms.scheme_for(made.spki)
    signer = cms.sign(
        made,
        scheme,
        scheme.digest.of(content),
        lambda octets: key(TSA).sign(octets, scheme.effective),
        content_type=cms.TST_INFO,
        at=at,
        bind_certificate=bind,
    )
    return cms.encode([signer], [made], content_type=cms.TST_INFO, content=content)
