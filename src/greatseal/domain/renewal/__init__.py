"""Managed renewal: which certificates are renewed when, how often it is tried, and who hears of it (acm.md 9, 11)."""

from greatseal.domain.renewal.asking import ASK_JOB, Asking
from greatseal.domain.renewal.service import SWEEP_JOB, ManagedRenewal

__all__ = ["ASK_JOB", "SWEEP_JOB", "Asking", "ManagedRenewal"]
