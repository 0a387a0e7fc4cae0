"""`greatseal certificates` over a data directory, beside whoever serves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec import structs

from doors.acm_material import make
from faults.recovery import caller
from greatseal.app.rooms import Rooms
from greatseal.app.serving import open_rooms
from greatseal.cli.group import greatseal
from greatseal.settings import load
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate

WEB = "arn:aws:custom:::web-1"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def rooms(data: Path) -> Iterator[Rooms]:
    """What a service would have open."""
    settings = load({}, {"data": data}, None)
    storage = open_storage(settings.database_url)
    migrate(storage)
    yield open_rooms(settings, storage)
    storage.close()


def run(data: Path, *arguments: str) -> Result:
    environment = dict.fromkeys(("GREATSEAL_KEK_PASSPHRASE", "GREATSEAL_DATABASE", "GREATSEAL_DATA"))
    return CliRunner(env=environment).invoke(greatseal, ["certificates", *arguments, "--data", str(data)])


def test_the_use_of_a_certificate_begins_and_ends(data: Path, rooms: Rooms) -> None:
    now = rooms.clock.now()
    owner = structs.replace(caller(), operation="acm:ImportCertificate", at=now)
    # The certificates of tests begin in the past of their own clock, and end within a year of it.
    made = make(start=now.replace(year=now.year - 1), end=now.replace(year=now.year + 1, day=1))
    parcel = made.parcel()
    arn = rooms.imports.import_(
        owner, certificate=parcel["Certificate"], private_key=parcel["PrivateKey"], chain=None, tags=()
    )
    begun = run(data, "associate", arn, WEB)
    assert begun.exit_code == 0, begun.output
    assert begun.output == f"{arn}  www.example.com  INELIGIBLE\n  {WEB}\n"
    assert rooms.inventory.describe(owner, arn).in_use_by == (WEB,)
    assert run(data, "associate", arn, WEB).output == begun.output
    ended = run(data, "dissociate", arn, WEB)
    assert ended.output == f"{arn}  www.example.com  INELIGIBLE\n"
    again = run(data, "dissociate", arn, WEB)
    assert (again.exit_code, again.output) == (1, f"Error: Certificate {arn} is not in use by {WEB}.\n")
    acts = [each.operation for each in rooms.storage.read(lambda tx: rooms.audit.recent(tx, owner.account, 10))]
    assert (acts.count("greatseal:AssociateCertificate"), acts.count("greatseal:DissociateCertificate")) == (1, 1)


@pytest.mark.parametrize(
    ("certificate", "resource", "code", "told"),
    [
        ("www.example.com", WEB, 2, "no ARN of a certificate"),
        ("arn:aws:acm:us-east-1:111122223333:certificate/none", WEB, 1, "Could not find certificate"),
        ("arn:aws:acm:us-east-1:111122223333:certificate/none", "web-1", 1, "not an ARN"),
    ],
)
def test_what_is_refused(data: Path, rooms: Rooms, certificate: str, resource: str, code: int, told: str) -> None:
    done = run(data, "associate", certificate, resource)
    assert done.exit_code == code
    assert told in done.output
