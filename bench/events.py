"""What the event bus carries, and what it costs: `python bench/events.py`.

1. Events a second from the outbox through ten rules to the lanes of their targets, on SQLite with durable commits; a
   third of them match. Its peer is the same matching without any database.
2. The price of publishing for IssueCertificate: in turns with its event and a router at work beside it, a rule of which
   matches it, and without event and router.

Prints a line for people and one JSON object for programs.
"""

import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from governance import Bench
from sqlalchemy import delete, insert, select

from greatseal.domain.delivery.store import delivery
from greatseal.domain.events.book import Book, Routed
from greatseal.domain.events.posting import TOPIC, read, text_of
from greatseal.edge.messages import HttpRequest
from greatseal.storage.schema import outbox
from greatseal.testing.installation import ENDPOINT, sign, to_http

ACCOUNT, REGION = "111122223333", "us-east-1"
DEFAULT = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:bench"
EVENTS, RATE = 10_000, 5_000
ROUNDS, LIMIT = 16, 0.05

PATTERNS: list[dict[str, Any]] = [
    {"source": ["bench"], "detail": {"number": [{"numeric": [">=", 0, "<", 100]}]}},
    {"source": ["bench"], "detail-type": ["other"]},
    {"source": [{"prefix": "ben"}], "detail": {"name": [{"suffix": ".example.com"}]}},
    {"detail": {"state": [{"anything-but": ["ok", "fine"]}]}},
    {"detail": {"$or": [{"state": ["bad"]}, {"number": [{"numeric": ["<", 0]}]}]}},
    {"resources": [{"wildcard": "arn:*:nothing/*"}]},
    {"detail": {"address": [{"cidr": "10.0.0.0/8"}]}},
    {"detail": {"gone": [{"exists": True}]}},
    {"source": ["aws.acm", "aws.acm-pca"]},
    {"detail-type": [{"equals-ignore-case": "BENCHED"}], "detail": {"state": ["bad"]}},
]


class EventBench(Bench):
    """The installation of the other bench, with ten rules."""

    def events(self, operation: str, parameters: dict[str, Any]) -> None:
        """One call of EventBridge by the root."""
        from botocore.awsrequest import AWSRequest

        headers = {"X-Amz-Target": f"AWSEvents.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest(method="POST", url=f"{ENDPOINT}/", headers=headers, data=json.dumps(parameters).encode())
        response = self.door.handle(to_http(sign(request, self.root, "events", REGION, self.clock), "bench"))
        if response.status != 200:
            raise RuntimeError(response.body.decode())

    def set_rules(self) -> None:
        """Ten rules, each with a queue."""
        for number, pattern in enumerate(PATTERNS):
            self.events("PutRule", {"Name": f"rule-{number}", "EventPattern": json.dumps(pattern)})
            self.events("PutTargets", {"Rule": f"rule-{number}", "Targets": [{"Id": "q", "Arn": f"{QUEUE}-{number}"}]})

    def fill(self) -> None:
        """Puts events into the outbox, as many transactions would."""
        at = self.clock.now()
        rows = []
        for number in range(EVENTS):
            text = text_of(
                {
                    "version": "0",
                    "id": f"event-{number}",
                    "detail-type": "benched",
                    "source": "bench",
                    "account": ACCOUNT,
                    "time": "2026-01-15T12:00:00Z",
                    "region": REGION,
                    "resources": [f"arn:{number}"],
                    "detail": {"number": number % 300, "name": f"host-{number}.example.org", "state": "ok"},
                }
            )
            payload = {"text": text, "bus": DEFAULT}
            row = {"topic": TOPIC, "key": f"arn:{number}", "position": 1, "payload": payload, "at": at}
            rows.append({**row, "delivered": False})
        self.rooms.storage.transact(lambda tx: tx.execute(insert(outbox), rows))

    def empty(self) -> None:
        """Takes away what was routed."""
        self.rooms.storage.transact(lambda tx: tx.execute(delete(outbox)))
        self.rooms.storage.transact(lambda tx: tx.execute(delete(delivery)))

    def match_only(self) -> float:
        """Events a second of matching alone."""
        storage = self.rooms.storage
        found = storage.read(lambda tx: tx.all(select(outbox.c.payload, outbox.c.key, outbox.c.at)))
        book = storage.read(lambda tx: Book(tx, self.rooms.bus.buses.targets))
        began, into = time.perf_counter(), Routed()
        for row in found:
            book.route(read(row.payload), row.key, row.at, into)
        return len(found) / (time.perf_counter() - began)


def throughput(bench: EventBench) -> None:
    """The first measurement."""
    rates, alone = [], []
    for _ in range(3):
        bench.fill()
        alone.append(bench.match_only())
        began = time.perf_counter()
        routed = bench.rooms.bus.router.run()
        rates.append(routed / (time.perf_counter() - began))
        bench.empty()
    rate, matching = statistics.median(rates), statistics.median(alone)
    print(
        f"event bus: {rate:.0f} events/s through {len(PATTERNS)} rules (goal {RATE}), matching alone {matching:.0f}/s"
    )
    print(json.dumps({"benchmark": "events", "rate": rate, "matching": matching, "goal": RATE}))


def price(bench: EventBench, request: HttpRequest) -> None:
    """The second measurement."""
    bench.events(
        "PutRule",
        {"Name": "issued", "EventPattern": json.dumps({"source": ["aws.acm-pca"], "detail-type": [{"prefix": "A"}]})},
    )
    bench.events("PutTargets", {"Rule": "issued", "Targets": [{"Id": "q", "Arn": QUEUE}]})
    room = bench.rooms.issuance._signing._events
    for threads in (1, 4):
        ratios, rates = [], []
        for _ in range(ROUNDS):
            # What the turn before left behind is not this one's.
            bench.rooms.audit_log.catch_up()
            bench.rooms.bus.router.run()
            stopping = threading.Event()
            router = threading.Thread(target=bench.rooms.bus.route, args=(stopping,), daemon=True)
            router.start()
            published = bench.run(request, threads)
            stopping.set()
            router.join()
            vars(room)["emit"] = lambda *_: None
            ratios.append(published / bench.run(request, threads))
            del vars(room)["emit"]
            rates.append(published)
        cost, rate = 1 - statistics.median(ratios), statistics.median(rates)
        print(f"IssueCertificate, {threads} thread(s): {rate:.0f}/s, publishing costs {cost:.1%} (limit {LIMIT:.0%})")
        result = {"threads": threads, "rate": rate, "cost": cost, "limit": LIMIT}
        print(json.dumps({"benchmark": "publishing", **result}))


def main() -> None:
    """Runs both."""
    with tempfile.TemporaryDirectory(prefix="greatseal-bench-", dir=Path.cwd()) as folder:
        bench = EventBench(folder)
        bench.set_rules()
        throughput(bench)
        price(bench, bench.issue_request())
        bench.rooms.storage.close()


if __name__ == "__main__":
    main()
