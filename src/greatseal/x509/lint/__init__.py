"""Blocking lint of a certificate that is about to be signed: no signature without it (DESIGN section 1).

Each rule is a small function in a registry tuple, beside the section it enforces. `frame` judges the fields
of the certificate, `naming` the names in it, `san` the alternative names, `authority` what the subject may
do, `links` the pointers to issuer and revocation, `values` the extensions as such.

An ERROR blocks. What the service's templates make from a sane request is never an ERROR, even where
RFC 5280 would prefer something else; then the finding is a WARNING and says so. Two deliberate differences
from the real service, which passes broken values through (acm-pca.md 6.4): an extension whose OID is known
here must hold what its OID promises, and unknown OIDs may hold any octets.
"""

from greatseal.x509.lint.model import Draft, Finding, Profile, Rule, Severity
from greatseal.x509.lint.registry import RULES, lint

__all__ = ["RULES", "Draft", "Finding", "Profile", "Rule", "Severity", "lint"]
