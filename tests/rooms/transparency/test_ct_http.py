"""Both APIs of a log over HTTP, as outsiders use them, and what they answer to nonsense."""

import base64
import gzip
import json
from hashlib import sha256

import ct_checker as checker
import pytest
from ct_room import Room, chain

from made_certificates import ROOT, Order

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def body(certificates):
    return json.dumps({"chain": [base64.b64encode(each).decode() for each in certificates]}).encode()


def ask(room: Room, operation: str, **query: object):
    text = "&".join(f"{name}={value}" for name, value in query.items())
    answer = room.get(f"alder/ct/v1/{operation}", query=text)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def submitted(room: Room, count: int = 5) -> list[bytes]:
    """Leaves of entries that were sent over HTTP, made by the checker from the answers."""
    spki, leaves = room.log.record.spki, []
    for number in range(count):
        sent = chain(number, poisoned=number % 2 == 0)
        operation = "add-chain" if number % 2 else "add-pre-chain"
        answer = room.get(f"alder/ct/v1/{operation}", method="POST", body=body(sent))
        assert answer.status == 200, answer.body
        told = json.loads(answer.body)
        assert told["sct_version"] == 0
        extensions = raw(told["extensions"])
        encoded = b"\0" + raw(told["id"]) + told["timestamp"].to_bytes(8, "big") + checker.sized(extensions, 2)
        entry = checker.x509_entry(sent[0]) if number % 2 else checker.precert_entry(sent[1], sent[0])
        timestamp, _, index = checker.check_sct(spki, encoded + raw(told["signature"]), entry)
        assert index == number
        leaves.append(checker.leaf_input(timestamp, entry, extensions))
    return leaves


def test_everything_of_rfc_6962(storage):
    room = Room(storage)
    leaves = submitted(room)
    hashed = [checker.h_leaf(each) for each in leaves]
    head = ask(room, "get-sth")
    root = raw(head["sha256_root_hash"])
    checker.check_head(
        room.log.record.spki, head["tree_size"], root, head["timestamp"], raw(head["tree_head_signature"])
    )
    assert (head["tree_size"], root) == (5, checker.mth(hashed))
    for first in range(1, 6):
        proof = [raw(each) for each in ask(room, "get-sth-consistency", first=first, second=5)["consistency"]]
        assert checker.is_consistent(first, 5, proof, checker.mth(hashed[:first]), root)
    assert ask(room, "get-sth-consistency", first=0, second=5) == {"consistency": []}
    for number, leaf in enumerate(hashed):
        found = ask(room, "get-proof-by-hash", hash=base64.b64encode(leaf).decode().replace("+", "%2B"), tree_size=5)
        assert found["leaf_index"] == number
        path = [raw(each) for each in found["audit_path"]]
        assert checker.root_from_path(number, 5, leaf, path) == root
        both = ask(room, "get-entry-and-proof", leaf_index=number, tree_size=5)
        assert (raw(both["leaf_input"]), both["audit_path"]) == (leaves[number], found["audit_path"])
    entries = ask(room, "get-entries", start=1, end=900)["entries"]
    assert [raw(each["leaf_input"]) for each in entries] == leaves[1:]
    sent = chain(2)
    certificates = checker.sized(b"".join(checker.sized(each, 3) for each in sent[1:]), 3)
    assert raw(entries[1]["extra_data"]) == checker.sized(sent[0], 3) + certificates
    assert raw(entries[0]["extra_data"]) == certificates
    assert [raw(each) for each in ask(room, "get-roots")["certificates"]] == [ROOT.sign().der]


def test_everything_of_the_static_api(storage):
    room = Room(storage)
    leaves = submitted(room)
    hashed = [checker.h_leaf(each) for each in leaves]
    answer = room.get("alder/checkpoint")
    assert dict(answer.headers)[b"content-type"] == b"text/plain; charset=utf-8"
    record = room.log.record
    size, root, _ = checker.check_checkpoint(answer.body.decode(), record.origin, record.spki)
    assert (size, root) == (5, checker.mth(hashed))
    for width in range(1, 6):
        assert room.get(f"alder/tile/0/000.p/{width}").body == b"".join(hashed[:width])
        tile = room.get(f"alder/tile/data/000.p/{width}")
        assert b"immutable" in dict(tile.headers)[b"cache-control"]
        assert [leaf for leaf, _, _ in checker.read_tile_leaves(tile.body)] == leaves[:width]
    tile = room.get("alder/tile/data/000.p/5")
    packed = room.get("alder/tile/data/000.p/5", accept_encoding="gzip, identity")
    assert dict(packed.headers)[b"content-encoding"] == b"gzip"
    assert gzip.decompress(packed.body) == tile.body
    for _, _, prints in checker.read_tile_leaves(tile.body):
        for each in prints:
            issuer = room.get(f"alder/issuer/{each.hex()}")
            assert (sha256(issuer.body).digest(), dict(issuer.headers)[b"content-type"]) == (
                each,
                b"application/pkix-cert",
            )


