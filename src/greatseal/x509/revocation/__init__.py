"""Revocation of a path's certificates, judged over given CRLs and OCSP answers (docs/verify.md)."""

from greatseal.x509.revocation.check import judge, standings
from greatseal.x509.revocation.model import Material, Mode, Standing, State

__all__ = ["Material", "Mode", "Standing", "State", "judge", "standings"]
