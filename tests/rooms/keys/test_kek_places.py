"""Where a new key-encryption key is kept, and what a process leaves that dies between the file and the database."""

import pytest

from greatseal.app import kek_rotation, protection
from greatseal.app.building import build
from greatseal.app.kek_rotation import Target
from greatseal.crypto.wrap import key_fingerprint
from greatseal.domain.keys.key_encryption import GRACE
from greatseal.integrations import kek
from greatseal.kernel.errors import Conflict, InvalidArgument
from greatseal.settings import load
from greatseal.testing import FakeClock, FakeEntropy

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Node:
    """The rooms as `serve` builds them from settings, with a clock that only the test moves."""

    def __init__(self, storage, data, clock, **settings):
        environment = {f"GREATSEAL_{name}": str(value) for name, value in settings.items()}
        self.settings = load(environment, {"data": data})
        entropy = FakeEntropy(f"{settings}/{clock.now()}")
        self.rooms = build(
            storage=storage,
            kek=protection.open_keyring(self.settings, storage, entropy, {}),
            configured_kek=protection.configured(self.settings, storage, entropy, {}),
            clock=clock,
            entropy=entropy,
            pool={},
        )
        self.credential = self.rooms.access.ensure_root(account="111122223333")

    def begin(self, **target):
        return kek_rotation.begin(self.settings, self.rooms, Target(**target))

    def carry_on(self):
        self.rooms.kek_change.carry_on()
        return self.rooms.kek_change.under_way() is None


@pytest.fixture
def node(storage, tmp_path):
    clock = FakeClock()

    def started(**settings):
        made = Node(storage, tmp_path, clock, **settings)
        made.clock = clock
        return made

    return started


def test_a_key_is_replaced_in_its_file(node, tmp_path):
    first = node()
    before = (tmp_path / "kek").read_bytes()
    begun = first.begin()
    assert begun.setting is None
    assert (tmp_path / "kek").read_bytes() != before
    assert not (tmp_path / "kek.next").exists()
    first.clock.advance(GRACE)
    assert first.carry_on()
    assert node().credential.access_key_id == first.credential.access_key_id
    (tmp_path / "kek").write_bytes(before)
    with pytest.raises(kek.KekError, match="was replaced and retired"):
        node()


@pytest.mark.parametrize("died", ["before the transaction", "before the rename"])
def test_dying_between_the_file_and_the_database(node, tmp_path, monkeypatch, died):
    first = node()
    dead = (first.rooms.kek_change, "begin") if died == "before the transaction" else (kek, "put_in_place")
    with monkeypatch.context() as patch:
        patch.setattr(*dead, lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            first.begin()
    waiting = (tmp_path / "kek.next").read_bytes()
    again = node()
    again.begin()
    assert (tmp_path / "kek").read_bytes() == waiting
    again.clock.advance(GRACE)
    assert again.carry_on()
    assert node()


def test_from_a_file_to_a_passphrase_to_another_and_back_to_a_file(node, tmp_path):
    for name, words in (("one", "correct horse"), ("two", "battery staple")):
        (tmp_path / name).write_text(words)
    moves = (
        ({}, {"passphrase_file": tmp_path / "one"}, {"KEK_PASSPHRASE_FILE": tmp_path / "one"}),
        (
            {"KEK_PASSPHRASE_FILE": tmp_path / "one"},
            {"passphrase_file": tmp_path / "two"},
            {"KEK_PASSPHRASE": "battery staple"},
        ),
        ({"KEK_PASSPHRASE": "battery staple"}, {"file": tmp_path / "apart"}, {"KEK_FILE": tmp_path / "apart"}),
    )
    known = node().credential.access_key_id
    for before, target, after in moves:
        old = node(**before)
        begun = old.begin(**target)
        assert begun.setting
        old.clock.advance(GRACE)
        assert not old.carry_on(), "its settings still name the old key"
        new = node(**after)
        assert new.carry_on()
        assert new.credential.access_key_id == known
        assert begun.change.after == key_fingerprint(
            protection.key_encryption_key(new.settings, new.rooms.storage, new.rooms.entropy, {})
        )
        with pytest.raises(kek.KekError):
            node(**before)


def test_a_place_must_be_named_where_there_is_no_file(node, tmp_path):
    started = node(KEK_PASSPHRASE="correct horse")
    with pytest.raises(InvalidArgument, match="--to-file"):
        started.begin()
    with pytest.raises(InvalidArgument, match="no key store"):
        started.begin(store="hsm")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InvalidArgument, match="is empty"):
        started.begin(passphrase_file=tmp_path / "empty")


def test_the_same_key_once_more_is_no_new_key(node, tmp_path):
    with pytest.raises(Conflict):
        node().begin(file=tmp_path / "kek")
