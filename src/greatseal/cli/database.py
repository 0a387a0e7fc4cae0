"""The database of an installation, for commands that look at it or work on it themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.settings import Settings

if TYPE_CHECKING:
    from greatseal.storage import Storage


class CannotLook(click.ClickException):
    """The database could not be opened at all; says nothing about what is in it."""

    exit_code = 2


@contextmanager
def opened(data: Path | None, config: Path | None) -> Iterator[tuple[Settings, "Storage"]]:
    """The database, which must exist and have this version's schema. What goes wrong with it raises CannotLook."""
    try:
        settings = options.read_settings(config, data=data)
    except click.ClickException as error:
        raise CannotLook(error.message) from error
    if not settings.database and not settings.paths.database.exists():
        raise CannotLook(f"there is no database in {settings.data}; name the data directory with --data")
    from sqlalchemy import text

    from greatseal.storage import errors, open_storage
    from greatseal.storage.migrate import head

    try:
        storage = open_storage(settings.database_url, pool_size=1)
        try:
            found = storage.read(lambda tx: tx.scalar(text("SELECT version_num FROM alembic_version")))
            if found != head():
                raise CannotLook(f"the schema is revision {found}, this version of Greatseal reads {head()}")
            yield settings, storage
        finally:
            storage.close()
    except errors.StorageError as error:
        raise CannotLook(f"the database cannot be read: {error}") from error
