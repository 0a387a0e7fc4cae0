"""Which chains a log takes (RFC 6962 section 3.1): those that somebody accepted is answerable for. Pure.

Whether a certificate is good for anything is not asked: logs exist to show the bad ones, expired ones included.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from greatseal.domain.transparency.entries import Candidate, fingerprints
from greatseal.domain.transparency.model import ChainRefused
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.der import DerError
from greatseal.x509.extensions import OID, Extension
from greatseal.x509.extensions.read import read_extended_key_usage, read_key_usage

MAX_CHAIN = 10
MAX_CERTIFICATE = 512 * 1024
"""Octets; the leaf of a tile counts in three octets, but nobody has reason to send more."""

_KEPT = 128
"""Issuers, and links between them, that are not looked at again."""

Roots = Mapping[bytes, Certificate]
"""Accepted roots by SHA-256 of their DER."""


def roots_of(certificates: Sequence[bytes]) -> Roots:
    """The accepted roots of DER. Raises ChainRefused for what cannot be read."""
    return {print_: _parsed(each, 0) for print_, each in zip(fingerprints(certificates), certificates, strict=True)}


def check(chain: Sequence[bytes], roots: Roots, *, precertificate: bool) -> Candidate:
    """The entry of a chain (DER, leaf first; the root may be left out). Raises ChainRefused with the reason."""
    if not 1 <= len(chain) <= MAX_CHAIN:
        raise ChainRefused(f"A chain has 1 to {MAX_CHAIN} certificates, this one has {len(chain)}.")
    if len(set(chain)) < len(chain):
        raise ChainRefused("The chain has a certificate twice.")
    certificates = [_parsed(chain[0], 0), *(_parsed_issuer(each, number) for number, each in enumerate(chain[1:], 1))]
    leaf = certificates[0]
    _check_kind(leaf, precertificate=precertificate)
    if fingerprints(chain[-1:])[0] not in roots:
        certificates.append(_root_above(certificates[-1], roots))
    for number, (below, above) in enumerate(pairwise(certificates)):
        _check_link(below, above, number)
    issuers = tuple(each.der for each in certificates[1:])
    if not precertificate:
        return Candidate(sct.certificate_entry(leaf.der), None, issuers)
    if len(certificates) < 2:
        raise ChainRefused("A precertificate is not a root.")
    return Candidate(sct.precertificate_entry_of(certificates[1].spki, leaf), leaf.der, issuers)


def _parsed(data: bytes, number: int) -> Certificate:
    if len(data) > MAX_CERTIFICATE:
        raise ChainRefused(f"Certificate {number + 1} of the chain has more than {MAX_CERTIFICATE} octets.")
    try:
        return Certificate.parse(data)
    except DerError as error:
        raise ChainRefused(f"Certificate {number + 1} of the chain cannot be read: {error}.") from None


def _check_kind(leaf: Certificate, *, precertificate: bool) -> None:
    poison: Extension | None = leaf.extension(OID.CT_POISON)
    if not precertificate and poison is not None:
        raise ChainRefused("The first certificate is a precertificate. Send it to add-pre-chain.")
    if precertificate and poison is None:
        raise ChainRefused("The first certificate is not a precertificate: it has no poison extension.")
    if precertificate and poison != sct.POISON:
        raise ChainRefused("The poison extension must be critical and hold NULL (RFC 6962 section 3.1).")


def _root_above(last: Certificate, roots: Roots) -> Certificate:
    for root in roots.values():
        if root.subject.der == last.issuer.der and verify_signature(last, root.spki):
            return root
    raise ChainRefused("The chain does not end at a root that this log accepts. See get-roots.")


@lru_cache(_KEPT)
def _parsed_issuer(data: bytes, number: int) -> Certificate:
    return _parsed(data, number)


# What stands above a leaf stands above many, and a leaf is sent to several of our logs.
@lru_cache(_KEPT)
def _check_link(below: Certificate, above: Certificate, number: int) -> None:
    if above.subject.der != below.issuer.der or not verify_signature(below, above.spki):
        raise ChainRefused(f"Certificate {number + 2} of the chain did not issue the one before it.")
    _check_issuer(above, number)


@lru_cache(_KEPT)
def _check_issuer(above: Certificate, number: int) -> None:
    name = f"Certificate {number + 2} of the chain"
    try:
        usage, purposes = above.extension(OID.KEY_USAGE), above.extension(OID.EXTENDED_KEY_USAGE)
        signs = usage is None or "KeyCertSign" in read_key_usage(usage)
        if purposes is not None and OID.CERTIFICATE_TRANSPARENCY in read_extended_key_usage(purposes):
            raise ChainRefused("Precertificate signing certificates are not accepted; no public CA may use them.")
    except DerError as error:
        raise ChainRefused(f"{name} cannot be read: {error}.") from None
    if not above.is_ca or not signs:
        raise ChainRefused(f"{name} is not that of a CA.")
