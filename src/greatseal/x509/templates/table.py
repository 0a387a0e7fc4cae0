"""All 61 templates as frozen values, derived from their families (acm-pca.md 7)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from greatseal.kernel.arn import Arn
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509.extensions import OID

_LEAF_USAGE = ("DigitalSignature", "KeyEncipherment")
_SIGNER_USAGE = ("DigitalSignature",)
_CA_USAGE = ("DigitalSignature", "KeyCertSign", "CRLSign")
_PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


@dataclass(frozen=True, slots=True)
class Template:
    """What a template defines. Whatever is None or False here may come from the sources it lets through."""

    name: str
    ca: bool
    path_length: int | None = None
    critical_basic_constraints: bool = False
    root: bool = False
    key_usage: tuple[str, ...] | None = None
    """Names as in `extensions.KEY_USAGES`; always critical."""
    extended_key_usage: tuple[str, ...] | None = None
    """OIDs in the order of the certificate."""
    critical_extended_key_usage: bool = False
    from_api: bool = False
    """Subject and extensions of ApiPassthrough are let through."""
    from_csr: bool = False
    """Extensions of the request are let through; its subject and SAN always are."""
    policies: tuple[str, ...] = ()
    """OIDs of certificate policies."""
    public: bool = False
    """Of the trust services: where the issuer's certificate is gets named, and the rules for public ones are linted."""


DEFAULT_TEMPLATE = "EndEntityCertificate"
"""The template of a request that names none (acm-pca.md 7.1)."""


def template_arn(partition: str, name: str) -> str:
    """The ARN of a template in the caller's partition; region and account are empty (acm-pca.md 6.3)."""
    return f"arn:{partition}:acm-pca:::template/{name}/V1"


@lru_cache(1024)
def find_template(arn: str) -> Template:
    """The template with this ARN, in any partition. Raises InvalidArgument when there is none."""
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        raise InvalidArgument(f"The template ARN {arn[:200]} is not valid.") from None
    name = parsed.resource.removeprefix("template/").removesuffix("/V1")
    if parsed.partition not in _PARTITIONS or arn != template_arn(parsed.partition, name) or name not in TEMPLATES:
        raise InvalidArgument(f"The template ARN {arn[:200]} does not name a certificate template.")
    return TEMPLATES[name]


def _leaf(name: str, *purposes: str, usage: tuple[str, ...] = _LEAF_USAGE, critical: bool = False) -> Template:
    return Template(name, ca=False, key_usage=usage, extended_key_usage=purposes, critical_extended_key_usage=critical)


def _authority(name: str, path_length: int | None, usage: tuple[str, ...] | None, *, root: bool = False) -> Template:
    if path_length is not None:
        name = f"{name}_PathLen{path_length}"
    return Template(name, True, path_length, critical_basic_constraints=True, root=root, key_usage=usage)


def _families() -> Iterator[tuple[Template, str]]:
    """Each family with the suffixes that it exists with. Roots have no request variants, blanks no base."""
    plain = " CSR API APICSR"
    blank = "CSR API APICSR"
    yield _leaf("EndEntityCertificate", OID.SERVER_AUTH, OID.CLIENT_AUTH), plain
    yield _leaf("EndEntityClientAuthCertificate", OID.CLIENT_AUTH), plain
    yield _leaf("EndEntityServerAuthCertificate", OID.SERVER_AUTH), plain
    yield _leaf("CodeSigningCertificate", OID.CODE_SIGNING, usage=_SIGNER_USAGE, critical=True), plain
    yield _leaf("OCSPSigningCertificate", OID.OCSP_SIGNING, usage=_SIGNER_USAGE, critical=True), plain
    yield Template("BlankEndEntityCertificate", ca=False), blank
    yield (
        Template("BlankEndEntityCertificate_CriticalBasicConstraints", ca=False, critical_basic_constraints=True),
        blank,
    )
    for path_length in range(4):
        yield _authority("SubordinateCACertificate", path_length, _CA_USAGE), plain
        yield _authority("BlankSubordinateCACertificate", path_length, None), blank
    yield _authority("RootCACertificate", None, _CA_USAGE, root=True), " API"
    for length in (None, 0, 1, 2, 3):
        yield _authority("BlankRootCACertificate", length, None, root=True), "API"


def _all() -> Iterator[Template]:
    for family, variants in _families():
        for variant in variants.split(" "):
            yield replace(
                family,
                name=f"{family.name}_{variant}Passthrough" if variant else family.name,
                from_api=variant in ("API", "APICSR"),
                from_csr=variant in ("CSR", "APICSR"),
            )


TEMPLATES: dict[str, Template] = {template.name: template for template in _all()}
"""Every template by name."""
