"""Rules for what the subject may do: CA or not, key usages, name constraints (RFC 5280 section 4.2.1)."""

from collections.abc import Iterator

from greatseal.x509 import der, public_keys
from greatseal.x509.constraints import Unreadable, check_supported
from greatseal.x509.extensions import (
    OID,
    BasicConstraints,
    Extension,
    basic_constraints,
    read_basic_constraints,
    read_extended_key_usage,
    read_key_usage,
    read_name_constraints,
)
from greatseal.x509.lint.model import Common, Rule, error, warning

# Readers of broken values answer "nothing" here, because `values` reports the broken value once.


def _constraints(common: Common) -> tuple[Extension, BasicConstraints] | None:
    found = common.extension(OID.BASIC_CONSTRAINTS)
    try:
        return (found, read_basic_constraints(found)) if found else None
    except der.DerError:
        return None


def _usages(common: Common) -> frozenset[str] | None:
    found = common.extension(OID.KEY_USAGE)
    try:
        return read_key_usage(found) if found else None
    except der.DerError:
        return None


def _purposes(common: Common) -> tuple[str, ...]:
    found = common.extension(OID.EXTENDED_KEY_USAGE)
    try:
        return read_extended_key_usage(found) if found else ()
    except der.DerError:
        return ()


def _is_ca(common: Common) -> bool:
    found = _constraints(common)
    return found is not None and found[1].ca


def _as_intended(common: Common) -> Iterator[str]:
    """The one check that a request never turns an end entity into a CA, whatever let its extensions through."""
    if _is_ca(common) != common.profile.ca:
        yield "The basic constraints do not say what the template intends: " + (
            "CA:TRUE is missing." if common.profile.ca else "an end entity must not be a CA."
        )


def _constraints_critical(common: Common) -> Iterator[str]:
    found = _constraints(common)
    if found and found[1].ca and not found[0].critical:
        yield "The basic constraints of a CA are not critical."


def _constraints_exact(common: Common) -> Iterator[str]:
    found = _constraints(common)
    if found is None:
        return
    if found[1].path_length is not None and not found[1].ca:
        yield "There is a path length without CA:TRUE."
    elif basic_constraints(found[1].ca, found[1].path_length).value != found[0].value:
        yield "The basic constraints spell out a default, which is BER."


def _path_length_below_issuer(common: Common) -> Iterator[str]:
    found, issuer = _constraints(common), common.issuer
    if issuer is None or issuer.path_length is None or not found or not found[1].ca:
        return
    if found[1].path_length is None or found[1].path_length >= issuer.path_length:
        yield "The path length is not less than that of the issuer."


def _ca_needs_usage(common: Common) -> Iterator[str]:
    usages = _usages(common)
    if common.profile.ca and common.profile.key_usage_required and "KeyCertSign" not in (usages or ()):
        yield "A CA certificate has no key usage with keyCertSign."


def _blank_ca_without_usage(common: Common) -> Iterator[str]:
    usages = _usages(common)
    if common.profile.ca and not common.profile.key_usage_required and "KeyCertSign" not in (usages or ()):
        yield "A CA certificate has no key usage with keyCertSign; the Blank templates allow that."


def _signing_needs_ca(common: Common) -> Iterator[str]:
    if "KeyCertSign" in (_usages(common) or ()) and not _is_ca(common):
        yield "The key usage has keyCertSign, but the subject is not a CA."


def _usage_not_empty(common: Common) -> Iterator[str]:
    if _usages(common) == frozenset():
        yield "The key usage has no bit set."


def _usage_critical(common: Common) -> Iterator[str]:
    found = common.extension(OID.KEY_USAGE)
    if found is not None and not found.critical:
        yield "The key usage is not critical."


def _agreement_only(common: Common) -> Iterator[str]:
    usages = _usages(common) or frozenset()
    if usages & {"EncipherOnly", "DecipherOnly"} and "KeyAgreement" not in usages:
        yield "encipherOnly and decipherOnly mean nothing without keyAgreement."


