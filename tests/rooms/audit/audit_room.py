"""The audit room over a database, with a clock that only the test moves."""

from collections.abc import Sequence
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.crypto.signature import SoftwareSigner
from greatseal.crypto.wrap import Keyring
from greatseal.domain.audit import Audit, AuditLog, AuditSink, Report, Seals, verify
from greatseal.domain.keys.key_encryption import installation_secret
from greatseal.kernel.caller import Caller
from greatseal.kernel.pages import PageTokens
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import FakeClock, FakeEntropy

ACCOUNT, REGION = "111122223333", "us-east-1"
KEK = Secret(b"k" * 32)
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
AUTHORITY = f"arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/6f2c9a52-0a5c-4d0e-8a46-0f1a5f1d2c3b"
SIGNER = SoftwareSigner.of(ec.derive_private_key(2**200 + 77, ec.SECP256R1()), deterministic=True)
OTHER_SIGNER = SoftwareSigner.of(ec.derive_private_key(2**200 + 78, ec.SECP256R1()), deterministic=True)


def caller(operation: str = "acm-pca:IssueCertificate", *, principal: str = ROOT, request: str = "r-1") -> Caller:
    return Caller(
        account=ACCOUNT,
        region=REGION,
        principal_arn=principal,
        access_key_id="AKIAEXAMPLE",
        request_id=request,
        operation=operation,
        at=FakeClock().now(),
        source_ip="192.0.2.7",
        user_agent="aws-cli/2.0",
        request_parameters='{"certificateAuthorityArn":"x"}',
    )


class Room:
    """Everything that writes to the trail of one database; a second one is a second node."""

    def __init__(
        self, storage: Storage, *, sinks: Sequence[AuditSink] = (), node: str = "a", clock: FakeClock | None = None
    ) -> None:
        self.storage = storage
        self.clock = clock or FakeClock()
        self.seals = Seals.under(installation_secret(storage, Keyring(KEK)))
        entropy = FakeEntropy(f"audit {node}")
        self.audit = Audit(
            clock=self.clock,
            entropy=entropy,
            storage=storage,
            seals=self.seals,
            sinks=sinks,
            tokens=PageTokens(Secret(b"t" * 32)),
        )
        self.log = AuditLog(storage=storage, clock=self.clock, entropy=entropy, seals=self.seals, signer=lambda: SIGNER)

    def act(self, count: int = 1, operation: str = "acm-pca:IssueCertificate") -> None:
        """That many acts, a millisecond apart, in a transaction each."""
        for number in range(count):
            self.clock.advance(timedelta(milliseconds=1))
            self.storage.transact(
                lambda tx, number=number: self.audit.record(tx, caller(operation), AUTHORITY, serial=str(number))
            )

    def act_in_one(self, count: int) -> None:
        """That many acts in one transaction."""

        def work(tx) -> None:
            for number in range(count):
                self.clock.advance(timedelta(milliseconds=1))
                self.audit.record(tx, caller(), AUTHORITY, serial=str(number))

        self.storage.transact(work)

    def sign(self) -> str:
        """Sequences everything and signs it."""
        self.clock.advance(timedelta(minutes=2))
        self.log.catch_up()
        note = self.log.checkpoint()
        assert note is not None
        return note

    def verify(self, kept: str | None = None) -> Report:
        """An examination with the keys of the installation."""
        return verify(self.storage, self.seals, kept)

    def kinds(self, kept: str | None = None) -> set[str]:
        """What an examination finds."""
        return {finding.kind.value for finding in self.verify(kept).findings}
