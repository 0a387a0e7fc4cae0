"""What revocation lists say of a certificate (RFC 5280 section 6.3.3). Indirect lists are refused.

A list proves that a certificate is good only while it is current. What it revokes was revoked, however old it is.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from greatseal.x509 import crl as crls
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList, RevokedCertificate
from greatseal.x509.extensions import OID
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import same_name
from greatseal.x509.revocation.model import Standing, State, unknown
from greatseal.x509.revocation.points import (
    ALL_REASONS,
    DistributionPoint,
    IssuingPoint,
    read_distribution_points,
    read_issuing_point,
    same_general_name,
)

_UNDERSTOOD = frozenset(
    {
        crls.CRL_NUMBER,
        crls.DELTA_CRL_INDICATOR,
        crls.ISSUING_DISTRIBUTION_POINT,
        crls.REASON_CODE,
        crls.INVALIDITY_DATE,
        OID.AUTHORITY_KEY_IDENTIFIER,
    }
)
_EVERYTHING = IssuingPoint((), False, False, False, ALL_REASONS, False)

Signed = Callable[[RevocationList], bool]
"""Whether somebody who may sign lists for the certificate's issuer signed this one."""


class _Unusable(ValueError):
    """Why a list does not count; the end of a sentence."""


@dataclass(frozen=True, slots=True)
class _Usable:
    """A list that is about the certificate, and the reasons that it covers."""

    crl: RevocationList
    reasons: frozenset[str]
    stale: str


def standing_by_lists(
    certificate: Certificate, lists: Iterable[RevocationList], *, at: datetime, signed: Signed
) -> Standing:
    """What lists of the certificate's issuer say of it at the instant `at`; all others are passed over."""
    of_issuer = [each for each in lists if same_name(each.issuer, certificate.issuer)]
    if not of_issuer:
        return unknown("there is no CRL of its issuer")
    deltas = [each for each in of_issuer if each.extension(crls.DELTA_CRL_INDICATOR)]
    try:
        points = _points(certificate)
    except der.DerError as error:
        return unknown(f"its CRL distribution points cannot be read: {error}", "CRL")
    covered: set[str] = set()
    why = "there is no complete CRL of its issuer"
    for crl in of_issuer:
        if crl in deltas:
            continue
        try:
            usable = _usable(crl, certificate, points, at, signed)
            entry = _entry(usable, certificate.serial, deltas, at, signed)
        except (_Unusable, der.DerError) as error:
            why = f"a CRL of its issuer does not count: {error}"
            continue
        if entry is not None:
            return Standing(State.REVOKED, "CRL", revoked_at=entry.revoked_at, reason=entry.reason)
        if usable.stale:
            why = f"a CRL of its issuer {usable.stale}"
        else:
            covered |= usable.reasons
    if covered >= ALL_REASONS:
        return Standing(State.GOOD, "CRL")
    return unknown("the CRLs do not cover every reason" if covered else why, "CRL")


def _points(certificate: Certificate) -> tuple[DistributionPoint, ...]:
    """The distribution points that a list of the issuer itself may be at (RFC 5280 section 6.3.3)."""
    # A list that was not found at any point counts too, under the name of the issuer (the end of that section).
    anywhere = DistributionPoint((GeneralName("directory", certificate.issuer),), ALL_REASONS, ())
    extension = certificate.extension(OID.CRL_DISTRIBUTION_POINTS)
    named = () if extension is None else read_distribution_points(extension, certificate.issuer)
    return (*(point for point in named if not point.crl_issuer), anywhere)


def _usable(
    crl: RevocationList,
    certificate: Certificate,
    points: Sequence[DistributionPoint],
    at: datetime,
    signed: Signed,
) -> _Usable:
    """Raises _Unusable or DerError for a list that says nothing about this certificate."""
    _check_understood(crl)
    scope = _scope(crl)
    if scope.indirect:
        raise _Unusable("it is indirect")
    is_ca = certificate.is_ca
    if scope.only_attributes or (scope.only_users and is_ca) or (scope.only_cas and not is_ca):
        raise _Unusable("it is about certificates of another kind")
    reasons: set[str] = set()
    for point in points:
        if _same_place(point, scope, certificate):
            reasons |= point.reasons & scope.reasons
    if not reasons:
        raise _Unusable("it is of another distribution point")
    if not signed(crl):
        raise _Unusable("nobody who may sign it did")
    return _Usable(crl, frozenset(reasons), _staleness(crl, at))


def _scope(crl: RevocationList) -> IssuingPoint:
    extension = crl.extension(crls.ISSUING_DISTRIBUTION_POINT)
    return _EVERYTHING if extension is None else read_issuing_point(extension, crl.issuer)


def _check_understood(crl: RevocationList) -> None:
    for extension in (*crl.extensions, *(each for entry in crl.entries for each in entry.extensions)):
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise _Unusable(f"it has the critical extension {extension.oid}, which is not understood")


def _same_place(point: DistributionPoint, scope: IssuingPoint, certificate: Certificate) -> bool:
    """Whether the list is the one at this point (section 6.3.3 (b) (2) (i))."""
    if not scope.names:
        return True
    names = point.names or (GeneralName("directory", certificate.issuer),)
    return any(same_general_name(mine, theirs) for mine in names for theirs in scope.names)


def _staleness(crl: RevocationList, at: datetime) -> str:
    """Why the list is not current; empty when it is."""
    if crl.this_update > at:
        return f"is not valid before {crl.this_update:%Y-%m-%dT%H:%M:%SZ}"
    if crl.next_update is None:
        return "does not say how long it is valid"
    if crl.next_update < at.replace(microsecond=0):
        return f"expired {crl.next_update:%Y-%m-%dT%H:%M:%SZ}"
    return ""


def _entry(
    usable: _Usable, serial: int, deltas: Sequence[RevocationList], at: datetime, signed: Signed
) -> RevokedCertificate | None:
    """The entry of the complete list, or what the newest delta to it says instead."""
    delta = _newest(usable.crl, deltas, at, signed)
    if delta is not None:
        entry = delta.entry(serial)
        if entry is not None:
            return None if entry.reason == "removeFromCRL" else entry
    return usable.crl.entry(serial)


def _newest(
    crl: RevocationList, deltas: Sequence[RevocationList], at: datetime, signed: Signed
) -> RevocationList | None:
    """The delta with the highest number that may be combined with the list (RFC 5280 section 5.2.4)."""
    number = crl.number
    best: tuple[int, RevocationList] | None = None
    for delta in deltas:
        try:
            theirs, base_number = delta.number, _base(delta)
            _check_understood(delta)
        except (_Unusable, der.DerError):
            continue
        if number is None or theirs is None or not base_number <= number <= theirs or _staleness(delta, at):
            continue
        if (
            all(_value(crl, oid) == _value(delta, oid) for oid in _SAME)
            and signed(delta)
            and (best is None or theirs > best[0])
        ):
            best = theirs, delta
    return best[1] if best else None


_SAME = (crls.ISSUING_DISTRIBUTION_POINT, OID.AUTHORITY_KEY_IDENTIFIER)


def _value(crl: RevocationList, oid: str) -> bytes | None:
    extension = crl.extension(oid)
    return None if extension is None else extension.value


def _base(delta: RevocationList) -> int:
    extension = delta.extension(crls.DELTA_CRL_INDICATOR)
    assert extension is not None
    reader = der.Reader(extension.value)
    number = reader.integer()
    reader.end()
    return number
