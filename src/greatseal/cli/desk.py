"""The rooms of an installation, for commands that work on the database itself as its owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli.database import opened
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.app.rooms import Rooms
    from greatseal.kernel.caller import Caller


@dataclass(frozen=True, slots=True)
class Desk:
    """The rooms of an installation that is worked on from the command line."""

    command: str
    settings: Settings
    rooms: "Rooms"
    account: str

    def caller(self, operation: str) -> "Caller":
        """The root principal of the account, as the audit trail will name who did it."""
        from greatseal.domain.access.model import root_arn
        from greatseal.kernel.caller import Caller
        from greatseal.kernel.ids import new_uuid

        return Caller(
            account=self.account,
            region=self.settings.region,
            principal_arn=root_arn(self.account, self.settings.region),
            principal_id=self.account,
            access_key_id="",
            request_id=new_uuid(self.rooms.entropy),
            operation=operation,
            at=self.rooms.clock.now(),
            source_ip=f"greatseal {self.command}",
            user_agent=f"greatseal {self.command}",
        )


@contextmanager
def desk_of(command: str, data: Path | None, config: Path | None, account: str | None = None) -> Iterator[Desk]:
    """The rooms over the database. What they refuse is the command's error."""
    from greatseal.app.serving import rooms_over
    from greatseal.integrations.kek import KekError
    from greatseal.kernel.errors import Refusal

    with opened(data, config) as (settings, storage):
        try:
            rooms = rooms_over(settings, storage)
            wanted = account or settings.account_id
            rooms.storage.read(lambda tx: rooms.accounts.find(tx, wanted))
            yield Desk(command, settings, rooms, wanted)
        except (Refusal, KekError, OSError) as error:
            raise click.ClickException(str(error)) from error
