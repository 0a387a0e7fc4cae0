"""Readers of the extensions that steer certificate policies along a path (RFC 5280 sections 4.2.1.4, 5, 11 and 14).

Each raises DerError when the value is not what its OID promises.
"""

from dataclasses import dataclass

from greatseal.x509 import der
from greatseal.x509.extensions.model import Extension


@dataclass(frozen=True, slots=True)
class PolicyConstraints:
    """After how many further certificates a policy must be named, and mappings end; None for never."""

    require_explicit_policy: int | None
    inhibit_policy_mapping: int | None


def read_policy_oids(extension: Extension) -> frozenset[str]:
    """The OIDs of CertificatePolicies; each may occur once (RFC 5280 section 4.2.1.4)."""
    inside = der.only(extension.value, der.SEQUENCE)
    found: list[str] = []
    while inside.peek() is not None or not found:
        entry = inside.enter(der.SEQUENCE)
        found.append(entry.oid())
        entry.optional(der.SEQUENCE)
        entry.end()
    if len(set(found)) != len(found):
        raise der.DerError("a certificate policy that occurs twice")
    return frozenset(found)


def read_policy_mappings(extension: Extension) -> tuple[tuple[str, str], ...]:
    """Pairs of a policy of the issuer's domain and its equal in the subject's; at least one."""
    inside = der.only(extension.value, der.SEQUENCE)
    pairs: list[tuple[str, str]] = []
    while inside.peek() is not None or not pairs:
        pair = inside.enter(der.SEQUENCE)
        pairs.append((pair.oid(), pair.oid()))
        pair.end()
    return tuple(pairs)


def read_policy_constraints(extension: Extension) -> PolicyConstraints:
    """PolicyConstraints; one of both must be there (RFC 5280 section 4.2.1.11)."""
    inside = der.only(extension.value, der.SEQUENCE)
    require, inhibit = (_skip_certificates(inside.optional(tag)) for tag in (0x80, 0x81))
    inside.end()
    if require is None and inhibit is None:
        raise der.DerError("policy constraints that constrain nothing")
    return PolicyConstraints(require, inhibit)


def read_inhibit_any_policy(extension: Extension) -> int:
    """After how many further certificates anyPolicy ends."""
    reader = der.Reader(extension.value)
    value = reader.read(der.INTEGER)
    reader.end()
    skipped = _skip_certificates(value)
    assert skipped is not None
    return skipped


def _skip_certificates(content: bytes | None) -> int | None:
    if content is None:
        return None
    value = der.decode_integer(content)
    if value < 0:
        raise der.DerError("a negative number of certificates")
    return value
