"""Is any certificate of a path revoked? Over given lists and answers, as a pure function of them and the time.

OCSP answers are asked first and lists second; one that says revoked wins, whichever it is, and then one that says good.
"""

from collections.abc import Sequence

from greatseal.x509 import crl
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList
from greatseal.x509.names import same_name
from greatseal.x509.path import Code, Path, Problem, Rules, Valid, find
from greatseal.x509.path.links import allows_usage
from greatseal.x509.revocation.answers import standing_by_answers
from greatseal.x509.revocation.lists import standing_by_lists
from greatseal.x509.revocation.model import Material, Mode, Standing, State

# A key for lists may be certified by the CA, and that certificate may be in a list that the CA's other key signed.
_DEEPEST = 2
_MOST_SIGNATURES = 256


class Checker:
    """Looks up the standing of certificates; remembers signatures, whose number is bounded."""

    def __init__(
        self, material: Material, rules: Rules, *, intermediates: Sequence[Certificate] = (), anchor: Certificate
    ) -> None:
        """`intermediates` may hold certificates of keys that sign only lists; `anchor` is the path's own."""
        self._material = material
        # Those who sign lists are no servers, and none of their policies matters.
        self._rules = Rules(at=rules.at, strength=rules.strength)
        self._others = tuple(each for each in dict.fromkeys(intermediates) if allows_usage(each, "CRLSign"))
        self._anchor = anchor
        self._known: dict[tuple[bytes, bytes], bool] = {}

    def standing(self, certificate: Certificate, issuer: Certificate, *, depth: int = 0) -> Standing:
        """What the material says of one certificate that `issuer` made."""
        material, at = self._material, self._rules.at
        asked = standing_by_answers(certificate, issuer, material.answers, at=at, nonce=material.nonce)
        if asked.state is State.REVOKED:
            return asked
        listed = standing_by_lists(
            certificate, material.lists, at=at, signed=lambda each: self._is_signed(each, certificate, issuer, depth)
        )
        if listed.state is State.REVOKED or asked.state is State.GOOD:
            return listed if listed.state is State.REVOKED else asked
        # Of two that know nothing, the one that had something to look at tells more.
        return listed if listed.state is State.GOOD or not asked.source else asked

    def _is_signed(self, each: RevocationList, certificate: Certificate, issuer: Certificate, depth: int) -> bool:
        """By the issuer, or by another key that the same CA has for lists (RFC 5280 section 6.3.3 (f))."""
        if allows_usage(issuer, "CRLSign") and self._made(each, issuer):
            return True
        return depth < _DEEPEST and any(
            same_name(other.subject, each.issuer)
            and other not in (issuer, certificate)
            and self._made(each, other)
            and self._may_sign(other, depth)
            for other in self._others
        )

    def _may_sign(self, signer: Certificate, depth: int) -> bool:
        """Whether a certificate for signing lists has a valid path to the same anchor and is not revoked."""

        def check(path: Path) -> Problem | None:
            standing = self.standing(path[0], path[1], depth=depth + 1)
            return None if standing.state is State.GOOD else _problem(path, 0, standing)

        if signer == self._anchor:
            return True
        return isinstance(find(signer, self._others, [self._anchor], self._rules, check=check), Valid)

    def _made(self, each: RevocationList, signer: Certificate) -> bool:
        pair = each.der, signer.spki
        if pair not in self._known:
            if len(self._known) >= _MOST_SIGNATURES:
                return False
            self._known[pair] = crl.verify_signature(each, signer.spki)
        return self._known[pair]


def standings(
    path: Path, material: Material, rules: Rules, *, intermediates: Sequence[Certificate] = ()
) -> tuple[Standing, ...]:
    """The standing of every certificate of a valid path but its anchor, which nobody can revoke; the end first."""
    checker = Checker(material, rules, intermediates=(*intermediates, *path[1:]), anchor=path[-1])
    return tuple(checker.standing(path[index], path[index + 1]) for index in range(len(path) - 1))


def judge(path: Path, found: Sequence[Standing], mode: Mode) -> Problem | None:
    """What the mode makes of the standings of a path; the certificate nearest to the anchor first."""
    if mode is Mode.OFF:
        return None
    refused = (State.REVOKED,) if mode is Mode.SOFT_FAIL else (State.REVOKED, State.UNKNOWN)
    for state in refused:
        for index in range(len(found) - 1, -1, -1):
            if found[index].state is state:
                return _problem(path, index, found[index])
    return None


def _problem(path: Path, index: int, standing: Standing) -> Problem:
    subject = path[index].subject.display()
    if standing.state is State.REVOKED:
        since = f" {standing.revoked_at:%Y-%m-%dT%H:%M:%SZ}" if standing.revoked_at else ""
        why = f" ({standing.reason})" if standing.reason else ""
        return Problem(Code.REVOKED, index, subject, f"was revoked{since}{why}, says {standing.source}")
    return Problem(Code.REVOCATION_UNKNOWN, index, subject, f"is of unknown revocation status: {standing.why}")
