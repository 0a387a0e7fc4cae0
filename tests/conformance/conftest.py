"""One installation for all of these tests, at the present time: TLS libraries read the clock of the machine."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

import pytest

from conformance.hierarchy import Authority, Customer
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeClock, Installation


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    storage = open_storage(f"sqlite:///{tmp_path_factory.mktemp('conformance')}/greatseal.db")
    migrate(storage)
    yield Installation(storage, clock=FakeClock(datetime.now(UTC).replace(microsecond=0)))
    storage.close()


@pytest.fixture(scope="session")
def customer(installation: Installation) -> Customer:
    return Customer(installation.client("acm-pca"), installation.client("acm"), installation.work)


@pytest.fixture(scope="session")
def chain(customer: Customer) -> Callable[[str], Authority]:
    """The subordinate under a root, both of a key algorithm; made once an algorithm."""
    return cache(customer.chain)
