"""What deciding, recording and linting cost of an issuance, in processor time.

The same signed request goes through the door in this process, over and over, on SQLite with durable commits; in turns
with everything, and with one stage taken out. The best of many short turns counts, because what disturbs only adds.
The user has 20 statements with conditions and a boundary, as in `bench/governance.py`, whose installation this is.
Processor time is that of the whole process, so that it says the same on a busy machine.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from governance import Bench

import greatseal.x509.lint as linting
from compared.plan import Plan, rate
from compared.results import Results, Share, Shares

PART = "shares"
_EACH = 10
_ROUNDS = {"short": 30, "full": 200}


def measure(plan: Plan, results: Results) -> None:
    """Shares of policy, audit and lint, and of the bare signature."""
    with plan.room() as folder:
        bench = Bench(str(folder))
        try:
            stages: dict[str, Callable[[], AbstractContextManager[None]]] = {
                "": nullcontext,
                "policy": lambda: _without(bench.rooms.access, "authorize"),
                "audit": lambda: _without(bench.rooms.audit, "record", "record_all", "recorded"),
                "lint": lambda: _without(linting, "lint", result=()),
            }
            taken: dict[str, list[float]] = {stage: [] for stage in stages}
            for _ in range(_ROUNDS[plan.mode]):
                request = bench.issue_request()
                for stage, out in stages.items():
                    with out():
                        taken[stage].append(_micros(bench, request))
        finally:
            bench.rooms.storage.close()
    whole = min(taken.pop(""))
    signature = 1e6 / rate(_signature())
    costs = {stage: max(0.0, whole - min(micros)) for stage, micros in taken.items()}
    costs["signature"] = signature
    costs["everything else"] = max(0.0, whole - sum(costs.values()))
    found = tuple(Share(stage, round(micros, 1), round(micros / whole, 4)) for stage, micros in costs.items())
    results.shares.append(Shares("IssueCertificate P-256, one thread, without the network", round(whole, 1), found))


def _micros(bench: Bench, request: Any) -> float:
    start = time.process_time()
    for _ in range(_EACH):
        bench.one(request)
    return (time.process_time() - start) / _EACH * 1e6


def _signature() -> Callable[[], object]:
    key = ec.generate_private_key(ec.SECP256R1())
    return lambda: key.sign(bytes(600), ec.ECDSA(hashes.SHA256()))


@contextmanager
def _without(thing: Any, *names: str, result: Any = True) -> Iterator[None]:
    """Puts nothing in the place of those functions that there are, and makes sure that one would have been called."""
    names = tuple(name for name in names if hasattr(thing, name))
    called = []

    def nothing(*_: Any, **__: Any) -> Any:
        called.append(True)
        return result

    kept = {name: vars(thing).get(name) for name in names}
    for name in names:
        setattr(thing, name, nothing)
    try:
        yield
    finally:
        for name, was in kept.items():
            if was is None:
                delattr(thing, name)
            else:
                setattr(thing, name, was)
    assert called, f"of {thing}, an issuance calls nothing any more that is taken out: {names}"
