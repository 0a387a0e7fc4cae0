"""Backups: everything comes back, in either kind of database, and numbers go forward."""

import sqlite3
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from doors.lists import BUCKET, fetch, number, path_of, published, serials
from doors.pki import csr
from greatseal.domain.audit import LogDamaged, Seals, newest_checkpoint, verify
from greatseal.domain.transparency.store import logs
from greatseal.domain.trust_services import model as trust_model
from greatseal.kernel.errors import Refusal
from greatseal.storage import open_storage, restored, snapshot
from greatseal.storage.schema import job, outbox
from made_backups import IN_ROWS, Source, body, examined, put_back, reopened, violations

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _one_root(monkeypatch):
    """RSA keys of 4096 bits take seconds, and the four roots differ in their keys only."""
    monkeypatch.setattr("greatseal.domain.trust_services.hierarchy.ROOTS", (trust_model.TIERS[3],))


@pytest.fixture
def source(storage, tmp_path):
    return Source(tmp_path / "source", storage)


def content(storage):
    """Every row of every table, whatever the database."""
    return storage.read(
        lambda tx: {
            shape.name: sorted((tuple(row) for row in snapshot.rows(tx, shape)), key=repr)
            for shape in snapshot.shapes(tx)
        }
    )


@pytest.fixture
def other_url(database_kind, tmp_path, request):
    """An empty database of the other kind."""
    if database_kind == "postgresql":
        yield f"sqlite:///{tmp_path}/other.db"
        return
    server = request.getfixturevalue("postgresql_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def test_every_row_goes_over_to_the_other_kind_of_database(source, tmp_path, other_url):
    source.take(tmp_path / "backup")
    before = content(source.storage)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock, database=other_url, moved=True)
    other = open_storage(other_url)
    try:
        after = content(other)
        assert other.dialect != source.storage.dialect
        assert examined(other, tmp_path / "new" / "objects", source.clock).exit_code == 0
    finally:
        other.close()
    for changed in ("job", "installation"):  # leases were freed, the restore is noted
        before.pop(changed), after.pop(changed)
    assert after == before
    assert sum(map(len, after.values())) > 100


def test_the_restored_installation_goes_on(source, tmp_path, other_url):
    source.take(tmp_path / "backup")
    source.clock.advance(DAY)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock, database=other_url)
    pki = reopened(tmp_path / "new", source.clock, database=other_url)
    source.clock.advance(timedelta(minutes=2))
    pki.installation.work()
    pki.installation.rooms.audit_log.catch_up()
    assert body(pki.installation.client("s3").get_object(Bucket=BUCKET, Key="kept")) == b"kept " * 50_000
    assert body(pki.installation.client("s3").get_object(Bucket=BUCKET, Key="in rows")) == IN_ROWS
    assert pki.installation.client("kms").encrypt(KeyId=source.key, Plaintext=b"x")
    pki.issue(source.authority)
    report = examined(pki.installation.rooms.storage, tmp_path / "new" / "objects", source.clock)
    assert violations(report) == []
    pki.installation.rooms.storage.close()


@ONE
def test_lists_are_withdrawn_and_made_anew_with_higher_numbers(source, tmp_path):
    source.take(tmp_path / "backup")
    source.later(4 * DAY)  # lists that the backup does not know
    lost = number(published(source.pki, source.authority))
    put_back(tmp_path / "backup", tmp_path / "new", source.clock)
    pki = reopened(tmp_path / "new", source.clock)
    assert fetch(pki, path_of(source.authority)).status == 404
    source.clock.advance(timedelta(seconds=1))
    pki.installation.work()
    found = published(pki, source.authority)
    assert number(found) > lost
    assert serials(found) == {int(source.certificates[0].rpartition("/")[2], 16)}


@ONE
def test_the_audit_log_ends_and_another_goes_on_with_its_records(source, tmp_path):
    early = newest_checkpoint(source.storage)
    source.take(tmp_path / "backup")
    source.pki.issue(source.authority)
    source.later(timedelta(minutes=5))
    late = newest_checkpoint(source.storage)
    source.clock.advance(DAY)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock)

    pki = reopened(tmp_path / "new", source.clock, settled=False)
    with pytest.raises(LogDamaged, match="put back from a backup"):
        pki.installation.rooms.audit_log.catch_up()
    with pytest.raises(LogDamaged, match="put back from a backup"):
        pki.installation.rooms.audit_log.checkpoint()
    pki = reopened(tmp_path / "new", source.clock)
    for _ in range(3):
        pki.issue(source.authority)
        source.clock.advance(timedelta(minutes=2))
        pki.installation.rooms.audit_log.catch_up()

    rooms = pki.installation.rooms
    after = newest_checkpoint(rooms.storage)
    assert after.splitlines()[0] != late.splitlines()[0]
    assert verify(rooms.storage, Seals(None), early).ok
    assert verify(rooms.storage, Seals(None), after).ok
    [finding] = verify(rooms.storage, Seals(None), late).findings
    assert "when a backup was put back" in finding.text
    assert rooms.storage.read(restored.found) is None
    [past] = rooms.storage.read(restored.history)
    assert past.closed == ("alder", "birch")


