"""The room of watchers: they look at certificates as time passes, and say what somebody should know.

A root that issued (workflows.md 5), certificates that end soon (16), imported certificates of a distrusted issuer (18):
each becomes a finding with an id of its own, and one event tells of all that end. Ruled by docs/findings.md. Calls
certificates, revocation, authorities, findings and events.
"""

from greatseal.domain.watch.model import Distrusted, Wishes
from greatseal.domain.watch.roots import RootWatch
from greatseal.domain.watch.rounds import ROUND_JOB, Rounds

__all__ = ["ROUND_JOB", "Distrusted", "RootWatch", "Rounds", "Wishes"]
