"""Mass revocation: everything under a CA, of a key or on a list, as a job that survives every death of its process.

Ruled by the section of that name in docs/revocation.md.
"""

from greatseal.domain.revocation.mass.listed import Listing
from greatseal.domain.revocation.mass.model import Judged, Kind, MassRevocation, Outcome, Selection, State
from greatseal.domain.revocation.mass.service import MASS_JOB, MassRevocations

__all__ = [
    "MASS_JOB",
    "Judged",
    "Kind",
    "Listing",
    "MassRevocation",
    "MassRevocations",
    "Outcome",
    "Selection",
    "State",
]
