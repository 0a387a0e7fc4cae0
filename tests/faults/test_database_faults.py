"""A database that is full, read-only or away (faults.md 64): reads go on, writes are a 5xx, nothing is half done.

Nothing is mocked: SQLite is held at its size or made read-only, its files may not grow; PostgreSQL is told by its own
settings, and its backends are terminated.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import structlog
from botocore.exceptions import ClientError

from doors.pki import Pki, csr
from faults.recovery import check
from faults.test_fault_matrix import is_worth_another_try
from greatseal.app.invariants import Case, examine
from greatseal.crypto.wrap import Keyring
from greatseal.storage import Storage
from greatseal.testing.installation import _KEK

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


def unavailable(pki: Pki, authority: str, token: str) -> None:
    """A write that must fail as something to be tried again."""
    with pytest.raises(ClientError) as caught:
        pki.issue(authority, csr(), algorithm="SHA256WITHECDSA", IdempotencyToken=token)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 500


def all_is_well(pki: Pki, objects: Path) -> None:
    pki.installation.rooms.audit_log.catch_up()
    report = examine(Case(pki.storage, Keyring(_KEK), objects, pki.now))
    assert {one.invariant.name: one.violations for one in report.examined if one.violations} == {}
    check(pki.storage)


def goes_on(pki: Pki, authority: str, token: str, objects: Path) -> None:
    """The same request is answered once the database works again, once."""
    pki.installation.rooms.issuance.finish_open(older_than=timedelta(0))
    arn = pki.issue(authority, csr(), IdempotencyToken=token)
    assert pki.issue(authority, csr(), IdempotencyToken=token) == arn
    assert pki.get(authority, arn)["Certificate"]
    pki.installation.work()
    all_is_well(pki, objects)


@contextmanager
def pragma(storage: Storage, during: str, after: str) -> Iterator[None]:
    """A setting of the one connection that writes."""
    with storage._engines.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(f"PRAGMA {during}")
    yield
    with storage._engines.writer.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(f"PRAGMA {after}")


@SQLITE
@pytest.mark.parametrize(
    ("during", "after"),
    [("max_page_count=1", "max_page_count=4294967294"), ("query_only=ON", "query_only=OFF")],
    ids=["full", "read-only"],
)
def test_sqlite_that_takes_no_more(storage: Storage, tmp_path: Path, during: str, after: str) -> None:
    pki = Pki(storage)
    authority = pki.root()
    had = pki.issue(authority)
    with pragma(storage, during, after):
        # A page or two may be left in the last one.
        for attempt in range(200):
            try:
                pki.issue(authority, csr(), algorithm="SHA256WITHECDSA", IdempotencyToken=f"before-{attempt}")
            except ClientError as error:
                is_worth_another_try(error)
                break
        else:
            raise AssertionError("the database is never full")
        unavailable(pki, authority, "token")
        assert pki.installation.rooms.issuance.certificate(authority, had).certificate
    goes_on(pki, authority, "token", tmp_path / "objects")


_FULL_DISK = """
import resource, signal, sys
import structlog
from doors.pki import Pki, csr
from botocore.exceptions import ClientError
from greatseal.storage import open_storage
from greatseal.testing import FakeEntropy
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
structlog.testing.capture_logs().__enter__()
pki = Pki(open_storage(sys.argv[1]), entropy=FakeEntropy("full"))
size = int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
for number in range(2000):
    try:
        print(pki.issue(sys.argv[2], csr(), algorithm="SHA256WITHECDSA", IdempotencyToken=f"t{number}"), flush=True)
    except ClientError as error:
        sys.exit(0 if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500 else 2)
sys.exit(3)
"""


@SQLITE
def test_a_disk_that_is_full_loses_nothing_that_was_answered(
    storage: Storage, storage_url: str, tmp_path: Path
) -> None:
    """The operating system refuses to let the files of the database grow: a write fails in its middle."""
    pki = Pki(storage)
    authority = pki.root()
    wal = Path(f"{storage_url.removeprefix('sqlite:///')}-wal")
    paths = [str(Path(__file__).parents[1]), *sys.path]
    program = f"import sys\nsys.path[:0] = {paths!r}\n{_FULL_DISK}"
    limit = max(wal.stat().st_size, Path(storage_url.removeprefix("sqlite:///")).stat().st_size) + 50_000
    ended = subprocess.run(
        [sys.executable, "-c", program, storage_url, authority, str(limit)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr[-3000:])
    # The child's log is on the same stream.
    answered = [word for word in ended.stdout.split() if word.startswith("arn:aws:acm-pca:")]
    for each, arn in enumerate(answered):
        assert pki.issue(authority, csr(), IdempotencyToken=f"t{each}") == arn
        assert pki.get(authority, arn)["Certificate"]
    goes_on(pki, authority, "token", tmp_path / "objects")


def administrate(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for each in statements:
            connection.execute(each)  # type: ignore[call-overload]


def _terminate() -> str:
    return "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'greatseal'"


@POSTGRESQL
def test_postgresql_that_became_a_standby(storage: Storage, storage_url: str, tmp_path: Path) -> None:
    pki = Pki(storage)
    authority = pki.root()
    had = pki.issue(authority)
    name = psycopg.conninfo.conninfo_to_dict(storage_url)["dbname"]
    administrate(storage_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on', _terminate())
    unavailable(pki, authority, "token")
    assert pki.installation.rooms.issuance.certificate(authority, had).certificate
    administrate(
        storage_url,
        "SET default_transaction_read_only = off",
        f'ALTER DATABASE "{name}" RESET default_transaction_read_only',
        _terminate(),
    )
    goes_on(pki, authority, "token", tmp_path / "objects")


@POSTGRESQL
def test_connections_that_are_cut_all_the_time(storage: Storage, storage_url: str, tmp_path: Path) -> None:
    """As a failover looks from here; who gets a 5xx asks again, and is issued one certificate."""
    pki = Pki(storage)
    authority = pki.root()
    stopping = threading.Event()

    def cut() -> None:
        with psycopg.connect(storage_url, autocommit=True) as connection:
            while not stopping.wait(0.02):
                connection.execute(_terminate())  # type: ignore[call-overload]

    thread = threading.Thread(target=cut)
    thread.start()
    failed = 0
    arns: dict[str, set[str]] = {}
    try:
        for n in range(30):
            for _ in range(50):
                try:
                    arns.setdefault(f"t{n}", set()).add(
                        pki.issue(authority, csr(), algorithm="SHA256WITHECDSA", IdempotencyToken=f"t{n}")
                    )
                    break
                except ClientError as error:
                    is_worth_another_try(error)
                    failed += 1
    finally:
        stopping.set()
        thread.join(30)
    pki.installation.rooms.issuance.finish_open(older_than=None)
    for n in range(30):
        arns.setdefault(f"t{n}", set()).add(pki.issue(authority, csr(), IdempotencyToken=f"t{n}"))
    assert all(len(each) == 1 for each in arns.values())
    assert len(check(storage).journal) == 31
    goes_on(pki, authority, "token", tmp_path / "objects")
