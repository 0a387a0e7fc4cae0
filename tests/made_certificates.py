"""Certificates made to order for tests: every field can be right or wrong, and every signature is real."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.crypto.signature import SoftwareSigner
from greatseal.x509 import der
from greatseal.x509.attributes import COMMON_NAME, Attribute
from greatseal.x509.certificate import Certificate, assemble
from greatseal.x509.extensions import (
    Extension,
    authority_key_identifier,
    basic_constraints,
    key_identifier_of,
    key_usage,
    subject_key_identifier,
)
from greatseal.x509.names import Name

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ALGORITHM = SignatureAlgorithm.SHA256WITHECDSA
CA_USAGE = ("DigitalSignature", "KeyCertSign", "CRLSign")


@cache
def signer(label: str) -> SoftwareSigner:
    """A P-256 key that is the same for the same label, in every run."""
    number = int.from_bytes(label.encode().ljust(16, b"\1"), "big") + 2**200
    return SoftwareSigner.of(ec.derive_private_key(number, ec.SECP256R1()), deterministic=True)


def named(*common_names: str) -> Name:
    """A name of common names, one an RDN; of nothing, the empty name."""
    return Name.build([(Attribute(COMMON_NAME, der.UTF8_STRING, text),) for text in common_names])


@dataclass(frozen=True)
class Order:
    """What the certificate shall say. `issuer` None makes it self-signed."""

    label: str
    issuer: "Order | None" = None
    ca: bool = False
    path_length: int | None = None
    subject: Name | None = None
    issuer_name: Name | None = None
    spki: bytes | None = None
    serial: int = 0x6707447683A9B7F4055627FFD55CEBCC
    not_before: datetime = NOW - timedelta(days=1)
    not_after: datetime = NOW + timedelta(days=365)
    drop: tuple[str, ...] = ()
    add: tuple[Extension, ...] = field(default=())
    algorithm: bytes = ALGORITHM.identifier
    version: int = 3

    def but(self, **changes: object) -> "Order":
        """The same with these changes."""
        return replace(self, **changes)  # type: ignore[arg-type]

    @property
    def name(self) -> Name:
        """The subject."""
        return self.subject if self.subject is not None else named(self.label)

    @property
    def key(self) -> bytes:
        """The DER of the SubjectPublicKeyInfo."""
        return self.spki if self.spki is not None else signer(self.label).spki

    def extensions(self) -> Sequence[Extension]:
        """The usual ones, without those in `drop`, replaced by and followed by those in `add`."""
        usual = [basic_constraints(self.ca, self.path_length, critical=self.ca)]
        if self.issuer is not None:
            usual.append(authority_key_identifier(key_identifier_of(self.issuer.key)))
        usual.append(subject_key_identifier(self.key))
        usual.append(key_usage(CA_USAGE if self.ca else ("DigitalSignature",)))
        replaced = {extension.oid for extension in self.add} | set(self.drop)
        return [extension for extension in usual if extension.oid not in replaced] + list(self.add)

    def tbs(self, *, times: bytes | None = None) -> bytes:
        """The DER of the TBSCertificate; written by hand, so that it can break every rule."""
        above = self.issuer_name or (self.issuer.name if self.issuer else self.name)
        parts = [der.explicit(0, der.integer(self.version - 1))] if self.version > 1 else []
        parts += [
            der.integer(self.serial),
            self.algorithm,
            above.der,
            times or der.sequence(der.time(self.not_before), der.time(self.not_after)),
            self.name.der,
            self.key,
        ]
        if self.version == 3 and self.extensions():
            parts.append(der.explicit(3, der.sequence(*(extension.encode() for extension in self.extensions()))))
        return der.sequence(*parts)

    def sign(self, *, key_of: str | None = None) -> Certificate:
        """The certificate, signed by the issuer's key or by that of another label."""
        label = key_of or (self.issuer.label if self.issuer else self.label)
        tbs = self.tbs()
        return Certificate.parse(assemble(tbs, ALGORITHM, signer(label).sign(tbs, ALGORITHM)))


ROOT = Order("root", ca=True)
SUBORDINATE = Order("subordinate", ROOT, ca=True, path_length=0)
LEAF = Order("leaf", SUBORDINATE)
