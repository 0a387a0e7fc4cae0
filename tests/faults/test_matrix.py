"""The fault matrix: each side effect of each journey, before and after it, raises or kills; then all invariants hold.

The matrix needs no list of the side effects: it strikes the first, then the second, until none is left. After each
strike the service is restarted, whoever had no answer asks again, and what docs/invariants.md lists is examined. The
short form strikes every third point on SQLite; `make faults` strikes all, on both databases.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from botocore.exceptions import ClientError

from faults import dying_journeys
from faults.dying_journeys import JOURNEYS, Facts, World, walk
from faults.striking import striker
from greatseal.app.invariants import Case, examine
from greatseal.crypto.wrap import Keyring
from greatseal.storage.errors import OutcomeUnknown, StorageError, StorageUnavailable
from greatseal.testing.clock import START
from greatseal.testing.installation import _KEK

KILLED = -9
MORE_THAN_ENOUGH = 120
# Leases of the dead are over, and what a minute's recurring task would find is old enough.
A_WHILE = timedelta(minutes=10)

LONG = pytest.mark.faults
FORMS = [
    pytest.param("sqlite", 3, id="sqlite"),
    pytest.param("sqlite", 1, id="sqlite-every", marks=LONG),
    pytest.param("postgresql", 1, id="postgresql-every", marks=LONG),
]
MATRIX = pytest.mark.parametrize(("database_kind", "step"), FORMS, indirect=["database_kind"])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="module")
def die() -> Iterator[Callable[..., int]]:
    """Has a process walk a journey and die; returns its exit code."""
    with striker(dying_journeys) as die:
        yield die


def invariants_hold(world: World, objects: str) -> None:
    """What `greatseal doctor --deep` examines."""
    report = examine(Case(world.storage, Keyring(_KEK), Path(objects), world.installation.clock.now()))
    broken = {one.invariant.name: one.violations for one in report.examined if one.violations}
    assert broken == {}


def restarted(url: str, objects: str, number: int, later: timedelta) -> World:
    """Another process, some time later, that has done what every start does."""
    world = World(url, objects, f"after {number}", later)
    rooms = world.installation.rooms
    rooms.issuance.finish_open(older_than=None)
    rooms.audit_log.catch_up()
    rooms.publications.sweep()
    rooms.keys.destroy_unneeded()
    world.installation.work()
    return world


def fail(point: str) -> None:
    """As a database, a key store or a receiver fails at this point."""
    if point.endswith("signature"):
        raise StorageUnavailable(f"{point} fails on purpose")
    raise (StorageUnavailable if point.startswith("before") else OutcomeUnknown)(f"{point} fails on purpose")


def raised(world: World, journey: str, facts: Facts, at: int) -> bool:
    """One walk with a failure; whether there was such a point."""
    world.strike(at, fail)
    try:
        walk(world, journey, facts)
    except ClientError as error:
        # Every SDK sends it again.
        if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
            raise
    except StorageError:
        pass  # the loop around background work tries again at its next tick
    struck = world.struck
    world.heal()
    return struck


@MATRIX
@pytest.mark.parametrize("journey", JOURNEYS)
def test_raise(journey: str, storage_url: str, tmp_path: Path, step: int) -> None:
    objects = str(tmp_path / "objects")
    later = timedelta(0)
    reached = 0
    step = step if step == 1 else step * JOURNEYS[journey].stride
    for at in range(1, MORE_THAN_ENOUGH, step):
        world = World(storage_url, objects, f"{at}", later)
        facts = JOURNEYS[journey].ready(world, at)
        struck = raised(world, journey, facts, at)
        world.close()
        later = world.installation.clock.now() - START + A_WHILE
        world = restarted(storage_url, objects, at, later)
        JOURNEYS[journey].again(world, facts)
        invariants_hold(world, objects)
        later = world.installation.clock.now() - START
        world.close()
        if not struck:
            break
        reached = at
    assert 0 < reached < MORE_THAN_ENOUGH - step


@MATRIX
@pytest.mark.parametrize("journey", JOURNEYS)
def test_kill(journey: str, storage_url: str, tmp_path: Path, die: Callable[..., int], step: int) -> None:
    objects = str(tmp_path / "objects")
    later = timedelta(0)
    reached = 0
    step = step if step == 1 else step * JOURNEYS[journey].stride
    for at in range(1, MORE_THAN_ENOUGH, step):
        world = World(storage_url, objects, f"ready {at}", later)
        facts = JOURNEYS[journey].ready(world, at)
        later = world.installation.clock.now() - START
        world.close()
        code = die(
            url=storage_url,
            journey=journey,
            objects=objects,
            facts=facts,
            at=at,
            entropy=f"{at}",
            later=later.total_seconds(),
        )
        assert code in (KILLED, 0)
        later += A_WHILE
        world = restarted(storage_url, objects, at, later)
        facts["again"] = True
        JOURNEYS[journey].again(world, facts)
        invariants_hold(world, objects)
        later = world.installation.clock.now() - START
        world.close()
        if code == 0:
            break
        reached = at
    assert 0 < reached < MORE_THAN_ENOUGH - step
