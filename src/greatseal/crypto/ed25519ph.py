"""Ed25519ph (RFC 8032 section 5.1) with an empty context, by libsodium: `cryptography` does not offer OpenSSL's."""

import nacl.bindings
from cryptography.hazmat.primitives.asymmetric import ed25519
from nacl.exceptions import BadSignatureError

_SIGNATURE_SIZE = 64


def sign(key: ed25519.Ed25519PrivateKey, message: bytes) -> bytes:
    """The signature, 64 octets, over the SHA-512 of the message, which is computed here."""
    # libsodium's secret key is the seed and the public key.
    secret = key.private_bytes_raw() + key.public_key().public_bytes_raw()
    return nacl.bindings.crypto_sign_ed25519ph_final_create(_state(message), secret)


def verify(key: ed25519.Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether the signature is good; False for any octets that are none."""
    if len(signature) != _SIGNATURE_SIZE:
        return False
    try:
        return nacl.bindings.crypto_sign_ed25519ph_final_verify(_state(message), signature, key.public_bytes_raw())
    except BadSignatureError:
        return False


def _state(message: bytes) -> nacl.bindings.crypto_sign_ed25519ph_state:
    state = nacl.bindings.crypto_sign_ed25519ph_state()
    nacl.bindings.crypto_sign_ed25519ph_update(state, message)
    return state
