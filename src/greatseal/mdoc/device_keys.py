"""The public key of the holder's device, in any form that a wallet hands over: COSE_Key, JWK, PEM or DER."""

import base64
import binascii
import json
from typing import Any

from greatseal.crypto.cbor import CborError, decode
from greatseal.crypto.cose import CoseError, cose_key, read_cose_key
from greatseal.x509 import pem

_CURVES = {
    "P-256": 1,
    "P-384": 2,
    "P-521": 3,
    "X25519": 4,
    "X448": 5,
    "Ed25519": 6,
    "Ed448": 7,
}
_LARGEST = 16 * 1024


class UnusableDeviceKey(ValueError):
    """Not the public key of a device; the message is the end of a sentence."""


def read_device_key(data: bytes) -> bytes:
    """The DER of the SubjectPublicKeyInfo. Raises UnusableDeviceKey, also for a private key."""
    if len(data) > _LARGEST:
        raise UnusableDeviceKey(f"a device key of more than {_LARGEST} octets")
    text = data.strip()
    try:
        if text.startswith(b"{"):
            return from_jwk(json.loads(text))
        if b"-----BEGIN" in text:
            return _checked(_from_pem(text))
        if data[:1] == b"\x30":
            return _checked(data)
        return read_cose_key(decode(data))
    except (CborError, CoseError, ValueError, RecursionError) as error:
        raise UnusableDeviceKey(str(error)) from None


def from_jwk(jwk: Any) -> bytes:
    """As `read_device_key`, of a JWK that is parsed (RFC 7517, RFC 8037). Raises UnusableDeviceKey."""
    if not isinstance(jwk, dict):
        raise UnusableDeviceKey("a JWK that is not an object")
    if "d" in jwk:
        raise UnusableDeviceKey("a JWK with a private key; only the public half leaves a device")
    kinds = {"EC": 2, "OKP": 1}
    kty, curve = jwk.get("kty"), jwk.get("crv")
    if kty not in kinds or curve not in _CURVES:
        raise UnusableDeviceKey("a JWK of a kind that ISO/IEC 18013-5 table 22 does not have")
    members: dict[int, object] = {1: kinds[kty], -1: _CURVES[curve], -2: _octets(jwk, "x")}
    if kty == "EC":
        members[-3] = _octets(jwk, "y")
    try:
        return read_cose_key(members)
    except CoseError as error:
        raise UnusableDeviceKey(str(error)) from None


def _octets(jwk: dict[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    try:
        if isinstance(value, str):
            return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        pass
    raise UnusableDeviceKey(f"a JWK whose member {name} is not base64url")


def _from_pem(text: bytes) -> bytes:
    blocks = pem.read_blocks(text)
    if len(blocks) != 1 or blocks[0].label != "PUBLIC KEY":
        raise UnusableDeviceKey("a PEM file that is not one PUBLIC KEY")
    return blocks[0].der


def _checked(spki: bytes) -> bytes:
    cose_key(spki)
    return spki
