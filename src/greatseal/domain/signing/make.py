"""Signatures over contents: who signs, with what certificate, and the files that come of it (docs/signing.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from greatseal.domain.signing.ports import KeyFailed, SigningKey, Stamper
from greatseal.x509 import cms, custom_object, der
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import Digest, Scheme
from greatseal.x509.extensions import OID, read_extended_key_usage, read_key_usage


class CannotSign(ValueError):
    """A key and certificates with which nobody should sign. The message is a sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Author:
    """One who signs: a key, its certificate, and how."""

    key: SigningKey
    certificate: Certificate
    scheme: Scheme


def author_of(
    key: SigningKey,
    certificates: Iterable[Certificate],
    *,
    at: datetime,
    digest: Digest | None = None,
    pss: bool = False,
) -> Author:
    """The author with this key: its certificate is the valid one that ends last. Raises CannotSign.

    A certificate that is not for code signing, or not valid at `at`, is refused: nobody would accept the signature.
    """
    own = [each for each in dict.fromkeys(certificates) if each.spki == key.spki]
    if not own:
        raise CannotSign(f"no certificate of the key {key.name} was given")
    valid = [each for each in own if each.not_before <= at <= each.not_after]
    if not valid:
        raise CannotSign(f"the certificate of the key {key.name} is not valid at {at:%Y-%m-%dT%H:%M:%SZ}")
    certificate = max(valid, key=lambda each: each.not_after)
    _check_usage(certificate)
    try:
        return Author(key, certificate, cms.scheme_for(key.spki, digest, pss=pss))
    except cms.CmsError as error:
        raise CannotSign(str(error)) from None


def _check_usage(certificate: Certificate) -> None:
    """Extended key usage names code signing, and key usage allows signatures (workflows.md 7)."""
    name = certificate.subject.display() or "no subject"
    purposes, usage = certificate.extension(OID.EXTENDED_KEY_USAGE), certificate.extension(OID.KEY_USAGE)
    try:
        if purposes is None or OID.CODE_SIGNING not in read_extended_key_usage(purposes):
            raise CannotSign(f"the certificate ({name}) is not for code signing")
        if usage is not None and "DigitalSignature" not in read_key_usage(usage):
            raise CannotSign(f"the key usage of the certificate ({name}) does not allow signatures")
    except der.DerError as error:
        raise CannotSign(f"a usage of the certificate ({name}) cannot be read: {error}") from None


def chain_of(authors: Sequence[Author], certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """The certificates that go into the file: those of the authors, and their issuers without the roots."""
    found: dict[Certificate, None] = {author.certificate: None for author in authors}
    given = [each for each in dict.fromkeys(certificates) if not each.is_self_issued]
    pending = list(found)
    while pending:
        child = pending.pop()
        for each in given:
            if each.subject.der == child.issuer.der and each not in found:
                found[each] = None
                pending.append(each)
    return tuple(found)


def wanted(authors: Iterable[Author]) -> tuple[Digest, ...]:
    """The digests of a content that its authors need."""
    return tuple(dict.fromkeys(author.scheme.digest for author in authors))


def sign(
    authors: Sequence[Author],
    chain: Sequence[Certificate],
    digests: Mapping[Digest, bytes],
    *,
    at: datetime,
    stamper: Stamper | None = None,
) -> bytes:
    """The CMS file (DER) over a content with these digests. Raises KeyFailed, StampFailed.

    Each signature is stamped when there is a stamper.
    """
    infos = []
    for author in authors:
        made = cms.sign(
            author.certificate, author.scheme, digests[author.scheme.digest], partial(_signed, author), at=at
        )
        infos.append(made if stamper is None else made.stamped(stamper.stamp(made.signature)))
    return cms.encode(infos, chain)


def classic(author: Author, data: bytes) -> bytes:
    """The DER of the classic custom object around `data` (workflows.md 6). Raises KeyFailed."""
    tbs = custom_object.to_be_signed(data, author.certificate.subject)
    return custom_object.assemble(tbs, author.scheme.effective, _signed(author, tbs))


def _signed(author: Author, octets: bytes) -> bytes:
    """The signature over `octets`, verified with the key of the certificate before anybody sees it. Raises KeyFailed.

    A key that is away may answer with anything, and one that is here with the result of a bit that flipped: such a
    signature says nothing to those who verify it, and it may tell what the key is.
    """
    signature = author.key.sign(octets, author.scheme.effective)
    if not cms.verifies(author.scheme, author.certificate.spki, signature, octets):
        raise KeyFailed(f"what came back is not a signature by the key {author.key.name}")
    return signature
