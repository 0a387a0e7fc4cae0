"""Many at once: threads on one CA, one token, one serial, one open row, one disabled CA, and clocks that jump."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from doors.pki import Pki, csr, refused
from faults.recovery import caller, check, order, tables
from greatseal.kernel.errors import InvalidState
from greatseal.storage.errors import StorageUnavailable
from greatseal.testing import FakeEntropy

THREADS = 16
HOUR = timedelta(hours=1)


@pytest.fixture
def pki(storage):
    return Pki(storage)


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Runs `work` in `count` threads that all start at the same moment."""
    gate = threading.Barrier(count)

    def run(number: int) -> object:
        gate.wait(30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_sixteen_threads_on_one_ca(pki):
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    request = csr()
    each = 4

    def work(number: int) -> list[str]:
        return [issuance.issue(caller(), authority, order(request)) for _ in range(each)]

    arns = [arn for arns in at_once(THREADS, work) for arn in arns]
    assert len(set(arns)) == THREADS * each
    found = check(pki.storage)
    assert len({row["serial"] for row in found.journal}) == THREADS * each + 1
    assert set(arns) < {row["arn"] for row in found.journal}


def test_eight_threads_with_one_token(pki):
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    request = csr()
    arns = at_once(8, lambda _: issuance.issue(caller(), authority, order(request, "one token")))
    assert len(set(arns)) == 1
    assert len(check(pki.storage).journal) == 2
    assert pki.get(authority, arns[0])["Certificate"]


class Stuck(FakeEntropy):
    """Gives the same 16 bytes `times` times over, once it is stuck."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def token_bytes(self, size: int) -> bytes:
        if size == 16 and self.times > 0:
            self.times -= 1
            return b"\x5a" * 16
        return super().token_bytes(size)


def test_randomness_that_repeats_itself(storage):
    entropy = Stuck()
    pki = Pki(storage, entropy=entropy)
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    entropy.times = 1
    first = issuance.issue(caller(), authority, order(csr()))
    assert first.endswith("5a" * 16)
    before = pki.get(authority, first)["Certificate"]
    entropy.times = 3
    second = issuance.issue(caller(), authority, order(csr("b.example.com"), "token"))
    assert entropy.times == 0
    assert second != first
    # The token leads to the certificate of its own request, not to the one that had the serial.
    assert issuance.issue(caller(), authority, order(csr("b.example.com"), "token")) == second
    entropy.times = 1000
    with refused("RequestFailedException", "source of randomness"):
        pki.issue(authority, algorithm="SHA256WITHECDSA")
    entropy.times = 0
    assert pki.get(authority, first)["Certificate"] == before
    assert len(check(storage).journal) == 3


def left_open(pki: Pki, authority: str, count: int) -> None:
    for number in range(count):
        pki.installation.rooms.issuance.prepare(caller(), authority, order(csr(), f"open-{number}"))


def test_recovery_on_several_nodes_at_once(pki):
    authority = pki.root()
    left_open(pki, authority, 6)
    nodes = [Pki(pki.storage, entropy=FakeEntropy(f"node {n}")).installation.rooms.issuance for n in range(3)]
    at_once(3, lambda number: nodes[number].finish_open(older_than=timedelta(0)))
    found = check(pki.storage)
    assert [row["state"] for row in found.journal] == ["ISSUED"] * 7


def test_nothing_is_issued_after_the_ca_was_disabled(pki):
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    request = csr()
    disabled = threading.Event()

    def work(number: int) -> list[bool]:
        if number == 0:
            pki.set_status(authority, "DISABLED")
            disabled.set()
            return []
        outcomes = []
        for _ in range(50):
            started_later = disabled.is_set()
            try:
                issuance.issue(caller(), authority, order(request))
            except InvalidState:
                break
            outcomes.append(started_later)
        return outcomes

    outcomes = at_once(5, work)
    assert not any(late for each in outcomes for late in each)
    with pki.nothing_issued(), refused("InvalidStateException"):
        pki.issue(authority, algorithm="SHA256WITHECDSA")
    check(pki.storage)


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["forward", "back"])
def test_the_clock_jumps_between_the_steps(pki, jump):
    """Times of the certificate are those of its preparation; recovery does not care what time it is."""
    authority = pki.root()
    issuance = pki.installation.rooms.issuance
    now = pki.now
    signed = issuance.prepare(caller(), authority, order(csr()))
    left_open(pki, authority, 1)
    pki.clock.advance(jump)
    issued = issuance.sign(signed)
    assert issuance.certificate(authority, issued.arn).certificate
    row = next(row for row in tables(pki.storage).journal if row["arn"] == issued.arn)
    assert row["prepared_at"] == now
    assert row["not_after"] == now + timedelta(days=30)
    # A row of the future is nobody's by its age, but it is by a start of the only process.
    assert issuance.finish_open(older_than=timedelta(0)) == (1 if jump > timedelta(0) else 0)
    issuance.finish_open(older_than=None)
    check(pki.storage)
    assert pki.get(authority, pki.issue(authority, csr()))["Certificate"]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_database_that_never_agrees_is_an_error_and_not_a_certificate(pki, monkeypatch):
    """Serialization failures without end: the client gets a 5xx, and nothing was signed."""
    authority = pki.root()

    def never(*_: object) -> None:
        raise StorageUnavailable("contended")

    monkeypatch.setattr("greatseal.domain.authorities.store.journal.prepare", never)
    with pytest.raises(StorageUnavailable):
        pki.installation.rooms.issuance.issue(caller(), authority, order(csr()))
    monkeypatch.undo()
    assert len(check(pki.storage).journal) == 1
