"""Chains of certificates: does each one certify the one before, and how deep may the next one go?

A chain is a sequence with the certificate that is asked about first, its issuer next, and the root last.
Rules: RFC 5280 sections 4.2.1.9 and 6.1; acm-pca.md 2.5 (import of a CA certificate) and 6.2 (path length);
acm.md 10.4 (chain of an imported certificate). The single link and the path length are those of `path`.
"""

from collections.abc import Sequence
from itertools import pairwise

from greatseal.kernel.errors import MalformedCertificate, ValidationFailed
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID, NameConstraints, read_name_constraints
from greatseal.x509.path import MAX_LENGTH, links
from greatseal.x509.path.validate import path_length_problem


class BrokenChain(ValueError):
    """A certificate that does not certify the one before it; the message says which and why, for logs."""


def check_issues(issuer: Certificate, certificate: Certificate) -> None:
    """Raises BrokenChain unless `issuer` is a CA that may sign certificates and did sign this one."""
    fault = links.name_fault(certificate, issuer)
    if fault is None and (fault := links.issuer_fault(issuer)) is not None:
        raise BrokenChain(f"{issuer.subject.display()!r} {fault[1]}")
    fault = fault or links.signature_fault(certificate, issuer)
    if fault is not None:
        raise BrokenChain(f"{certificate.subject.display()!r} {fault[1]}")


def check_end_entity_chain(leaf: Certificate, chain: Sequence[Certificate]) -> None:
    """Checks the chain that comes with an imported end-entity certificate (acm.md 10.4). Raises BrokenChain.

    Each element certifies the one before it, the first one the leaf; the leaf itself is not in the chain;
    the root may be left out. An empty chain passes: whether one is needed is the caller's rule.
    """
    if leaf in chain:
        raise BrokenChain("the certificate itself is part of the chain")
    check_links((leaf, *chain))


def check_links(path: Sequence[Certificate], *, end_is_ca: bool = False) -> None:
    """Raises BrokenChain unless every element certifies the one before and every path length holds.

    The end of a path, `path[0]`, does not use up path length (RFC 5280 section 4.2.1.9) unless it will itself
    certify others (`end_is_ca`).
    """
    if len(path) > MAX_LENGTH:
        raise BrokenChain(f"it has more than {MAX_LENGTH} certificates")
    # Twice the same root would certify itself and hide whatever follows.
    if len(set(path)) != len(path):
        raise BrokenChain("a certificate occurs twice")
    for certificate, issuer in pairwise(path):
        check_issues(issuer, certificate)
    for index in range(0 if end_is_ca else 1, len(path)):
        problem = path_length_problem(tuple(path), index, end_is_ca=end_is_ca)
        if problem is not None:
            raise BrokenChain(f"{problem.subject!r} {problem.what}")


def _counted(certificates: Sequence[Certificate]) -> int:
    """How many of these use up path length: self-issued ones do not (RFC 5280 section 4.2.1.9)."""
    return sum(not certificate.is_self_issued for certificate in certificates)


def effective_path_length(chain: Sequence[Certificate]) -> int | None:
    """How many CA certificates may follow below `chain[0]`, by it and by everything above; None for any number.

    0 means that it may certify end entities only. Self-issued certificates above are not counted.
    """
    allowed = [
        issuer.path_length - _counted(chain[:position])
        for position, issuer in enumerate(chain)
        if issuer.path_length is not None
    ]
    # A number that nobody can print or reach is as good as the longest path.
    return max(min(*allowed, MAX_LENGTH), 0) if allowed else None


def check_path_length(issuer_chain: Sequence[Certificate], requested: int | None) -> None:
    """Raises ValidationFailed when a CA certificate with this path length must not be issued (acm-pca.md 6.2).

    `issuer_chain` is the issuing CA's certificate and those above it; `requested` is the path length of the
    new certificate, None for one without a limit, which promises more than any limit above it allows.
    """
    allowed = effective_path_length(issuer_chain)
    if allowed is None:
        return
    if allowed == 0:
        raise ValidationFailed("The path length of the issuing CA does not allow it to issue CA certificates.")
    if requested is None or requested >= allowed:
        wanted = "No path length" if requested is None else f"The path length {requested}"
        raise ValidationFailed(
            f"{wanted} exceeds what the issuing CA allows: it must be less than {allowed}, "
            "the path length that remains in the chain of the issuing CA."
        )


def name_constraints_of(chain: Sequence[Certificate]) -> tuple[NameConstraints, ...]:
    """The name constraints of every certificate in the chain that has some; all of them apply.

    Raises MalformedCertificate when one cannot be read: constraints that are not understood must not be
    taken for none.
    """
    found = []
    for certificate in chain:
        extension = certificate.extension(OID.NAME_CONSTRAINTS)
        if extension is None:
            continue
        try:
            found.append(read_name_constraints(extension))
        except der.DerError as error:
            raise MalformedCertificate(
                f"The name constraints of {certificate.subject.display()!r} cannot be read: {error}."
            ) from None
    return tuple(found)