def _encipherment_without_rsa(common: Common) -> Iterator[str]:
    # The end-entity templates set keyEncipherment whatever the key is (acm-pca.md 5).
    wrong = sorted((_usages(common) or frozenset()) & {"KeyEncipherment", "DataEncipherment"})
    if wrong and common.key_algorithm not in (None, public_keys.RSA_ENCRYPTION):
        yield f"The key usage has {' and '.join(wrong)}, which a key that is not RSA cannot do."


def _purposes_once(common: Common) -> Iterator[str]:
    purposes = _purposes(common)
    for purpose in sorted(set(purposes)):
        if purposes.count(purpose) > 1:
            yield f"The extended key usage has {purpose} twice."


def _any_purpose(common: Common) -> Iterator[str]:
    found = common.extension(OID.EXTENDED_KEY_USAGE)
    if found is not None and OID.ANY_EXTENDED_KEY_USAGE in _purposes(common):
        yield "The extended key usage has anyExtendedKeyUsage" + (", and is critical." if found.critical else ".")


def _name_constraints_of_ca(common: Common) -> Iterator[str]:
    # The documentation of the real service has an end-entity example (acm-pca.md 6.4).
    if common.extension(OID.NAME_CONSTRAINTS) is not None and not _is_ca(common):
        yield "There are name constraints in a certificate that is not of a CA."


def _name_constraints_critical(common: Common) -> Iterator[str]:
    # RFC 5280 demands it, but Critical of a custom extension is off unless it is given, and so in the request
    # that a well-known walk-through prints (workflows.md 23); such a certificate must remain possible.
    found = common.extension(OID.NAME_CONSTRAINTS)
    if found is not None and not found.critical:
        yield "The name constraints are not critical."


def _name_constraints_supported(common: Common) -> Iterator[str]:
    found = common.extension(OID.NAME_CONSTRAINTS)
    if found is None:
        return
    try:
        check_supported(read_name_constraints(found))
    except der.DerError:
        return
    except Unreadable as unreadable:
        yield f"The name constraints could not be enforced: {unreadable}."


RULES: tuple[Rule[Common], ...] = (
    error("ca-as-intended", "RFC 5280 section 4.2.1.9", _as_intended),
    error("basic-constraints-critical", "RFC 5280 section 4.2.1.9", _constraints_critical),
    error("basic-constraints-exact", "RFC 5280 section 4.2.1.9; X.690 section 11.5", _constraints_exact),
    error("path-length", "acm-pca.md 6.2", _path_length_below_issuer),
    error("key-usage-ca", "RFC 5280 section 4.2.1.3", _ca_needs_usage),
    warning("key-usage-ca-blank", "RFC 5280 section 4.2.1.3", _blank_ca_without_usage),
    error("key-usage-not-ca", "RFC 5280 section 4.2.1.9", _signing_needs_ca),
    error("key-usage-empty", "RFC 5280 section 4.2.1.3", _usage_not_empty),
    warning("key-usage-critical", "RFC 5280 section 4.2.1.3", _usage_critical),
    warning("key-usage-agreement", "RFC 5280 section 4.2.1.3", _agreement_only),
    warning("key-usage-encipherment", "RFC 8813 section 3; RFC 9881 section 5", _encipherment_without_rsa),
    error("extended-key-usage-duplicate", "RFC 5280 section 4.2.1.12", _purposes_once),
    warning("extended-key-usage-any", "RFC 5280 section 4.2.1.12", _any_purpose),
    warning("name-constraints-not-ca", "RFC 5280 section 4.2.1.10", _name_constraints_of_ca),
    warning("name-constraints-critical", "RFC 5280 section 4.2.1.10", _name_constraints_critical),
    warning("name-constraints-supported", "acm-pca.md 9", _name_constraints_supported),
)
