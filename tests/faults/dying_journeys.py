"""The journeys of the fault matrix, and a process that dies on each by SIGKILL (see `test_matrix.py`).

A journey prepares, acts once, and says in the end what must hold. It is told a number, so that it can be walked
again and again on one database. What it does is watched at its *points*: before and after every call of the database
and every signature of a CA or a KMS key.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from doors.pki import Pki, csr, pem
from faults import renewal_journeys
from greatseal.crypto.signature import Signer
from greatseal.testing import FakeClock, FakeEntropy
from greatseal.testing.faults import FaultyStorage, TamperedSigner, die

Facts = dict[str, Any]


class World:
    """An installation whose side effects are counted, of which one fails or kills."""

    def __init__(self, url: str, objects: str, entropy: str, later: timedelta = timedelta(0)) -> None:
        self.storage = FaultyStorage(url)
        clock = FakeClock()
        clock.advance(later)
        self.pki = Pki(self.storage, clock=clock, entropy=FakeEntropy(entropy), objects_folder=Path(objects))
        self.installation = self.pki.installation
        self.clients = {name: self.installation.client(name) for name in ("acm", "acm-pca", "kms", "sns", "sqs")}
        self.count = 0
        self._at = 0
        self._fault: Callable[[str], None] = lambda what: None
        self.storage.observe = lambda point: self._reach(point)
        self._watch_signers()

    def close(self) -> None:
        """Ends as a process does that was not killed."""
        self.storage.close()

    def strike(self, at: int, fault: Callable[[str], None]) -> None:
        """Has `fault` called at the point number `at`, counted from now and from 1."""
        self.count, self._at, self._fault = 0, at, fault

    @property
    def struck(self) -> bool:
        """Whether there was such a point."""
        return 0 < self._at <= self.count

    def heal(self) -> None:
        """No point is of any interest any more."""
        self._at = 0

    def _reach(self, point: str) -> None:
        self.count += 1
        if self.count == self._at:
            self._fault(point)

    def _watch_signers(self) -> None:
        rooms = self.installation.rooms
        signer_of = rooms.keys.signer

        def signed(signature: bytes) -> bytes:
            self._reach("after-signature")
            return signature

        def signer(key_id: str) -> Signer:
            found = signer_of(key_id)
            self._reach("before-signature")
            return TamperedSigner(found, signed)

        rooms.keys.signer = signer  # type: ignore[method-assign]


@dataclass(frozen=True)
class Journey:
    """`ready` is walked without faults, `act` with one, `again` after it, as whoever got no answer does."""

    ready: Callable[[World, int], Facts]
    act: Callable[[World, Facts], None]
    again: Callable[[World, Facts], None]
    stride: int = 1
    """The short form strikes so many times fewer points."""


def _root(world: World, number: int, **more: Any) -> Facts:
    found = world.clients["acm-pca"].list_certificate_authorities()["CertificateAuthorities"]
    active = [each["Arn"] for each in found if each["Status"] == "ACTIVE"]
    return {"number": number, "authority": active[0] if active else world.pki.root(**more)}


def _issue(world: World, facts: Facts) -> None:
    facts["arn"] = world.pki.issue(
        facts["authority"], _CSR, algorithm="SHA256WITHECDSA", IdempotencyToken=f"t{facts['number']}"
    )


def _issued_once(world: World, facts: Facts) -> None:
    _issue(world, facts)
    first = facts["arn"]
    _issue(world, facts)
    assert facts["arn"] == first
    assert world.pki.get(facts["authority"], first)["Certificate"]


def _to_revoke(world: World, number: int) -> Facts:
    facts = _root(world, number)
    _issue(world, facts)
    world.installation.work()
    return facts


def _revoke(world: World, facts: Facts) -> None:
    serial = facts["arn"].rpartition("/")[2]
    codes = world.clients["acm-pca"].exceptions
    try:
        world.clients["acm-pca"].revoke_certificate(
            CertificateAuthorityArn=facts["authority"], CertificateSerial=serial, RevocationReason="SUPERSEDED"
        )
    except codes.RequestAlreadyProcessedException:
        assert facts.get("again"), "nobody had asked before"
    world.installation.work()


def _revoked_once(world: World, facts: Facts) -> None:
    from sqlalchemy import func, select

    from greatseal.domain.revocation.store.revocations import revocation

    facts["again"] = True
    _revoke(world, facts)
    serial = facts["arn"].rpartition("/")[2]
    query = select(func.count()).select_from(revocation).where(revocation.c.serial == serial)
    assert world.storage.read(lambda tx: tx.scalar(query)) == 1


def _request(world: World, facts: Facts) -> None:
    facts["arn"] = world.clients["acm"].request_certificate(
        DomainName=f"host-{facts['number']}.example.com",
        CertificateAuthorityArn=facts["authority"],
        KeyAlgorithm="EC_prime256v1",
        IdempotencyToken=f"t{facts['number']}",
    )["CertificateArn"]
    world.installation.work()


def _requested_once(world: World, facts: Facts) -> None:
    _request(world, facts)
    acm = world.clients["acm"]
    assert acm.describe_certificate(CertificateArn=facts["arn"])["Certificate"]["Status"] == "ISSUED"
    same = [
        each
        for each in acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
        if each["DomainName"] == f"host-{facts['number']}.example.com"
    ]
    assert len(same) == 1


def _to_import(world: World, number: int) -> Facts:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.derive_private_key(2**201 + number, ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"import-{number}.example.com")])
    now = world.pki.now
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number + 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=100))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(f"import-{number}.example.com")]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    given = {"Certificate": pem(made), "PrivateKey": private}
    # The first import makes the item, the one that is struck replaces what is in it: that has a name to repeat.
    arn = world.clients["acm"].import_certificate(**given)["CertificateArn"]
    return {"number": number, "arn": arn, "given": {each: value.decode() for each, value in given.items()}}


def _import(world: World, facts: Facts) -> None:
    given = {name: text.encode() for name, text in facts["given"].items()}
    world.clients["acm"].import_certificate(CertificateArn=facts["arn"], **given)
    world.installation.work()


def _imported(world: World, facts: Facts) -> None:
    _import(world, facts)
    found = world.clients["acm"].get_certificate(CertificateArn=facts["arn"])["Certificate"]
    assert found.strip() == facts["given"]["Certificate"].strip()


def _create_key(world: World, facts: Facts) -> None:
    world.clients["kms"].create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    world.installation.work()


def _key(world: World, number: int) -> Facts:
    made = world.clients["kms"].create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    return {"number": number, "key": made["KeyMetadata"]["Arn"]}


def _use_key(world: World, facts: Facts) -> None:
    asked = {"KeyId": facts["key"], "Message": b"message", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = world.clients["kms"].sign(**asked)["Signature"]
    assert world.clients["kms"].verify(**asked, Signature=signature)["SignatureValid"]


def _queue(world: World, number: int) -> Facts:
    topic = world.clients["sns"].create_topic(Name=f"topic-{number}")["TopicArn"]
    queue = world.clients["sqs"].create_queue(QueueName=f"queue-{number}")["QueueUrl"]
    arn = topic.replace(":sns:", ":sqs:").replace("topic-", "queue-")
    world.clients["sns"].subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    world.clients["sqs"].set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    return {"number": number, "topic": topic, "queue": queue}


def _publish(world: World, facts: Facts) -> None:
    world.clients["sns"].publish(TopicArn=facts["topic"], Message=f"message {facts['number']}")
    facts["published"] = True
    world.installation.work()


def _delivered(world: World, facts: Facts) -> None:
    """What was confirmed arrives; what was not may, and whoever got no answer publishes again."""
    if not facts.get("published"):
        _publish(world, facts)
    world.installation.work()
    got = world.clients["sqs"].receive_message(QueueUrl=facts["queue"], MaxNumberOfMessages=10).get("Messages", [])
    bodies = {each["Body"] for each in got}
    assert bodies == {f"message {facts['number']}"}, bodies


def _published_list(world: World, number: int) -> Facts:
    from doors.lists import BUCKET, ENABLED, bucket

    known = world.clients["acm-pca"].list_certificate_authorities()["CertificateAuthorities"]
    if not known:
        bucket(world.pki)
        facts = _root(world, number, RevocationConfiguration=ENABLED)
    else:
        facts = _root(world, number)
    _issue(world, facts)
    world.installation.work()
    return {**facts, "bucket": BUCKET, "crl": _crl_number(world, facts)}


def _crl_number(world: World, facts: Facts) -> int:
    from doors.lists import number, published

    return number(published(world.pki, facts["authority"]))


def _publish_list(world: World, facts: Facts) -> None:
    _revoke(world, facts)
    world.installation.clock.advance(timedelta(minutes=2))
    world.installation.work()


def _list_published(world: World, facts: Facts) -> None:
    from doors.lists import published, serials

    facts["again"] = True
    _publish_list(world, facts)
    assert int(facts["arn"].rpartition("/")[2], 16) in serials(published(world.pki, facts["authority"]))
    assert _crl_number(world, facts) > facts["crl"], "the number of the list does not grow"


_CSR = csr()
JOURNEYS = {
    "issuance": Journey(_root, _issue, _issued_once),
    "revocation": Journey(_to_revoke, _revoke, _revoked_once),
    "crl": Journey(_published_list, _publish_list, _list_published),
    "acm-request": Journey(_root, _request, _requested_once),
    "import": Journey(_to_import, _import, _imported),
    "kms-create": Journey(lambda world, number: {"number": number}, _create_key, _create_key),
    "kms-use": Journey(_key, _use_key, _use_key),
    "delivery": Journey(_queue, _publish, _delivered),
    "renewal": Journey(
        renewal_journeys.private_in_use, renewal_journeys.go_round, renewal_journeys.renewed_once, stride=3
    ),
    "public-renewal": Journey(
        renewal_journeys.public_exported, renewal_journeys.ask, renewal_journeys.asked_once, stride=5
    ),
}


def walk(world: World, name: str, facts: Facts) -> None:
    """The act of a journey as a fresh process does it: nothing is in memory."""
    world.installation.rooms.keys._signer.cache_clear()
    JOURNEYS[name].act(world, facts)


def _run(job: dict[str, Any]) -> None:
    world = World(job["url"], job["objects"], job["entropy"], timedelta(seconds=job["later"]))
    world.strike(job["at"], lambda point: die())
    walk(world, job["journey"], job["facts"])
    world.close()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _run(json.loads(line))
                os._exit(0)
            except BaseException:  # noqa: BLE001 - nothing may go on in the parent's place
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
