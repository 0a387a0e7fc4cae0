"""The names inside a data directory."""

from dataclasses import dataclass
from pathlib import Path

CONFIG_FILE = "greatseal.toml"


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The names inside a data directory, which `serve`, `env` and `doctor` share."""

    path: Path

    @property
    def config(self) -> Path:
        """The settings file that is read when no other is named."""
        return self.path / CONFIG_FILE

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.path / "greatseal.db"

    @property
    def kek(self) -> Path:
        """The key-encryption key."""
        return self.path / "kek"

    @property
    def ca_bundle(self) -> Path:
        """The root that clients of this service must trust, PEM."""
        return self.path / "ca-bundle.pem"

    @property
    def root_credential(self) -> Path:
        """The generated root credential, JSON; absent when the operator gave one."""
        return self.path / "root-credential.json"

    @property
    def objects(self) -> Path:
        """The contents of objects in buckets; nodes over one database need it in common."""
        return self.path / "objects"

    @property
    def checkpoints(self) -> Path:
        """The newest checkpoint of each of our transparency logs; not part of a backup of the database."""
        return self.path / "checkpoints"

    @property
    def endpoint(self) -> Path:
        """Where the service answered last, JSON."""
        return self.path / "run" / "endpoint.json"
