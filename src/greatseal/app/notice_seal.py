"""The key by which documents of topics are signed, and its certificate: made when the first one is due, then kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.signature import Signer
from greatseal.domain.keys import Keys, Purpose
from greatseal.domain.notifications.links import Links
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_serial
from greatseal.storage import Storage, Tx, installation
from greatseal.x509 import pem
from greatseal.x509.attributes import COMMON_NAME
from greatseal.x509.certificate import TbsCertificate, assemble, encode_tbs
from greatseal.x509.extensions import basic_constraints, key_usage, subject_key_identifier
from greatseal.x509.names import subject_from_custom

_FACT = "notification-seal"
_SIGNING = SignatureAlgorithm.SHA256WITHRSA
_LIFETIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class OpenSeal:
    """A signer with where its certificate is."""

    signer: Signer
    certificate_url: str

    def sign(self, data: bytes) -> bytes:
        """As `ports.Seal`."""
        return self.signer.sign(data, _SIGNING)


class NoticeSeal:
    """As `ports.Signatory`: one RSA key for the installation, with a certificate that it signed itself."""

    def __init__(
        self,
        *,
        storage: Storage,
        keys: Callable[[], Keys],
        account: str,
        links: Links,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        """`account` is whose the key is."""
        self._storage = storage
        self._keys = keys
        self._account = account
        self._links = links
        self._clock = clock
        self._entropy = entropy
        self._known: tuple[str, bytes] | None = None

    def seal(self) -> OpenSeal:
        """The seal, made when there is none. Never inside a transaction."""
        key_id, certificate = self._known or self._find() or self._make()
        self._known = key_id, certificate
        return OpenSeal(self._keys().signer(key_id), self._links.certificate(_fingerprint(certificate)))

    def certificate(self, fingerprint: str) -> str | None:
        """The certificate in PEM, if it has this fingerprint."""
        found = self._known or self._find()
        if found is None or _fingerprint(found[1]) != fingerprint:
            return None
        return pem.write("CERTIFICATE", found[1]) + "\n"

    def _find(self) -> tuple[str, bytes] | None:
        stored = self._storage.read(lambda tx: installation.recall(tx, _FACT))
        return None if stored is None else _read(stored)

    def _make(self) -> tuple[str, bytes]:
        keys = self._keys()
        new = keys.generate(KeyAlgorithm.RSA_2048)
        certificate = self._self_signed(keys.signer_of(new))
        fact = json.dumps({"key_id": new.id, "certificate": certificate.hex()}).encode()

        def work(tx: Tx) -> bytes:
            decided = installation.remember(tx, _FACT, fact)
            if decided == fact:
                keys.add(tx, new, account=self._account, purpose=Purpose.CERTIFICATE)
            return decided

        return _read(self._storage.transact(work))

    def _self_signed(self, signer: Signer) -> bytes:
        now = self._clock.now()
        name = subject_from_custom([(COMMON_NAME, "Greatseal notifications")])
        tbs = encode_tbs(
            TbsCertificate(
                serial=new_serial(self._entropy),
                algorithm=_SIGNING,
                issuer=name,
                not_before=now - timedelta(hours=1),
                not_after=now + _LIFETIME,
                subject=name,
                spki=signer.spki,
                extensions=(
                    basic_constraints(ca=False),
                    subject_key_identifier(signer.spki),
                    key_usage(["DigitalSignature"]),
                ),
            )
        )
        return assemble(tbs, _SIGNING, signer.sign(tbs, _SIGNING))


def _read(stored: bytes) -> tuple[str, bytes]:
    fact = json.loads(stored)
    return fact["key_id"], bytes.fromhex(fact["certificate"])


def _fingerprint(certificate: bytes) -> str:
    return sha256(certificate).hexdigest()[:32]
