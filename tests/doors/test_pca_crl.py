"""Lists as clients get them: when they appear, what is in them, how long it stays, and how they are served."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select

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
from doors.pki import Pki, days, refused
from greatseal.storage.schema import outbox
from greatseal.x509.crl import RevocationList, check_complete, verify_signature
from pkilint_opinion import pkilint_crl_errors

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

SOON = timedelta(seconds=10)


@pytest.fixture
def pki(storage):
    made = Pki(storage)
    bucket(made)
    return made


def later(pki, by=SOON):
    pki.clock.advance(by)
    pki.installation.work()


def issuer(pki, arn):
    text = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"]
    return x509.load_pem_x509_certificate(text.encode())


def events(pki):
    rows = pki.storage.read(lambda tx: tx.all(select(outbox.c.payload).order_by(outbox.c.position)))
    return [row.payload for row in rows if row.payload["detail-type"] == "ACM Private CA CRL Generation"]


def test_the_first_list_appears_with_the_first_certificate_and_is_empty(pki):
    arn = pki.root(RevocationConfiguration=ENABLED)
    pki.installation.work()
    assert fetch(pki, path_of(arn)).status == 404
    pki.issue(arn)
    pki.installation.work()
    found = published(pki, arn)
    assert list(found) == []
    assert found.last_update_utc == pki.now - timedelta(hours=1)
    assert found.next_update_utc == pki.now + timedelta(days=7)
    assert number(found) == int(pki.now.timestamp() * 1000)
    assert found.issuer == issuer(pki, arn).subject
    assert found.is_signature_valid(issuer(pki, arn).public_key())
    assert {each.oid.dotted_string for each in found.extensions} == {"2.5.29.35", "2.5.29.20"}
    key_id = issuer(pki, arn).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == key_id


REASONS = {
    "UNSPECIFIED": None,
    "KEY_COMPROMISE": x509.ReasonFlags.key_compromise,
    "CERTIFICATE_AUTHORITY_COMPROMISE": x509.ReasonFlags.ca_compromise,
    "AFFILIATION_CHANGED": x509.ReasonFlags.affiliation_changed,
    "SUPERSEDED": x509.ReasonFlags.superseded,
    "CESSATION_OF_OPERATION": x509.ReasonFlags.cessation_of_operation,
    "PRIVILEGE_WITHDRAWN": x509.ReasonFlags.privilege_withdrawn,
    "A_A_COMPROMISE": x509.ReasonFlags.aa_compromise,
}


@pytest.mark.parametrize("key", ["EC_prime256v1", "RSA_2048", "ML_DSA_44"])
def test_a_revocation_is_on_the_list_well_within_a_minute(pki, key):
    arn = pki.root(key, RevocationConfiguration=ENABLED)
    issued = [pki.issue(arn) for _ in REASONS]
    pki.issue(arn)
    later(pki)
    expected = {}
    for certificate, reason in zip(issued, REASONS, strict=True):
        expected[revoke(pki, certificate, reason)] = (pki.now, REASONS[reason])
    pki.installation.work()
    assert serials(published(pki, arn)) == set()
    later(pki)
    found = published(pki, arn)
    assert serials(found) == set(expected)
    for entry in found:
        at, reason = expected[entry.serial_number]
        assert entry.revocation_date_utc == at.replace(microsecond=0)
        flags = [each.value.reason for each in entry.extensions]
        assert flags == ([] if reason is None else [reason])
    der = fetch(pki, path_of(arn)).body
    assert pkilint_crl_errors(der) == []
    ours = RevocationList.parse(der)
    check_complete(ours)
    spki = issuer(pki, arn).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert verify_signature(ours, spki)
    assert [each.serial for each in ours.entries] == sorted(each.serial for each in ours.entries)


def test_an_entry_stays_until_its_certificate_expires_and_for_one_more_list(pki):
    arn = pki.root(RevocationConfiguration=ENABLED)
    short, long = pki.issue(arn, valid=days(5)), pki.issue(arn, valid=days(300))
    gone, stays = revoke(pki, short), revoke(pki, long)
    later(pki)
    assert serials(published(pki, arn)) == {gone, stays}
    # Half of the life of a list is over before the certificate expires: day 3.5.
    later(pki, timedelta(days=3.5))
    assert serials(published(pki, arn)) == {gone, stays}
    before = number(published(pki, arn))
    later(pki, timedelta(days=3.5))
    assert number(published(pki, arn)) > before
    assert serials(published(pki, arn)) == {gone, stays}
    later(pki, timedelta(days=3.5))
    assert serials(published(pki, arn)) == {stays}


def test_a_list_is_made_anew_at_half_of_its_life(pki):
    arn = pki.root(RevocationConfiguration=ENABLED)
    pki.issue(arn)
    pki.installation.work()
    first = number(published(pki, arn))
    later(pki, timedelta(days=3.5) - timedelta(seconds=1))
    assert number(published(pki, arn)) == first
    later(pki, timedelta(seconds=1))
    assert number(published(pki, arn)) > first
    assert [each["detail"] for each in events(pki)] == [{"result": "success"}] * 2
    assert all(each["resources"] == [arn] for each in events(pki))


def test_which_authorities_publish(pki):
    arn = pki.root(RevocationConfiguration=ENABLED, valid=days(100))
    issued = [pki.issue(arn, valid=days(90)) for _ in range(3)]
    pki.installation.work()
    pki.set_status(arn, "DISABLED")
    first = revoke(pki, issued[0])
    later(pki)
    assert serials(published(pki, arn)) == {first}
    pki.delete(arn)
    last = number(published(pki, arn))
    later(pki, timedelta(days=5))
    assert number(published(pki, arn)) == last  # what there is stays there
    pki.pca.restore_certificate_authority(CertificateAuthorityArn=arn)
    pki.installation.work()
    assert number(published(pki, arn)) > last
    configure(pki, arn, {"CrlConfiguration": {"Enabled": False}})
    second = revoke(pki, issued[1])
    last = number(published(pki, arn))
    later(pki, timedelta(days=5))
    assert number(published(pki, arn)) == last
    configure(pki, arn, ENABLED)
    pki.installation.work()
    assert serials(published(pki, arn)) == {first, second}
    later(pki, timedelta(days=91))
    last = number(published(pki, arn))
    later(pki, timedelta(days=20))
    assert pki.status(arn) == "EXPIRED"
    assert number(published(pki, arn)) == last


def test_a_list_is_made_though_no_certificate_names_it(pki):
    omitted = {"CrlDistributionPointExtensionConfiguration": {"OmitExtension": True}}
    arn = pki.root(RevocationConfiguration={"CrlConfiguration": {**CRL, **omitted}})
    serial = revoke(pki, pki.issue(arn))
    later(pki)
    assert serials(published(pki, arn)) == {serial}


def test_revocations_from_before_are_on_the_first_list(pki):
    arn = pki.root()
    serial = revoke(pki, pki.issue(arn))
    later(pki)
    assert fetch(pki, path_of(arn)).status == 404
    configure(pki, arn, ENABLED)
    pki.issue(arn)
    pki.installation.work()
    assert serials(published(pki, arn)) == {serial}


def test_parts_have_their_own_certificates_and_say_which(pki):
    pki.installation.rooms.points._part_size, pki.installation.rooms.points._sample = 3, 1
    arn = pki.root(RevocationConfiguration=PARTITIONED)
    issued = [pki.issue(arn) for _ in range(7)]
    where = [point_of(x509.load_pem_x509_certificate(pki.get(arn, each)["Certificate"].encode())) for each in issued]
    assert [len({*where[:3]}), len({*where[3:6]}), len({*where})] == [1, 1, 3]
    revoked = [revoke(pki, each) for each in issued[1:5]]
    later(pki)
    assert fetch(pki, path_of(arn)).status == 404
    for url, expected in ((where[0], revoked[:2]), (where[3], revoked[2:]), (where[6], [])):
        found = published(pki, url)
        assert serials(found) == set(expected)
        point = found.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
        assert point.critical
        assert [name.value for name in point.value.full_name] == [url]
        flags = point.value
        narrowed = (flags.only_contains_user_certs, flags.only_contains_ca_certs, flags.indirect_crl)
        assert narrowed == (False, False, False)
        assert pkilint_crl_errors(found.public_bytes(Encoding.DER)) == []
    # A CA that goes over to complete lists keeps its parts, and its complete list has everything.
    configure(pki, arn, ENABLED)
    pki.issue(arn)
    later(pki)
    assert serials(published(pki, arn)) == set(revoked)
    extra = revoke(pki, issued[6])
    later(pki)
    assert serials(published(pki, where[6])) == {extra}
    assert serials(published(pki, arn)) == {*revoked, extra}


def test_how_a_list_is_served(pki):
    arn = pki.root(RevocationConfiguration=ENABLED)
    pki.issue(arn)
    pki.installation.work()
    answer = fetch(pki, path_of(arn))
    headers = dict(answer.headers)
    assert headers[b"content-type"] == b"application/pkix-crl"
    assert headers[b"last-modified"] == b"Thu, 15 Jan 2026 12:00:00 GMT"
    assert b"max-age=60" in headers[b"cache-control"]
    etag = headers[b"etag"].decode()
    assert fetch(pki, path_of(arn), method="HEAD").status == 200
    for conditions, status in (
        ({"if_none_match": etag}, 304),
        ({"if_none_match": f'"x", W/{etag}'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_none_match": '"x"', "if_modified_since": "Thu, 15 Jan 2026 12:00:00 GMT"}, 200),
        ({"if_modified_since": "Thu, 15 Jan 2026 12:00:00 GMT"}, 304),
        ({"if_modified_since": "Thu, 15 Jan 99999999999999999999 12:00:00 GMT"}, 200),
        ({"if_modified_since": "Thu, 15 Jan 2026 11:59:59 GMT"}, 200),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_modified_since": "Thu, 15 Jan 2026 12:00:00"}, 200),
    ):
        found = fetch(pki, path_of(arn), **conditions)
        assert (found.status, found.body == b"") == (status, status == 304), conditions
        assert dict(found.headers)[b"etag"].decode() == etag
    assert fetch(pki, f"/any/folder/{arn.rpartition('/')[2]}.crl").body == answer.body
    assert fetch(pki, path_of(arn), method="POST").status == 405
    for path in ("/", "/crl/", "/crl/x.crl", path_of(arn)[:-1], path_of(arn).upper(), "/crl/" + "0" * 36 + ".crl"):
        assert fetch(pki, path).status == 404
    later(pki, timedelta(days=4))
    assert fetch(pki, path_of(arn), if_none_match=etag).status == 200


def test_times_beyond_2049_are_generalized(pki):
    pki.clock.at = datetime(2049, 12, 30, tzinfo=UTC)
    arn = pki.root(RevocationConfiguration=ENABLED)
    pki.issue(arn)
    pki.installation.work()
    der = fetch(pki, path_of(arn)).body
    assert b"\x17\x0d491229230000Z\x18\x0f20500106000000Z" in der
    assert published(pki, arn).next_update_utc == pki.now + timedelta(days=7)


def test_the_list_is_copied_into_the_bucket(pki):
    arn = pki.root(RevocationConfiguration=ENABLED)
    serial = revoke(pki, pki.issue(arn))
    later(pki)
    copy = pki.installation.client("s3").get_object(Bucket="example-lists", Key=path_of(arn)[1:])
    assert copy["ContentType"] == "application/pkix-crl"
    assert serials(x509.load_der_x509_crl(copy["Body"].read())) == {serial}


def test_a_bucket_that_cannot_be_written_is_refused_and_one_that_is_lost_is_told_of(pki):
    s3 = pki.installation.client("s3")
    text = "Permission error with your S3 bucket 'absent-lists'. Check that your bucket policy, encryption settings,"
    absent = {"CrlConfiguration": {**CRL, "S3BucketName": "absent-lists"}}
    with refused("ValidationException", text):
        pki.create(RevocationConfiguration=absent)
    arn = pki.root(RevocationConfiguration=ENABLED)
    with refused("ValidationException", text):
        configure(pki, arn, absent)
    s3.create_bucket(Bucket="absent-lists")
    with refused("ValidationException", text):
        configure(pki, arn, absent)
    serial = revoke(pki, pki.issue(arn))
    s3.delete_bucket_policy(Bucket="example-lists")
    later(pki)
    denied = {"result": "failure", "reason": "Failed to write CRL to S3. Check your S3 bucket permissions."}
    assert events(pki)[-1]["detail"] == denied
    assert serials(published(pki, arn)) == {serial}
