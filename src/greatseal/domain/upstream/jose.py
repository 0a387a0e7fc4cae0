"""Keys and octets as JOSE writes them (RFC 7515, 7517, 7638); keys of accounts are on P-256."""

import hashlib
from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key


def thumbprint(spki: bytes) -> str:
    """The thumbprint of a P-256 key (RFC 7638)."""
    key = jwk(spki)
    text = f'{{"crv":"P-256","kty":"EC","x":"{key["x"]}","y":"{key["y"]}"}}'
    return base64url(hashlib.sha256(text.encode()).digest())


def jwk(spki: bytes) -> dict[str, str]:
    """A P-256 public key as a JSON Web Key (RFC 7517)."""
    public = load_der_public_key(spki)
    assert isinstance(public, EllipticCurvePublicKey)
    numbers = public.public_numbers()
    x, y = (base64url(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def base64url(octets: bytes) -> str:
    """Without padding, as JOSE has it."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
