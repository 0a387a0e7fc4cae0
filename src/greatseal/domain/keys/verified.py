"""Signers whose every signature is verified before anybody sees it.

A token may lie, memory may flip, and a faulty RSA signature gives the private key away. Every signer that leaves the
room of keys is one of these, so that no room has to think of it.
"""

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import load_public
from greatseal.crypto.signature import Signer, SignerLied, verify_digest, verify_with


class VerifiedSigner:
    """A signer that checks what another one made, with the public key that the database has."""

    def __init__(self, signer: Signer, spki: bytes) -> None:
        self._signer = signer
        self._public = load_public(spki)
        self.algorithm: KeyAlgorithm = signer.algorithm
        self.spki = spki

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over `data`. Raises SignerLied when it does not verify, and whatever the other one raises."""
        signed = self._signer.sign(data, algorithm)
        if not verify_with(self._public, algorithm, signed, data):
            raise SignerLied("the signature does not verify with the public key of its key")
        return signed

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As `sign`, over data of which only the hash is given."""
        signed = self._signer.sign_digest(digest, algorithm)
        if not verify_digest(self._public, algorithm, signed, digest):
            raise SignerLied("the signature does not verify with the public key of its key")
        return signed
