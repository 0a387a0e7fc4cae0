"""What a client needs to reach the service of a data directory, read from the files that `serve` leaves there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from greatseal.settings import DataPaths


class NotStarted(Exception):
    """The data directory does not say where a service is; the message says what to do."""


class Endpoint(msgspec.Struct, frozen=True):
    """`run/endpoint.json`: where the service answered when it last started."""

    https: str
    http: str
    region: str
    account_id: str


class Credential(msgspec.Struct, frozen=True):
    """`root-credential.json`: the root credential that was generated on first run."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Credential({self.access_key_id})"


@dataclass(frozen=True, slots=True)
class Client:
    """One service as a client sees it."""

    endpoint: Endpoint
    ca_bundle: Path
    credential: Credential

    def variables(self) -> dict[str, str]:
        """The environment of the AWS CLI and SDKs."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint.https,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_ACCESS_KEY_ID": self.credential.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credential.secret_access_key,
            "AWS_DEFAULT_REGION": self.endpoint.region,
        }


def read_endpoint(directory: DataPaths) -> Endpoint:
    """Where the service of this directory answers. Raises NotStarted."""
    try:
        return msgspec.json.decode(directory.endpoint.read_bytes(), type=Endpoint)
    except FileNotFoundError:
        raise NotStarted(
            f"no service was ever started on {directory.path}\n"
            f"  start one:  greatseal serve --data {directory.path}\n"
            f"  or name the directory of a running one:  --data DIR"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise NotStarted(
            f"{directory.endpoint} cannot be read: {error}\n  restart the service to write it anew"
        ) from error


def read_client(directory: DataPaths, environment: Mapping[str, str]) -> Client:
    """Everything a client needs. Raises NotStarted."""
    return Client(read_endpoint(directory), directory.ca_bundle, _credential(directory, environment))


def _credential(directory: DataPaths, environment: Mapping[str, str]) -> Credential:
    # What the operator gives wins over the file, as it does in the service.
    key_id, secret = (environment.get(f"GREATSEAL_ROOT_{name}") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
    if key_id and secret:
        return Credential(key_id, secret)
    try:
        return msgspec.json.decode(directory.root_credential.read_bytes(), type=Credential)
    except FileNotFoundError:
        raise NotStarted(
            "the root credential was given to the service by its environment and is not stored\n"
            "  set GREATSEAL_ROOT_ACCESS_KEY_ID and GREATSEAL_ROOT_SECRET_ACCESS_KEY here too"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise NotStarted(f"{directory.root_credential} cannot be read: {error}") from error
