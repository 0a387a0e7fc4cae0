"""Import and reimport of certificates that were issued elsewhere (acm.md 10.4, 10.5)."""

from collections.abc import Sequence
from dataclasses import replace

from greatseal.domain.audit import Audit
from greatseal.domain.certificates import happenings
from greatseal.domain.certificates.importing import Parcel, check_reimport, open_parcel
from greatseal.domain.certificates.inventory import Inventory
from greatseal.domain.certificates.model import ManagedCertificate, Material, Status, Type
from greatseal.domain.certificates.store import certificates as store
from greatseal.domain.events import Events
from greatseal.domain.keys import Keys, NewKey, Purpose
from greatseal.domain.tags import Tag, Tags
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.ids import new_uuid
from greatseal.storage import Storage, Tx
from greatseal.x509.certificate import Certificate


class Imports:
    """Takes certificates with their keys."""

    def __init__(
        self,
        *,
        storage: Storage,
        inventory: Inventory,
        keys: Keys,
        tags: Tags,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._storage = storage
        self._inventory = inventory
        self._keys = keys
        self._tags = tags
        self._events = events
        self._audit = audit
        self._clock = clock
        self._entropy = entropy

    def import_(
        self,
        caller: Caller,
        *,
        certificate: bytes,
        private_key: bytes,
        chain: bytes | None,
        tags: Sequence[Tag] = (),
    ) -> str:
        """Imports PEM material as a new certificate and returns its ARN."""
        now = self._clock.now()
        parcel = open_parcel(certificate, private_key, chain, now)
        key = self._keys.adopt(parcel.private_key)
        new_id = new_uuid(self._entropy)
        item = ManagedCertificate(
            id=new_id,
            arn=str(caller.arn("acm", f"certificate/{new_id}")),
            account=caller.account,
            region=caller.region,
            type=Type.IMPORTED,
            status=Status.ISSUED,
            domain_name=parcel.domain_name,
            names=parcel.names,
            key_algorithm=parcel.key_algorithm,
            created_at=now,
            imported_at=now,
            transparency_logging="DISABLED",
            material=_material(parcel, key),
            not_after=parcel.certificate.not_after,
        )

        def work(tx: Tx) -> str:
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            store.add(tx, item)
            self._tags.add(tx, item.arn, tags)
            self._events.emit(tx, happenings.available(item, "IMPORT", now))
            self._audit.record(tx, caller, item.arn, response={"certificate_arn": item.arn}, key_id=key.id)
            return item.arn

        return self._storage.transact(work)

    def reimport(
        self,
        caller: Caller,
        arn: str,
        *,
        certificate: bytes,
        private_key: bytes,
        chain: bytes | None,
        tags: Sequence[Tag] = (),
    ) -> str:
        """Replaces the material of an imported certificate; ARN and tags stay, the old key is destroyed."""
        now = self._clock.now()
        self._inventory.describe(caller, arn)
        if tags:
            raise ValidationFailed("Tagging is not permitted on re-import.")
        parcel = open_parcel(certificate, private_key, chain, now)
        key = self._keys.adopt(parcel.private_key)

        def work(tx: Tx) -> str:
            item = self._inventory.load(tx, caller, arn)
            if item.type is not Type.IMPORTED or item.material is None:
                raise ValidationFailed(f"Certificate {arn} was not imported, so it cannot be imported again.")
            check_reimport(Certificate.parse(item.material.certificate), item.key_algorithm, parcel)
            self._keys.add(tx, key, account=caller.account, purpose=Purpose.CERTIFICATE)
            self._keys.destroy(tx, item.material.key_id)
            changed = replace(
                item,
                domain_name=parcel.domain_name,
                names=parcel.names,
                imported_at=now,
                material=_material(parcel, key),
                not_after=parcel.certificate.not_after,
            )
            store.save_body(tx, changed)
            self._events.emit(tx, happenings.available(changed, "REIMPORT", now))
            self._audit.record(tx, caller, arn, response={"certificate_arn": arn}, key_id=key.id)
            return arn

        return self._storage.transact(work)


def _material(parcel: Parcel, key: NewKey) -> Material:
    return Material(parcel.certificate.der, tuple(item.der for item in parcel.chain), key.id)
