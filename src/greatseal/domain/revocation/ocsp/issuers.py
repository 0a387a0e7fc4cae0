"""Which CA of the installation a CertID speaks of.

CA certificates are never changed or removed, so what was once learnt stays true, and a process reads from the
database only those that were installed since.
"""

import threading

from greatseal.domain.revocation.ocsp import store
from greatseal.storage import Storage
from greatseal.x509.certificate import Certificate
from greatseal.x509.ocsp import CertId, issuer_hashes
from greatseal.x509.public_keys import key_bits

_BATCH = 500
_HASHES = ("sha1", "sha256")


class Issuers:
    """The CAs by the hashes of their names and keys. Safe to share between threads."""

    def __init__(self, *, storage: Storage) -> None:
        self._storage = storage
        self._learning = threading.Lock()
        self._known: set[str] = set()
        self._authorities: dict[tuple[str, bytes, bytes], str] = {}

    def find(self, cert_id: CertId) -> str | None:
        """The id of the CA that issued a certificate, if it is one of ours."""
        if cert_id.hash is None:
            return None
        return self._authorities.get((cert_id.hash, cert_id.name_hash, cert_id.key_hash))

    def learn(self) -> None:
        """Reads the CA certificates that are new; a stranger's question costs one count."""
        with self._learning:
            if self._storage.read(store.count_ca_certificates) == len(self._known):
                return
            new = sorted(set(self._storage.read(store.ca_certificate_ids)) - self._known)
            for start in range(0, len(new), _BATCH):
                self._read(new[start : start + _BATCH])

    def _read(self, ids: list[str]) -> None:
        for id, authority_id, encoded in self._storage.read(lambda tx: store.ca_certificates(tx, ids)):
            certificate = Certificate.parse(encoded)
            key = key_bits(certificate.spki)
            for hash in _HASHES:
                self._authorities[hash, *issuer_hashes(certificate.subject.der, key, hash)] = authority_id
            self._known.add(id)
