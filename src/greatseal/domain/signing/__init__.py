"""Signed files: made with keys of KMS or of a file, and judged offline with only a root (docs/signing.md)."""

from greatseal.domain.signing.judge import SKEW, Judge
from greatseal.domain.signing.keys import LocalKey, identifier_of, kms_algorithm
from greatseal.domain.signing.make import Author, CannotSign, author_of, chain_of, classic, sign, wanted
from greatseal.domain.signing.model import Needed, Reason, SignedReport, SignerReport, Stamp, Trust
from greatseal.domain.signing.ports import KeyFailed, SigningKey, Stamper, StampFailed

__all__ = [
    "SKEW",
    "Author",
    "CannotSign",
    "Judge",
    "KeyFailed",
    "LocalKey",
    "Needed",
    "Reason",
    "SignedReport",
    "SignerReport",
    "SigningKey",
    "Stamp",
    "StampFailed",
    "Stamper",
    "Trust",
    "author_of",
    "chain_of",
    "classic",
    "identifier_of",
    "kms_algorithm",
    "sign",
    "wanted",
]
