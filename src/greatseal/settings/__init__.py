"""What an operator may choose: one tree, checked once at the start, frozen ever after.

Sources, the later winning: the defaults of `tree`, a TOML file, the environment (`GREATSEAL_*`), the
options of the command line. Only the composition root and the command line import this package; rooms
receive plain values. `docs/settings.md` is rendered from it.
"""

from greatseal.settings.paths import DataPaths
from greatseal.settings.sources import Field, SettingsError, default_data_directory, fields, load
from greatseal.settings.tree import (
    AuditSettings,
    KekSettings,
    KeysSettings,
    LogSettings,
    RootSettings,
    ServerSettings,
    Settings,
)
from greatseal.settings.values import Address, Hidden

__all__ = [
    "Address",
    "AuditSettings",
    "DataPaths",
    "Field",
    "Hidden",
    "KekSettings",
    "KeysSettings",
    "LogSettings",
    "RootSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "default_data_directory",
    "fields",
    "load",
]
