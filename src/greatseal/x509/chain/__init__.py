"""Chains: `links` says whether certificates certify each other and how deep, `ca_import` what may become a CA."""

from greatseal.x509.chain.ca_import import Kind, check_ca_import
from greatseal.x509.chain.links import (
    BrokenChain,
    check_end_entity_chain,
    check_issues,
    check_path_length,
    effective_path_length,
    name_constraints_of,
)
from greatseal.x509.path import MAX_LENGTH
from greatseal.x509.path.links import is_self_signed

__all__ = [
    "MAX_LENGTH",
    "BrokenChain",
    "Kind",
    "check_ca_import",
    "check_end_entity_chain",
    "check_issues",
    "check_path_length",
    "effective_path_length",
    "is_self_signed",
    "name_constraints_of",
]
