"""A copy to a syslog receiver: RFC 5424 messages over UDP (RFC 5426), TCP (RFC 6587) or a local socket.

UDP loses what the network loses and refuses records over 64 KiB; TCP tells that this host's kernel took the
message, not that the receiver stored it. Use the file or the webhook where that is not enough.
"""

from collections.abc import Sequence
from typing import Literal

from greatseal.integrations.syslog_wire import SyslogLine, message
from greatseal.kernel.clock import Clock

# Facility 13 is "log audit", severity 5 is notice (RFC 5424 section 6.2.1).
_PRIORITY = 13 * 8 + 5


class SyslogSink:
    """Sends each line as one message. `address` is (host, port), or the path of a datagram socket such as /dev/log."""

    def __init__(
        self,
        transport: Literal["udp", "tcp", "unix"],
        address: tuple[str, int] | str,
        *,
        clock: Clock,
        hostname: str,
        timeout: float = 5.0,
    ) -> None:
        self._line = SyslogLine(transport, address, timeout=timeout)
        self._clock = clock
        self._hostname = hostname

    def write(self, lines: Sequence[bytes]) -> None:
        """Raises OSError when the receiver cannot be reached or the socket takes no more in time."""
        self._line.send(
            [
                message(each, priority=_PRIORITY, at=self._clock.now(), hostname=self._hostname, what="audit")
                for each in lines
            ]
        )

    def close(self) -> None:
        """Closes the socket; the next line opens it again."""
        self._line.close()
