"""Does this signer's signature hold over a content with these digests? (RFC 5652 sections 5.4 and 5.6)

The signer's certificate is only the key here; whether it is to be trusted is a question of its path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import attributes
from greatseal.x509.cms.digests import Digest, read_digest
from greatseal.x509.cms.faults import CmsError, Fault
from greatseal.x509.cms.schemes import Scheme, read_scheme, verifies
from greatseal.x509.cms.signed_data import SignedData, SignerInfo, issuer_and_serial
from greatseal.x509.extensions import OID


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signer whose signature holds says. `at` is only what it says of itself; `token` is not judged yet (DER).

    `signature` is what a timestamp is over.
    """

    scheme: Scheme
    at: datetime | None
    token: bytes | None
    signature: bytes
    binds_certificate: bool


def wanted(signed: SignedData) -> tuple[Digest, ...]:
    """The digests of the content that its signers need, each once. Those that are refused are left out."""
    found: dict[Digest, None] = {}
    for signer in signed.signers:
        try:
            found[read_digest(signer.digest_identifier)] = None
        except CmsError:
            continue
    return tuple(found)


def certificate_of(signed: SignedData, signer: SignerInfo, others: Iterable[Certificate] = ()) -> Certificate:
    """The certificate that the signer names, from the file or from `others`. Raises CmsError.

    Names are compared octet by octet: the identifier is not signed, and must not be spelt in two ways.
    """
    for certificate in (*signed.certificates, *others):
        if signer.sid == _sid(certificate, by_issuer=signer.is_named_by_issuer):
            return certificate
    raise CmsError(Fault.NO_CERTIFICATE, "the certificate of the signer is not in the file and was not given")


def _sid(certificate: Certificate, *, by_issuer: bool) -> bytes:
    if by_issuer:
        return issuer_and_serial(certificate)
    if certificate.extension(OID.SUBJECT_KEY_IDENTIFIER) is None:
        return b""
    return der.tlv(0x80, certificate.key_identifier)


def check(signed: SignedData, signer: SignerInfo, certificate: Certificate, digests: Mapping[Digest, bytes]) -> Signed:
    """Judges one signer; `digests` are those of the content, at least what `wanted` lists. Raises CmsError."""
    if signer.version != (1 if signer.is_named_by_issuer else 3):
        raise CmsError(Fault.VERSION, "the version of the signer does not go with how it is identified")
    digest = read_digest(signer.digest_identifier)
    if not _lists(signed, digest):
        raise CmsError(Fault.DIGEST_ALGORITHM, "the digest algorithm of the signer is not listed in front")
    scheme = read_scheme(signer.signature_identifier, digest)
    if signer.attributes is None:
        # Such a signature also fits a content that is the encoding of attributes, so that it can be moved.
        what = "the signer has no signed attributes; a signature over the bare content is not accepted"
        raise CmsError(Fault.NO_SIGNED_ATTRIBUTES, what)
    found = attributes.read_attributes(signer.attributes, "signed", ordered=True)
    _check_content(found, signed.content_type, digest, digests)
    protection = attributes.single(found, attributes.ALGORITHM_PROTECTION, "CMSAlgorithmProtection")
    if protection is not None:
        attributes.check_protection(protection, signer.digest_identifier, signer.signature_identifier)
    bound = attributes.single(found, attributes.SIGNING_CERTIFICATE_V2, "signingCertificateV2")
    if bound is not None:
        attributes.check_certificate_id(bound, certificate)
    at = attributes.single(found, attributes.SIGNING_TIME, "signingTime")
    when = None if at is None else attributes.read_signing_time(at)
    if not verifies(scheme, certificate.spki, signer.signature, signer.attributes):
        raise CmsError(Fault.SIGNATURE, "the signature was not made by the key of the signer's certificate")
    return Signed(scheme, when, _token(signer), signer.signature, bound is not None)


def _lists(signed: SignedData, digest: Digest) -> bool:
    """Whether the digest is among those in front of the content (RFC 5652 section 5.1)."""
    for identifier in signed.digest_identifiers:
        try:
            if read_digest(identifier) is digest:
                return True
        except CmsError:
            continue
    return False


def _check_content(
    found: Mapping[str, tuple[bytes, ...]], content_type: str, digest: Digest, digests: Mapping[Digest, bytes]
) -> None:
    """The attributes contentType and messageDigest, which every signer has (RFC 5652 sections 11.1 and 11.2)."""
    try:
        reader = attributes.needed(found, attributes.CONTENT_TYPE, "contentType")
        said = reader.oid()
        reader.end()
        reader = attributes.needed(found, attributes.MESSAGE_DIGEST, "messageDigest")
        expected = reader.read(der.OCTET_STRING)
        reader.end()
    except der.DerError as error:
        raise CmsError(Fault.MALFORMED, f"a signed attribute is malformed: {error}") from None
    if said != content_type:
        raise CmsError(Fault.CONTENT_TYPE, f"the content type that was signed is {said}, not {content_type}")
    if len(expected) != digest.size:
        what = f"the message digest has {len(expected)} octets, and {digest.name} has {digest.size}"
        raise CmsError(Fault.DIGEST_LENGTH, what)
    if digests[digest] != expected:
        raise CmsError(Fault.CHANGED, "the content is not what was signed: its digest is another")


def _token(signer: SignerInfo) -> bytes | None:
    """The timestamp token. Unsigned attributes of other kinds are refused: nobody vouches for them."""
    if signer.unsigned is None:
        return None
    found = attributes.read_attributes(signer.unsigned, "unsigned", ordered=False)
    unknown = [oid for oid in found if oid != attributes.SIGNATURE_TIMESTAMP]
    if unknown:
        raise CmsError(Fault.UNKNOWN_ATTRIBUTE, f"the unsigned attribute {unknown[0]} is not understood")
    return attributes.single(found, attributes.SIGNATURE_TIMESTAMP, "timeStampToken")
