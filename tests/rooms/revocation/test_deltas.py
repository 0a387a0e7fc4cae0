"""Delta lists (RFC 5280 section 5.2.4): what is on them, their numbers, deaths between the steps, switching off."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import delete

from doors.lists import (
    BUCKET,
    ENABLED,
    PARTITIONED,
    bucket,
    fetch,
    number,
    path_of,
    point_of,
    published,
    revoke,
    serials,
)
from doors.pki import Pki
from greatseal.domain.revocation.lists import Pace
from greatseal.domain.revocation.store import lists as list_store
from greatseal.storage.schema import job
from pkilint_opinion import pkilint_crl_errors

ONE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
PACE = Pace(deltas=True)
SOON, HOUR = timedelta(seconds=10), timedelta(hours=1)


@pytest.fixture
def pki(storage):
    made = Pki(storage, pace=PACE)
    bucket(made)
    return made


def delta_path(path):
    return path.removesuffix(".crl") + "-delta.crl"


def delta(pki, path):
    answer = fetch(pki, delta_path(path))
    assert answer.status == 200, answer
    return x509.load_der_x509_crl(answer.body)


def base_of(found):
    extension = found.extensions.get_extension_for_class(x509.DeltaCRLIndicator)
    assert extension.critical
    return extension.value.crl_number


def made(pki, configuration=ENABLED):
    """A CA whose list and first delta are published, and the path of its list."""
    arn = pki.root(RevocationConfiguration=configuration)
    certificate = pki.certificate(arn)
    pki.installation.work()
    return arn, path_of(arn) if configuration is ENABLED else point_of(certificate).partition(":8080")[2]


@pytest.mark.parametrize("configuration", [ENABLED, PARTITIONED], ids=["complete", "partitioned"])
def test_a_revocation_is_on_the_delta_soon_and_on_the_complete_list_later(pki, configuration):
    arn, path = made(pki, configuration)
    base = published(pki, f"http://x{path}")
    first = delta(pki, path)
    assert serials(first) == set()
    assert base_of(first) == number(base) < number(first)
    certificate = pki.issue(arn)
    pki.clock.advance(HOUR)
    serial = revoke(pki, certificate, "SUPERSEDED")
    pki.clock.advance(SOON)
    pki.installation.work()
    second = delta(pki, path)
    assert serials(second) == {serial}
    assert base_of(second) == number(base)
    assert serials(published(pki, f"http://x{path}")) == set()
    pki.clock.advance(HOUR)
    pki.installation.work()
    complete = published(pki, f"http://x{path}")
    assert serials(complete) == {serial}
    # Who has the first complete list is still served.
    assert base_of(delta(pki, path)) == number(base) < number(complete) < number(delta(pki, path))
    assert serials(delta(pki, path)) == {serial}


@ONE
def test_a_delta_says_where_it_belongs(pki):
    _, path = made(pki, PARTITIONED)
    base, found = published(pki, f"http://x{path}"), delta(pki, path)
    [freshest] = base.extensions.get_extension_for_class(x509.FreshestCRL).value
    assert freshest.full_name[0].value == f"http://127.0.0.1:8080{delta_path(path)}"
    for kind in (x509.AuthorityKeyIdentifier, x509.IssuingDistributionPoint):
        assert base.extensions.get_extension_for_class(kind) == found.extensions.get_extension_for_class(kind)
    # A delta points to no other (RFC 5280 section 5.2.6).
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.FreshestCRL)
    for each in (base, found):
        assert pkilint_crl_errors(each.public_bytes(Encoding.DER)) == []
    assert found.next_update_utc == pki.now.replace(microsecond=0) + timedelta(hours=24)


@ONE
def test_deltas_are_made_anew_though_nothing_happens(pki):
    arn, path = made(pki)
    before = delta(pki, path)
    pki.clock.advance(timedelta(hours=12))
    pki.installation.work()
    assert number(delta(pki, path)) > number(before)
    assert number(published(pki, arn)) == base_of(before)


@ONE
def test_the_base_moves_on_when_half_of_its_life_is_over(pki):
    arn, path = made(pki)
    first = number(published(pki, arn))
    old = revoke(pki, pki.issue(arn))
    pki.clock.advance(timedelta(days=3, hours=12))
    pki.installation.work()
    assert number(published(pki, arn)) > first
    assert base_of(delta(pki, path)) == number(published(pki, arn))
    assert serials(published(pki, arn)) == {old}
    assert serials(delta(pki, path)) == set()


@ONE
def test_a_revocation_that_was_under_way_when_the_base_was_made_is_on_the_delta(pki):
    arn, path = made(pki)
    publications = pki.installation.rooms.publications
    certificate = pki.issue(arn)
    pki.clock.advance(timedelta(days=4))
    reserved = publications.reserve(arn.rpartition("/")[2])
    der = publications.make(reserved)
    # Recorded between the reading of the entries and the publication: the new base does not have it.
    serial = revoke(pki, certificate)
    assert publications.store(reserved, der)
    pki.clock.advance(SOON)
    pki.installation.work()
    assert base_of(delta(pki, path)) == reserved.head.number
    assert serial not in serials(x509.load_der_x509_crl(der))
    assert serial in serials(delta(pki, path))


@ONE
def test_a_death_anywhere_leaves_a_delta_that_is_made_again(pki, monkeypatch):
    arn, path = made(pki)
    deltas, list_id = pki.installation.rooms.publications.deltas, arn.rpartition("/")[2]
    seen = number(delta(pki, path))
    revoke(pki, pki.issue(arn))
    for step in ("make", "store", "_end"):
        with monkeypatch.context() as patch:
            patch.setattr(deltas, step, _dies)
            with pytest.raises(SystemExit):
                deltas.publish(list_id)
        assert number(delta(pki, path)) >= seen
    pki.storage.transact(lambda tx: tx.execute(delete(job).where(job.c.kind == "publish-delta-crl")))
    pki.clock.advance(timedelta(minutes=10))
    pki.installation.work()
    assert number(delta(pki, path)) > seen
    assert len(serials(delta(pki, path))) == 1


def _dies(*_, **__):
    raise SystemExit


@ONE
def test_an_older_delta_never_replaces_a_newer_one(pki):
    arn, path = made(pki)
    deltas, list_id = pki.installation.rooms.publications.deltas, arn.rpartition("/")[2]
    slow, fast = deltas.reserve(list_id), deltas.reserve(list_id)
    assert slow.head.number < fast.head.number
    assert deltas.store(fast, deltas.make(fast))
    assert not deltas.store(slow, deltas.make(slow))
    assert number(delta(pki, path)) == fast.head.number


@ONE
def test_no_number_is_used_twice_by_both_kinds(pki):
    arn, path = made(pki)
    publications, list_id = pki.installation.rooms.publications, arn.rpartition("/")[2]
    taken = [number(published(pki, arn)), number(delta(pki, path))]
    pki.clock.advance(-timedelta(days=1))
    taken += [publications.deltas.reserve(list_id).head.number, publications.reserve(list_id).head.number]
    taken += [publications.deltas.reserve(list_id).head.number]
    assert taken == sorted(set(taken))


@ONE
def test_deltas_are_copied_beside_their_lists(pki):
    _, path = made(pki)
    s3 = pki.installation.client("s3")
    kept = s3.get_object(Bucket=BUCKET, Key=delta_path(path)[1:])
    assert kept["Body"].read() == fetch(pki, delta_path(path)).body
    assert kept["Metadata"] == {"crl-number": str(number(delta(pki, path)))}


@ONE
def test_without_the_setting_there_are_none(storage, pki):
    arn, path = made(pki)
    plain = Pki(storage, clock=pki.clock, entropy=pki.installation.entropy)
    rooms = plain.installation.rooms
    rooms.publications.publish(arn.rpartition("/")[2])
    assert fetch(plain, delta_path(path)).status == 404
    with pytest.raises(x509.ExtensionNotFound):
        published(plain, arn).extensions.get_extension_for_class(x509.FreshestCRL)
    serial = revoke(plain, plain.issue(arn))
    plain.clock.advance(SOON)
    plain.installation.work()
    assert serials(published(plain, arn)) == {serial}
    assert plain.storage.read(lambda tx: list_store.find(tx, arn.rpartition("/")[2])).number == number(
        published(plain, arn)
    )
