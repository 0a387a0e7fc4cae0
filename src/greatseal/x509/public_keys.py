"""Subject public keys of any kind, and signatures by them, as they arrive in requests and certificates.

`crypto` knows the keys that Greatseal itself holds. A subject's key, or the key of a foreign CA, may be
of more kinds and its signature algorithm may be spelt in ways that we would not write; here they are
read, strictly. Whether such a key is good enough for a certificate is decided by the issuance policy.
"""

from contextlib import suppress
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, padding, rsa

from greatseal.crypto.algorithms import signature_algorithm_of
from greatseal.crypto.keypair import PublicKey, UnusableKey, load_public
from greatseal.crypto.signature import verify_again, verify_with
from greatseal.x509 import der

SubjectKey = PublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_MGF1 = "1.2.840.113549.1.1.8"
_EDWARDS = {"1.3.101.112": ed25519.Ed25519PublicKey, "1.3.101.113": ed448.Ed448PublicKey}
_RSA_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384,
    "1.2.840.113549.1.1.13": hashes.SHA512,
}
_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}


@lru_cache(maxsize=256)
def spki_algorithm(spki: bytes) -> str:
    """The OID of the key's algorithm. Raises DerError when the structure or the parameters are wrong.

    Parameters: NULL for RSA (RFC 3279 section 2.3.1), a named curve for EC (RFC 5480 section 2.1.1, never
    explicit ones), absent for all newer algorithms (RFC 8410 section 3, RFC 9881 section 2).
    """
    identifier, bits = der.expect(der.members(spki, der.SEQUENCE), der.SEQUENCE, der.BIT_STRING)
    oid, parameters = _split(identifier)
    if oid == RSA_ENCRYPTION:
        if der.content(parameters, der.NULL):
            raise der.DerError("the parameters of the RSA key are not an empty NULL")
    elif oid == EC_PUBLIC_KEY:
        if parameters[:1] != bytes((der.OBJECT_IDENTIFIER,)):
            raise der.DerError("the curve of the EC key is not given by name")
        der.decode_oid(der.content(parameters, der.OBJECT_IDENTIFIER))
    elif parameters:
        raise der.DerError(f"a key of algorithm {oid} must have no parameters")
    der.Reader(bits).octets()
    return oid


def key_bits(spki: bytes) -> bytes:
    """The octets of the subjectPublicKey inside a SubjectPublicKeyInfo, which OCSP hashes. Raises DerError."""
    _, bits = der.expect(der.members(spki, der.SEQUENCE), der.SEQUENCE, der.BIT_STRING)
    return der.Reader(bits).octets()


# Reading a key takes longer than verifying a signature with it, and keys come again: of issuers, of signers of files.
@lru_cache(maxsize=256)
def load_subject_key(spki: bytes) -> SubjectKey:
    """The key inside a SubjectPublicKeyInfo. Raises DerError when it cannot be read or is of no known kind."""
    oid = spki_algorithm(spki)
    if oid == _RSA_PSS:
        # Its holder forbids PKCS#1 v1.5, a promise that the library does not carry along.
        raise der.DerError("an RSA key that is restricted to PSS is not supported")
    with suppress(UnusableKey):
        return load_public(spki)
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise der.DerError(f"the public key of algorithm {oid} cannot be read") from None
    if isinstance(key, SubjectKey):
        return key
    raise der.DerError(f"a public key of algorithm {oid} cannot prove possession by a signature")


def verify(spki: bytes, identifier: bytes, signature: bytes, data: bytes, *, again: bool = False) -> bool:
    """Whether `signature` over `data` was made by the key in `spki` with the algorithm in `identifier`.

    `identifier` is the DER of an AlgorithmIdentifier. Algorithms that we do not know, SHA-1 and MD5
    among them, are not verified: False. `again` is for what was verified when it was made (`verify_again`).
    """
    try:
        key = load_subject_key(spki)
        row = signature_algorithm_of(identifier)
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            oid, parameters = _split(identifier)
            if parameters or not isinstance(key, _EDWARDS.get(oid, ())):
                return False
            key.verify(signature, data)
            return True
        if row is not None:
            return (verify_again if again else verify_with)(key, row, signature, data)
        if isinstance(key, rsa.RSAPublicKey):
            return _verify_foreign_rsa(key, *_split(identifier), signature, data)
    except (der.DerError, InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return False


def accepts(identifier: bytes) -> bool:
    """Whether `verify` knows the algorithm of this AlgorithmIdentifier (DER); SHA-1 and its like it does not."""
    try:
        oid, _ = _split(identifier)
    except der.DerError:
        return False
    return oid in (*_EDWARDS, *_RSA_HASHES, _RSA_PSS) or signature_algorithm_of(identifier) is not None


def _split(identifier: bytes) -> tuple[str, bytes]:
    """OID and parameters (DER, empty when absent) of an AlgorithmIdentifier. Raises DerError."""
    parts = der.members(identifier, der.SEQUENCE)
    parameters = parts.pop() if len(parts) == 2 else b""
    (oid,) = der.expect(parts, der.OBJECT_IDENTIFIER)
    return der.decode_oid(der.content(oid, der.OBJECT_IDENTIFIER)), parameters


def _verify_foreign_rsa(key: rsa.RSAPublicKey, oid: str, parameters: bytes, signature: bytes, data: bytes) -> bool:
    """RSA with an AlgorithmIdentifier that our table does not have. Raises InvalidSignature or DerError."""
    # RFC 4055 section 5: parameters MUST be NULL, and absent ones MUST be accepted as the same.
    if oid in _RSA_HASHES and not parameters:
        key.verify(signature, data, padding.PKCS1v15(), _RSA_HASHES[oid]())
        return True
    if oid != _RSA_PSS or not parameters:
        return False
    digest, mask, salt = _pss_parameters(parameters)
    key.verify(signature, data, padding.PSS(mgf=padding.MGF1(mask), salt_length=salt), digest)
    return True


def _pss_parameters(parameters: bytes) -> tuple[hashes.HashAlgorithm, hashes.HashAlgorithm, int]:
    """Hash, hash of the mask and salt length of RSASSA-PSS-params (RFC 4055 section 3.1).

    Raises DerError. The defaults of hash and mask are SHA-1, hence both must be given.
    """
    inside = der.only(parameters, der.SEQUENCE)
    holder = inside.enter(0xA0)
    digest = _hash(holder)
    holder.end()
    holder = inside.enter(0xA1)
    mask = holder.enter(der.SEQUENCE)
    if mask.oid() != _MGF1:
        raise der.DerError("a mask generation function other than MGF1")
    mask_digest = _hash(mask)
    mask.end()
    holder.end()
    salt = 20
    if inside.peek() == 0xA2:
        holder = inside.enter(0xA2)
        salt = holder.integer()
        holder.end()
    if inside.peek() == 0xA3:
        holder = inside.enter(0xA3)
        if holder.integer() != 1:
            raise der.DerError("a PSS trailer field other than 1")
        holder.end()
    inside.end()
    if not 0 <= salt <= 512:
        raise der.DerError("an impossible PSS salt length")
    return digest, mask_digest, salt


def _hash(reader: der.Reader) -> hashes.HashAlgorithm:
    """The hash named by the next AlgorithmIdentifier; parameters NULL or absent (RFC 4055 section 2.1)."""
    oid, parameters = _split(reader.raw(der.SEQUENCE))
    if oid not in _HASHES or parameters not in (b"", der.null()):
        raise der.DerError(f"hash {oid} is not accepted")
    return _HASHES[oid]()
