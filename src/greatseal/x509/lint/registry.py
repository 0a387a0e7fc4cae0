"""All rules in their order, and the one function that applies them."""

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.lint import authority, frame, links, naming, public, san, values
from greatseal.x509.lint.model import Draft, Finding, Profile, Rule, Severity

RULES: tuple[Rule, ...] = (
    *frame.RULES,
    *values.RULES,
    *naming.RULES,
    *san.RULES,
    *authority.RULES,
    *links.RULES,
    *public.RULES,
)
"""Every rule; codes are unique."""


def lint(tbs: bytes, *, issuer: Certificate | None, profile: Profile) -> tuple[Finding, ...]:
    """Judges a TBSCertificate (DER); empty when nothing is wrong. Never raises.

    `issuer` is the certificate of the CA that will sign, None for a self-signed root. Bytes that cannot be
    parsed, an extension that occurs twice and fractions of seconds are one finding, `malformed`.
    """
    try:
        draft = Draft(_unsigned(tbs), issuer, profile)
    except ValueError as broken:
        # DerError, or a number in the structure that is too long to be printed in one.
        message = f"The certificate cannot be parsed: {broken}."
        return (Finding("malformed", Severity.ERROR, message, "RFC 5280 section 4.1"),)
    return tuple(
        Finding(rule.code, rule.severity, message, rule.reference) for rule in RULES for message in rule.check(draft)
    )


def _unsigned(tbs: bytes) -> Certificate:
    """The certificate as it will be, with an empty signature under the inner algorithm. Raises DerError."""
    inside = der.only(tbs, der.SEQUENCE)
    inside.optional(0xA0)
    inside.raw(der.INTEGER)
    algorithm = inside.raw(der.SEQUENCE)
    return Certificate.parse(der.sequence(tbs, algorithm, der.bit_string(b"")))
