"""Does this path hold? RFC 5280 section 6.1, from the trust anchor down to the certificate that is asked about.

The anchor's own certificate is not taken on trust alone: its validity, path length, name constraints, policy
constraints and key purposes bind what is below it (RFC 5937).
"""

from collections.abc import Callable
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from greatseal.kernel.errors import NameConstraintViolation
from greatseal.x509 import der, public_keys
from greatseal.x509.certificate import Certificate
from greatseal.x509.constraints import check_names
from greatseal.x509.extensions import (
    OID,
    Extension,
    NameConstraints,
    read_basic_constraints,
    read_extended_key_usage,
    read_key_usage,
    read_name_constraints,
    read_san,
)
from greatseal.x509.extensions.policies import (
    read_inhibit_any_policy,
    read_policy_constraints,
    read_policy_mappings,
    read_policy_oids,
)
from greatseal.x509.path import links
from greatseal.x509.path.model import (
    MAX_LENGTH,
    Code,
    Invalid,
    Path,
    Problem,
    Purpose,
    Rules,
    Strength,
    Valid,
    Verdict,
    problem_of,
)
from greatseal.x509.path.policies import PolicyGraph
from greatseal.x509.path.server_name import names_server

# Comparisons of a name with a subtree: enough for real PKIs, too few to keep a machine busy.
_MOST_COMPARISONS = 250_000
_USAGES = {
    Purpose.SERVER_AUTH: ("DigitalSignature", "KeyEncipherment", "KeyAgreement"),
    Purpose.CLIENT_AUTH: ("DigitalSignature", "KeyAgreement"),
    Purpose.CODE_SIGNING: ("DigitalSignature",),
    Purpose.TIME_STAMPING: ("DigitalSignature", "NonRepudiation"),
}
# These are never implied by an extended key usage that is not there (CA/Browser Forum code signing requirements,
# section 7.1.2.3; RFC 3161 section 2.3).
_NAMED = {Purpose.CODE_SIGNING: "code signing", Purpose.TIME_STAMPING: "time stamping"}


def validate(path: Path, rules: Rules, *, signatures: bool = True) -> Verdict:
    """Whether the path holds; its last certificate is trusted.

    Pass `signatures=False` when the links are known to be good because `find` made the path. Raises NotAServerName.
    """
    problem = _length(path)
    if problem is not None:
        return Invalid(problem, path)
    policies = PolicyGraph(rules, len(path) - 1)
    try:
        found = _walk(path, rules, policies, signatures)
    except _Unreadable as error:
        return Invalid(error.problem, path)
    return Valid(path, found) if isinstance(found, frozenset) else Invalid(found, path)


