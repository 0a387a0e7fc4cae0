"""A command on this host that gets the body on its standard input. There is none unless the settings name one."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from greatseal.domain.delivery import Parcel, Undeliverable

DATA_ERROR = 65
"""EX_DATAERR of sysexits.h: the command will never take this message."""


@dataclass(frozen=True, slots=True)
class Command:
    """An argument vector; no shell sees it, and nothing of a message becomes a part of it."""

    argv: Sequence[str]
    timeout: float = 10.0


class CommandCarrier:
    """Carries parcels of the kind `command`; threads may share it."""

    def __init__(self, channels: Mapping[str, Command]) -> None:
        self._channels = dict(channels)

    def carry(self, parcel: Parcel) -> None:
        """Returns once the command ended with 0. Raises Undeliverable."""
        command = self._channels.get(parcel.address.get("channel", ""))
        if command is None:
            raise Undeliverable("there is no such command channel in the settings", final=True)
        # No control characters: they could end a line of whatever the command writes them to.
        number = "".join(each for each in parcel.message_id if each.isprintable())
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "GREATSEAL_MESSAGE_ID": number}
        try:
            process = subprocess.Popen(  # noqa: S603 - the operator's own argument vector
                list(command.argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment,
                # A session of its own, so that what it starts can be ended with it.
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise Undeliverable(f"{command.argv[0]} cannot be started: {type(error).__name__}", down=True) from None
        try:
            process.communicate(parcel.body.encode("utf-8", "replace"), command.timeout)
        except subprocess.TimeoutExpired:
            raise Undeliverable(f"{command.argv[0]} took longer than {command.timeout:g} s", down=True) from None
        finally:
            _end(process)
        if process.returncode != 0:
            final = process.returncode == DATA_ERROR
            raise Undeliverable(f"{command.argv[0]} ended with {process.returncode}", final=final)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and everything that it left behind in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    process.wait()
