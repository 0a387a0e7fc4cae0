"""The monitor: logs of both kinds over real sockets, certificates of strangers, and logs that lie."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from ct_room import Room, chain
from ct_server import serving
from sqlalchemy import select

from greatseal.crypto import merkle
from greatseal.domain.findings.reading import everything
from greatseal.domain.transparency import FollowedLog
from greatseal.domain.transparency.entries import Candidate
from greatseal.domain.transparency.heads import SignedHead, TreeHead, sign
from greatseal.domain.transparency.log import _Waiting
from greatseal.domain.transparency.ports import LogFailed, SeenEntry
from greatseal.integrations.log_clients import Rfc6962Log, StaticLog
from greatseal.integrations.log_http import LogHttp
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.storage.schema import outbox
from made_certificates import signer

ACCOUNT = "111122223333"
SEEN, MISBEHAVED = "Greatseal Certificate Seen In Log", "Greatseal Log Misbehaved"
pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def watcher(storage: Any, *followed: FollowedLog, **changes: Any) -> Room:
    room = Room(storage, follow=followed, watched_domains=("example.com",), account=ACCOUNT, **changes)
    room.installation.client("securityhub").enable_security_hub()
    return room


def look(room: Room) -> None:
    room.room.follow()
    room.installation.work()


def events(storage: Any, kind: str) -> list[dict[str, Any]]:
    rows = storage.read(lambda tx: tx.all(select(outbox.c.payload).order_by(outbox.c.id)))
    return [row.payload["detail"] for row in rows if row.payload.get("detail-type") == kind]


def findings(storage: Any) -> list[dict[str, Any]]:
    found = [each.document for each in everything(storage)]
    return [each for each in found if each["GeneratorId"] == "greatseal/transparency-monitor"]


@pytest.fixture
def other(tmp_path, storage) -> Iterator[tuple[Room, str]]:
    """Another installation with a log that answers on a socket."""
    theirs = open_storage(f"sqlite:///{tmp_path}/other.db")
    migrate(theirs)
    room = Room(theirs)
    with serving(room.door) as url:
        yield room, f"{url}/ct/alder"
    theirs.close()


def reader_of(kind: str, url: str, room: Room) -> Any:
    http = LogHttp(url)
    record = room.log.record
    return Rfc6962Log(http) if kind == "rfc6962" else StaticLog(http, origin=record.origin, spki=record.spki)


@pytest.mark.parametrize("kind", ["rfc6962", "static"])
@pytest.mark.parametrize("from_start", [True, False])
def test_a_log_over_http(storage, other, kind, from_start):
    theirs, url = other
    for number in range(300):
        theirs.log._writer.submit(_waiting(theirs, number))
    log = FollowedLog("theirs", theirs.log.record.spki, reader_of(kind, url, theirs), from_start)
    room = watcher(storage, log)
    theirs.add(chain(1000, name="mail.example.com"))
    look(room)
    assert [each["Index"] for each in events(storage, SEEN)] == ([300] if from_start else [])
    theirs.add(chain(1001, name="*.shop.example.com"))
    theirs.add(chain(1002, name="example.com.evil.test"))
    theirs.add(chain(1003, name="badexample.com"))
    final = chain(1001, name="*.shop.example.com", poisoned=False)
    theirs.add(final, precertificate=False)
    look(room)
    look(room)
    assert [(each["Index"], each["Names"]) for each in events(storage, SEEN)][-2:] == [
        (301, ["*.shop.example.com"]),
        (304, ["*.shop.example.com"]),
    ]
    titles = [each["Title"] for each in findings(storage)]
    assert titles == ["Certificate for a watched domain that was not issued here"] * (2 if from_start else 1)
    [state] = room.room.monitor.states()
    assert (state.size, state.read_size, state.trouble) == (305, 305, "")
    assert state.seen == (3 if from_start else 2)
    assert events(storage, MISBEHAVED) == []


def _waiting(room: Room, number: int) -> Any:
    return _Waiting(Candidate(b"\0\0\0\0\4" + number.to_bytes(4, "big"), None, (b"issuer",)))


def test_submission_over_http(storage, other):
    theirs, url = other
    sent = chain(7)
    found = Rfc6962Log(LogHttp(url)).add_pre_chain(sent)
    assert found == theirs.add(sent)
    with pytest.raises(LogFailed, match="it answered 400"):
        Rfc6962Log(LogHttp(url)).add_pre_chain(sent[:1])
    with pytest.raises(LogFailed, match="it answered 404"):
        Rfc6962Log(LogHttp(url.replace("alder", "nobody"))).head()
    with pytest.raises(LogFailed):
        Rfc6962Log(LogHttp("http://127.0.0.1:1")).head()
    with pytest.raises(LogFailed, match="more than"):
        Rfc6962Log(LogHttp(url, largest=10)).head()


def test_certificates_that_were_issued_here_are_no_news(storage):
    """Our own trust services log into our own logs; a stranger's certificate beside them is reported once."""
    room = watcher(storage)
    room.add(chain(5, name="www.example.com"))
    look(room)
    look(room)
    assert [each["Index"] for each in events(storage, SEEN)] == [0]