@ONE
def test_transparency_logs_are_closed_and_others_begin(source, tmp_path):
    source.take(tmp_path / "backup")
    source.clock.advance(DAY)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock)
    pki = reopened(tmp_path / "new", source.clock)
    rooms = pki.installation.rooms
    assert {each.record.id for each in rooms.transparency.logs.active()} == {"alder-2", "birch-2"}
    old = rooms.storage.read(lambda tx: logs.head(tx, "alder"))
    rooms.transparency.logs.refresh()
    assert rooms.storage.read(lambda tx: logs.head(tx, "alder")) == old
    candidates = rooms.transparency.logs.find("alder")
    assert candidates.record.retired_at is not None


def test_row_numbers_leap(source, tmp_path, other_url):
    source.take(tmp_path / "backup")
    before = source.storage.read(lambda tx: {each.name: each.counter for each in snapshot.shapes(tx)})
    source.clock.advance(DAY)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock, database=other_url)
    pki = reopened(tmp_path / "new", source.clock, database=other_url)
    pki.issue(source.authority)
    storage = pki.installation.rooms.storage
    newest = storage.read(lambda tx: tx.scalar(select(outbox.c.id).order_by(outbox.c.id.desc()).limit(1)))
    assert newest > before["outbox"] + (1 << 40)
    storage.close()


@ONE
def test_what_was_moved_goes_on_as_it_is(source, tmp_path):
    source.take(tmp_path / "backup")
    checkpoint, found = newest_checkpoint(source.storage), published(source.pki, source.authority)
    put_back(tmp_path / "backup", tmp_path / "new", source.clock, moved=True)
    pki = reopened(tmp_path / "new", source.clock)
    rooms = pki.installation.rooms
    assert published(pki, source.authority) == found
    pki.issue(source.authority)
    source.clock.advance(timedelta(minutes=2))
    rooms.audit_log.catch_up()
    assert newest_checkpoint(rooms.storage).splitlines()[0] == checkpoint.splitlines()[0]
    assert {each.record.id for each in rooms.transparency.logs.active()} == {"alder", "birch"}


@ONE
def test_leases_are_free(source, tmp_path):
    source.storage.transact(
        lambda tx: tx.execute(job.update().values(owner="dead", leased_until=source.clock.now() + DAY))
    )
    source.take(tmp_path / "backup")
    put_back(tmp_path / "backup", tmp_path / "new", source.clock, moved=True)
    new = open_storage(f"sqlite:///{tmp_path}/new/greatseal.db")
    assert new.read(lambda tx: tx.all(select(job.c.owner).where(job.c.owner.is_not(None)))) == []
    new.close()


def test_a_backup_while_everybody_writes_is_one_moment(source, tmp_path):
    stop, errors = threading.Event(), []

    def issue():
        count = 0
        while not stop.is_set():
            try:
                arn = source.pki.issue(source.authority, csr(f"w{count}.example.com"))
                if count % 2:
                    source.pki.pca.revoke_certificate(
                        CertificateAuthorityArn=source.authority,
                        CertificateSerial=arn.rpartition("/")[2],
                        RevocationReason="SUPERSEDED",
                    )
                count += 1
            except (Refusal, AssertionError, OSError) as error:
                errors.append(error)

    def overwrite():
        count = 0
        while not stop.is_set():
            source.s3.put_object(Bucket=BUCKET, Key=f"hot-{count % 3}", Body=b"%d" % count * 1000)
            count += 1

    writers = [threading.Thread(target=each) for each in (issue, overwrite)]
    for each in writers:
        each.start()
    try:
        taken = [source.take(tmp_path / f"backup-{number}") for number in range(3)]
    finally:
        stop.set()
        for each in writers:
            each.join()
    assert errors == []
    assert [each.manifest.missing for each in taken] == [0, 0, 0]
    assert not list((source.data / "objects").glob("backup-*"))
    for copy in range(3):
        new = tmp_path / f"new-{copy}"
        put_back(tmp_path / f"backup-{copy}", new, source.clock)
        storage = open_storage(f"sqlite:///{new}/greatseal.db")
        report = examined(storage, new / "objects", source.clock)
        assert [each for each in violations(report) if each[0] != "object-contents"] == []
        assert report.exit_code < 2
        storage.close()


@ONE
def test_files_are_private_and_whole(source, tmp_path):
    (source.data / "greatseal.toml").write_text('region = "eu-west-1"\n', encoding="utf-8")
    source.take(tmp_path / "backup", with_kek=True)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    assert b"eu-west-1" not in (tmp_path / "backup").read_bytes()
    back = put_back(tmp_path / "backup", tmp_path / "new", source.clock)
    assert back.kek
    assert not back.aside
    new = tmp_path / "new"
    assert (new / "greatseal.toml").read_text(encoding="utf-8") == 'region = "eu-west-1"\n'
    assert (new / "kek").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(new / "greatseal.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@ONE
def test_settings_that_name_a_database_are_laid_aside(source, tmp_path):
    (source.data / "greatseal.toml").write_text('database = "postgresql://old/one"\n', encoding="utf-8")
    source.take(tmp_path / "backup")
    assert put_back(tmp_path / "backup", tmp_path / "new", source.clock).aside
    assert not (tmp_path / "new" / "greatseal.toml").exists()
    assert (tmp_path / "new" / "greatseal.toml.from-backup").exists()


@ONE
def test_a_content_that_is_missing_does_not_stop_a_backup(source, tmp_path):
    gone = next(path for path in (source.data / "objects").glob("??/*"))
    gone.unlink()
    assert source.take(tmp_path / "backup").manifest.missing == 1
    assert ("object-contents", f"its content {gone.name} is missing") in violations(
        examined(source.storage, source.data / "objects", source.clock)
    )
