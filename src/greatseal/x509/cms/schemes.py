"""Signature algorithms of SignerInfo: which are written for a key, and which are read with which digest.

RSA: RFC 3370 section 3.2, RFC 4056, RFC 5754 section 3.2. ECDSA: RFC 5754 section 3.3. Ed25519: RFC 8419. ML-DSA:
RFC 9882. The digest of the content is also that of the signature where the algorithm has one (RFC 8933).
"""

from dataclasses import dataclass
from functools import lru_cache

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm, signature_algorithm_of
from greatseal.x509 import der, public_keys
from greatseal.x509.cms.digests import Digest, split
from greatseal.x509.cms.faults import CmsError, Fault

_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_ED25519_OID = "1.3.101.112"
_ED25519 = der.sequence(der.oid(_ED25519_OID))
_ML_DSA_STRENGTH = {"ML_DSA_44": 128, "ML_DSA_65": 192, "ML_DSA_87": 256}
_ML_DSA_OIDS = {row.value.spki_oid: row.name for row in KeyAlgorithm if row.family == "ML_DSA"}
_CURVE_DIGESTS = {
    "1.2.840.10045.3.1.7": Digest.SHA256,
    "1.3.132.0.34": Digest.SHA384,
    "1.3.132.0.35": Digest.SHA512,
    "1.3.132.0.10": Digest.SHA256,
}
_HASH_OIDS = {row.value.oid: row for row in (Digest.SHA256, Digest.SHA384, Digest.SHA512)}
# Those that carry no parameters: anything after the OID is refused by name.
_BARE = {
    **{split(row.identifier)[0]: row.name for row in SignatureAlgorithm if row.family in ("EC", "ML_DSA")},
    _ED25519_OID: "Ed25519",
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one signer signs. `identifier` is the AlgorithmIdentifier (DER) that SignerInfo carries.

    `effective` is the one that says everything: CMS writes plain rsaEncryption and lets the digest algorithm say the
    rest.
    """

    identifier: bytes
    effective: bytes
    digest: Digest


def scheme_for(spki: bytes, digest: Digest | None = None, *, pss: bool = False) -> Scheme:
    """The scheme for a key (DER of its SubjectPublicKeyInfo). Raises CmsError when the digest does not go with it.

    Without a digest: the one of the curve, SHA-512 for Ed25519 and ML-DSA, SHA-256 for RSA.
    """
    oid, parameters = _key(spki)
    if oid == _RSA_ENCRYPTION:
        digest = digest or Digest.SHA256
        row = SignatureAlgorithm[f"{_sha2(digest)}WITHRSA{'_PSS' if pss else ''}"]
        plain = der.sequence(der.oid(_RSA_ENCRYPTION), der.null())
        return Scheme(row.identifier if pss else plain, row.identifier, digest)
    if oid == public_keys.EC_PUBLIC_KEY:
        digest = digest or _CURVE_DIGESTS.get(parameters, Digest.SHA256)
        row = SignatureAlgorithm[f"{_sha2(digest)}WITHECDSA"]
        return Scheme(row.identifier, row.identifier, digest)
    identifier = der.sequence(der.oid(oid))
    scheme = Scheme(identifier, identifier, digest or Digest.SHA512)
    _check_digest(scheme)
    return scheme


# Files that were signed together have the same few algorithms and keys.
@lru_cache(maxsize=256)
def read_scheme(identifier: bytes, digest: Digest) -> Scheme:
    """The scheme of a SignerInfo. Raises CmsError with what is wrong with its algorithm or digest."""
    oid, parameters = split(identifier)
    if oid in _BARE and parameters:
        raise CmsError(Fault.PARAMETERS, f"the signature algorithm {_BARE[oid]} has parameters, which must be absent")
    effective = identifier
    if oid == _RSA_ENCRYPTION:
        if parameters != der.null():
            raise CmsError(Fault.PARAMETERS, "the signature algorithm rsaEncryption must have NULL parameters")
        effective = SignatureAlgorithm[f"{_sha2(digest)}WITHRSA"].identifier
    scheme = Scheme(identifier, effective, digest)
    _check_digest(scheme)
    return scheme


def verifies(scheme: Scheme, spki: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the key (DER of its SubjectPublicKeyInfo) made the signature over `data`."""
    return public_keys.verify(spki, scheme.effective, signature, data)


def algorithm_name(identifier: bytes) -> str:
    """What people call the signature algorithm of an AlgorithmIdentifier (DER); its OID when it has no name here."""
    row = signature_algorithm_of(identifier)
    if row is not None:
        return row.name
    try:
        oid, _ = split(identifier)
    except CmsError:
        return "unreadable"
    return {_RSA_ENCRYPTION: "RSA", _RSA_PSS: "RSA_PSS", _ED25519_OID: "ED25519"}.get(oid, oid)


def is_post_quantum(spki: bytes) -> bool:
    """Whether the key is one of ML-DSA. False for what cannot be read."""
    try:
        return _key(spki)[0] in _ML_DSA_OIDS
    except CmsError:
        return False


def _check_digest(scheme: Scheme) -> None:
    """The digest that goes with the signature algorithm, and no weaker one."""
    oid, parameters = split(scheme.effective)
    if oid in _ML_DSA_OIDS:
        name = _ML_DSA_OIDS[oid]
        if scheme.digest.strength < _ML_DSA_STRENGTH[name]:
            raise CmsError(Fault.WEAK_DIGEST, f"the digest {scheme.digest.name} is too weak for {name}")
        return
    if oid == _ED25519_OID:
        wanted = Digest.SHA512
    elif (row := signature_algorithm_of(scheme.effective)) is not None and row.value.hash is not None:
        wanted = Digest[row.value.hash]
    elif oid == _RSA_PSS:
        wanted = _pss_digest(parameters)
    else:
        raise CmsError(Fault.SIGNATURE_ALGORITHM, f"the signature algorithm {oid} is not accepted")
    if scheme.digest is not wanted:
        what = f"the digest {scheme.digest.name} is not that of the signature algorithm, {wanted.name}"
        raise CmsError(Fault.DIGEST_ALGORITHM, what)


def _pss_digest(parameters: bytes) -> Digest:
    """The hash of RSASSA-PSS-params (RFC 4055 section 3.1); `public_keys.verify` reads the rest."""
    try:
        holder = der.only(parameters, der.SEQUENCE).enter(0xA0)
        oid = holder.enter(der.SEQUENCE).oid()
    except der.DerError:
        oid = ""
    if oid not in _HASH_OIDS:
        raise CmsError(Fault.SIGNATURE_ALGORITHM, "the hash of the RSASSA-PSS signature is not accepted")
    return _HASH_OIDS[oid]


def _sha2(digest: Digest) -> str:
    """The digest's name, if RSA and ECDSA can sign with it here."""
    if digest.value.oid not in _HASH_OIDS:
        raise CmsError(Fault.DIGEST_ALGORITHM, f"the digest {digest.name} does not go with this kind of key")
    return digest.name


@lru_cache(maxsize=256)
def _key(spki: bytes) -> tuple[str, str]:
    """OID of the key's algorithm and, for EC, of its curve. Raises CmsError."""
    try:
        oid = public_keys.spki_algorithm(spki)
        if oid != public_keys.EC_PUBLIC_KEY:
            return oid, ""
        algorithm = der.only(spki, der.SEQUENCE).enter(der.SEQUENCE)
        algorithm.oid()
        return oid, algorithm.oid()
    except der.DerError as error:
        raise CmsError(Fault.SIGNATURE_ALGORITHM, f"the signer's key cannot be read: {error}") from None
