"""The mobile security object: what the issuer signs (ISO/IEC 18013-5 9.1.2.4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from greatseal.crypto.cbor import CborError, Tagged, decode, encode
from greatseal.crypto.cose import CoseError, cose_key, read_cose_key
from greatseal.mdoc.items import ENCODED_TAG, HASHES

_VERSION = re.compile(r"1\.\d+", re.ASCII)
_FORM = "%Y-%m-%dT%H:%M:%SZ"
_SIZES = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}

Digests = Mapping[str, Mapping[int, bytes]]
"""Digests by namespace and digestID."""


class MalformedSecurityObject(ValueError):
    """Not a mobile security object; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class SecurityObject:
    """What the issuer vouches for. `device_key` is the DER of a SubjectPublicKeyInfo; times are aware."""

    digest_algorithm: str
    digests: Digests = field(repr=False)
    device_key: bytes = field(repr=False)
    doc_type: str
    signed: datetime
    valid_from: datetime
    valid_until: datetime
    expected_update: datetime | None = None

    def encode(self) -> bytes:
        """The payload of the signature: `24(<< map >>)`. Raises CoseError for a key that COSE does not have."""
        validity = {"signed": self.signed, "validFrom": self.valid_from, "validUntil": self.valid_until}
        if self.expected_update is not None:
            validity["expectedUpdate"] = self.expected_update
        inner = {
            "version": "1.0",
            "digestAlgorithm": self.digest_algorithm,
            "valueDigests": self.digests,
            "deviceKeyInfo": {"deviceKey": cose_key(self.device_key)},
            "docType": self.doc_type,
            "validityInfo": {name: Tagged(0, at.astimezone(UTC).strftime(_FORM)) for name, at in validity.items()},
        }
        return encode(Tagged(ENCODED_TAG, encode(inner)))


def read_security_object(payload: bytes) -> SecurityObject:
    """Takes the payload of a signature apart. Raises MalformedSecurityObject.

    Members that are not known are passed over: later editions add some.
    """
    try:
        outer = decode(payload)
        if not isinstance(outer, Tagged) or outer.number != ENCODED_TAG or not isinstance(outer.value, bytes):
            raise MalformedSecurityObject("a payload that is not encoded CBOR under tag 24")
        inside = _map(decode(outer.value), "the security object")
    except CborError as error:
        raise MalformedSecurityObject(f"a security object with {error}") from None
    version = inside.get("version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise MalformedSecurityObject("a security object of another version than 1")
    algorithm = inside.get("digestAlgorithm")
    if not isinstance(algorithm, str) or algorithm not in HASHES:
        raise MalformedSecurityObject("a digest algorithm that is none of SHA-256, SHA-384 and SHA-512")
    doc_type = inside.get("docType")
    if not isinstance(doc_type, str):
        raise MalformedSecurityObject("no docType")
    validity = _map(inside.get("validityInfo"), "validityInfo")
    update = validity.get("expectedUpdate")
    try:
        key = read_cose_key(_map(inside.get("deviceKeyInfo"), "deviceKeyInfo").get("deviceKey"))
    except CoseError as error:
        raise MalformedSecurityObject(f"a device key that cannot be used: {error}") from None
    return SecurityObject(
        algorithm,
        _digests(inside.get("valueDigests"), _SIZES[algorithm]),
        key,
        doc_type,
        _instant(validity, "signed"),
        _instant(validity, "validFrom"),
        _instant(validity, "validUntil"),
        None if update is None else _instant(validity, "expectedUpdate"),
    )


def _digests(value: object, size: int) -> Digests:
    found: dict[str, dict[int, bytes]] = {}
    for namespace, digests in _map(value, "valueDigests").items():
        kept = _map(digests, "the digests of a namespace")
        if not isinstance(namespace, str):
            raise MalformedSecurityObject("a namespace that is not text")
        for number, each in kept.items():
            if isinstance(number, str | bytes) or number < 0 or not isinstance(each, bytes) or len(each) != size:
                raise MalformedSecurityObject(f"a digest that is not {size} octets under a number")
        found[namespace] = kept  # type: ignore[assignment]  # looked at one by one
    return found


def _map(value: object, what: str) -> dict[int | str | bytes, object]:
    if not isinstance(value, dict):
        raise MalformedSecurityObject(f"{what} is missing or not a map")
    return value


def _instant(validity: Mapping[int | str | bytes, object], name: str) -> datetime:
    """Tag 0, in UTC and without a fraction (9.1.2.4)."""
    value = validity.get(name)
    try:
        if isinstance(value, Tagged) and value.number == 0 and isinstance(value.value, str):
            return datetime.strptime(value.value, _FORM).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise MalformedSecurityObject(f"{name} is not a time such as 2026-01-31T12:00:00Z under tag 0")
