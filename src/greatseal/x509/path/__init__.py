"""Paths of certificates: found among candidates, and validated as RFC 5280 section 6.1 says (docs/verify.md)."""

from greatseal.x509.path.find import find
from greatseal.x509.path.model import (
    ANY_POLICY,
    MAX_LENGTH,
    UNDERSTOOD,
    Code,
    Invalid,
    Path,
    Problem,
    Purpose,
    Rules,
    Strength,
    Valid,
    Verdict,
)
from greatseal.x509.path.server_name import NotAServerName
from greatseal.x509.path.validate import validate

__all__ = [
    "ANY_POLICY",
    "MAX_LENGTH",
    "UNDERSTOOD",
    "Code",
    "Invalid",
    "NotAServerName",
    "Path",
    "Problem",
    "Purpose",
    "Rules",
    "Strength",
    "Valid",
    "Verdict",
    "find",
    "validate",
]
