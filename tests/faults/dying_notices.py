"""A process that publishes, delivers and receives, and is killed: run by test_notices.py, one death for each line."""

import json
import os
import sys
import traceback
from pathlib import Path

from doors.notices import Office
from greatseal.testing.faults import FaultyStorage, die
from greatseal.testing.installation import ACCOUNT, REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
URL = f"https://localhost:8443/{ACCOUNT}/queue"


def _run(job: dict[str, str]) -> None:
    storage = FaultyStorage(job["url"])
    office = Office(storage, seed=f"dying at {job['point']}")

    def note(line: str) -> None:
        with Path(job["notes"]).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())

    writes = 0

    def observe(point: str) -> None:
        nonlocal writes
        writes += point == "before-write"
        if f"{point} {writes}" == job["point"]:
            die()

    storage.observe = observe
    office.sns.publish(TopicArn=TOPIC, Message="one")
    note("published")
    office.work()
    [found] = office.receive(URL)
    note("deleting")
    office.sqs.delete_message(QueueUrl=URL, ReceiptHandle=found["ReceiptHandle"])
    note("deleted")


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
