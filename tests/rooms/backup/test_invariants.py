"""Every invariant: it holds in an installation with something of everything, and each breach of it is found."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, insert, select, update

from greatseal.app.invariants import INVARIANTS, Case, examine
from greatseal.cli.group import greatseal
from greatseal.crypto.wrap import Keyring
from greatseal.domain.audit.store.records import audit_record
from greatseal.domain.authorities.store.authorities import authority
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.keys.store import key
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.domain.revocation.store.marks import revocation_mark
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.domain.transparency.store.logs import ct_entry, ct_log, ct_tile
from greatseal.domain.trust_services import model as trust_model
from greatseal.storage import open_storage
from greatseal.storage.schema import blob_part
from made_backups import KEK, Source, examined, put_back, violations


@pytest.fixture(autouse=True)
def _one_root(monkeypatch):
    monkeypatch.setattr("greatseal.domain.trust_services.hierarchy.ROOTS", (trust_model.TIERS[3],))


@pytest.fixture
def source(storage, tmp_path):
    return Source(tmp_path / "source", storage)


def test_everything_holds(source):
    report = examined(source.storage, source.data / "objects", source.clock)
    assert violations(report) == []
    assert report.exit_code == 0
    assert [one.invariant.name for one in report.examined if not one.looked_at] == []


def last(column, count=1):
    """Cuts octets off the end of a value and puts others there."""
    return func.substr(column, 1, func.length(column) - count)


_j, _r, _l, _d = issued_certificate, revocation, revocation_list, revocation_list_document
_SERIAL = select(_j.c.serial).where(_j.c.logged.is_(False)).limit(1).scalar_subquery()
_ISSUED = _j.c.issuer_certificate_id.is_not(None)
BREACHES = [
    ("issued-certificates", "not what the journal", update(_j).values(tbs=last(_j.c.tbs))),
    ("issued-certificates", "cannot be read", update(_j).values(certificate=last(_j.c.certificate))),
    ("issued-certificates", "no certificate is stored", update(_j).values(certificate=None)),
    ("issued-certificates", "another serial", update(_j).where(_j.c.serial == _SERIAL).values(serial="0" * 32)),
    ("issued-certificates", "another key", update(_j).values(key_fingerprint="0" * 64)),
    ("issued-certificates", "that is gone", update(_j).where(_ISSUED).values(issuer_certificate_id="0")),
    ("revocations", "never issued", update(_r).values(serial="0" * 30 + "01")),
    ("revocations", "another end", update(_r).values(not_after=_r.c.revoked_at)),
    ("revocations", "the entry for lists", update(_r).values(reason="SUPERSEDED")),
    ("revocations", "does not exist", update(_r).values(reason="BORED")),
    ("revocations", "no mark", delete(revocation_mark)),
    ("revocation-lists", "carries the number", update(_d).values(number=7)),
    ("revocation-lists", "was published", update(_d).values(number=7)),
    ("revocation-lists", "last one taken", update(_l).values(number=7)),
    ("revocation-lists", "cannot be read", update(_d).values(der=last(_d.c.der))),
    ("revocation-lists", "listed that were not revoked", delete(_r)),
    ("list-numbers", "last one taken", update(_l).values(number=7)),
    ("audit-log", "not what was logged", update(audit_record).values(operation="x:Y")),
    ("transparency-logs", "missing", delete(ct_entry)),
    ("transparency-logs", "does not verify", update(ct_entry).values(signature=b"x")),
    ("transparency-logs", "does not belong", update(ct_tile).values(hashes=b"x" * 32)),
    ("transparency-logs", "head does not belong", update(ct_log).values(frontier=b"x" * 32)),
    ("transparency-logs", "checkpoint", update(ct_log).values(checkpoint="no note")),
    ("secrets", "does not open", update(key).where(key.c.sealed.is_not(None)).values(sealed=last(key.c.sealed))),
    ("references", "no such row in key", delete(key)),
    ("keys-are-needed", "nothing needs", update(authority).values(key_id="0")),
    ("object-contents", "is missing", delete(blob_part)),
    ("object-contents", "octets instead of", delete(blob_part).where(blob_part.c.number == 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "breach"), BREACHES, ids=[f"{n}-{t}" for n, t, _ in BREACHES])
def test_every_breach_is_found(broken, name, text, breach):
    storage, objects, clock = broken
    storage.transact(lambda tx: tx.execute(breach))
    report = examined(storage, objects, clock)
    assert any(found[0] == name and text in found[1] for found in violations(report)), violations(report)
    assert report.exit_code == (2 if name != "keys-are-needed" else report.exit_code)


@pytest.fixture
def broken(tmp_path, whole_installation):
    """A copy of an installation, to be broken."""
    import shutil

    data, clock = whole_installation
    shutil.copytree(data, tmp_path / "copy")
    storage = open_storage(f"sqlite:///{tmp_path}/copy/greatseal.db")
    yield storage, tmp_path / "copy" / "objects", clock
    storage.close()


@pytest.fixture(scope="module")
def whole_installation(tmp_path_factory, _sqlite_template):
    import shutil

    folder = tmp_path_factory.mktemp("whole")
    shutil.copyfile(_sqlite_template(), folder / "greatseal.db")
    storage = open_storage(f"sqlite:///{folder}/greatseal.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("greatseal.domain.trust_services.hierarchy.ROOTS", (trust_model.TIERS[3],))
        source = Source(folder / "source", storage)
        source.take(folder / "backup", with_kek=True)
        put_back(folder / "backup", folder / "data", source.clock, moved=True)
    storage.close()
    return folder / "data", source.clock


def test_contents_without_their_object_are_left_over(broken):
    storage, objects, clock = broken
    (objects / "00").mkdir(exist_ok=True)
    (objects / "00" / ("0" * 32)).write_bytes(b"")
    row = {"name": "d" + "0" * 31, "number": 0, "content": b""}
    storage.transact(lambda tx: tx.execute(insert(blob_part), row))
    report = examined(storage, objects, clock)
    assert report.exit_code == 1
    assert [name for name, _ in violations(report)] == ["object-contents"] * 2
    whole = next(path for path in objects.glob("??/*") if path.stat().st_size)
    whole.write_bytes(b"")
    assert examined(storage, objects, clock).exit_code == 2


def test_without_a_key_secrets_are_skipped_and_said_to_be(broken):
    storage, objects, clock = broken
    report = examine(Case(storage, None, objects, clock.now()))
    assert report.exit_code == 1
    assert [one.invariant.name for one in report.examined if one.skipped] == ["secrets"]
    report = examine(Case(storage, Keyring(KEK), objects, clock.now()))
    assert report.exit_code == 0


def test_a_flood_of_violations_is_counted(broken):
    storage, objects, clock = broken
    row = storage.read(lambda tx: tx.all(select(revocation)))[0]._mapping
    flood = [{**row, "serial": f"{number:032x}"} for number in range(150)]
    storage.transact(lambda tx: tx.execute(insert(revocation), flood))
    [found] = [one for one in examined(storage, objects, clock).examined if one.invariant.name == "revocations"]
    assert len(found.violations) == 100
    assert found.more >= 50


def test_the_page_lists_every_invariant():
    page = Path("docs/invariants.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE)
    assert listed == [(each.name, each.statement) for each in INVARIANTS]


def test_the_commands(whole_installation, tmp_path):
    data, _ = whole_installation
    run = CliRunner()
    deep = run.invoke(greatseal, ["doctor", "--deep", "--json", "--data", str(data)])
    assert deep.exit_code == 0, deep.output
    assert json.loads(deep.stdout)["exit_code"] == 0
    assert "issued-certificates" in deep.stderr
    out, word = tmp_path / "backup", tmp_path / "word"
    word.write_text("a passphrase\n", encoding="utf-8")
    assert run.invoke(greatseal, ["backup", "--data", str(data), "--out", str(out), "--with-kek"]).exit_code == 2
    taken = run.invoke(
        greatseal,
        ["backup", "--data", str(data), "--out", str(out), "--with-kek", "--passphrase-file", str(word), "--json"],
    )
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["missing"] == 0
    rehearsed = run.invoke(greatseal, ["restore", str(out), "--rehearse", "--passphrase-file", str(word), "--json"])
    assert rehearsed.exit_code == 0, rehearsed.output
    assert json.loads(rehearsed.stdout)["kek"]
    new = tmp_path / "new"
    assert run.invoke(greatseal, ["restore", str(out), "--data", str(new)]).exit_code == 1
    assert not new.exists()
    back = run.invoke(greatseal, ["restore", str(out), "--data", str(new), "--passphrase-file", str(word)])
    assert back.exit_code == 0, back.output
    assert "alder is closed" in back.stdout
    assert run.invoke(greatseal, ["doctor", "--deep", "--data", str(new)]).exit_code == 0
    plain = tmp_path / "plain"
    assert run.invoke(greatseal, ["backup", "--data", str(data), "--out", str(plain)]).exit_code == 0
    kek = ["--kek-file", str(data / "kek")]
    assert run.invoke(greatseal, ["restore", str(plain), "--rehearse", *kek]).exit_code == 0
