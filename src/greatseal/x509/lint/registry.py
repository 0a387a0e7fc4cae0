"""All rules in their order, and the one function that applies them."""

from collections.abc import Mapping
from functools import lru_cache

from greatseal.x509.certificate import Certificate
from greatseal.x509.lint import authority, frame, links, naming, public, san, values
from greatseal.x509.lint.model import Common, Draft, Finding, Profile, Rule, Severity, findings

_FIRST: tuple[Rule[Draft], ...] = (*frame.RULES, *values.RULES, *naming.RULES, *san.RULES)
# Of `public` each rule asks for the profile first; where that says no, none is asked.
_LAST: Mapping[bool, tuple[Rule[Draft], ...]] = {False: links.RULES, True: (*links.RULES, *public.RULES)}

RULES: tuple[Rule[Draft] | Rule[Common], ...] = (*_FIRST, *authority.RULES, *_LAST[True])
"""Every rule in the order of the findings; codes are unique."""


def lint(tbs: bytes, *, issuer: Certificate | None, profile: Profile) -> tuple[Finding, ...]:
    """Judges a TBSCertificate (DER); empty when nothing is wrong. Never raises.

    `issuer` is the certificate of the CA that will sign, None for a self-signed root. Bytes that cannot be
    parsed, an extension that occurs twice and fractions of seconds are one finding, `malformed`.
    """
    try:
        draft = Draft(Certificate.unsigned(tbs), issuer, profile)
    except ValueError as broken:
        # DerError, or a number in the structure that is too long to be printed in one.
        message = f"The certificate cannot be parsed: {broken}."
        return (Finding("malformed", Severity.ERROR, message, "RFC 5280 section 4.1"),)
    return (*findings(_FIRST, draft), *_of_common(draft.common), *findings(_LAST[profile.public], draft))


@lru_cache(1024)
def _of_common(common: Common) -> tuple[Finding, ...]:
    return tuple(findings(authority.RULES, common))
