"""A document, from its elements to the signed whole (ISO/IEC 18013-5 9.1.2).

The signature is made between `prepare` and `finish`, by a key that this code never sees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from greatseal.crypto import cose
from greatseal.crypto.cbor import MAX_SIZE, CborError, Tagged, encode
from greatseal.mdoc.elements import DOC_TYPE, NAMESPACE, ElementRefused, check_licence
from greatseal.mdoc.items import HASHES, RANDOM_SIZE, Item, digest
from greatseal.mdoc.security import SecurityObject
from greatseal.x509.certificate import Certificate
from greatseal.x509.mdl_profiles import countries, states

Random = Callable[[int], bytes]


class CannotIssue(ValueError):
    """A reader would refuse the document, so it is not made; the message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a document shall say. `device_key` is the DER of a SubjectPublicKeyInfo; times are aware."""

    namespaces: Mapping[str, Mapping[str, object]] = field(repr=False)
    device_key: bytes = field(repr=False)
    signed: datetime
    valid_from: datetime
    valid_until: datetime
    expected_update: datetime | None = None
    doc_type: str = DOC_TYPE
    digest_algorithm: str = "SHA-256"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that lacks only its signature."""

    algorithm: cose.Algorithm
    chain: tuple[bytes, ...] = field(repr=False)
    spki: bytes = field(repr=False)
    items: Mapping[str, tuple[Tagged, ...]] = field(repr=False)
    payload: bytes = field(repr=False)

    @property
    def to_be_signed(self) -> bytes:
        """What the document signer signs: the Sig_structure around the security object, not the object itself."""
        return cose.to_be_signed(cose.protected_header(self.algorithm), self.payload)

    @property
    def digest(self) -> bytes | None:
        """The hash of it for ECDSA; None for EdDSA, which takes the octets as they are."""
        return cose.digest_for(self.algorithm, self.to_be_signed)

    def finish(self, signature: bytes) -> bytes:
        """IssuerSigned, CBOR. `signature` is as KMS gives it: DER for ECDSA.

        Raises CannotIssue when it is not by the document signer's key, so that no such document leaves.
        """
        try:
            raw = cose.raw_signature(self.spki, signature)
            auth = cose.sign1(self.algorithm, self.chain, self.payload, raw)
            good = cose.verify(cose.read_sign1(auth), self.spki)
        except cose.CoseError as error:
            raise CannotIssue(f"the signature cannot be used: {error}") from None
        if not good:
            raise CannotIssue("the signature was not made by the document signer's key")
        document = encode({"nameSpaces": self.items, "issuerAuth": auth})
        if len(document) > MAX_SIZE:
            raise CannotIssue(f"the document has {len(document)} octets, and readers take {MAX_SIZE}")
        return document


def prepare(order: Order, chain: tuple[Certificate, ...], random: Random) -> Prepared:
    """Items with fresh randoms, and the security object over them; `chain` is the document signer first, no root.

    The digestIDs follow the randoms, so that they tell nothing of what is not shown. Raises ElementRefused for elements
    that table 5 has otherwise, CannotIssue for what a reader would refuse.
    """
    signer = chain[0]
    _check(order, signer)
    encoded: dict[str, tuple[Tagged, ...]] = {}
    digests: dict[str, dict[int, bytes]] = {}
    try:
        algorithm = cose.algorithm_for(signer.spki)
        for namespace, elements in order.namespaces.items():
            salted = sorted((random(RANDOM_SIZE), name) for name in elements)
            made = [Item(at, salt, name, elements[name]).encode() for at, (salt, name) in enumerate(salted)]
            encoded[namespace] = tuple(made)
            digests[namespace] = {at: digest(each.raw, order.digest_algorithm) for at, each in enumerate(made)}
        payload = _security_object(order, digests).encode()
    except (CborError, cose.CoseError, OverflowError) as error:
        raise CannotIssue(f"the document cannot be written: {error}") from None
    return Prepared(algorithm, tuple(each.der for each in chain), signer.spki, encoded, payload)


def _security_object(order: Order, digests: Mapping[str, Mapping[int, bytes]]) -> SecurityObject:
    return SecurityObject(
        order.digest_algorithm,
        digests,
        order.device_key,
        order.doc_type,
        order.signed.replace(microsecond=0),
        order.valid_from.replace(microsecond=0),
        order.valid_until.replace(microsecond=0),
        order.expected_update,
    )


def _check(order: Order, signer: Certificate) -> None:
    if order.digest_algorithm not in HASHES:
        raise CannotIssue(f"{order.digest_algorithm[:20]} is not a digest algorithm of a document")
    if not any(order.namespaces.values()):
        raise ElementRefused("the document has no elements")
    if order.doc_type == DOC_TYPE:
        licence = order.namespaces.get(NAMESPACE, {})
        check_licence(licence)
        _check_place(licence, signer)
    signed = order.signed.replace(microsecond=0)
    if not signer.not_before <= signed <= signer.not_after:
        raise CannotIssue("the document would be signed outside the validity of the document signer")
    if order.valid_from.replace(microsecond=0) < signed:
        raise CannotIssue("validFrom is before the time of signing")
    if order.valid_until <= order.valid_from:
        raise CannotIssue("validUntil is not after validFrom")
    if order.valid_until > signer.not_after:
        until = signer.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
        raise CannotIssue(f"validUntil is after the document signer ends, {until}")


def _check_place(licence: Mapping[str, object], signer: Certificate) -> None:
    """The country of the signer is that of the document, and so is its state (annex B, table B.3)."""
    subject = signer.subject
    if countries(subject) != (licence["issuing_country"],):
        what = ", ".join(countries(subject)) or "no country"
        raise CannotIssue(f"issuing_country is {licence['issuing_country']}, the document signer is of {what}")
    place = licence.get("issuing_jurisdiction")
    if states(subject) and place is not None and states(subject) != (place,):
        raise CannotIssue(f"issuing_jurisdiction is {place}, the document signer is of {', '.join(states(subject))}")
