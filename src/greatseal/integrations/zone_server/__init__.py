"""A small authoritative name server for the zones that validations are delegated to (docs/dns.md).

It answers for its own zones only, never asks anybody, and transfers nothing. What a packet is answered with is in
`answering`, how much of it a network gets in `restraint`, sockets are in `server`.
"""

from greatseal.integrations.zone_server.answering import Answering, Authority
from greatseal.integrations.zone_server.server import ZoneServer

__all__ = ["Answering", "Authority", "ZoneServer"]
