"""Publication under faults: deaths between the steps, two nodes at once, targets that fail, a database set back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, update

from doors.lists import CRL, ENABLED, PARTITIONED, bucket, number, path_of, published, revoke, serials
from doors.pki import Pki
from greatseal.crypto.signature import SoftwareSigner
from greatseal.domain.revocation import TargetUnavailable
from greatseal.domain.revocation.points import PUBLISH_JOB
from greatseal.domain.revocation.store import lists as list_store
from greatseal.storage.schema import job, outbox

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


def id_of(arn):
    return arn.rpartition("/")[2]


def publications(pki):
    return pki.installation.rooms.publications


def results(pki):
    rows = pki.storage.read(lambda tx: tx.all(select(outbox.c.payload).order_by(outbox.c.position)))
    found = [row.payload for row in rows if row.payload["detail-type"] == "ACM Private CA CRL Generation"]
    return [each["detail"].get("reason", each["detail"]["result"]) for each in found]


def jobs(pki):
    return pki.storage.read(lambda tx: [row.due for row in tx.all(select(job.c.due).where(job.c.kind == PUBLISH_JOB))])


def test_an_older_list_never_replaces_a_newer_one(pki, arn):
    mine = publications(pki)
    slow = mine.reserve(id_of(arn))
    serial = revoke(pki, pki.issue(arn))
    fast = mine.reserve(id_of(arn))
    assert fast.head.number > slow.head.number
    before = mine.make(slow)
    assert mine.store(fast, mine.make(fast))
    assert not mine.store(slow, before)
    assert not mine.store(fast, before)
    assert serials(published(pki, arn)) == {serial}
    assert number(published(pki, arn)) == fast.head.number


def test_numbers_only_grow_whatever_the_clock_does(pki, arn):
    seen = [number(published(pki, arn))]
    for step in (timedelta(0), timedelta(0), timedelta(days=-400), timedelta(seconds=1), timedelta(days=800)):
        pki.clock.advance(step)
        publications(pki).publish(id_of(arn))
        seen.append(number(published(pki, arn)))
    assert seen == sorted(set(seen))
    assert seen[-1] == int(pki.now.timestamp() * 1000)


def test_a_database_that_was_set_back_goes_on_above_what_clients_have_seen(pki, arn):
    state = pki.storage.read(lambda tx: list_store.find(tx, id_of(arn)))
    pki.clock.advance(timedelta(hours=2))
    publications(pki).publish(id_of(arn))
    seen = number(published(pki, arn))

    def restore(tx):
        lists = list_store.revocation_list
        tx.execute(update(lists).values(number=state.number, published_number=state.published_number))

    pki.storage.transact(restore)
    pki.clock.advance(timedelta(seconds=1))
    publications(pki).publish(id_of(arn))
    assert number(published(pki, arn)) > seen


@ONE
@pytest.mark.parametrize("step", ["reserve", "make", "store", "_copy", "_end"])
def test_a_death_between_any_two_steps_is_made_good(pki, arn, step, monkeypatch):
    serial = revoke(pki, pki.issue(arn))
    pki.clock.advance(SOON)
    mine = publications(pki)
    real = getattr(mine, step)

    class Died(BaseException):
        pass

    def die(*arguments, **more):
        real(*arguments, **more)
        raise Died

    before = number(published(pki, arn))
    with monkeypatch.context() as patch:
        patch.setattr(mine, step, die)
        with pytest.raises(Died):
            pki.installation.work()
    # The lease of the dead ends, and the next one starts from the beginning.
    pki.clock.advance(timedelta(minutes=6))
    pki.installation.work()
    assert serials(published(pki, arn)) == {serial}
    assert number(published(pki, arn)) > before
    assert results(pki)[-1] == "success"
    [due] = jobs(pki)
    assert due > pki.now


@ONE
def test_a_key_that_signs_wrongly_publishes_nothing_and_is_tried_again(pki, arn, monkeypatch):
    serial = revoke(pki, pki.issue(arn))
    pki.clock.advance(SOON)
    real = SoftwareSigner.sign
    with monkeypatch.context() as patch:
        patch.setattr(SoftwareSigner, "sign", lambda self, data, algorithm: real(self, data + b"!", algorithm))
        pki.installation.work()
    assert results(pki)[-1] == "Failed to generate CRL. Internal failure."
    assert serials(published(pki, arn)) == set()
    pki.clock.advance(timedelta(minutes=1))
    pki.installation.work()
    assert results(pki)[-1] == "success"
    assert serials(published(pki, arn)) == {serial}


class Buckets:
    """A target that remembers, and fails when it is told to."""

    def __init__(self):
        self.objects = {}
        self.failure = None
        self.during = lambda: None

    def put(self, copied, key, body, *, content_type, number):
        self.during()
        if self.failure is not None:
            raise self.failure
        self.objects[copied.bucket, key] = (body, content_type, copied.acl, number)


@pytest.fixture
def buckets(pki, monkeypatch):
    target = Buckets()
    monkeypatch.setattr(publications(pki)._press, "_target", target)
    return target


@ONE
def test_a_target_that_is_down_is_tried_again_until_it_is_up(pki, arn, buckets):
    serial = revoke(pki, pki.issue(arn))
    buckets.failure = TargetUnavailable("no route")
    for _ in range(20):
        pki.clock.advance(timedelta(minutes=1))
        pki.installation.work()
    assert results(pki)[1:] == ["Failed to write CRL to S3. Internal failure."] * 20
    # Clients of this installation need no bucket.
    assert serials(published(pki, arn)) == {serial}
    buckets.failure = TargetUnavailable("403", denied=True)
    pki.clock.advance(timedelta(minutes=1))
    pki.installation.work()
    assert results(pki)[-1] == "Failed to write CRL to S3. Check your S3 bucket permissions."
    buckets.failure = None
    pki.clock.advance(timedelta(minutes=1))
    pki.installation.work()
    assert results(pki)[-1] == "success"
    body, content_type, acl, stated = buckets.objects["example-lists", path_of(arn)[1:]]
    assert serials(x509.load_der_x509_crl(body)) == {serial}
    assert (content_type, acl) == ("application/pkix-crl", "PUBLIC_READ")
    assert stated == number(published(pki, arn))


@ONE
def test_a_copy_that_may_be_older_than_another_nodes_is_made_once_more(pki, arn, buckets):
    raced = []

    def another_node():
        if not raced:
            raced.append(publications(pki).reserve(id_of(arn)))

    buckets.during = another_node
    publications(pki).publish(id_of(arn))
    assert min(jobs(pki)) == pki.now
    pki.clock.advance(timedelta(seconds=1))
    pki.installation.work()
    [(body, *_)] = buckets.objects.values()
    assert number(x509.load_der_x509_crl(body)) == number(published(pki, arn)) > raced[0].head.number


@ONE
@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "crl/{id}.crl"),
        ({"CustomPath": "a/b"}, "a/b/{id}.crl"),
        ({"CustomPath": "/"}, "{id}.crl"),
        ({"CrlType": "PARTITIONED"}, "crl/{id}/{part}.crl"),
        ({"CrlType": "PARTITIONED", "CustomPath": "a/b"}, "a/b/{part}.crl"),
        ({"CrlType": "PARTITIONED", "CustomPath": "/"}, "{part}.crl"),
    ],
)
def test_object_names(pki, buckets, options, key):
    arn = pki.root(RevocationConfiguration={"CrlConfiguration": {**CRL, **options}})
    pki.issue(arn)
    pki.installation.work()
    lists = list_store.revocation_list
    [row] = pki.storage.read(lambda tx: tx.all(select(lists.c.id)))
    assert list(buckets.objects) == [("example-lists", key.format(id=id_of(arn), part=row.id))]


@ONE
def test_a_list_whose_job_was_lost_is_found_again(pki, arn):
    pki.storage.transact(lambda tx: tx.execute(job.delete()))
    before = number(published(pki, arn))
    pki.clock.advance(timedelta(days=3.6))
    assert publications(pki).sweep() == 1
    assert publications(pki).sweep() == 0
    pki.installation.work()
    assert number(published(pki, arn)) > before


@ONE
def test_every_generation_is_in_the_audit_trail(pki, arn):
    trail = pki.installation.client("cloudtrail")
    found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "GenerateCRL"}])
    [event] = found["Events"]
    assert event["Resources"][0]["ResourceName"] == arn


def test_parts_are_bound_under_concurrency(pki):
    pki.installation.rooms.points._part_size, pki.installation.rooms.points._sample = 4, 1
    arn = pki.root(RevocationConfiguration=PARTITIONED)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: pki.issue(arn), range(12)))
    lists = list_store.revocation_list
    bound = pki.storage.read(lambda tx: [row.bound for row in tx.all(select(lists.c.bound))])
    assert bound == [4, 4, 4]
