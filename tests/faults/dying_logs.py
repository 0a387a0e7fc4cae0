"""A process that has certificates logged, and is killed: run by test_transparency.py, one death for each line."""

import json
import os
import sys
import traceback
from pathlib import Path

from faults.logged import chain, opened
from greatseal.integrations.checkpoint_folders import CheckpointFolders
from greatseal.testing.faults import FaultyStorage, die


class DyingFolders(CheckpointFolders):
    """Dies before or after a checkpoint is kept."""

    point = ""

    def keep(self, log: str, checkpoint: str) -> None:
        if self.point == "before checkpoint":
            die()
        super().keep(log, checkpoint)
        if self.point == "after checkpoint":
            die()


def _run(job: dict[str, str]) -> None:
    storage = FaultyStorage(job["url"])
    keeper = DyingFolders((Path(job["folder"]),))
    keeper.point = job["point"]
    logs = opened(storage, keeper)
    log = logs.active()[0]
    candidates = [logs.candidate(chain(number), precertificate=True) for number in range(10, 13)]

    def observe(point: str) -> None:
        if point == job["point"]:
            die()

    storage.observe = observe
    stamps = [log.add(each).encode().hex() for each in candidates]
    Path(job["notes"]).write_text("\n".join(stamps), encoding="ascii")


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
