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

    def beside(self) -> "Sockets":
        """A pair for one process, on the ports that this pair reserves. Raises OSError."""
        return Sockets(beside(self.https), beside(self.http))

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
    """A listening socket that is alone on its port. Raises OSError."""
    return _tuned(socket.create_server((address.host, address.port), family=_family(address), backlog=_BACKLOG))


def reserve(address: Address) -> socket.socket:
    """A socket that keeps a port for others made by `beside`, and takes no connection itself. Raises OSError.

    Whoever else is on the port, even with our own user id, makes it fail: two services on one port would take each
    other's requests.
    """
    with bind(address) as alone:
        port = alone.getsockname()[1]
    return _shared(_family(address), (address.host, port))


def beside(reserved: socket.socket) -> socket.socket:
    """Another socket on a port that is reserved, one for each process; the system shares connections out among them.

    With one socket for all, whichever process is awake takes every connection that comes in a moment. It listens when
    its process is ready to (`Listener`), so that nobody is sent to one that is starting.
    """
    return _shared(reserved.family, reserved.getsockname()[:2])


def listen(bound: socket.socket) -> None:
    """Lets connections in. Does nothing when that was done before."""
    bound.listen(_BACKLOG)


def _shared(family: int, place: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, True)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)  # as `create_server` does
        made.bind(place)
    except OSError:
        made.close()
        raise
    return _tuned(made)


def _tuned(made: socket.socket) -> socket.socket:
    # Connections inherit it. Without it the body of an answer may wait 40 ms for the client to confirm its head.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return made


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address.host else socket.AF_INET


def address_of(listening: socket.socket) -> str:
    """HOST:PORT as in a URL, with the real port."""
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