@pytest.mark.parametrize(
    "path",
    [
        "alder/tile/0/000",
        "alder/tile/0/000.p/6",
        "alder/tile/0/000.p/0",
        "alder/tile/0/000.p/05",
        "alder/tile/0/000.p/256",
        "alder/tile/0/001.p/1",
        "alder/tile/00/000.p/1",
        "alder/tile/9/000.p/1",
        "alder/tile/0/0.p/1",
        "alder/tile/0/x000/000.p/1",
        "alder/tile/data/x999/x999/x999/x999/x999/999",
        "alder/issuer/" + "0" * 64,
        "alder/issuer/xyz",
        "alder/../alder/checkpoint",
        "alder",
        "nobody/checkpoint",
        "nobody/ct/v1/get-roots",
        "nobody/ct/v1/get-sth",
        "alder/ct/v1/get-everything",
        "",
    ],
)
def test_what_is_not_there(storage, path):
    room = Room(storage)
    submitted(room)
    assert room.get(path).status == 404
    assert room.get(path, method="HEAD").status == 404


@pytest.mark.parametrize(
    ("operation", "query"),
    [
        ("get-entries", ""),
        ("get-entries", "start=0"),
        ("get-entries", "start=-1&end=2"),
        ("get-entries", "start=2&end=1"),
        ("get-entries", "start=5&end=6"),
        ("get-entries", "start=%D9%A1&end=6"),
        ("get-entries", "start=" + "9" * 5000 + "&end=1"),
        ("get-sth-consistency", "first=3&second=2"),
        ("get-sth-consistency", "first=1&second=6"),
        ("get-proof-by-hash", "hash=AAAA&tree_size=5"),
        ("get-proof-by-hash", "hash=%&tree_size=5"),
        ("get-proof-by-hash", "hash=" + base64.b64encode(bytes(32)).decode() + "&tree_size=0"),
        ("get-proof-by-hash", "hash=" + base64.b64encode(bytes(32)).decode() + "&tree_size=6"),
        ("get-entry-and-proof", "leaf_index=5&tree_size=5"),
        ("get-entry-and-proof", "leaf_index=0&tree_size=9"),
    ],
)
def test_questions_that_make_no_sense(storage, operation, query):
    room = Room(storage)
    submitted(room)
    answer = room.get(f"alder/ct/v1/{operation}", query=query)
    assert answer.status == 400
    assert json.loads(answer.body)["error_message"]


def test_a_hash_that_no_leaf_has(storage):
    room = Room(storage)
    submitted(room)
    query = f"hash={base64.b64encode(bytes(32)).decode()}&tree_size=5"
    assert room.get("alder/ct/v1/get-proof-by-hash", query=query).status == 404


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{",
        b"[]",
        b'{"chain": []}',
        b'{"chain": "AAAA"}',
        b'{"chain": [1]}',
        b'{"chain": ["*"]}',
        b'{"chain": ["\xff"]}',
        b'{"chain": ["AAAA"]}',
        b'{"chain": ' + b"[" * 10_000,
        body(chain(1, poisoned=False)),
        body(chain(1, order=Order("leaf", Order("stranger", ca=True)))),
    ],
)
def test_submissions_that_make_no_sense(storage, sent):
    room = Room(storage)
    answer = room.get("alder/ct/v1/add-pre-chain", method="POST", body=sent)
    assert answer.status == 400
    assert json.loads(answer.body)["success"] is False
    assert room.reading.signed_head().head.size == 0


def test_methods(storage):
    room = Room(storage)
    assert room.get("alder/ct/v1/add-chain").status == 405
    assert room.get("alder/ct/v1/get-sth", method="POST").status == 405
    assert room.get("alder/checkpoint", method="PUT").status == 405
    assert room.get("log_list.json", method="POST").status == 405


def test_a_log_that_cannot_sign_says_try_later(storage):
    room = Room(storage)
    submitted(room, 1)
    room.keeper.keep("alder", "not a checkpoint\n7\n")
    answer = room.get("alder/ct/v1/add-pre-chain", method="POST", body=body(chain(8)))
    assert answer.status == 503
    assert dict(answer.headers)[b"retry-after"]


def test_the_list_of_logs_is_honest(storage):
    room = Room(storage)
    listed = json.loads(room.get("log_list.json").body)
    assert len({each["name"] for each in listed["operators"]}) == 2
    for operator, log in zip(listed["operators"], room.logs.active(), strict=True):
        [told] = operator["tiled_logs"]
        assert raw(told["log_id"]) == sha256(raw(told["key"])).digest() == log.record.log_id
        assert told["log_type"] == "test"
        assert "no browser knows it" in told["description"]
        assert told["submission_url"] == f"http://127.0.0.1:8080/ct/{log.record.id}/"
        assert told["submission_url"].removeprefix("http://").rstrip("/") == log.record.origin
