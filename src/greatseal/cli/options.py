"""Options that several commands share, and the way from options to settings."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from greatseal.settings import Settings, SettingsError, load

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

data: Decorator = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data directory.  [default: ~/.local/share/greatseal, or GREATSEAL_DATA]",
)
config: Decorator = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings file.  [default: greatseal.toml in the data directory, or GREATSEAL_CONFIG]",
)
as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")


def read_settings(config: Path | None, **given: object) -> Settings:
    """The settings of this process. `given` are options by the setting's name, `__` for its dot; None is not given.

    Raises click.ClickException with every problem, one a line.
    """
    try:
        return load(os.environ, present(given), config)
    except SettingsError as error:
        raise click.ClickException(
            "the settings cannot be used\n" + "\n".join(f"  {p}" for p in error.problems)
        ) from error


def present(given: Mapping[str, object]) -> dict[str, object]:
    """What the user really gave, under the dotted names of settings."""
    return {name.replace("__", "."): value for name, value in given.items() if value is not None}
