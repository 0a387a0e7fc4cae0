"""A process that issues a certificate, or does other work, and dies on the way, by SIGKILL.

Reads one JSON object a line and forks for each: `url` and `authority` to work on, `journey` (`direct`, `group`,
`logged`, `job` or `mass`), `point` where to die, `signatures` where to write down what is signed before anything else
happens. Answers with the child's exit code as `subprocess` gives it: minus 9 for SIGKILL. Forking spares every death a
second of imports.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from doors.pki import csr
from faults.recovery import caller, order
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.domain.audit import Audit
from greatseal.domain.authorities.store import journal
from greatseal.domain.events import Events
from greatseal.domain.revocation import store as revocations
from greatseal.testing import FakeEntropy, Installation
from greatseal.testing.faults import FaultyStorage, die
from greatseal.x509.sct import Sct

TOKEN = "token-of-the-dead"
CSR = csr()
GROUP = 3
SCT = Sct(log_id=bytes(32), timestamp=1, extensions=b"", signature=b"of a log").encode()

Reach = Callable[[str], None]


class NotingSigner:
    """Writes down what it signs, on the disk, before the signature goes anywhere."""

    def __init__(self, signer: Signer, notes: Path, reach: Reach) -> None:
        self._signer, self._notes, self._reach = signer, notes, reach
        self.algorithm, self.spki = signer.algorithm, signer.spki

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        self._reach("before signature")
        signed = self._signer.sign(data, algorithm)
        with self._notes.open("ab") as file:
            file.write(data.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._reach("after signature")
        return signed


def _watch(installation: Installation, storage: FaultyStorage, job: dict[str, str]) -> None:
    """Puts a point before and after everything that issuance does; the process dies at the one that is named."""
    rooms = installation.rooms
    authority = rooms.registry.describe(job["authority"])
    signer_of = rooms.keys.signer
    writes = 0

    def reach(point: str) -> None:
        if point == job["point"]:
            die()

    def observe(point: str) -> None:
        nonlocal writes
        when, _, kind = point.partition("-")
        writes += point == "before-write"
        if kind == "write":
            reach(f"{when} write {writes}")

    def signer(key_id: str) -> Signer:
        found = signer_of(key_id)
        return NotingSigner(found, Path(job["signatures"]), reach) if key_id == authority.key_id else found

    def around(owner: Any, name: str, label: str) -> None:
        function = getattr(owner, name)

        def called(*arguments: Any, **named: Any) -> Any:
            reach(f"before {label}")
            result = function(*arguments, **named)
            reach(f"after {label}")
            return result

        setattr(owner, name, called)

    around(journal, "prepare", "journal row")
    around(journal, "close", "journal closed")
    around(journal, "issue", "journal closed")
    around(journal, "embed", "journal opened again")
    around(Audit, "record_all", "audit record")
    around(Events, "emit", "event")
    around(revocations, "add", "revocation row")
    rooms.keys.signer = signer  # type: ignore[method-assign]
    storage.observe = observe


def log_and_embed(installation: Installation, authority: str) -> str:
    """What whoever wants a logged certificate does, from the start, however far an earlier run came."""
    issuance = installation.rooms.issuance
    arn = issuance.issue(caller(), authority, replace(order(CSR, TOKEN), logged=True))
    if issuance.precertificate(authority, arn) is not None:
        issuance.embed(authority, arn, [SCT])
    return arn


def _run(job: dict[str, str]) -> None:
    storage = FaultyStorage(job["url"])
    installation = Installation(storage, entropy=FakeEntropy(f"dying at {job['point']}"))
    if job["journey"] == "group":
        # Only where something is known of the CA orders go together.
        installation.rooms.issuance.issue(caller(), job["authority"], order(CSR))
    _watch(installation, storage, job)
    if job["journey"] == "group":
        orders = [(caller(), job["authority"], order(csr(), f"{TOKEN}-{number}")) for number in range(GROUP)]
        installation.rooms.issuance.issue_together(orders)
    elif job["journey"] == "direct":
        installation.rooms.issuance.issue(caller(), job["authority"], order(CSR, TOKEN))
    elif job["journey"] == "logged":
        log_and_embed(installation, job["authority"])
    else:
        installation.rooms.mass_revocations._batch = 2
        # Not the router of events: its writes are none of issuance.
        while installation.runner.run_due(installation.clock.now()):
            pass


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _run(json.loads(line))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - nothing may go on in the parent's place
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
