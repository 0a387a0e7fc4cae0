"""Signatures over one content: who signed, whether they hold, and whether the signers are trusted (docs/signing.md).

Nothing but the files and a root is needed. A timestamp lets a signature outlive the certificate of its signer.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from greatseal.domain.signing.model import Needed, Reason, SignedReport, SignerReport, Stamp, Trust
from greatseal.domain.signing.stamps import judge_stamp
from greatseal.domain.trust import Later, Question, Report, verify
from greatseal.x509 import cms
from greatseal.x509.bundle import read_list
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import Digest, SignedData, SignerInfo
from greatseal.x509.crl import RevocationList
from greatseal.x509.custom_object import CustomObject, ObjectError, signer_of, verifies
from greatseal.x509.path import Invalid, Rules
from greatseal.x509.revocation import Mode, Standing

SKEW = timedelta(minutes=5)
"""How far the clocks of signers and authorities may be ahead of ours."""


class Judge:
    """Judges many contents by the same rules; threads may share it. Paths without revocation are judged once."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._known: dict[tuple[Certificate, tuple[Certificate, ...], datetime], Report] = {}

    def signed(self, signed: SignedData, digests: Mapping[Digest, bytes]) -> SignedReport:
        """The verdict over a content with these digests, at least those that `cms.wanted(signed)` lists."""
        if signed.content is not None:
            what = "the signature carries its content; a detached signature was expected"
            return SignedReport(Reason(cms.Fault.CONTENT.value, what))
        reports = tuple(self._signer(signed, each, digests) for each in signed.signers)
        return SignedReport(_overall(reports, self._trust.needed), reports)

    def object(self, found: CustomObject) -> SignedReport:
        """The verdict over a classic custom object (workflows.md 6)."""
        trust = self._trust
        try:
            certificate = signer_of(found, trust.intermediates)
        except ObjectError as error:
            return SignedReport(Reason(cms.Fault.NO_CERTIFICATE.value, str(error)))
        signer = SignerReport(certificate.subject.display(), cms.algorithm_name(found.algorithm), "", None)
        if not verifies(found, certificate):
            what = "the signature was not made by the key of the signer's certificate"
            problem: Reason | None = Reason(cms.Fault.SIGNATURE.value, what)
        elif trust.needs_stamp:
            problem = _NO_STAMP
        else:
            report = self._path(certificate, (), (), None)
            signer = replace(signer, report=report, judged_at=trust.at)
            problem = path_problem(report)
        reports = (replace(signer, problem=problem, post_quantum=cms.is_post_quantum(certificate.spki)),)
        return SignedReport(_overall(reports, trust.needed), reports)

    def _signer(self, signed: SignedData, signer: SignerInfo, digests: Mapping[Digest, bytes]) -> SignerReport:
        name, post_quantum, algorithm = "", False, cms.algorithm_name(signer.signature_identifier)
        try:
            certificate = cms.certificate_of(signed, signer, self._trust.intermediates)
            name, post_quantum = _known_as(certificate)
            held = cms.check(signed, signer, certificate, digests)
        except cms.CmsError as error:
            problem: Reason | None = Reason(error.fault.value, str(error))
            return SignerReport(name, algorithm, "", problem, post_quantum=post_quantum)
        stamp = self._stamp(signed, held)
        at = stamp.at if stamp is not None and stamp.problem is None else None
        path: Report | None = None
        problem = _timely(held.at, stamp, self._trust)
        if problem is None:
            path = self._path(certificate, signed.certificates, signed.lists, at)
            problem = path_problem(path)
        return SignerReport(
            name,
            algorithm,
            held.scheme.digest.name,
            problem,
            says=held.at,
            stamp=stamp,
            judged_at=None if path is None else at or self._trust.at,
            report=path,
            post_quantum=post_quantum,
        )

    def _stamp(self, signed: SignedData, held: cms.Signed) -> Stamp | None:
        if held.token is None:
            return None
        return judge_stamp(held.token, held.signature, self._trust, SKEW, signed.certificates)

    def _path(
        self, leaf: Certificate, others: tuple[Certificate, ...], lists: tuple[bytes, ...], stamped: datetime | None
    ) -> Report:
        """The signer's path: as of now, or as of its timestamp with what has become known of revocations since."""
        trust = self._trust
        key = leaf, others, stamped or trust.at
        known = self._known.get(key) if trust.mode is Mode.OFF else None
        if known is not None:
            return known
        rules = Rules(at=stamped or trust.at, purpose=trust.purpose)
        later = None if stamped is None else Later(trust.at, lambda standing: _is_after(standing, stamped))
        given = (*others, *trust.intermediates)
        material = trust.material
        if lists and trust.mode is not Mode.OFF:
            material = replace(material, lists=(*material.lists, *_readable(lists)))
        question = Question(leaf, given, trust.anchors, rules, trust.mode, material, later)
        report = verify(question, trust.fetcher)
        if trust.mode is Mode.OFF:
            self._known[key] = report
        return report


# Files that were signed together have the same few signers.
@lru_cache(maxsize=128)
def _known_as(certificate: Certificate) -> tuple[str, bool]:
    """The name of a signer, and whether its key is one of ML-DSA."""
    return certificate.subject.display(), cms.is_post_quantum(certificate.spki)


_NO_STAMP = Reason("no-timestamp", "there is no timestamp, and one is required")


def path_problem(report: Report) -> Reason | None:
    """The problem of a path, in the words of `greatseal verify`."""
    verdict = report.verdict
    return Reason(verdict.problem.code.value, verdict.problem.sentence) if isinstance(verdict, Invalid) else None


def _is_after(standing: Standing, at: datetime) -> bool:
    return standing.revoked_at is not None and standing.revoked_at > at


def _readable(lists: tuple[bytes, ...]) -> list[RevocationList]:
    found: list[RevocationList] = []
    for each in lists:
        try:
            found.append(read_list(each))
        except ValueError:
            continue
    return found


def _timely(says: datetime | None, stamp: Stamp | None, trust: Trust) -> Reason | None:
    if stamp is not None and stamp.problem is not None:
        return stamp.problem
    if stamp is None and trust.needs_stamp:
        return _NO_STAMP
    # As a difference: no time is too late to be asked about.
    if says is not None and says - trust.at > SKEW:
        return Reason(cms.Fault.SIGNING_TIME.value, f"the signing time {says:%Y-%m-%dT%H:%M:%SZ} lies in the future")
    return None


def _overall(reports: tuple[SignerReport, ...], needed: Needed) -> Reason | None:
    """What the signers come to. The first problem that matters is named, with its signer."""
    kinds = {Needed.CLASSICAL: False, Needed.POST_QUANTUM: True}
    there = {each.post_quantum for each in reports}
    for kind, post_quantum in kinds.items():
        if needed in (kind, Needed.BOTH) and post_quantum not in there:
            return Reason("no-such-signer", f"no {kind.value} key signed it")
    asked = [
        (number, each)
        for number, each in enumerate(reports, 1)
        if needed not in kinds or each.post_quantum is kinds[needed]
    ]
    bad = [(number, each) for number, each in asked if each.problem is not None]
    if not bad or (needed is Needed.ANY and len(bad) < len(asked)):
        return None
    number, worst = bad[0]
    assert worst.problem is not None
    if len(reports) == 1:
        return worst.problem
    name = f" ({worst.name})" if worst.name else ""
    return Reason(worst.problem.code, f"signer {number}{name}: {worst.problem.sentence}")
