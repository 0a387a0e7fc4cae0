"""What OCSP answers say of a certificate: who may answer, for how long, and about whom (RFC 6960 section 4.2.2)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from greatseal.x509 import der, public_keys
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.extensions import OID, read_extended_key_usage
from greatseal.x509.names import same_name
from greatseal.x509.ocsp.answer import CertificateStatus, OcspAnswer
from greatseal.x509.ocsp.request import CertId, issuer_hashes
from greatseal.x509.path.links import allows_usage
from greatseal.x509.public_keys import key_bits
from greatseal.x509.revocation.model import Standing, State, unknown

SKEW = timedelta(minutes=5)
"""How far the responder's clock may be ahead of ours."""
_LONGEST_WITHOUT_END = timedelta(days=1)
_RESPONDER_UNDERSTOOD = frozenset(
    {
        OID.AUTHORITY_KEY_IDENTIFIER,
        OID.BASIC_CONSTRAINTS,
        OID.EXTENDED_KEY_USAGE,
        OID.KEY_USAGE,
        OID.OCSP_NO_CHECK,
        OID.SUBJECT_ALTERNATIVE_NAME,
        OID.SUBJECT_KEY_IDENTIFIER,
    }
)


def standing_by_answers(
    certificate: Certificate, issuer: Certificate, answers: Iterable[OcspAnswer], *, at: datetime, nonce: bytes | None
) -> Standing:
    """What the answers say of the certificate at the instant `at`; those about other certificates are passed over."""
    result = unknown("there is no OCSP answer about it")
    good: Standing | None = None
    for answer in answers:
        status = next((each for each in answer.statuses if _is_about(each.cert_id, certificate, issuer)), None)
        if status is None:
            continue
        found = _judge(answer, status, issuer, at, nonce)
        if found.state is State.REVOKED:
            return found
        if found.state is State.GOOD:
            good = found
        result = found
    return good or result


def _is_about(cert_id: CertId, certificate: Certificate, issuer: Certificate) -> bool:
    if cert_id.hash is None or cert_id.serial != certificate.serial:
        return False
    # The responder may know its CA by the name that the CA has, or by the one that the certificate has.
    key = key_bits(issuer.spki)
    mine = (cert_id.name_hash, cert_id.key_hash)
    return any(issuer_hashes(n.der, key, cert_id.hash) == mine for n in (certificate.issuer, issuer.subject))


def _judge(
    answer: OcspAnswer, status: CertificateStatus, issuer: Certificate, at: datetime, nonce: bytes | None
) -> Standing:
    flaw = _responder_flaw(answer, issuer, at) or _nonce_flaw(answer, nonce) or _critical_flaw(answer, status)
    if flaw:
        return unknown(f"an OCSP answer does not count: {flaw}", "OCSP")
    if status.status == "revoked":
        return Standing(State.REVOKED, "OCSP", revoked_at=status.revoked_at, reason=status.reason)
    stale = _staleness(status, at)
    if stale:
        return unknown(f"an OCSP answer {stale}", "OCSP")
    if status.status == "unknown":
        return unknown("the OCSP responder does not know it", "OCSP")
    return Standing(State.GOOD, "OCSP")


def _staleness(status: CertificateStatus, at: datetime) -> str:
    if status.this_update > at + SKEW:
        return f"is not valid before {status.this_update:%Y-%m-%dT%H:%M:%SZ}"
    # Without an end, newer information is always to be had (RFC 6960 section 4.2.2.1); a day old is too old.
    end = status.next_update or status.this_update + _LONGEST_WITHOUT_END
    return f"expired {end:%Y-%m-%dT%H:%M:%SZ}" if end < at.replace(microsecond=0) else ""


def _nonce_flaw(answer: OcspAnswer, nonce: bytes | None) -> str:
    if nonce is None:
        return ""
    try:
        return "" if answer.nonce == nonce else "it does not repeat the nonce"
    except der.DerError:
        return "its nonce cannot be read"


def _critical_flaw(answer: OcspAnswer, status: CertificateStatus) -> str:
    # A nonce is never critical in anybody's answer; what else might be, nobody here understands.
    for extension in (*answer.extensions, *status.extensions):
        if extension.critical and extension.oid != "1.3.6.1.5.5.7.48.1.2":
            return f"it has the critical extension {extension.oid}, which is not understood"
    return ""


def _responder_flaw(answer: OcspAnswer, issuer: Certificate, at: datetime) -> str:
    """Why nobody who may answer for this issuer signed; empty when somebody did (RFC 6960 section 4.2.2.2)."""
    flaw = "nobody who may answer for the issuer signed it"
    for signer in (issuer, *answer.certificates):
        if not _is_responder(answer, signer) or not public_keys.verify(
            signer.spki, answer.signature_algorithm_identifier, answer.signature, answer.tbs
        ):
            continue
        if signer.spki == issuer.spki:
            return ""
        found = _delegate_flaw(signer, issuer, at)
        if not found:
            return ""
        flaw = f"its responder {signer.subject.display()!r} {found}"
    return flaw


def _is_responder(answer: OcspAnswer, signer: Certificate) -> bool:
    if isinstance(answer.responder, bytes):
        return issuer_hashes(b"", key_bits(signer.spki), "sha1")[1] == answer.responder
    return same_name(signer.subject, answer.responder)


def _delegate_flaw(delegate: Certificate, issuer: Certificate, at: datetime) -> str:
    """A delegate is issued by the CA itself, for OCSP signing by name. Its own revocation is not asked: RFC 6960
    section 4.2.2.2.1 leaves that to the CA, and ours carry id-pkix-ocsp-nocheck and live for days.
    """
    if not same_name(delegate.issuer, issuer.subject) or not verify_signature(delegate, issuer.spki):
        return "was not made by the issuer"
    try:
        purposes = delegate.extension(OID.EXTENDED_KEY_USAGE)
        if purposes is None or OID.OCSP_SIGNING not in read_extended_key_usage(purposes):
            return "may not sign OCSP answers"
    except der.DerError:
        return "has an extended key usage that cannot be read"
    if not allows_usage(delegate, "DigitalSignature", "NonRepudiation"):
        return "has a key usage that does not allow signatures"
    if not delegate.not_before <= at + SKEW or delegate.not_after < at.replace(microsecond=0):
        return "is not valid at this time"
    for extension in delegate.extensions:
        if extension.critical and extension.oid not in _RESPONDER_UNDERSTOOD:
            return f"has the critical extension {extension.oid}, which is not understood"
    return ""
