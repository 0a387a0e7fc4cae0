"""When a process says that it is ready, and when it does not any more."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from greatseal.app.readiness import BOUND_SECONDS, EVERY_SECONDS, SLOW, Readiness, checks_of
from greatseal.crypto.wrap import CannotOpen
from greatseal.domain.keys.key_encryption import FINGERPRINT
from greatseal.edge.messages import HttpRequest
from greatseal.storage import Storage, installation
from greatseal.storage.revision import Standing, standing
from greatseal.testing import FakeClock, FakeEntropy, Installation
from greatseal.web import health

ASKED = HttpRequest("GET", b"/readyz", b"", (), b"", "request")


class Seconds:
    """Time that only the test passes."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def made(**checks: Callable[[], str]) -> tuple[Readiness, Seconds]:
    seconds = Seconds()
    return Readiness(checks, now=seconds), seconds


def asked(readiness: Readiness) -> tuple[int, dict[str, str]]:
    answer = health.ready(readiness.found, "1")(ASKED)
    told = json.loads(answer.body)
    assert told["status"] == ("ready" if answer.status == 200 else "unready")
    return answer.status, told["checks"]


def test_nobody_is_ready_who_has_not_looked() -> None:
    readiness, _ = made(database=lambda: "ok")
    assert asked(readiness) == (503, {"database": SLOW})
    readiness.look()
    assert asked(readiness) == (200, {"database": "ok"})


def test_a_look_that_hangs_is_an_answer() -> None:
    readiness, seconds = made(database=lambda: "ok")
    readiness.look()
    seconds.now += EVERY_SECONDS + BOUND_SECONDS
    assert asked(readiness)[0] == 200
    seconds.now += 0.1
    assert asked(readiness) == (503, {"database": SLOW})


def test_a_look_that_took_too_long_does_not_count() -> None:
    def slow() -> str:
        seconds.now += BOUND_SECONDS + 1
        return "ok"

    readiness, seconds = made(database=slow, keys=lambda: "ok")
    readiness.look()
    assert asked(readiness) == (503, {"database": SLOW, "keys": SLOW})


def test_what_fails_is_named_without_its_words() -> None:
    def fails() -> str:
        raise OSError("postgresql://user:password@host")

    readiness, _ = made(database=fails, keys=lambda: "ok")
    readiness.look()
    assert asked(readiness) == (503, {"database": "failed", "keys": "ok"})


@pytest.fixture
def house(storage: Storage) -> Installation:
    return Installation(storage, clock=FakeClock(), entropy=FakeEntropy())


def test_an_installation_is_ready(house: Installation) -> None:
    readiness = Readiness(checks_of(house.rooms))
    readiness.look()
    assert asked(readiness) == (200, {"database": "ok", "schema": "ok", "keys": "ok"})


def _version(storage: Storage, number: str) -> None:
    storage.transact(lambda tx: tx.execute(text(f"UPDATE alembic_version SET version_num = '{number}'")))


def test_a_later_schema_is_no_reason_to_go_but_an_older_one_is(house: Installation) -> None:
    storage = house.rooms.storage
    checks = checks_of(house.rooms)
    assert storage.read(standing) is Standing.HEAD
    _version(storage, "9999")
    assert storage.read(standing) is Standing.AHEAD
    # A node of the next version was started: this one goes on until it is replaced.
    assert checks["schema"]() == "ok"
    storage.transact(lambda tx: tx.execute(text("DELETE FROM alembic_version")))
    assert checks["schema"]() == "older than this version"


def test_keys_of_another_installation_are_not_ready(house: Installation) -> None:
    storage = house.rooms.storage
    storage.transact(lambda tx: installation.replace(tx, FINGERPRINT, b"0123456789abcdef"))
    checks = checks_of(house.rooms)
    with pytest.raises(CannotOpen):
        checks["keys"]()
    readiness = Readiness(checks)
    readiness.look()
    assert asked(readiness)[1]["keys"] == "failed"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_database_that_cannot_be_written_is_not_ready(house: Installation) -> None:
    seconds = Seconds()
    checks = checks_of(house.rooms, now=seconds)
    storage = house.rooms.storage
    assert checks["database"]() == "ok"
    trigger = "CREATE TRIGGER full BEFORE INSERT ON installation BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    storage.transact(lambda tx: tx.execute(text(trigger)))
    # Between two real writes the right to write is all that is asked for.
    assert checks["database"]() == "ok"
    seconds.now += 31
    readiness = Readiness(checks, now=seconds)
    readiness.look()
    assert asked(readiness)[1] == {"database": "failed", "schema": "ok", "keys": "ok"}
    storage.transact(lambda tx: tx.execute(text("DROP TRIGGER full")))
    readiness.look()
    assert asked(readiness)[0] == 200


def test_living_asks_nobody() -> None:
    answer = health.live("1")(ASKED)
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok", "version": "1"})
