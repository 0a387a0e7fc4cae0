"""What the rules work on, and what they say."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Generic, TypeVar

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.x509 import der, public_keys
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, Extension, find, read_san
from greatseal.x509.general_names import GeneralName
from greatseal.x509.names import Attribute, Name

S = TypeVar("S")


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


_COMMON = (OID.BASIC_CONSTRAINTS, OID.KEY_USAGE, OID.EXTENDED_KEY_USAGE, OID.NAME_CONSTRAINTS)


@dataclass(frozen=True, slots=True)
class Common:
    """What the certificates of one CA from one template have in common: everything that says what the subject may do.

    Judged once for all of them. Nothing that belongs to one subject alone can be reached from here.
    """

    extensions: tuple[Extension, ...]
    issuer: Certificate | None
    profile: Profile
    key_algorithm: str | None
    """The OID of the subject's kind of key; None when it cannot be read."""

    def extension(self, oid: str) -> Extension | None:
        """The extension with this OID, or None."""
        if oid not in _COMMON:
            raise LookupError(f"extension {oid} is not one that certificates have in common")
        return find(self.extensions, oid)


@dataclass(frozen=True)
class Draft:
    """The to-be-signed certificate, the certificate of its issuer (None for a root), and the profile.

    What many rules look at is found once.
    """

    certificate: Certificate
    issuer: Certificate | None
    profile: Profile

    def extension(self, oid: str) -> Extension | None:
        """The extension with this OID, or None."""
        return self._by_oid.get(oid)

    @cached_property
    def _by_oid(self) -> dict[str, Extension]:
        # No OID occurs twice in what was parsed.
        return {extension.oid: extension for extension in self.certificate.extensions}

    @cached_property
    def common(self) -> Common:
        """The part that is judged once for many."""
        try:
            key_algorithm = public_keys.spki_algorithm(self.certificate.spki)
        except der.DerError:
            key_algorithm = None
        extensions = tuple(self._by_oid[oid] for oid in _COMMON if oid in self._by_oid)
        return Common(extensions, self.issuer, self.profile, key_algorithm)

    @cached_property
    def fields(self) -> tuple[bytes, ...]:
        """The members of the TBSCertificate in their order, each its complete DER."""
        return tuple(der.members(self.certificate.tbs, der.SEQUENCE))

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The subject and every directory name beside it."""
        return self.certificate.subject, *(name.value for name in self.san if isinstance(name.value, Name))

    @cached_property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes of all `names`."""
        return tuple(attribute for name in self.names for attribute in name.attributes)

    @cached_property
    def san(self) -> tuple[GeneralName, ...]:
        """The subject alternative names; none when the value is broken, which `values` reports."""
        found = self.certificate.extension(OID.SUBJECT_ALTERNATIVE_NAME)
        try:
            return read_san(found) if found else ()
        except der.DerError:
            return ()


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """One rule for a draft, or for what many have in common: `check` yields a message for each violation."""

    code: str
    severity: Severity
    reference: str
    check: Callable[[S], Iterable[str]]


def findings(rules: Iterable[Rule[S]], subject: S) -> list[Finding]:
    """What the rules say, in their order."""
    return [
        Finding(rule.code, rule.severity, message, rule.reference) for rule in rules for message in rule.check(subject)
    ]


def error(code: str, reference: str, check: Callable[[S], Iterable[str]]) -> Rule[S]:
    """A rule that blocks."""
    return Rule(code, Severity.ERROR, reference, check)


def warning(code: str, reference: str, check: Callable[[S], Iterable[str]]) -> Rule[S]:
    """A rule that only speaks."""
    return Rule(code, Severity.WARNING, reference, check)
