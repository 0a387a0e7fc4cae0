"""How an order ends, as functions of what the CA says: the certificate is what was asked for, or why there is none."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from greatseal.domain.upstream.jose import base64url
from greatseal.domain.upstream.ports import Problem
from greatseal.kernel.errors import Refusal
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.chain.links import BrokenChain, check_links
from greatseal.x509.der import DerError

OPERATORS_MATTERS = frozenset(
    {"externalAccountRequired", "userActionRequired", "unsupportedContact", "invalidContact", "invalidProfile"}
)
"""Problems that no other request of a customer mends: they last until somebody changes the settings."""

_REASONS = (
    ("caa", "CAA_ERROR"),
    ("rejectedIdentifier", "DOMAIN_NOT_ALLOWED"),
    ("unsupportedIdentifier", "INVALID_PUBLIC_DOMAIN"),
    ("unauthorized", "DOMAIN_VALIDATION_DENIED"),
    ("incorrectResponse", "DOMAIN_VALIDATION_DENIED"),
    ("dns", "DOMAIN_VALIDATION_DENIED"),
    ("connection", "DOMAIN_VALIDATION_DENIED"),
    ("tls", "DOMAIN_VALIDATION_DENIED"),
)
_SKEW = timedelta(hours=1)


class UpstreamRefused(Refusal):
    """The CA upstream does not issue the certificate; `reason` is a FailureReason of acm.md 6.2."""

    def __init__(self, message: str, reason: str = "OTHER") -> None:
        super().__init__(message)
        self.reason = reason


def reason_of(problem: Problem) -> str:
    """The FailureReason of acm.md 6.2."""
    kinds = problem.kinds()
    return next((reason for kind, reason in _REASONS if kind in kinds), "OTHER")


def problem_in(members: Mapping[str, Any] | None) -> Problem | None:
    """A problem document inside another resource."""
    if not isinstance(members, Mapping):
        return None
    kind = str(members.get("type", "")).rpartition(":")[2] or "malformed"
    inner = [found for each in members.get("subproblems") or () if (found := problem_in(each)) is not None]
    return Problem(kind, str(members.get("detail", ""))[:1000], status=400, inner=inner)


def check(text: bytes, spki: bytes, names: Sequence[str], now: datetime) -> None:
    """Whether a certificate with its chain (PEM) is the one that was ordered. Raises Problem.

    The chain must hold together; that it ends at a root which clients know is the CA's own promise.
    """
    try:
        path = [Certificate.parse(each) for each in certificates(text.decode("ascii"))]
        if not path:
            raise Problem("malformed", "the CA sent no certificate")
        check_links(path)
        presented = {each.value for each in path[0].san if each.kind == "dns"}
    except (UnicodeDecodeError, pem.PemError, DerError, BrokenChain) as error:
        raise Problem("malformed", f"the CA sent a certificate whose chain does not hold: {error}") from None
    leaf = path[0]
    if leaf.spki != spki:
        raise Problem("malformed", "the CA sent a certificate for another key")
    if {str(each).lower() for each in presented} != set(names) or len(leaf.san) != len(presented):
        raise Problem("malformed", "the CA sent a certificate with other names")
    if not leaf.not_before - _SKEW <= now <= leaf.not_after:
        raise Problem("malformed", "the CA sent a certificate that is not valid now")


def certificates(text: str) -> tuple[bytes, ...]:
    """The certificates (DER) of a PEM file, the leaf first. Raises PemError."""
    return tuple(each.der for each in pem.read_blocks(text.encode("ascii")) if each.label == "CERTIFICATE")


def ari_identifier(certificate: bytes) -> str | None:
    """How a CA is asked about a certificate (RFC 9773 section 4.1); None when it does not name its issuer's key."""
    parsed = Certificate.parse(certificate)
    issuer = parsed.authority_key_identifier
    if issuer is None:
        return None
    # The content octets of the INTEGER: with a zero in front of a high bit.
    serial = parsed.serial.to_bytes(parsed.serial.bit_length() // 8 + 1, "big")
    return f"{base64url(issuer)}.{base64url(serial)}"
