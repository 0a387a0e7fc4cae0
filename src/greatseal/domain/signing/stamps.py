"""Timestamps over signatures: whose they are, and whether they are to be believed (RFC 3161 section 2.4.2)."""

from dataclasses import replace
from datetime import datetime, timedelta

from greatseal.domain.signing.model import Reason, Stamp, Trust
from greatseal.domain.trust import Later, Question, verify
from greatseal.x509 import cms
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, read_extended_key_usage
from greatseal.x509.path import Invalid, Purpose, Rules
from greatseal.x509.revocation import Standing
from greatseal.x509.timestamp import TimestampError, TstInfo, read_token

# After a revocation for one of these reasons, tokens from before remain good; after any other none does (section 4).
_HARMLESS = ("unspecified", "affiliationChanged", "superseded", "cessationOfOperation")


def judge_stamp(
    token: bytes, stamped: bytes, trust: Trust, skew: timedelta, others: tuple[Certificate, ...] = ()
) -> Stamp:
    """The verdict over a token (DER) for the octets `stamped`. The authority's path must hold at the token's time.

    `others` are certificates that came with the signature, and may be those of the authority or its issuers.
    """
    at: datetime | None = None
    authority = ""
    try:
        signed, info = read_token(token)
        at = info.at
        certificate = cms.certificate_of(signed, signed.signers[0], (*others, *trust.intermediates))
        authority = certificate.subject.display()
        assert signed.content is not None
        digests = {digest: digest.of(signed.content) for digest in cms.wanted(signed)}
        held = cms.check(signed, signed.signers[0], certificate, digests)
        if info.imprint.digest.of(stamped) != info.imprint.octets:
            raise TimestampError("the timestamp is over another signature")
    except cms.CmsError as error:
        return Stamp(at, authority, Reason(f"timestamp-{error.fault.value}", f"the timestamp is not good: {error}"))
    except TimestampError as error:
        return Stamp(at, authority, Reason("timestamp", str(error)))
    problem = _problem(info, certificate, held.binds_certificate, trust, skew)
    if problem is not None:
        return Stamp(at, authority, problem)
    rules = Rules(at=info.at, purpose=Purpose.TIME_STAMPING)
    later = Later(trust.at, lambda standing: _spares(standing, info.at))
    given = (*signed.certificates, *others, *trust.intermediates)
    anchors = trust.stamp_anchors or trust.anchors
    question = Question(certificate, given, anchors, rules, trust.mode, trust.material, later)
    report = verify(question, trust.fetcher)
    if isinstance(report.verdict, Invalid):
        found = report.verdict.problem
        problem = Reason(f"timestamp-{found.code.value}", f"the timestamp's authority is not trusted: {found.sentence}")
    return replace(Stamp(at, authority, problem), report=report)


def _problem(info: TstInfo, certificate: Certificate, bound: bool, trust: Trust, skew: timedelta) -> Reason | None:
    """What a token must be besides signed."""
    if info.at - trust.at > skew:
        return Reason("timestamp-future", f"the timestamp lies in the future: {info.at:%Y-%m-%dT%H:%M:%SZ}")
    # The token must name its signer's certificate (section 2.4.1, RFC 5816 section 2.2.1).
    if not bound:
        return Reason("timestamp", "the timestamp does not bind the certificate of its authority with SHA-2")
    purposes = certificate.extension(OID.EXTENDED_KEY_USAGE)
    try:
        alone = purposes is not None and read_extended_key_usage(purposes) == (OID.TIME_STAMPING,)
    except ValueError:
        alone = False
    if purposes is None or not purposes.critical or not alone:
        what = "the certificate of the timestamp's authority is not for time stamping alone, marked as critical"
        return Reason("timestamp-purpose", what)
    return None


def _spares(standing: Standing, at: datetime) -> bool:
    return standing.revoked_at is not None and standing.revoked_at > at and standing.reason in _HARMLESS
