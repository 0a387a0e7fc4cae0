"""A message to a syslog receiver. The kernel's word that it took the message is all that syslog ever gives."""

import errno
import re
from collections.abc import Mapping

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.pinned import said
from greatseal.integrations.syslog_wire import SyslogLine, message
from greatseal.kernel.clock import Clock

# Facility 16 is "local use 0", severity 5 is notice (RFC 5424 section 6.2.1).
_PRIORITY = 16 * 8 + 5
_LONGEST_MSGID = 32


class SyslogCarrier:
    """Carries parcels of the kind `syslog`; threads may share it."""

    def __init__(self, channels: Mapping[str, SyslogLine], *, clock: Clock, hostname: str) -> None:
        self._channels = dict(channels)
        self._clock = clock
        self._hostname = hostname

    def carry(self, parcel: Parcel) -> None:
        """Returns once this host has sent the message. Raises Undeliverable."""
        line = self._channels.get(parcel.address.get("channel", ""))
        if line is None:
            raise Undeliverable("there is no such syslog channel in the settings", final=True)
        # A UUID without its dashes is exactly as long as a MSGID may be.
        what = re.sub(r"[^!-,.-~]", "", parcel.message_id)[:_LONGEST_MSGID]
        body = parcel.body.encode("utf-8", "replace")
        sent = message(body, priority=_PRIORITY, at=self._clock.now(), hostname=self._hostname, what=what)
        try:
            line.send([sent])
        except OSError as error:
            # A datagram of this size will never pass.
            too_large = error.errno == errno.EMSGSIZE
            raise Undeliverable(f"syslog: {said(error)}", final=too_large, down=not too_large) from None

    def close(self) -> None:
        """Closes the connections; the next message opens them again."""
        for line in self._channels.values():
            line.close()
