"""Is this document to be trusted? The checks of a reader, in the order of ISO/IEC 18013-5 9.3.1 (workflows.md 19.5).

What a phone adds, device engagement, session encryption and the device's own signature, is not looked at.
"""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from greatseal.crypto import cose
from greatseal.mdoc.elements import DOC_TYPE, NAMESPACE
from greatseal.mdoc.items import digest
from greatseal.mdoc.reading import Presented
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, read_extended_key_usage
from greatseal.x509.mdl_profiles import (
    DOCUMENT_SIGNING,
    Deviation,
    countries,
    root_deviations,
    signer_deviations,
    states,
)
from greatseal.x509.path import Code as PathCode
from greatseal.x509.path import Invalid, Rules, find
from greatseal.x509.revocation import Material, Mode, judge, standings


class Code(Enum):
    """Why a document is refused: a word for programs. docs/mdl.md explains each."""

    MALFORMED = "malformed"
    UNTRUSTED = "untrusted"
    PROFILE = "profile"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation-unknown"
    SIGNER_USAGE = "signer-usage"
    SIGNER_VALIDITY = "signer-validity"
    SIGNATURE = "signature"
    DOC_TYPE = "doc-type"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    DIGEST = "digest"
    COUNTRY = "country"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a document. `roots` are the IACA certificates that are trusted; `at` is the reader's time.

    With lists in `material`, the document signer must be on none and covered by one. Certificates that are otherwise
    than annex B has them are refused unless they are tolerated.
    """

    roots: Sequence[Certificate] = field(repr=False)
    at: datetime
    doc_type: str = DOC_TYPE
    material: Material = field(default_factory=Material, repr=False)
    tolerate_deviations: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that holds. `deviations` of its certificates were tolerated."""

    document: Presented
    path: tuple[Certificate, ...] = field(repr=False)
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The first thing that is wrong. `element` is the one whose digest differs."""

    code: Code
    sentence: str
    element: str | None = None


Verdict = Accepted | Refused


def verify(document: Presented, question: Question) -> Verdict:
    """Every check in its order; the first that fails is the answer."""
    found = find(document.chain[0], document.chain[1:], question.roots, Rules(at=document.security.signed))
    if isinstance(found, Invalid):
        return _no_path(found)
    path = found.path
    told = tuple(_deviations(path))
    if told and not question.tolerate_deviations:
        return Refused(Code.PROFILE, told[0])
    refused = (
        _revocation(path, question)
        or _usage(path)
        or _signature(document)
        or _doc_type(document, question)
        or _validity(document, question)
        or _signed_inside(document)
        or _digests(document)
        or _place(document)
    )
    return refused or Accepted(document, path, told)


def _no_path(found: Invalid) -> Refused:
    problem = found.problem
    # The path is judged as of the time of signing, which is the document's own word until its signature is checked.
    outside = problem.code in (PathCode.EXPIRED, PathCode.NOT_YET_VALID)
    when = ", and the document says that it was signed outside of that" if outside else ""
    return Refused(Code.SIGNER_VALIDITY if outside else Code.UNTRUSTED, f"{problem.sentence}{when}")


def _deviations(path: tuple[Certificate, ...]) -> Iterator[str]:
    root = path[-1]
    for certificate, found in ((root, root_deviations(root)), (path[0], signer_deviations(path[0], root))):
        yield from (_said(certificate, each) for each in found)


def _said(certificate: Certificate, deviation: Deviation) -> str:
    return f"the certificate {certificate.subject.display()} {deviation.what} (ISO/IEC 18013-5 annex B)"


def _revocation(path: tuple[Certificate, ...], question: Question) -> Refused | None:
    if not question.material.lists:
        return None
    rules = Rules(at=question.at)
    problem = judge(path, standings(path, question.material, rules), Mode.HARD_FAIL)
    if problem is None:
        return None
    code = Code.REVOKED if problem.code is PathCode.REVOKED else Code.REVOCATION_UNKNOWN
    return Refused(code, problem.sentence)


def _usage(path: tuple[Certificate, ...]) -> Refused | None:
    """However much is tolerated: only a certificate that says so signs documents, and never a CA."""
    extension = path[0].extension(OID.EXTENDED_KEY_USAGE)
    if extension is None or DOCUMENT_SIGNING not in read_extended_key_usage(extension) or path[0].is_ca:
        return Refused(Code.SIGNER_USAGE, f"the signer's certificate is not for signing documents ({DOCUMENT_SIGNING})")
    return None


def _signature(document: Presented) -> Refused | None:
    try:
        good = cose.verify(document.sign, document.chain[0].spki)
    except cose.CoseError as error:
        return Refused(Code.SIGNATURE, str(error))
    return None if good else Refused(Code.SIGNATURE, "the issuer's signature over the document is wrong")


def _doc_type(document: Presented, question: Question) -> Refused | None:
    signed = document.security.doc_type
    if document.doc_type not in (None, signed):
        return Refused(Code.DOC_TYPE, f"the docType outside is {document.doc_type!r}, the signed one {signed!r}")
    if signed != question.doc_type:
        return Refused(Code.DOC_TYPE, f"the docType is {signed!r}, not {question.doc_type!r}")
    return None


def _validity(document: Presented, question: Question) -> Refused | None:
    security, at = document.security, question.at.replace(microsecond=0)
    if at < security.valid_from:
        return Refused(Code.NOT_YET_VALID, f"the document is not valid before {_time(security.valid_from)}")
    if at > security.valid_until:
        return Refused(Code.EXPIRED, f"the document expired {_time(security.valid_until)}")
    return None


def _signed_inside(document: Presented) -> Refused | None:
    signer, signed = document.chain[0], document.security.signed
    if signer.not_before <= signed <= signer.not_after:
        return None
    return Refused(Code.SIGNER_VALIDITY, f"the document was signed {_time(signed)}, outside its signer's validity")


def _digests(document: Presented) -> Refused | None:
    """One element that differs, and nothing in the document is trusted."""
    security = document.security
    for namespace, items in document.items.items():
        expected = security.digests.get(namespace, {})
        for each in items:
            name = f"{namespace}/{each.item.identifier}"
            wanted = expected.get(each.item.digest_id)
            if wanted is None:
                sentence = f"the element {name} has no digest in the security object, so nothing in it is trusted"
                return Refused(Code.DIGEST, sentence, name)
            if not hmac.compare_digest(digest(each.raw, security.digest_algorithm), wanted):
                sentence = f"the element {name} is not the one that was signed, so nothing in the document is trusted"
                return Refused(Code.DIGEST, sentence, name)
    return None


def _place(document: Presented) -> Refused | None:
    """Only what is presented can be compared (annex B, table B.3)."""
    shown = {each.item.identifier: each.item.value for each in document.items.get(NAMESPACE, ())}
    subject = document.chain[0].subject
    country, place = shown.get("issuing_country"), shown.get("issuing_jurisdiction")
    if country is not None and countries(subject) != (country,):
        of = ", ".join(countries(subject)) or "no country"
        return Refused(Code.COUNTRY, f"issuing_country is {str(country)[:60]!r}, the signer's certificate is of {of}")
    if place is not None and states(subject) and states(subject) != (place,):
        of = ", ".join(states(subject))
        return Refused(
            Code.COUNTRY, f"issuing_jurisdiction is {str(place)[:60]!r}, the signer's certificate is of {of}"
        )
    return None


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
