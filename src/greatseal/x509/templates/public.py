"""Templates of the trust services, in the shape of the Baseline Requirements (section 7.1.2) and acm.md 7.4.

Nobody can ask for them by name: they are not among the 61 of the service.
"""

from dataclasses import replace

from greatseal.crypto.algorithms import Family
from greatseal.x509.extensions import OID
from greatseal.x509.templates.table import TEMPLATES, Template, find_template

DOMAIN_VALIDATED = "2.23.140.1.2.1"
"""The reserved policy of certificates whose domain names were validated, and nothing else (BR section 7.1.6.1)."""
ANY_POLICY = "2.5.29.32.0"

_CA_USAGE = ("DigitalSignature", "KeyCertSign", "CRLSign")

PUBLIC_SERVER = Template(
    "PublicServerCertificate",
    ca=False,
    critical_basic_constraints=True,
    key_usage=("DigitalSignature",),
    extended_key_usage=(OID.SERVER_AUTH,),
    policies=(DOMAIN_VALIDATED,),
    public=True,
)
"""Of a subscriber; `public_server` fits it to the key."""
PUBLIC_ISSUER = Template(
    "PublicIssuingCACertificate",
    ca=True,
    path_length=0,
    critical_basic_constraints=True,
    key_usage=_CA_USAGE,
    # Purposes nest in practice: without clientAuth here, the setting that adds it to leaves would be in vain.
    extended_key_usage=(OID.SERVER_AUTH, OID.CLIENT_AUTH),
    policies=(DOMAIN_VALIDATED,),
    public=True,
)
"""Of a CA that issues to subscribers (BR section 7.1.2.6)."""
PUBLIC_CROSS = Template(
    "PublicCrossCACertificate",
    ca=True,
    critical_basic_constraints=True,
    key_usage=_CA_USAGE,
    policies=(ANY_POLICY,),
    public=True,
)
"""Of a root, signed by another root of the same operator, hence unrestricted (BR section 7.1.2.2)."""

_OURS = {each.name: each for each in (PUBLIC_SERVER, PUBLIC_ISSUER, PUBLIC_CROSS)}


def public_server(family: Family, *, client_auth: bool = False) -> Template:
    """The template of a subscriber whose key is of this family.

    Only RSA keys encipher (RFC 8813 section 3). `client_auth` adds what browsers no longer accept from public CAs.
    """
    usage = ("DigitalSignature", "KeyEncipherment") if family == "RSA" else ("DigitalSignature",)
    purposes = (OID.SERVER_AUTH, OID.CLIENT_AUTH) if client_auth else (OID.SERVER_AUTH,)
    return replace(PUBLIC_SERVER, key_usage=usage, extended_key_usage=purposes)


def find_any_template(arn: str) -> Template:
    """As `find_template`, with those of the trust services; for what is in the journal. Raises InvalidArgument."""
    name = arn.partition(":template/")[2].removesuffix("/V1")
    if name in _OURS and name not in TEMPLATES:
        return _OURS[name]
    return find_template(arn)


__all__ = [
    "ANY_POLICY",
    "DOMAIN_VALIDATED",
    "PUBLIC_CROSS",
    "PUBLIC_ISSUER",
    "PUBLIC_SERVER",
    "find_any_template",
    "public_server",
]