@dataclass
class Liar:
    """A log that shows whatever the test wants: heads, entries and proofs of any trees."""

    trees: list[list[bytes]] = field(default_factory=list)
    timestamp: int = 0
    down: bool = False
    shown: list[bytes] | None = None
    key: Any = field(default_factory=lambda: signer("liar"))

    def _tree(self) -> list[bytes]:
        return self.trees[-1]

    def head(self) -> SignedHead:
        if self.down:
            raise LogFailed("it is down")
        tree = self._tree()
        return sign(TreeHead(len(tree), merkle.root_of([merkle.leaf_hash(e) for e in tree]), self.timestamp), self.key)

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        hashes = [merkle.leaf_hash(each) for each in max(self.trees, key=len)]
        return merkle.consistency_proof(first, second, merkle.subtrees_of(hashes))

    def entries(self, start: int, end: int) -> list[SeenEntry]:
        tree = self.shown or self._tree()
        return [SeenEntry(n, tree[n]) for n in range(start, min(end, len(tree)))]

    def frontier(self, size: int) -> tuple[bytes, ...]:
        raise LogFailed("not asked for")


def lying(storage: Any) -> tuple[Room, Liar]:
    made = Liar([[b"a", b"b", b"c"]])
    room = watcher(storage, FollowedLog("liar", made.key.spki, made, from_start=True))
    made.timestamp = int(room.installation.clock.now().timestamp() * 1000)
    look(room)
    [state] = room.room.monitor.states()
    assert (state.size, state.read_size, state.trouble) == (3, 3, "")
    return room, made


def accused(storage: Any) -> list[str]:
    return [each["Kind"] for each in events(storage, MISBEHAVED)]


def test_a_log_that_forks(storage):
    room, log = lying(storage)
    log.trees.append([b"a", b"x", b"c", b"d"])
    log.timestamp += 1000
    look(room)
    look(room)
    assert accused(storage) == ["fork"]
    [detail] = events(storage, MISBEHAVED)
    assert '"tree_size":3' in detail["TreeHead1"]
    assert '"tree_size":4' in detail["TreeHead2"]
    [finding] = findings(storage)
    assert (finding["Title"], finding["Severity"]["Label"]) == ("A transparency log broke its promise", "CRITICAL")
    log.trees[-1] = [b"a", b"b", b"c", b"d"]
    look(room)
    [state] = room.room.monitor.states()
    assert (state.size, state.trouble) == (4, "")
    assert [each["RecordState"] for each in findings(storage)] == ["ACTIVE"], "what it signed stays signed"


def test_two_trees_of_one_size(storage):
    room, log = lying(storage)
    log.trees.append([b"a", b"b", b"x"])
    look(room)
    assert accused(storage) == ["fork"]


def test_a_log_that_shrinks(storage):
    room, log = lying(storage)
    log.trees.append([b"a", b"b"])
    log.timestamp -= 1000
    look(room)
    assert accused(storage) == [], "a server that is behind shows an old head"
    log.timestamp += 2000
    look(room)
    assert accused(storage) == ["rollback"]


def test_an_old_head_that_is_of_another_tree(storage):
    room, log = lying(storage)
    log.trees.append([b"x", b"b"])
    log.timestamp -= 1000
    look(room)
    assert accused(storage) == ["fork"]


def test_entries_that_are_not_in_the_tree(storage):
    room, log = lying(storage)
    log.trees.append([b"a", b"b", b"c", b"d", b"e"])
    log.shown = [b"a", b"b", b"c", b"d", b"x"]
    look(room)
    assert accused(storage) == ["entries"]
    [state] = room.room.monitor.states()
    assert (state.size, state.read_size) == (5, 3)
    log.shown = None
    look(room)
    [state] = room.room.monitor.states()
    assert (state.read_size, state.trouble) == (5, "")


def test_a_signature_by_another_key_is_not_the_log(storage):
    room, log = lying(storage)
    log.key = signer("thief")
    log.trees.append([b"x"] * 9)
    look(room)
    [state] = room.room.monitor.states()
    assert (state.size, state.trouble) == (3, "the signature of its tree head does not verify")
    assert accused(storage) == []


def test_a_log_that_is_silent_for_a_day(storage):
    room, log = lying(storage)
    log.down = True
    look(room)
    assert (accused(storage), room.room.monitor.states()[0].trouble) == ([], "it is down")
    room.installation.clock.advance(timedelta(hours=25))
    look(room)
    look(room)
    assert accused(storage) == ["silent"]
    assert [each["RecordState"] for each in findings(storage)] == ["ACTIVE"]
    log.down = False
    look(room)
    assert room.room.monitor.states()[0].trouble != "", "its tree head is old by now"
    log.timestamp = int(room.installation.clock.now().timestamp() * 1000)
    look(room)
    assert room.room.monitor.states()[0].trouble == ""
    assert [each["RecordState"] for each in findings(storage)] == ["ARCHIVED"]


def test_two_nodes_look_at_once(storage):
    room, log = lying(storage)
    other = Room(storage, follow=(FollowedLog("liar", log.key.spki, log, from_start=True),))
    log.trees.append([b"a", b"b", b"c", *(b"%d" % n for n in range(9))])
    entries_of = log.entries

    def entries(start: int, end: int) -> list[SeenEntry]:
        log.entries = entries_of  # type: ignore[method-assign]
        other.room.monitor.look_at(FollowedLog("", log.key.spki, log).log_id)
        return entries_of(start, end)

    log.entries = entries  # type: ignore[method-assign]
    look(room)
    [state] = room.room.monitor.states()
    assert state.read_size == 12
    look(room)
    assert room.room.monitor.states()[0].trouble == ""
