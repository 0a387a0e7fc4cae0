"""The CA of the timestamp authority: the one that the settings name, or a root that is made for it."""

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.domain.authorities import Issuance, Lifecycle, Registry
from greatseal.domain.authorities.lifecycle import NewAuthority
from greatseal.domain.authorities.model import Authority, Kind, SubjectSpec
from greatseal.domain.authorities.order import Order
from greatseal.domain.authorities.revocation_settings import CrlSettings, OcspSettings, RevocationSettings
from greatseal.kernel.caller import Caller
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import InvalidArn, NotFound
from greatseal.storage import Storage, Tx, installation
from greatseal.x509 import pem
from greatseal.x509.templates import find_template, template_arn
from greatseal.x509.validity import Validity, ValidityType

_FACT = "timestamp-authority"
_YEARS = 20
_LISTS = RevocationSettings(CrlSettings(enabled=True, expiration_days=30), OcspSettings(enabled=True))


class _Taken(Exception):
    """Another node has made the CA: ours is undone."""


class StampAuthority:
    """Finds or makes the CA."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Registry,
        lifecycle: Lifecycle,
        issuance: Issuance,
        entropy: Entropy,
        configured: str | None,
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._lifecycle = lifecycle
        self._issuance = issuance
        self._entropy = entropy
        self._configured = configured

    def arn(self) -> str | None:
        """The ARN of the CA; None while it was never needed."""
        if self._configured is not None:
            return self._configured
        stored = self._storage.read(lambda tx: installation.recall(tx, _FACT))
        return None if stored is None else stored.decode()

    def root(self) -> bytes | None:
        """The certificate (DER) at the top of the CA's chain, which verifiers trust; None while there is no CA."""
        arn = self.arn()
        try:
            authority = None if arn is None else self._registry.describe(arn)
        except (NotFound, InvalidArn):
            return None
        if authority is None or authority.certificate is None:
            return None
        return (authority.certificate.der, *authority.certificate.chain)[-1]

    def ensure(self, caller: Caller) -> Authority:
        """The CA with its certificate. A crash in between leaves a CA that the next call goes on with.

        Raises NotFound when the configured one does not exist, and what issuing raises.
        """
        arn = self.arn()
        authority = self._registry.describe(arn) if arn is not None else self._create(caller)
        if authority.certificate is not None or self._configured is not None:
            return authority
        template = template_arn(caller.partition, "RootCACertificate")
        order = Order(
            csr=pem.write("CERTIFICATE REQUEST", authority.csr).encode("ascii"),
            signing_algorithm=authority.signing_algorithm,
            validity=Validity(_YEARS, ValidityType.YEARS),
            template=find_template(template),
            template_arn=template,
            idempotency_token=_FACT,
        )
        issued = self._issuance.certificate(authority.arn, self._issuance.issue(caller, authority.arn, order))
        certificate = pem.write("CERTIFICATE", issued.certificate).encode("ascii")
        self._lifecycle.import_certificate(caller, authority.arn, certificate, None)
        return self._registry.describe(authority.arn)

    def _create(self, caller: Caller) -> Authority:
        def made(tx: Tx, arn: str) -> None:
            if installation.remember(tx, _FACT, arn.encode()) != arn.encode():
                raise _Taken

        new = NewAuthority(
            kind=Kind.ROOT,
            key_algorithm=KeyAlgorithm.EC_prime256v1,
            signing_algorithm=SignatureAlgorithm.SHA256WITHECDSA,
            subject=SubjectSpec(
                standard=(
                    ("Organization", "Greatseal"),
                    ("CommonName", f"Greatseal timestamp CA {self._entropy.token_bytes(4).hex()}"),
                )
            ),
            own_revocation=_LISTS,
        )
        try:
            return self._registry.describe(self._lifecycle.create(caller, new, made))
        except _Taken:
            arn = self.arn()
            assert arn is not None
            return self._registry.describe(arn)
