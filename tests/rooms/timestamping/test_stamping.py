"""The timestamp authority: tokens that verify, requests that are refused, keys that come and go."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from greatseal.app.doors import plain_mounts
from greatseal.app.worker_metrics import WorkerMetrics
from greatseal.crypto.signature import SignerUnavailable
from greatseal.domain.authorities.model import Status
from greatseal.domain.authorities.revocation_settings import RevocationChange
from greatseal.domain.revocation.model import RevocationReason
from greatseal.domain.timestamping import StampWishes, store
from greatseal.domain.timestamping.model import DEFAULT_POLICY, USED_FOR
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation
from greatseal.x509 import cms, der, timestamp
from greatseal.x509.bundle import read_certificates
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import Digest
from greatseal.x509.extensions import OID, read_extended_key_usage
from greatseal.x509.path import Purpose, Rules, Valid, find
from greatseal.x509.timestamp import Imprint, TimestampRequest, TimestampResponse, TstInfo, read_token

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
DATA = b"what is stamped"
IMPRINT = Imprint.of(Digest.SHA256, DATA)


@pytest.fixture
def installation(storage: Storage) -> Installation:
    return Installation(storage)


def ask(
    installation: Installation, body: bytes, *, method: str = "POST", path: bytes = b"/tsa", **headers: str
) -> HttpResponse:
    mount = plain_mounts(installation.rooms, WorkerMetrics(CollectorRegistry()), None).find(path)
    assert mount is not None
    assert mount.door == "tsa"
    headers.setdefault("content_type", "application/timestamp-query")
    sent = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return mount.handle(
        HttpRequest(method=method, raw_path=path, raw_query=b"", headers=sent, body=body, request_id="r")
    )


def stamp(installation: Installation, **asked: Any) -> TimestampResponse:
    answer = ask(installation, TimestampRequest(asked.pop("imprint", IMPRINT), **asked).encode())
    assert answer.status == 200
    assert dict(answer.headers)[b"content-type"] == b"application/timestamp-reply"
    return TimestampResponse.parse(answer.body)


def token(installation: Installation, **asked: Any) -> tuple[TstInfo, Certificate]:
    """What a good token says, and who signed it."""
    answer = stamp(installation, certificates=True, **asked)
    assert answer.token is not None, answer
    signed, info = read_token(answer.token)
    certificate = cms.certificate_of(signed, signed.signers[0])
    assert signed.content is not None
    digests = {digest: digest.of(signed.content) for digest in cms.wanted(signed)}
    assert cms.check(signed, signed.signers[0], certificate, digests).binds_certificate
    return info, certificate


def root_of(installation: Installation) -> Certificate:
    arn = installation.rooms.timestamps.authority.arn()
    assert arn is not None
    return Certificate.parse(installation.rooms.registry.certificate(arn).der)


def test_a_token_and_its_authority(installation: Installation) -> None:
    info, certificate = token(installation, nonce=2**127 + 5)
    assert (info.policy, info.nonce, info.ordering) == (DEFAULT_POLICY, 2**127 + 5, True)
    assert info.accuracy == timedelta(seconds=1)
    assert (info.imprint.digest, info.imprint.octets) == (Digest.SHA256, Digest.SHA256.of(DATA))
    assert info.at == installation.clock.now()
    purposes = certificate.extension(OID.EXTENDED_KEY_USAGE)
    assert purposes is not None
    assert purposes.critical
    assert read_extended_key_usage(purposes) == (OID.TIME_STAMPING,)
    rules = Rules(at=info.at, purpose=Purpose.TIME_STAMPING)
    assert isinstance(find(certificate, (), [root_of(installation)], rules), Valid)


@sqlite_only
def test_certificates_come_when_they_are_asked_for(installation: Installation) -> None:
    bare = stamp(installation).token
    assert bare is not None
    assert read_token(bare)[0].certificates == ()


def test_serials_and_times_rise_over_all_nodes(storage: Storage) -> None:
    clock = FakeClock()
    nodes = [Installation(storage, clock=clock) for _ in range(2)]
    found = [token(nodes[number % 2])[0] for number in range(6)]
    serials = [info.serial for info in found]
    assert serials == sorted(set(serials))
    assert [info.at for info in found] == sorted({info.at for info in found})
    assert nodes[0].rooms.timestamps.stamping.tokens() == 6
    assert len(storage.read(store.keys)) == 1


@sqlite_only
def test_a_clock_that_went_back_is_not_trusted(installation: Installation) -> None:
    token(installation)
    installation.clock.advance(timedelta(milliseconds=-900))
    before = installation.clock.now()
    info, _ = token(installation)
    assert info.at > before
    installation.clock.advance(timedelta(seconds=-1))
    refused = stamp(installation)
    assert (refused.token, refused.failure) == (None, timestamp.TIME_NOT_AVAILABLE)
    installation.clock.advance(timedelta(seconds=5))
    assert stamp(installation).token is not None


WEAK = der.sequence(der.oid("1.3.14.3.2.26"), der.null())
UNKNOWN = der.sequence(der.oid("1.2.3.4"))
# What OpenSSL 3.0 writes (RFC 9688 section 2: absent, and not NULL).
SHA3_NULL = der.sequence(der.oid(Digest.SHA3_256.value.oid), der.null())
GOOD = TimestampRequest(IMPRINT).encode()
REFUSED = [
    (TimestampRequest(Imprint(WEAK, bytes(20))).encode(), timestamp.BAD_ALG, "SHA-1 is too weak"),
    (TimestampRequest(Imprint(UNKNOWN, bytes(20))).encode(), timestamp.BAD_ALG, "1.2.3.4 is not accepted"),
    (TimestampRequest(Imprint(SHA3_NULL, bytes(32))).encode(), timestamp.BAD_ALG, "SHA3_256 has parameters"),
    (TimestampRequest(Imprint(Digest.SHA256.identifier, bytes(20))).encode(), timestamp.BAD_DATA_FORMAT, "as long as"),
    (TimestampRequest(IMPRINT, policy="1.2.3").encode(), timestamp.UNACCEPTED_POLICY, DEFAULT_POLICY),
    (
        der.sequence(
            der.integer(1), IMPRINT.encode(), der.tlv(0xA0, der.sequence(der.oid("1.2.3"), der.octet_string(b"")))
        ),
        timestamp.UNACCEPTED_EXTENSION,
        "no extension",
    ),
    (b"", timestamp.BAD_DATA_FORMAT, "malformed"),
    (GOOD + b"\0", timestamp.BAD_DATA_FORMAT, "malformed"),
    (GOOD[:-1], timestamp.BAD_DATA_FORMAT, "malformed"),
    (b"\x30\x80" + GOOD[2:] + b"\0\0", timestamp.BAD_DATA_FORMAT, "indefinite"),
    (der.sequence(der.integer(2), IMPRINT.encode()), timestamp.BAD_DATA_FORMAT, "version is not 1"),
    (der.sequence(der.integer(1), IMPRINT.encode(), der.integer(2**600)), timestamp.BAD_DATA_FORMAT, "nonce of more"),
    (
        der.sequence(der.integer(1), IMPRINT.encode(), der.boolean(False)),
        timestamp.BAD_DATA_FORMAT,
        "default of certReq",
    ),
]


@sqlite_only
@pytest.mark.parametrize(("body", "failure", "text"), REFUSED)
def test_refused_requests(installation: Installation, body: bytes, failure: int, text: str) -> None:
    answer = ask(installation, body)
    assert answer.status == 200
    refused = TimestampResponse.parse(answer.body)
    assert (refused.token, refused.failure) == (None, failure)
    assert text in refused.texts[0]
    # Nothing is made before somebody asks for something that can be had.
    assert installation.rooms.timestamps.authority.arn() is None


@sqlite_only
def test_refusals_of_http(installation: Installation) -> None:
    assert ask(installation, b"", method="GET").status == 405
    assert ask(installation, GOOD, content_type="application/ocsp-request").status == 415
    assert ask(installation, bytes(timestamp.MAX_REQUEST + 1)).status == 413
    assert ask(installation, GOOD, content_type="Application/Timestamp-Query; x=y").status == 200


@sqlite_only
def test_the_root_is_there_for_whoever_verifies(installation: Installation) -> None:
    assert ask(installation, b"", method="GET", path=b"/tsa/root.pem").status == 404
    token(installation)
    answer = ask(installation, b"", method="GET", path=b"/tsa/root.pem")
    assert answer.status == 200
    assert read_certificates(answer.body) == (root_of(installation),)
    assert ask(installation, b"", path=b"/tsa/root.pem").status == 405
    assert ask(installation, b"", path=b"/tsa/other").status == 404


@sqlite_only
def test_settings_say_policy_and_accuracy(storage: Storage) -> None:
    wishes = StampWishes(policy="1.3.6.1.4.1.99999.1", accuracy=timedelta(milliseconds=250))
    installation = Installation(storage, stamps=wishes)
    info, _ = token(installation, policy="1.3.6.1.4.1.99999.1")
    assert (info.policy, info.accuracy) == (wishes.policy, wishes.accuracy)


@sqlite_only
def test_switched_off(storage: Storage) -> None:
    installation = Installation(storage, stamps=None)
    mount = plain_mounts(installation.rooms, WorkerMetrics(CollectorRegistry()), None).find(b"/tsa")
    assert mount is None or mount.door != "tsa"


@sqlite_only
def test_a_key_is_followed_by_another_and_destroyed(installation: Installation, storage: Storage) -> None:
    rooms = installation.rooms
    rooms.timestamps.keys.rotate()
    assert storage.read(store.keys) == []
    _, first = token(installation)
    [old] = storage.read(store.keys)
    installation.clock.advance(USED_FOR - timedelta(days=31))
    rooms.timestamps.keys.rotate()
    assert token(installation)[1] == first
    installation.clock.advance(timedelta(days=2))
    rooms.timestamps.keys.rotate()
    _, second = token(installation)
    assert second != first
    assert len(storage.read(store.keys)) == 2
    installation.clock.advance(timedelta(hours=2))
    rooms.timestamps.keys.rotate()
    assert [each.number for each in storage.read(store.keys)] == [old.number + 1]
    with pytest.raises(LookupError):
        rooms.keys.signer(old.key_id)
    # What the first one signed is good for years after.
    assert first.not_after - installation.clock.now() > timedelta(days=4 * 365)


@sqlite_only
def test_a_revoked_key_is_replaced_at_once(installation: Installation, storage: Storage) -> None:
    _, first = token(installation)
    [key] = storage.read(store.keys)
    caller = installation.rooms.timestamps.keys._caller("Revoke")
    serial = key.certificate_arn.rpartition("/")[2]
    installation.rooms.revocations.revoke(
        caller, key.authority_arn, serial=serial, reason=RevocationReason.KEY_COMPROMISE
    )
    _, second = token(installation)
    assert second != first


@sqlite_only
def test_a_disabled_authority_gives_no_new_key(installation: Installation, storage: Storage) -> None:
    token(installation)
    arn = installation.rooms.timestamps.authority.arn()
    assert arn is not None
    caller = installation.rooms.timestamps.keys._caller("Disable")
    installation.rooms.lifecycle.update(caller, arn, status=Status.DISABLED, revocation=RevocationChange())
    assert stamp(installation).token is not None
    installation.clock.advance(timedelta(days=6 * 365))
    refused = stamp(installation)
    assert (refused.token, refused.failure) == (None, timestamp.SYSTEM_FAILURE)


@sqlite_only
def test_a_key_that_cannot_sign_is_no_500(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    token(installation)

    def away(_: str) -> None:
        raise SignerUnavailable("the token was pulled out")

    monkeypatch.setattr(installation.rooms.keys, "signer", away)
    assert stamp(installation).failure == timestamp.SYSTEM_FAILURE

    def broken(_: str) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(installation.rooms.keys, "signer", broken)
    assert stamp(installation).failure == timestamp.SYSTEM_FAILURE


@sqlite_only
def test_a_ca_of_the_operator(storage: Storage) -> None:
    from doors.pki import Pki

    pki = Pki(storage)
    between = pki.subordinate(pki.root())
    installation = Installation(storage, clock=pki.clock, stamps=StampWishes(authority=between))
    info, certificate = token(installation)
    answer = stamp(installation, certificates=True).token
    assert answer is not None
    signed, _ = read_token(answer)
    assert len(signed.certificates) == 2
    described = installation.rooms.registry.describe(between)
    assert described.certificate is not None
    root = Certificate.parse(described.certificate.chain[-1])
    rules = Rules(at=info.at, purpose=Purpose.TIME_STAMPING)
    assert isinstance(find(certificate, signed.certificates, [root], rules), Valid)


@sqlite_only
def test_a_ca_that_does_not_exist(storage: Storage) -> None:
    arn = "arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/00000000-0000-4000-8000-000000000000"
    refused = stamp(Installation(storage, stamps=StampWishes(authority=arn)))
    assert (refused.token, refused.failure) == (None, timestamp.SYSTEM_FAILURE)
