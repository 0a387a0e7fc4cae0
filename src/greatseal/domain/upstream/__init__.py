"""The room of the CA upstream: public certificates that somebody else signs, over ACME (RFC 8555, 9773).

It takes the same orders as our own trust services. Every step is a row before and after it, so that a crash at any
line is picked up where it happened, and one order upstream is all that is ever finalized for one order of ours. Ruled
by docs/upstream.md. Calls keys (for the account's key) and zones (for the records of DNS-01).
"""

from greatseal.domain.upstream.challenges import Challenges
from greatseal.domain.upstream.outcome import UpstreamRefused
from greatseal.domain.upstream.ports import AcmeServer, Problem
from greatseal.domain.upstream.service import Upstream, Wishes

__all__ = ["AcmeServer", "Challenges", "Problem", "Upstream", "UpstreamRefused", "Wishes"]
