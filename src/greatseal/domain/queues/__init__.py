"""The room of queues: messages that wait until somebody has taken and deleted them.

A message is stored when its sender is told so, is shown to one receiver at a time, comes back when that one does not
delete it in time, and leaves for a queue of dead letters, or for good when it grows too old. Queues carry policies,
by which other accounts, rules of the event bus and topics may send. Calls access, delivery, audit and tags.
"""

from greatseal.domain.queues.gate import QueueGate
from greatseal.domain.queues.service import QueueRoom

__all__ = ["QueueGate", "QueueRoom"]
