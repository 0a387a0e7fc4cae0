"""An installation with something of everything, backups of it, and what they were put back into."""

from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from doors.lists import BUCKET, ENABLED, bucket, revoke
from doors.pki import Pki
from greatseal.app.backup.container import Keys, Lock
from greatseal.app.backup.restoring import PutBack, Wanted, restore
from greatseal.app.backup.settling import settle
from greatseal.app.backup.taking import Order, Taken, take
from greatseal.app.invariants import Case, Report, examine
from greatseal.crypto.wrap import Keyring, key_fingerprint
from greatseal.domain.keys.key_encryption import FINGERPRINT
from greatseal.domain.trust_services import Plan
from greatseal.kernel.secret import Secret
from greatseal.settings import load
from greatseal.storage import Storage, installation, open_storage
from greatseal.testing import FakeClock, FakeEntropy, Installation
from greatseal.testing.installation import _KEK as KEK
from greatseal.testing.installation import REGION
from made_trust import Ordered

PLAN = Plan(issuers=1)
IN_ROWS = b"in rows " * 200_000
LOCK, KEYS = Lock(kek=KEK), Keys(kek=KEK)


@dataclass
class Source:
    """A data directory whose installation holds certificates, revocations, lists, objects, keys and log entries."""

    data: Path
    storage: Storage
    clock: FakeClock = field(default_factory=FakeClock)
    entropy: FakeEntropy = field(default_factory=lambda: FakeEntropy("source"))

    def __post_init__(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.pki = Pki(self.storage, clock=self.clock, objects_folder=self.data / "objects", trust=PLAN)
        bucket(self.pki)
        self.authority = self.pki.root(RevocationConfiguration=ENABLED)
        self.certificates = [self.pki.issue(self.authority) for _ in range(3)]
        revoke(self.pki, self.certificates[0])
        self.log()
        acm = self.pki.installation.client("acm")
        acm.request_certificate(DomainName="app.example.com", CertificateAuthorityArn=self.authority)
        fingerprint = key_fingerprint(KEK).encode()
        self.storage.transact(lambda tx: installation.remember(tx, FINGERPRINT, fingerprint))
        kms = self.pki.installation.client("kms")
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
        self.key = kms.create_key()["KeyMetadata"]["KeyId"]
        self.s3 = self.pki.installation.client("s3")
        self.s3.put_object(Bucket=BUCKET, Key="kept", Body=b"kept " * 50_000)
        other = Installation(self.storage, clock=self.clock, entropy=FakeEntropy("rows"), objects_in_database=True)
        other.client("s3").put_object(Bucket=BUCKET, Key="in rows", Body=IN_ROWS)
        self.later(timedelta(seconds=30))

    def later(self, by: timedelta) -> None:
        """Time goes on, and jobs are done."""
        self.clock.advance(by)
        self.pki.installation.work()
        self.pki.installation.rooms.audit_log.catch_up()

    def log(self) -> None:
        """A certificate of the trust services, in both logs."""
        self.pki.installation.rooms.trusting.services.issue(
            Ordered(logged=True, token=self.entropy.token_bytes(4).hex())
        )

    def take(self, out: Path, lock: Lock = LOCK, *, with_kek: bool = False, **more: str) -> Taken:
        """A backup of this moment."""
        settings = load(more, {"data": self.data}, None)
        return take(
            self.storage, Order(settings, lock, KEK if with_kek else None), out, clock=self.clock, entropy=self.entropy
        )


def put_back(
    backup: Path, data: Path, clock: FakeClock, *, database: str | None = None, keys: Keys = KEYS, moved: bool = False
) -> PutBack:
    """Puts a backup back."""
    return restore(backup, keys, Wanted(data, database, moved), clock=clock)


def reopened(data: Path, clock: FakeClock, *, database: str | None = None, settled: bool = True) -> Pki:
    """The restored installation, as its first start has it."""
    storage = open_storage(database or f"sqlite:///{data}/greatseal.db")
    pki = Pki(
        storage, clock=clock, objects_folder=data / "objects", entropy=FakeEntropy("after the restore"), trust=PLAN
    )
    if settled:
        settle(pki.installation.rooms, REGION)
    return pki


def examined(storage: Storage, objects: Path, clock: FakeClock) -> Report:
    """The report over everything."""
    return examine(Case(storage, Keyring(KEK), objects, clock.now()))


def violations(report: Report) -> list[tuple[str, str]]:
    """What does not hold: invariant and text."""
    return [(one.invariant.name, each.text) for one in report.examined for each in one.violations]


def secret(text: str) -> Secret:
    """A passphrase."""
    return Secret(text.encode())


def body(answer: dict[str, Any]) -> bytes:
    """The content of an object."""
    stream: BytesIO = answer["Body"]
    return stream.read()
