"""HMACs of HMAC KMS keys (RFC 2104, kms.md 8). Comparing takes the same time wherever the difference is."""

import hmac

from greatseal.crypto.key_specs import IncompatibleAlgorithm
from greatseal.kernel.secret import Secret

_HASHES = {f"HMAC_SHA_{bits}": f"sha{bits}" for bits in (224, 256, 384, 512)}


def generate_mac(secret: Secret, algorithm: str, message: bytes) -> bytes:
    """The HMAC, as long as the hash. Raises IncompatibleAlgorithm for what is no MAC algorithm."""
    if algorithm not in _HASHES:
        raise IncompatibleAlgorithm(f"{algorithm} is not a MAC algorithm.")
    return hmac.digest(secret.reveal(), message, _HASHES[algorithm])


def verify_mac(secret: Secret, algorithm: str, message: bytes, mac: bytes) -> bool:
    """Whether `mac` is the whole HMAC of the message. Raises as `generate_mac`."""
    return hmac.compare_digest(generate_mac(secret, algorithm, message), mac)
