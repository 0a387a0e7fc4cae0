"""How key material travels into a KMS key: wrapped for an RSA key of ours (kms.md 10, "Imported material").

RSAES_OAEP_* wraps the material itself. RSA_AES_KEY_WRAP_* is the mechanism CKM_RSA_AES_KEY_WRAP of PKCS#11: an AES key
under OAEP, as long as the modulus, then the material under that key by RFC 5649.
"""

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding

from greatseal.crypto import asymmetric_encryption
from greatseal.crypto.envelope import InvalidCiphertext
from greatseal.crypto.key_specs import KeySpec, Kind
from greatseal.crypto.opened import PrivateKeyHandle
from greatseal.kernel.secret import Secret

WRAPPING_KEY_SPECS = (KeySpec.RSA_2048, KeySpec.RSA_3072, KeySpec.RSA_4096)
"""The specs of wrapping keys, made with `material.generate`."""

_DIRECT = ("RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")
_HYBRID = {"RSA_AES_KEY_WRAP_SHA_256": "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1": "RSAES_OAEP_SHA_1"}
_AES_SIZES = (16, 24, 32)


def wrapping_algorithms(spec: KeySpec, wrapping: KeySpec) -> tuple[str, ...]:
    """What material of `spec` may be wrapped with under an RSA key of the spec `wrapping`; the best first.

    RSA keys are too long for OAEP, and so is a P-521 key for RSA_2048; secrets are not wrapped twice
    (GetParametersForImport of the KMS model).
    """
    if spec.kind in (Kind.SYMMETRIC, Kind.HMAC):
        return _DIRECT
    if spec.kind is Kind.RSA or (spec, wrapping) == (KeySpec.ECC_NIST_P521, KeySpec.RSA_2048):
        return tuple(_HYBRID)
    return (*_HYBRID, *_DIRECT)


def unwrap(handle: PrivateKeyHandle, algorithm: str, wrapped: bytes) -> Secret:
    """The material. Raises InvalidCiphertext, and IncompatibleAlgorithm for what is no wrapping algorithm."""
    if algorithm not in _HYBRID:
        return Secret(asymmetric_encryption.decrypt(handle, algorithm, wrapped))
    modulus = handle.spec.size // 8
    key = asymmetric_encryption.decrypt(handle, _HYBRID[algorithm], wrapped[:modulus])
    if len(key) not in _AES_SIZES:
        raise InvalidCiphertext("the wrapping key is not an AES key")
    try:
        return Secret(aes_key_unwrap_with_padding(key, wrapped[modulus:]))
    except (InvalidUnwrap, ValueError):
        raise InvalidCiphertext("the key material does not unwrap") from None
