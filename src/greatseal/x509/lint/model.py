"""What the rules work on, and what they say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, Extension, read_san
from greatseal.x509.general_names import GeneralName


class Severity(Enum):
    """An ERROR blocks the signature; a WARNING is recorded."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says. `code` is stable and for programs, `reference` the section that is broken."""

    code: str
    severity: Severity
    message: str
    reference: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What the template meant to make.

    `key_usage_required` is False for the Blank templates, which leave KeyUsage to the request (acm-pca.md 7.2).
    `algorithm` is the one that will sign; None when it is not known yet. `public` adds the rules for certificates of
    the trust services, and of CAs that sign them.
    """

    ca: bool
    key_usage_required: bool = True
    algorithm: SignatureAlgorithm | None = None
    public: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """The to-be-signed certificate, the certificate of its issuer (None for a root), and the profile."""

    certificate: Certificate
    issuer: Certificate | None
    profile: Profile

    def extension(self, oid: str) -> Extension | None:
        """The extension with this OID, or None."""
        return self.certificate.extension(oid)

    @property
    def san(self) -> tuple[GeneralName, ...]:
        """The subject alternative names; none when the value is broken, which `values` reports."""
        found = self.certificate.extension(OID.SUBJECT_ALTERNATIVE_NAME)
        try:
            return read_san(found) if found else ()
        except der.DerError:
            return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `check` yields a message for each violation."""

    code: str
    severity: Severity
    reference: str
    check: Callable[[Draft], Iterable[str]]


def error(code: str, reference: str, check: Callable[[Draft], Iterable[str]]) -> Rule:
    """A rule that blocks."""
    return Rule(code, Severity.ERROR, reference, check)


def warning(code: str, reference: str, check: Callable[[Draft], Iterable[str]]) -> Rule:
    """A rule that only speaks."""
    return Rule(code, Severity.WARNING, reference, check)
