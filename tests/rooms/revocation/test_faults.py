"""Faults of publication that last: buckets that are away, objects and rows that are lost, clocks that jump, backups."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from sqlalchemy import delete, select

from doors.lists import (
    CRL,
    ENABLED,
    PARTITIONED,
    bucket,
    configure,
    fetch,
    number,
    path_of,
    point_of,
    published,
    revoke,
    serials,
)
from doors.ocsp_client import ENABLED as OCSP
from doors.ocsp_client import Door, ca_certificate, request
from doors.pki import Pki, days, parse
from faults.recovery import caller
from greatseal.domain.revocation import RevocationReason
from greatseal.domain.revocation.mass import Kind, Listing, Selection
from greatseal.domain.revocation.store.lists import revocation_list, revocation_list_document
from greatseal.storage import open_storage, queue
from greatseal.storage.schema import outbox
from greatseal.testing import FakeClock, FakeEntropy, Installation
from greatseal.work.loop import Loop

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
SOON = timedelta(seconds=10)


@pytest.fixture
def pki(storage):
    made = Pki(storage)
    bucket(made)
    return made


@pytest.fixture
def arn(pki):
    made = pki.root(RevocationConfiguration=ENABLED)
    pki.issue(made)
    pki.installation.work()
    return made


def in_bucket(pki, key):
    body = pki.installation.client("s3").get_object(Bucket="example-lists", Key=key)["Body"].read()
    return x509.load_der_x509_crl(body)


def after(pki, step):
    pki.clock.advance(step)
    pki.installation.work()


@ONE
def test_a_bucket_that_is_closed_for_longer_than_a_list_lives(pki, arn):
    s3 = pki.installation.client("s3")
    policy = s3.get_bucket_policy(Bucket="example-lists")["Policy"]
    s3.delete_bucket_policy(Bucket="example-lists")
    serial = revoke(pki, pki.issue(arn))
    first = in_bucket(pki, path_of(arn)[1:])
    for _ in range(10):
        after(pki, timedelta(days=1))
        # Who asks us is never given a list that is too old, or one without the revocation.
        found = published(pki, arn)
        assert serials(found) == {serial}
        assert found.next_update_utc > pki.now
    assert number(in_bucket(pki, path_of(arn)[1:])) == number(first)
    assert first.next_update_utc < pki.now
    s3.put_bucket_policy(Bucket="example-lists", Policy=policy)
    after(pki, timedelta(minutes=1))
    assert number(in_bucket(pki, path_of(arn)[1:])) == number(published(pki, arn))
    query = select(outbox.c.payload).order_by(outbox.c.position)
    payloads = [row.payload for row in pki.storage.read(lambda tx: tx.all(query))]
    told = [each["detail"] for each in payloads if each["detail-type"] == "ACM Private CA CRL Generation"]
    assert told[-2]["result"] == "failure"
    assert told[-1]["result"] == "success"


@ONE
def test_a_lost_part_comes_back(pki):
    arn = pki.root(RevocationConfiguration=PARTITIONED)
    issued = pki.issue(arn)
    serial = revoke(pki, issued)
    after(pki, SOON)
    where = urlsplit(point_of(parse(pki.get(arn, issued)["Certificate"]))).path
    s3 = pki.installation.client("s3")
    # The object in the bucket: the next list puts it back, and so does saving the settings once more.
    s3.delete_object(Bucket="example-lists", Key=where[1:])
    configure(pki, arn, PARTITIONED)
    pki.installation.work()
    assert serials(in_bucket(pki, where[1:])) == {serial}
    s3.delete_object(Bucket="example-lists", Key=where[1:])
    after(pki, timedelta(days=3.5))
    assert serials(in_bucket(pki, where[1:])) == {serial}
    # The signed octets in the database, under a number that goes on.
    before = number(published(pki, where))
    pki.storage.transact(lambda tx: tx.execute(delete(revocation_list_document)))
    assert fetch(pki, where).status == 404
    configure(pki, arn, PARTITIONED)
    pki.installation.work()
    assert serials(published(pki, where)) == {serial}
    assert number(published(pki, where)) > before


class Ticks:
    """The loop of a service, without its thread."""

    def __init__(self, pki):
        installation = pki.installation
        self.pki = pki
        self.loop = Loop(storage=pki.storage, runner=installation.runner, clock=pki.clock)

    def to(self, step):
        self.pki.clock.advance(step)
        self.loop.look_at(self.pki.now)
        self.pki.installation.work()


@ONE
@pytest.mark.parametrize("far", [timedelta(hours=2), timedelta(days=400)])
def test_a_clock_that_was_ahead(pki, arn, far):
    ticks = Ticks(pki)
    serial = revoke(pki, pki.issue(arn, valid=days(30)))
    ticks.to(SOON)
    seen = [number(published(pki, arn))]
    ticks.to(far)
    seen.append(number(published(pki, arn)))
    ticks.to(-far)
    found = published(pki, arn)
    seen.append(number(found))
    assert found.last_update_utc <= pki.now < found.next_update_utc
    # What had expired in the future has not expired.
    assert serials(found) == {serial}
    another = revoke(pki, pki.issue(arn))
    ticks.to(SOON)
    assert serials(published(pki, arn)) == {serial, another}
    seen.append(number(published(pki, arn)))
    assert seen == sorted(seen)
    ticks.to(timedelta(days=3.5))
    assert number(published(pki, arn)) > seen[-1]


@ONE
def test_a_clock_that_was_ahead_when_the_service_stopped(pki, arn):
    """The next start sees no jump; the sweep sees lists of the future."""
    serial = revoke(pki, pki.issue(arn))
    after(pki, timedelta(days=400))
    pki.clock.advance(timedelta(days=-400))
    assert published(pki, arn).last_update_utc > pki.now
    again = Pki(pki.storage, clock=pki.clock, entropy=FakeEntropy("again"))
    assert again.installation.rooms.publications.sweep() == 0
    again.installation.work()
    found = published(again, arn)
    assert found.last_update_utc <= pki.now
    assert serials(found) == {serial}


@ONE
def test_small_steps_back_disturb_nothing(pki, arn):
    ticks = Ticks(pki)
    before = number(published(pki, arn))
    ticks.to(timedelta(seconds=30))
    ticks.to(timedelta(seconds=-30))
    assert number(published(pki, arn)) == before


@ONE
def test_a_responder_of_the_future_does_not_sign_in_the_present(storage):
    pki = Pki(storage)
    arn = pki.root(RevocationConfiguration=OCSP)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn, valid=days(300))
    door = Door(pki)

    def responder():
        [certificate] = door.ask(request(leaf, root, nonce=b"fresh"), root).certificates
        assert certificate.not_valid_before_utc <= pki.now < certificate.not_valid_after_utc
        return certificate

    first = responder()
    pki.clock.advance(timedelta(days=100))
    pki.installation.rooms.ocsp_responders.rotate()
    future = responder()
    pki.clock.advance(timedelta(days=-100))
    pki.installation.rooms.ocsp_responders.rotate()
    assert responder() not in (first, future)


def test_two_nodes_publish_at_once(pki, arn):
    nodes = [Installation(pki.storage, clock=pki.clock, entropy=FakeEntropy(f"node {n}")).rooms for n in range(4)]
    wanted = {revoke(pki, pki.issue(arn)) for _ in range(3)}
    list_id = arn.rpartition("/")[2]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda rooms: [rooms.publications.publish(list_id) for _ in range(3)], nodes))
    row = pki.storage.read(lambda tx: tx.one(select(revocation_list)))
    found = published(pki, arn)
    assert serials(found) == wanted
    assert number(found) == row.published_number <= row.number
    # Who copied last is settled by the job that the loser asked for.
    pki.installation.work()
    assert number(in_bucket(pki, path_of(arn)[1:])) == number(published(pki, arn))


def test_yesterdays_backup(tmp_path):
    """The restored database forgot a list and a revocation, which the list that clients have brings back.

    Numbers go on above what clients have seen.
    """
    file, backup = tmp_path / "greatseal.db", tmp_path / "backup.db"
    clock = FakeClock()
    pki = opened(file, clock, "today")
    bucket(pki)
    arn = pki.root(RevocationConfiguration=ENABLED)
    kept, lost = pki.issue(arn), pki.issue(arn)
    early = revoke(pki, kept)
    after(pki, SOON)
    pki.storage.close()
    shutil.copyfile(file, backup)

    pki = opened(file, clock, "later today")
    clock.advance(timedelta(days=1))
    late = revoke(pki, lost)
    after(pki, SOON)
    last = published(pki, arn)
    assert serials(last) == {early, late}
    pki.storage.close()
    for each in tmp_path.glob("greatseal.db*"):
        each.unlink()
    shutil.copyfile(backup, file)

    clock.advance(timedelta(minutes=5))
    pki = opened(file, clock, "restored")
    rooms = pki.installation.rooms
    listing = Listing(storage=pki.storage, registry=rooms.registry)
    names = [f"{serial:x}" for serial in sorted(serials(last))]
    selection = Selection(Kind.LIST, "last.crl", RevocationReason.SUPERSEDED)
    rooms.mass_revocations.ask_listed(caller(), selection, listing.read(names, arn))
    pki.installation.work()
    after(pki, SOON)
    found = published(pki, arn)
    assert number(found) > number(last)
    assert serials(found) == {early, late}
    assert number(in_bucket(pki, path_of(arn)[1:])) == number(found)
    pki.storage.close()


def opened(file: Path, clock: FakeClock, seed: str) -> Pki:
    from greatseal.storage.migrate import migrate

    storage = open_storage(f"sqlite:///{file}")
    migrate(storage)
    return Pki(storage, clock=clock, entropy=FakeEntropy(seed))


@ONE
@pytest.mark.parametrize("path", ["..", "../x", "a/..", "a/../../b", "/a", "a/", "a//b", ".", "./a", "a\\b", "a\x00b"])
def test_paths_that_lead_elsewhere(pki, path):
    with pytest.raises(pki.pca.exceptions.ClientError) as caught:
        pki.create(RevocationConfiguration={"CrlConfiguration": {**CRL, "CustomPath": path}})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert pki.pca.list_certificate_authorities()["CertificateAuthorities"] == []


@ONE
@pytest.mark.parametrize(
    "path", ["/crl/../crl/{id}.crl", "/crl/%2e%2e/x.crl", "/crl/{id}.crl/..", "/crl/..", "//{id}.CRL"]
)
def test_addresses_that_lead_elsewhere(pki, arn, path):
    answer = fetch(pki, path.format(id=arn.rpartition("/")[2]))
    # Whatever folders are before the id, it is this list or nothing: there is no file behind a path.
    assert answer.status == 404 or answer.body == fetch(pki, path_of(arn)).body


def test_a_job_that_waits_for_the_future_is_hurried(storage):
    clock = FakeClock()
    later = clock.now() + timedelta(days=400)
    storage.transact(lambda tx: queue.enqueue(tx, kind="k", key="", payload={}, due=later))
    storage.transact(lambda tx: queue.hurry(tx, now=clock.now()))
    assert storage.read(queue.next_due) == clock.now()