class _Unreadable(Exception):
    """An extension that a step needs cannot be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


def _walk(path: Path, rules: Rules, policies: PolicyGraph, signatures: bool) -> Problem | frozenset[str]:
    """The steps of section 6.1 in their order; the first thing that is wrong, or the valid policies."""
    _all_readable(path)
    valid: frozenset[str] = frozenset({OID.ANY_POLICY})
    for index in range(len(path) - 1, -1, -1):
        is_anchor, is_end = index == len(path) - 1, index == 0
        problem = (
            (None if is_anchor or not signatures else _link(path, index))
            or _strength(path, index, rules.strength)
            or _validity(path, index, rules.at)
            or _critical(path, index, rules)
        )
        if problem is not None:
            return problem
        certificate = path[index]
        if is_anchor:
            policies.count(certificate, self_issued=True)
        elif not policies.take(certificate, last=is_end):
            return _no_policy(path, index)
        elif is_end:
            final = policies.finish(certificate)
            if final is None:
                return _no_policy(path, index)
            valid = final
        elif not policies.prepare(certificate):
            return problem_of(path, index, Code.POLICY, "maps anyPolicy, which must not be mapped")
        if is_end:
            return _end(path, rules) or valid
        problem = _issuer(path, index) or _nested_purpose(path, index, rules.purpose)
        if problem is not None:
            return problem
    return valid


def _length(path: Path) -> Problem | None:
    if len(path) > MAX_LENGTH:
        return problem_of(path, 0, Code.PATH_TOO_LONG, f"stands at the end of more than {MAX_LENGTH} certificates")
    for index, certificate in enumerate(path):
        if certificate in path[:index]:
            return problem_of(path, index, Code.REPEATED, "occurs twice in the path")
    return None


# Every extension that a step relies on, and how it is read. What cannot be read is not taken for absent.
_READERS: dict[str, Callable[[Extension], object]] = {
    OID.BASIC_CONSTRAINTS: read_basic_constraints,
    OID.SUBJECT_ALTERNATIVE_NAME: read_san,
    OID.KEY_USAGE: read_key_usage,
    OID.EXTENDED_KEY_USAGE: read_extended_key_usage,
    OID.NAME_CONSTRAINTS: read_name_constraints,
    OID.CERTIFICATE_POLICIES: read_policy_oids,
    OID.POLICY_MAPPINGS: read_policy_mappings,
    OID.POLICY_CONSTRAINTS: read_policy_constraints,
    OID.INHIBIT_ANY_POLICY: read_inhibit_any_policy,
}


def _all_readable(path: Path) -> None:
    for index, certificate in enumerate(path):
        try:
            for extension in certificate.extensions:
                if extension.oid in _READERS:
                    _READERS[extension.oid](extension)
        except der.DerError as error:
            raise _Unreadable(
                problem_of(path, index, Code.UNREADABLE, f"has an extension that cannot be read: {error}")
            ) from None


def _link(path: Path, index: int) -> Problem | None:
    """Name chaining, an issuer that may issue, and the signature (6.1.3 (a) (1) and (4), 6.1.4 (k) and (n))."""
    certificate, issuer = path[index], path[index + 1]
    fault = links.name_fault(certificate, issuer)
    if fault is not None:
        return problem_of(path, index, *fault)
    fault = links.issuer_fault(issuer)
    if fault is not None:
        return problem_of(path, index + 1, *fault)
    fault = links.signature_fault(certificate, issuer)
    return problem_of(path, index, *fault) if fault is not None else None


def _strength(path: Path, index: int, strength: Strength) -> Problem | None:
    try:
        key = public_keys.load_subject_key(path[index].spki)
    except der.DerError as error:
        return problem_of(path, index, Code.WEAK_KEY, f"has a key that is not accepted: {error}")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < strength.rsa_bits:
        return problem_of(
            path, index, Code.WEAK_KEY, f"has an RSA key of {key.key_size} bits; {strength.rsa_bits} is least"
        )
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < strength.curve_bits:
        what = f"has a key on a curve of {key.curve.key_size} bits; {strength.curve_bits} is least"
        return problem_of(path, index, Code.WEAK_KEY, what)
    return None


def _validity(path: Path, index: int, at: datetime) -> Problem | None:
    certificate = path[index]
    if at < certificate.not_before:
        return problem_of(path, index, Code.NOT_YET_VALID, f"is not valid before {_time(certificate.not_before)}")
    # notAfter itself is still inside (RFC 5280 section 4.1.2.5).
    if at.replace(microsecond=0) > certificate.not_after:
        return problem_of(path, index, Code.EXPIRED, f"expired {_time(certificate.not_after)}")
    return None


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _critical(path: Path, index: int, rules: Rules) -> Problem | None:
    for extension in path[index].extensions:
        if extension.critical and extension.oid not in rules.understood:
            what = f"has the critical extension {extension.oid}, which is not understood"
            return problem_of(path, index, Code.UNKNOWN_CRITICAL, what)
    return None


def _issuer(path: Path, index: int) -> Problem | None:
    """What a certificate that certifies others must be (6.1.4 (k), (n)), and what it demands of those below."""
    fault = links.issuer_fault(path[index])
    if fault is not None:
        return problem_of(path, index, *fault)
    return path_length_problem(path, index) or _name_constraints(path, index)


def path_length_problem(path: Path, index: int, *, end_is_ca: bool = False) -> Problem | None:
    """Whether more CAs stand below than this one allows; self-issued ones do not count (RFC 5280 section 4.2.1.9).

    The end of the path is not counted unless it will itself certify others (`end_is_ca`).
    """
    allowed = path[index].path_length
    below = path[0 if end_is_ca else 1 : index]
    if allowed is None or sum(not each.is_self_issued for each in below) <= allowed:
        return None
    return problem_of(path, index, Code.PATH_LENGTH, f"allows a path length of {allowed}, which is exceeded")


def _name_constraints(path: Path, index: int) -> Problem | None:
    """Steps (b) and (c) of section 6.1.3, for everything below the one that constrains."""
    extension = path[index].extension(OID.NAME_CONSTRAINTS)
    if extension is None:
        return None
    constraints = read_name_constraints(extension)
    if _comparisons(constraints, path[:index]) > _MOST_COMPARISONS:
        return problem_of(path, index, Code.NAME_CONSTRAINTS, "has more name constraints than anybody can check")
    for position, below in enumerate(path[:index]):
        # Self-issued CAs are exempt: they exist to roll a key over (RFC 5280 section 6.1.3).
        if position and below.is_self_issued:
            continue
        try:
            check_names([constraints], subject=below.subject, san=below.san, common_name_as_host=position == 0)
        except NameConstraintViolation as error:
            what = f"breaks the name constraints of certificate {index}: {error.message.rstrip('.')}"
            return problem_of(path, position, Code.NAME_CONSTRAINTS, what)
    return None


def _comparisons(constraints: NameConstraints, below: Path) -> int:
    names = sum(1 + len(each.san) + len(each.subject.emails) + len(each.subject.common_names) for each in below)
    return names * (len(constraints.permitted) + len(constraints.excluded))


def _nested_purpose(path: Path, index: int, purpose: Purpose) -> Problem | None:
    """A CA that names key purposes issues for these only, as browsers and OpenSSL read it."""
    return None if purpose is Purpose.ANY else _lacks_purpose(path, index, purpose)


def _lacks_purpose(path: Path, index: int, purpose: Purpose) -> Problem | None:
    extension = path[index].extension(OID.EXTENDED_KEY_USAGE)
    if extension is None or _allows(extension, purpose):
        return None
    return problem_of(path, index, Code.PURPOSE, f"has an extended key usage without {_said(purpose)}")


def _allows(extension: Extension, purpose: Purpose) -> bool:
    return not {purpose.value, OID.ANY_EXTENDED_KEY_USAGE}.isdisjoint(read_extended_key_usage(extension))


def _end(path: Path, rules: Rules) -> Problem | None:
    """What is asked of the certificate itself: its purpose, and the server that it is for."""
    purpose, certificate = rules.purpose, path[0]
    if purpose is not Purpose.ANY:
        problem = _lacks_purpose(path, 0, purpose)
        if problem is not None:
            return problem
        if purpose in _NAMED and certificate.extension(OID.EXTENDED_KEY_USAGE) is None:
            what = f"has no extended key usage, and {_NAMED[purpose]} must be named"
            return problem_of(path, 0, Code.PURPOSE, what)
        if not links.allows_usage(certificate, *_USAGES[purpose]):
            return problem_of(path, 0, Code.KEY_USAGE, f"has a key usage that does not allow {_said(purpose)}")
    if rules.server_name is not None and not names_server(certificate, rules.server_name):
        return problem_of(path, 0, Code.SERVER_NAME, _other_names(certificate, rules.server_name))
    return None


def _other_names(certificate: Certificate, server: str) -> str:
    names = [str(name) for name in certificate.san if name.kind in ("dns", "ip")]
    listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"is not for {server}: its subject alternative names are {listed}"
        if names
        else (f"is not for {server}: it has no subject alternative name of a server")
    )


def _said(purpose: Purpose) -> str:
    words = {
        Purpose.SERVER_AUTH: "serverAuth",
        Purpose.CLIENT_AUTH: "clientAuth",
        Purpose.CODE_SIGNING: "codeSigning",
        Purpose.TIME_STAMPING: "timeStamping",
    }
    return words[purpose]


def _no_policy(path: Path, index: int) -> Problem:
    return problem_of(path, index, Code.POLICY, "leaves no valid certificate policy, and one is required")
