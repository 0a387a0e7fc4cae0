"""Vitals: the few numbers by which an operator sees that an installation is well. Reads only, over all rooms.

Ruled by docs/observability.md. Stands above every other room, because it looks into the tables of many.
"""

from greatseal.domain.vitals.model import Vitals
from greatseal.domain.vitals.service import take

__all__ = ["Vitals", "take"]
