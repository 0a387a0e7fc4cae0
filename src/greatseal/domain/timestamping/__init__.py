"""The room of the timestamp authority: it says when it had seen a digest, and signs that (RFC 3161).

Ruled by docs/timestamps.md. It has a CA of its own, or one that the settings name, and keys that this CA certifies,
each of which signs for a year. Calls the rooms of authorities, revocation and keys.
"""

from greatseal.domain.timestamping.keys import StampKeys
from greatseal.domain.timestamping.model import StampWishes
from greatseal.domain.timestamping.service import Stamping, StampReply

__all__ = ["StampKeys", "StampReply", "StampWishes", "Stamping"]
