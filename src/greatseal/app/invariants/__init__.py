"""The invariants of docs/invariants.md, each as a check that streams; beside a running service or on a rehearsal."""

from greatseal.app.invariants.examining import INVARIANTS, examine
from greatseal.app.invariants.model import Case, Examined, Invariant, Report, Violation

__all__ = ["INVARIANTS", "Case", "Examined", "Invariant", "Report", "Violation", "examine"]
