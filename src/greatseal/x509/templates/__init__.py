"""Certificate templates: the 61 of the service, and what a certificate made from one contains (acm-pca.md 7)."""

from greatseal.x509.templates.compose import Content, IssuerFacts, Passthrough, compose, passthrough
from greatseal.x509.templates.public import (
    PUBLIC_CROSS,
    PUBLIC_ISSUER,
    PUBLIC_SERVER,
    find_any_template,
    public_server,
)
from greatseal.x509.templates.table import DEFAULT_TEMPLATE, TEMPLATES, Template, find_template, template_arn

__all__ = [
    "DEFAULT_TEMPLATE",
    "PUBLIC_CROSS",
    "PUBLIC_ISSUER",
    "PUBLIC_SERVER",
    "TEMPLATES",
    "Content",
    "IssuerFacts",
    "Passthrough",
    "Template",
    "compose",
    "find_any_template",
    "find_template",
    "passthrough",
    "public_server",
    "template_arn",
]
