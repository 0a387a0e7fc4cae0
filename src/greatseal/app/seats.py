"""What one process of the service is among those that share its sockets and its database."""

import socket
from dataclasses import dataclass

from greatseal.settings import Address

_BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class Sockets:
    """The two bound sockets of a service."""

    https: socket.socket
    http: socket.socket

    def close(self) -> None:
        """Closes both."""
        self.https.close()
        self.http.close()


@dataclass(frozen=True, slots=True)
class Seat:
    """The place of a process. What there may be only one of on a machine (a port, a file) is the first one's."""

    number: int = 0
    of: int = 1
    recovers: bool = True
    """Nobody else can be at work on this database: what is open in it was left by a crash."""

    @property
    def first(self) -> bool:
        """Whether this process also does what only one of them must do."""
        return self.number == 0

    def share(self, total: int) -> int:
        """The part of this process in what all of them keep ready together."""
        return -(-total // self.of)


def bind(address: Address) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    made = socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    # Connections inherit it. Without it the body of an answer may wait 40 ms for the client to confirm its head.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return made


def address_of(listening: socket.socket) -> str:
    """HOST:PORT as in a URL, with the real port."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
