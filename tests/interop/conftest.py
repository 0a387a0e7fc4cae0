"""One real service for all of these tests, over HTTPS, and AWS clients that know only what `greatseal env` says."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from botocore.session import Session

from conformance.hierarchy import Authority, Customer
from interop.programs import Workbench, running

GREATSEAL = Path(sys.executable).with_name("greatseal")


@dataclass(frozen=True)
class Service:
    """A running service: its HTTPS address, what `greatseal env --json` says, its plain address and its data."""

    host: str
    port: str
    environment: dict[str, str]
    plain: str
    data: Path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    ready = r"ready https://([\d.]+):(\d+) http://(\S+)"
    with running(GREATSEAL, "serve", "--data", "data", *anywhere, folder=folder, ready=ready) as address:
        environment = json.loads(Workbench(folder).run(str(GREATSEAL), "env", "--data", "data", "--json"))
        yield Service(address[1], address[2], environment, address[3], folder / "data")
    log = (folder / "server.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]


@pytest.fixture(scope="session")
def customer(service: Service) -> Iterator[Customer]:
    variables = service.environment
    session = Session()
    session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    pca, acm = (
        session.create_client(
            name,
            region_name=variables["AWS_DEFAULT_REGION"],
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            verify=variables["AWS_CA_BUNDLE"],
        )
        for name in ("acm-pca", "acm")
    )
    with closing(pca), closing(acm):
        yield Customer(pca, acm)


@pytest.fixture(scope="session")
def chain(customer: Customer) -> Callable[[str], Authority]:
    """The subordinate under a root, both of a key algorithm; made once an algorithm."""
    return cache(customer.chain)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)
