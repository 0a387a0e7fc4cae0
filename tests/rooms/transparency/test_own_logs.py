"""Our logs: SCTs, tiles and proofs that independent code verifies, batches, duplicates, and two nodes."""

import threading
from datetime import timedelta
from hashlib import sha256

import ct_checker as checker
import pytest
from ct_room import Room, chain
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from greatseal.domain.transparency.entries import Candidate
from greatseal.domain.transparency.log import OwnLog, _Waiting
from greatseal.domain.transparency.model import ChainRefused
from greatseal.x509.sct import POISON, Sct
from made_certificates import LEAF, ROOT, SUBORDINATE, Order

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def leaves_of(room: Room) -> list[bytes]:
    """The leaf hashes of the whole log, from its data tiles."""
    size = room.reading.signed_head().head.size
    found = []
    for number in range((size + 255) // 256):
        data = room.reading.data_tile(number, min(256, size - number * 256))
        assert data is not None
        found += [checker.h_leaf(leaf) for leaf, _, _ in checker.read_tile_leaves(data)]
    assert len(found) == size
    return found


def check_whole(room: Room) -> list[bytes]:
    """That head, data tiles and hash tiles of the log are one tree."""
    record = room.log.record
    size, root, _ = checker.check_checkpoint(room.reading.checkpoint(), record.origin, record.spki)
    leaves = leaves_of(room)
    assert checker.mth(leaves) == root
    level, hashes = 0, leaves
    while hashes:
        for number in range((len(hashes) + 255) // 256):
            part = hashes[number * 256 : number * 256 + 256]
            assert room.reading.tile(level, number, len(part)) == b"".join(part)
            assert room.reading.tile(level, number, len(part) + 1) is None
        hashes = [checker.mth(hashes[n : n + 256]) for n in range(0, len(hashes) - 255, 256)]
        level += 1
    assert len(leaves) == size
    return leaves


def test_entries_proofs_and_timestamps(storage):
    room = Room(storage)
    chains = [chain(number) for number in range(9)]
    stamps = [room.add(each) for each in chains]
    leaves = check_whole(room)
    spki = room.log.record.spki
    for number, (sent, stamp) in enumerate(zip(chains, stamps, strict=True)):
        entry = checker.precert_entry(sent[1], sent[0])
        timestamp, extensions, index = checker.check_sct(spki, stamp.encode(), entry)
        assert index == number
        leaf = checker.h_leaf(checker.leaf_input(timestamp, entry, extensions))
        assert leaf == leaves[index]
        for size in range(index + 1, len(leaves) + 1):
            found, path = room.reading.inclusion(leaf, size)
            assert found == index
            assert checker.root_from_path(index, size, leaf, list(path)) == checker.mth(leaves[:size])
    for second in range(1, len(leaves) + 1):
        for first in range(1, second + 1):
            proof = list(room.reading.consistency(first, second))
            old, new = checker.mth(leaves[:first]), checker.mth(leaves[:second])
            assert checker.is_consistent(first, second, proof, old, new)


def test_final_certificates_and_their_chains(storage):
    room = Room(storage)
    sent = chain(1, poisoned=False)
    stamp = room.add(sent, precertificate=False)
    checker.check_sct(room.log.record.spki, stamp.encode(), checker.x509_entry(sent[0]))
    data = room.reading.data_tile(0, 1)
    assert data is not None
    [(_, precertificate, prints)] = checker.read_tile_leaves(data)
    assert precertificate is None
    assert prints == [sha256(each).digest() for each in sent[1:]]
    assert [room.reading.issuer(each) for each in prints] == list(sent[1:])
    # Without the root, and with it: one entry, one timestamp.
    assert room.add(sent[:-1], precertificate=False) == stamp
    assert room.reading.signed_head().head.size == 1


def test_what_is_sent_again_has_the_same_timestamp(storage):
    room = Room(storage)
    first = room.add(chain(1))
    room.installation.clock.advance(timedelta(seconds=90))
    room.add(chain(2))
    assert room.add(chain(1)) == first
    assert Room(storage).add(chain(1)) == first, "another node"
    assert room.reading.signed_head().head.size == 2


@SQLITE
def test_timestamps_only_go_forward(storage):
    room = Room(storage)
    stamps = [room.add(chain(1))]
    room.installation.clock.advance(timedelta(seconds=-3600))
    stamps += [room.add(chain(2)), room.add(chain(3))]
    times = [each.timestamp for each in stamps]
    assert times == sorted(set(times))
    head = room.reading.signed_head().head
    assert head.timestamp >= times[-1]
    assert not room.log.refresh(), "a clock that was set back makes no head that is older than the last"


@SQLITE
def test_a_quiet_log_is_signed_anew(storage):
    room = Room(storage)
    room.add(chain(1))
    before = room.reading.signed_head()
    room.logs.refresh()
    assert room.reading.signed_head() == before
    room.installation.clock.advance(timedelta(seconds=3700))
    room.logs.refresh()
    after = room.reading.signed_head()
    assert after.head.root == before.head.root
    assert after.head.timestamp - before.head.timestamp > 3_600_000
    check_whole(room)


def test_many_at_once_over_two_nodes_make_one_tree(storage):
    nodes = [Room(storage), Room(storage)]
    candidates = [nodes[0].logs.candidate(chain(number), precertificate=True) for number in range(24)]
    logs = [node.log for node in nodes]
    stamps: dict[int, Sct] = {}
    failures: list[BaseException] = []

    def add(log: OwnLog, number: int) -> None:
        try:
            stamps[number] = log.add(candidates[number])
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    threads = [threading.Thread(target=add, args=(logs[number % 2], number)) for number in range(24)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert failures == []
    assert sorted(each.extensions for each in stamps.values()) == sorted(
        b"\0\0\5" + number.to_bytes(5, "big") for number in range(24)
    )
    leaves = check_whole(nodes[1])
    for number, stamp in stamps.items():
        sent = chain(number)
        timestamp, extensions, index = checker.check_sct(
            nodes[0].log.record.spki, stamp.encode(), checker.precert_entry(sent[1], sent[0])
        )
        entry = checker.precert_entry(sent[1], sent[0])
        assert leaves[index] == checker.h_leaf(checker.leaf_input(timestamp, entry, extensions))


@SQLITE
def test_the_logs_of_an_installation_have_keys_and_operators_of_their_own(storage):
    room = Room(storage)
    assert [each.record.id for each in room.logs.active()] == ["alder", "birch"]
    records = Room(storage).logs.records()
    assert records == room.logs.records()
    assert len({each.spki for each in records}) == len({each.operator for each in records}) == 2
    assert [each.origin for each in records] == ["127.0.0.1:8080/ct/alder", "127.0.0.1:8080/ct/birch"]
    head = room.reading.signed_head().head
    assert (head.size, head.root) == (0, sha256(b"").digest())


@SQLITE
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=some.lists(some.integers(1, 300), min_size=1, max_size=4))
def test_batches_of_any_size_make_the_tree_of_the_rfc(storage, batches):
    room = Room(storage)
    log = room.log
    start = room.reading.signed_head().head.size
    old = leaves_of(room)
    for size in batches:
        numbers = range(start, start + size)
        start += size
        waiting = [_candidate(number) for number in numbers]
        before = room.reading.signed_head().head
        log._write(waiting)
        leaves = check_whole(room)
        assert leaves[: len(old)] == old
        old = leaves
        if before.size:
            proof = list(room.reading.consistency(before.size, len(leaves)))
            assert checker.is_consistent(before.size, len(leaves), proof, before.root, checker.mth(leaves))


def _candidate(number: int) -> _Waiting:
    return _Waiting(Candidate(checker.x509_entry(b"certificate %d" % number), None, (b"issuer",)))


@SQLITE
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ((), "1 to 10 certificates"),
        ((b"\x30\x03\x02\x01\x01",), "cannot be read"),
        ((b"\x30" * 600_000,), "more than"),
        (chain(1, poisoned=False), "no poison"),
        (chain(1)[:1], "does not end at a root"),
        (chain(1, order=Order("leaf", Order("stranger", ca=True))), "does not end at a root"),
        ((chain(1)[0], chain(1)[2]), "did not issue"),
        ((*chain(1), chain(1)[2]), "twice"),
        ((LEAF.but(add=(POISON,)).sign(key_of="thief").der, *chain(1)[1:]), "did not issue"),
        (chain(1, order=Order("leaf", Order("not-a-ca", ROOT))), "not that of a CA"),
    ],
)
def test_chains_that_no_log_takes(storage, sent, reason):
    room = Room(storage)
    with pytest.raises(ChainRefused, match=reason):
        room.logs.candidate(sent, precertificate=True)


@SQLITE
def test_a_precertificate_is_no_final_certificate(storage):
    with pytest.raises(ChainRefused, match="add-pre-chain"):
        Room(storage).logs.candidate(chain(1), precertificate=False)


@SQLITE
def test_expired_and_strange_certificates_are_logged(storage):
    """Logs exist to show them."""
    expired = LEAF.but(not_after=LEAF.not_before)
    Room(storage).add(chain(1, order=expired))
    Room(storage).add(chain(2, order=Order("below", SUBORDINATE)))
