"""How fast public certificates renew: `PYTHONPATH=src:tests python bench/renewals.py [CERTIFICATES] [KEY_ALGORITHM]`.

1 000 certificates unless told otherwise; the goal is set for 10 000 with DNS validation against a local authoritative
server in under 10 minutes on two cores. Each certificate has a name, a record and a key of its own; all are due. What
works is what a service with a worker for each of two cores runs: rounds of managed renewal, loops, and the crews that
look at domains, over SQLite in a file; our own resolver asks Knot DNS for the record and for CAA, our own trust
services issue, our own logs give SCTs. Only the edge is missing. Rows of the old certificates are copies of one that
was requested and issued.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import structs
from prometheus_client import CollectorRegistry
from sqlalchemy import func, insert, select

from faults.recovery import caller
from greatseal.app.delivering import delivery_crew
from greatseal.app.domain_control import domain_control
from greatseal.app.publics import PublicWishes
from greatseal.domain.certificates.store.associations import certificate_association
from greatseal.domain.certificates.store.certificates import certificate, certificate_name
from greatseal.domain.policy.public_names import NameRules
from greatseal.domain.validation.tokens import Tokens
from greatseal.edge.metrics import DeliveryMetrics
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Settings, load
from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeClock, Installation
from greatseal.testing.installation import ACCOUNT
from greatseal.work.loop import Loop
from greatseal.work.schedule import Schedule
from interop.programs import running

GOAL, GOAL_SECONDS = 10_000, 600
ZONE = "bench.test"
_LISTENER = "arn:aws:custom:::web-1"
_RUN = 5_000


class RunningClock(FakeClock):
    """Goes on from where it was set, as fast as time does, and the same in every process."""

    def __init__(self) -> None:
        super().__init__()
        self.since = time.monotonic()

    def now(self) -> datetime:
        """The time."""
        return self.at + timedelta(seconds=time.monotonic() - self.since)


@contextmanager
def name_server(folder: Path, port: int, tokens: Tokens, names: list[str]) -> Iterator[None]:
    """Knot DNS with the records of all names."""
    lines = [f"$ORIGIN {ZONE}.", "$TTL 60", "@ SOA ns hostmaster 1 60 60 8640 60", "@ NS ns", "ns A 127.0.0.1"]
    # The search for CAA climbs from each name and ends here.
    lines.append('@ CAA 0 issue "amazon.com"')
    records = (tokens.record(ACCOUNT, each) for each in names)
    lines += [f"{each.name} CNAME {each.value}" for each in records]
    (folder / "bench.zone").write_text("\n".join(lines) + "\n")
    (folder / "knot.conf").write_text(
        f"server:\n  rundir: {folder}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  tcp-workers: 1\n"
        f"log:\n  - target: stdout\n    any: info\ndatabase:\n  storage: {folder}\n"
        f"template:\n  - id: default\n    storage: {folder}\n"
        f"zone:\n  - domain: {ZONE}\n    file: bench.zone\n    zonefile-sync: -1\n"
    )
    with running(
        "knotd", "-c", "knot.conf", folder=folder, ready=r".*(server started|zone file loaded|loaded, serial).*"
    ):
        yield


def settings_of(folder: Path, port: int) -> Settings:
    """A service that believes its own name server about the zone."""
    (folder / "greatseal.toml").write_text(
        f'[resolver]\nzones = ["{ZONE}=127.0.0.1:{port}"]\n[domain_control]\nprivate_suffixes = ["{ZONE}"]\n'
    )
    return load({"HOME": str(folder)}, config=folder / "greatseal.toml")


def fill(installation: Installation, storage: Storage, names: list[str], key_algorithm: str) -> None:
    """Requests one certificate, and copies its row under every other name."""
    # What a service does every so often makes the trust services and the logs.
    Schedule(storage=storage, clock=installation.clock, tasks=installation.rooms.recurring()).ensure(
        installation.clock.now()
    )
    acm = installation.client("acm")
    wanted = {"DomainName": names[0], "ValidationMethod": "DNS", "KeyAlgorithm": key_algorithm}
    arn = acm.request_certificate(**wanted)["CertificateArn"]
    while acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "PENDING_VALIDATION":
        installation.work()
        time.sleep(0.1)
    made = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    assert made["Status"] == "ISSUED", made
    associations = installation.rooms.renewals.associations
    now = installation.clock.now()
    by = structs.replace(caller(), at=now)
    associations.associate(by, arn, _LISTENER)
    pattern = dict(storage.read(lambda tx: tx.one(select(certificate)))._mapping)
    associations.dissociate(by, arn, _LISTENER)
    for start in range(1, len(names), _RUN):
        rows, known, uses = [], [], []
        for number, name in list(enumerate(names))[start : start + _RUN]:
            new_id = f"00000000-0000-4000-8000-{number:012d}"
            new_arn = arn.rpartition("/")[0] + "/" + new_id
            rows.append({**pattern, "id": new_id, "arn": new_arn, "domain_name": name, "common_name": name})
            known.append({"certificate_id": new_id, "position": 0, "name": name})
            uses.append({"certificate_id": new_id, "resource_arn": _LISTENER, "associated_at": now})

        def work(tx, rows=rows, known=known, uses=uses) -> None:  # type: ignore[no-untyped-def]
            tx.execute(insert(certificate), rows)
            tx.execute(insert(certificate_name), known)
            tx.execute(insert(certificate_association), uses)

        storage.transact(work)
    installation.clock.at = pattern["not_after"] - timedelta(days=41)


@contextmanager
def at_work(installation: Installation, settings: Settings, storage: Storage, owner: str) -> Iterator[None]:
    """The background of one worker."""
    rooms = installation.rooms
    loop = Loop(storage=storage, runner=installation.runner, clock=installation.clock)
    # The loop of a service has no handlers of slow jobs: those belong to the crew.
    for kind in rooms.delivery_handlers():
        installation.runner._handlers.pop(kind, None)
    crew = delivery_crew(settings, rooms, DeliveryMetrics(CollectorRegistry()), owner)
    loop.start()
    crew.start()
    try:
        yield
    finally:
        crew.stop()
        loop.stop()


def renew(installation: Installation, settings: Settings, storage: Storage, count: int) -> tuple[float, int]:
    """Seconds until everything is renewed, and how many of them are."""
    done = select(func.count()).select_from(certificate).where(certificate.c.renewal_status == "SUCCESS")
    begun = time.perf_counter()
    installation.rooms.renewals.managed.carry_on()
    with at_work(installation, settings, storage, "bench/0"):
        finished, last = 0, begun
        while finished < count and time.perf_counter() - last < 60:
            time.sleep(0.5)
            now = storage.read(lambda tx: int(tx.one(done)[0]))
            if now > finished:
                finished, last = now, time.perf_counter()
    return last - begun, finished


def opened(folder: Path, port: int, clock: RunningClock) -> tuple[Installation, Settings, Storage]:
    """One process over the database of all."""
    settings = settings_of(folder, port)
    storage = open_storage(f"sqlite:///{folder}/bench.db")
    migrate(storage)
    control = domain_control(settings, SystemClock(), SystemEntropy())
    wishes = PublicWishes(control=control, names=NameRules(private_suffixes=(ZONE,)))
    return Installation(storage, clock=clock, entropy=SystemEntropy(), public=wishes), settings, storage


@contextmanager
def second_worker(folder: Path, port: int, clock: RunningClock) -> Iterator[None]:
    """The other process, until the end."""
    command = [sys.executable, __file__, "--beside", str(folder), str(port), clock.at.isoformat(), str(clock.since)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        yield
        process.stdin.close()
        process.wait()


def beside(folder: Path, port: int, at: str, since: str) -> int:
    """What the other process does: works until its standard input is closed."""
    clock = RunningClock()
    clock.at, clock.since = datetime.fromisoformat(at), float(since)
    installation, settings, storage = opened(folder, port, clock)
    with at_work(installation, settings, storage, "bench/1"):
        print("ready", flush=True)
        sys.stdin.read()
    storage.close()
    return 0


def main() -> int:
    """Prints a table, and the same as JSON."""
    if sys.argv[1:2] == ["--beside"]:
        return beside(Path(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6])
    count = int(sys.argv[1]) if len(sys.argv) > 1 else GOAL // 10
    key_algorithm = sys.argv[2] if len(sys.argv) > 2 else "EC_prime256v1"
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as name:
        folder, clock = Path(name), RunningClock()
        installation, settings, storage = opened(folder, port, clock)
        names = [f"n{number}.{ZONE}" for number in range(count + 1)]
        tokens = installation.rooms.publics.validating.validation.tokens
        with name_server(folder, port, tokens, names):
            fill(installation, storage, names, key_algorithm)
            with second_worker(folder, port, clock):
                seconds, finished = renew(installation, settings, storage, count)
        storage.close()
    rows = {
        "certificates": count,
        "key algorithm": key_algorithm,
        "renewed": finished,
        "seconds": round(seconds, 1),
        "renewals a second": round(finished / seconds, 1),
        f"{GOAL} would take (s)": round(seconds / finished * GOAL) if finished else None,
    }
    for label, value in rows.items():
        print(f"{label:<28} {value}")
    good = finished == count and seconds / finished * GOAL < GOAL_SECONDS
    print(json.dumps({**rows, "goal_reached": good if count >= GOAL else None}))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
