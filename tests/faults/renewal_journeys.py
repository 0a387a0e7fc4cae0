"""Renewals as journeys of the fault matrix: wherever they are struck, there is one new certificate under the old ARN.

`managed` is the round that begins the renewal of a private certificate in use; `asked` is RenewCertificate for a public
one, by way of validation, CAA, our own trust services and two logs.
"""

from datetime import UTC, timedelta
from typing import Any

from msgspec import structs
from sqlalchemy import func, select

from doors.acm_material import PERMITTED_ACTIONS
from doors.pki import days
from faults.recovery import caller
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.certificates.store import certificates
from greatseal.domain.keys.store import key
from greatseal.storage.schema import outbox
from greatseal.testing.installation import ACCOUNT

Facts = dict[str, Any]
_LISTENER = "arn:aws:custom:::web-1"


def private_in_use(world: Any, number: int) -> Facts:
    """A private certificate that is in use, ten days after its window has opened."""
    pca = world.clients["acm-pca"]
    known = pca.list_certificate_authorities()["CertificateAuthorities"]
    authority = known[0]["Arn"] if known else world.pki.root(valid=days(36500))
    if not known:
        pca.create_permission(
            CertificateAuthorityArn=authority, Principal="acm.amazonaws.com", Actions=PERMITTED_ACTIONS
        )
    arn = _issued(world, f"in-use-{number}.example.com", CertificateAuthorityArn=authority)
    _associations(world).associate(_owner(world), arn, _LISTENER)
    world.installation.clock.at = _detail(world, arn)["NotAfter"].astimezone(UTC) - timedelta(days=50)
    return {"number": number, "arn": arn, "before": _state(world, arn)}


def go_round(world: Any, facts: Facts) -> None:
    """The round of managed renewal and all that follows from it."""
    world.installation.rooms.renewals.managed.carry_on()
    world.installation.work()


def renewed_once(world: Any, facts: Facts) -> None:
    """Nobody asks again: the clock does."""
    for _ in range(3):
        go_round(world, facts)
        world.installation.clock.advance(timedelta(minutes=10))
    _check_once(world, facts)
    _associations(world).dissociate(_owner(world), facts["arn"], _LISTENER)


def public_exported(world: Any, number: int) -> Facts:
    """A public certificate that was exported, so that its renewal may be asked for."""
    name = f"public-{number}.example.com"
    _publish_record(world, name)
    arn = _issued(world, name, ValidationMethod="DNS", Options={"Export": "ENABLED"})
    world.clients["acm"].export_certificate(CertificateArn=arn, Passphrase=b"passphrase")
    return {"number": number, "arn": arn, "name": name, "before": _state(world, arn)}


def ask(world: Any, facts: Facts) -> None:
    """RenewCertificate, and what its jobs do."""
    _publish_record(world, facts["name"])
    world.clients["acm"].renew_certificate(CertificateArn=facts["arn"])
    world.installation.work()


def asked_once(world: Any, facts: Facts) -> None:
    """Whoever got no answer, and sees no renewal, asks again."""
    _publish_record(world, facts["name"])
    if _state(world, facts["arn"])["generation"] == facts["before"]["generation"]:
        ask(world, facts)
    for _ in range(3):
        world.installation.rooms.publics.validating.looks.resume()
        world.installation.work()
        world.installation.clock.advance(timedelta(minutes=10))
    _check_once(world, facts)


def _issued(world: Any, name: str, **more: Any) -> str:
    acm = world.clients["acm"]
    arn: str = acm.request_certificate(DomainName=name, KeyAlgorithm="EC_prime256v1", **more)["CertificateArn"]
    world.installation.work()
    assert _detail(world, arn)["Status"] == "ISSUED"
    return arn


def _check_once(world: Any, facts: Facts) -> None:
    arn, before, after = facts["arn"], facts["before"], _state(world, facts["arn"])
    assert _detail(world, arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert after["generation"] == before["generation"] + 1
    assert after["serial"] != before["serial"]
    assert after["issued"] == before["issued"] + 1
    assert after["keys"] == before["keys"], "the old key is gone, and no other was left"
    assert after["told"] == 1


def _state(world: Any, arn: str) -> Facts:
    """What the tables say: how many certificates and keys there are, and how often somebody was told of a renewal."""

    def work(tx: Any) -> Facts:
        item = certificates.find(tx, arn.rpartition("/")[2])
        assert item is not None
        told = [
            each.payload
            for each in tx.all(select(outbox.c.payload))
            if each.payload["resources"] == [arn] and each.payload["detail"].get("Action") == "RENEWAL"
        ]
        leaves = ~issued_certificate.c.template_arn.contains("CACertificate")
        keys = key.c.purpose == "CERTIFICATE"
        return {
            "generation": item.generation,
            "issued": tx.scalar(select(func.count()).select_from(issued_certificate).where(leaves)),
            "keys": tx.scalar(select(func.count()).select_from(key).where(keys)),
            "told": len(told),
        }

    return {**world.storage.read(work), "serial": _detail(world, arn)["Serial"]}


def _publish_record(world: Any, name: str) -> None:
    tokens = world.installation.rooms.publics.validating.validation.tokens
    record = tokens.record(ACCOUNT, name)
    world.installation.control.cnames[record.name] = record.value


def _detail(world: Any, arn: str) -> Facts:
    found: Facts = world.clients["acm"].describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def _associations(world: Any) -> Any:
    return world.installation.rooms.renewals.associations


def _owner(world: Any) -> Any:
    return structs.replace(caller(), operation="greatseal:AssociateCertificate", at=world.installation.clock.now())
