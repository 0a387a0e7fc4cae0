"""Key stores that are PKCS#11 tokens, through `python-pkcs11`.

Keys are token objects with the id of the key as CKA_ID. Private keys are sensitive and never extractable. Hashing is
done here, the token signs hashes: CKM_ECDSA, CKM_RSA_PKCS with a DigestInfo, CKM_RSA_PKCS_PSS.
"""

from collections.abc import Iterable
from typing import Any

from pkcs11 import MGF, Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import PKCS11Error

from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import algorithm_of, load_public
from greatseal.crypto.signature import Signer, SignerLied, SignerUnavailable, digest_of
from greatseal.crypto.token_values import (
    curve_parameters,
    digest_info,
    ec_spki,
    ecdsa_input,
    ecdsa_signature,
    rsa_spki,
)
from greatseal.domain.keys import StoreHealth, StoreRefuses
from greatseal.domain.keys.verified import VerifiedSigner
from greatseal.integrations.signers.module import said
from greatseal.integrations.signers.sessions import Held, SessionPool, TokenAddress
from greatseal.kernel.secret import Secret

# Only objects whose label starts so are ever touched.
_LABEL = "greatseal "
_HASHES: dict[str, tuple[Mechanism, MGF, int]] = {
    "SHA256": (Mechanism.SHA256, MGF.SHA256, 32),
    "SHA384": (Mechanism.SHA384, MGF.SHA384, 48),
    "SHA512": (Mechanism.SHA512, MGF.SHA512, 64),
}
_NEEDED = {
    "RSA": (Mechanism.RSA_PKCS_KEY_PAIR_GEN, Mechanism.RSA_PKCS, Mechanism.RSA_PKCS_PSS),
    "EC": (Mechanism.EC_KEY_PAIR_GEN, Mechanism.ECDSA),
}
_PRIVATE = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
}
_PIN_WARNINGS = {
    TokenFlag.USER_PIN_LOCKED: "the user PIN is locked",
    TokenFlag.USER_PIN_FINAL_TRY: "one try of the user PIN is left",
    TokenFlag.USER_PIN_COUNT_LOW: "a wrong user PIN was given before, few tries are left",
}
_TRIAL = "trial"
_IV_SIZE = 16
_REMEMBERED = 1024


class Pkcs11Store:
    """A token as a key store, and as what seals a key-encryption key."""

    def __init__(self, address: TokenAddress) -> None:
        self.name = address.store
        self._pool = SessionPool(address)

    def generate(self, key_id: str, algorithm: KeyAlgorithm) -> bytes:
        """A key pair in the token; its SubjectPublicKeyInfo. Raises StoreRefuses and SignerUnavailable."""
        if algorithm.family not in _NEEDED:
            raise StoreRefuses(f"The key store {self.name} cannot hold keys of type {algorithm.name}.")

        def work(held: Held) -> bytes:
            if algorithm not in _offered(self._pool):
                raise StoreRefuses(f"The token of key store {self.name} does not make keys of type {algorithm.name}.")
            _destroy(held, key_id)  # what an attempt that was cut off may have left
            names: dict[str, Any] = {"id": key_id.encode(), "label": _LABEL + key_id, "store": True}
            abilities: dict[str, Any] = {
                "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
                "private_template": _PRIVATE,
            }
            if algorithm.family == "RSA":
                public, _ = held.session.generate_keypair(KeyType.RSA, algorithm.size, **names, **abilities)
                return rsa_spki(public[Attribute.MODULUS], public[Attribute.PUBLIC_EXPONENT])
            curve = held.session.create_domain_parameters(
                KeyType.EC, {Attribute.EC_PARAMS: curve_parameters(algorithm)}, local=True
            )
            public, _ = curve.generate_keypair(**names, **abilities)
            return ec_spki(algorithm, public[Attribute.EC_POINT])

        return self._pool.run(work)

    def signer(self, key_id: str, spki: bytes) -> Signer:
        """A signer for a key of this token. Raises ValueError for a key that the table does not have."""
        algorithm = algorithm_of(load_public(spki))
        if algorithm is None:
            raise ValueError("the key is of a size that Greatseal does not sign with")
        return TokenSigner(self._pool, key_id, algorithm, spki)

    def destroy(self, key_id: str) -> None:
        """Both halves. Raises SignerUnavailable."""
        self._pool.run(lambda held: _destroy(held, key_id))

    def health(self) -> StoreHealth:
        """Logs in, so that a wrong PIN shows."""
        try:
            algorithms = self._pool.run(lambda held: _offered(self._pool))
            return StoreHealth(self.description(), True, algorithms, self._pool.threads)
        except (SignerUnavailable, PKCS11Error) as error:
            return StoreHealth(str(error) or said(error), False)

    def description(self) -> str:
        """The token in words, without logging in. Raises SignerUnavailable and PKCS11Error."""
        token = self._pool.token()
        return f"{token.manufacturer_id} {token.model} {token.label} {token.serial.decode(errors='replace')}"

    def pin_warning(self) -> str | None:
        """What the token says of wrong PINs before this, without trying one. Raises SignerUnavailable, PKCS11Error."""
        flags = self._pool.token().flags
        for flag, words in _PIN_WARNINGS.items():
            if flags & flag:
                return words
        return None

    def trial(self) -> None:
        """Makes a key pair, signs, verifies, and destroys it. Raises SignerUnavailable, SignerLied, StoreRefuses."""
        spki = self.generate(_TRIAL, KeyAlgorithm.EC_prime256v1)
        try:
            VerifiedSigner(self.signer(_TRIAL, spki), spki).sign(b"trial", SignatureAlgorithm.SHA256WITHECDSA)
        finally:
            self.destroy(_TRIAL)

    def close(self) -> None:
        """Ends idle threads."""
        self._pool.close()

    def make_sealing_key(self, key_id: str) -> None:
        """An AES-256 key that never leaves the token. Raises SignerUnavailable."""

        def work(held: Held) -> None:
            _destroy(held, key_id)
            held.session.generate_key(
                KeyType.AES,
                256,
                id=key_id.encode(),
                label=_LABEL + key_id,
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template=_PRIVATE,
            )

        self._pool.run(work)

    def encrypt(self, key_id: str, secret: Secret, iv: bytes) -> bytes:
        """`secret` under a key of `make_sealing_key`, with an IV of 16 random bytes.

        CKM_AES_CBC_PAD, which tokens of every make have. It tells nothing of alteration: compare what comes back.
        """

        def work(held: Held) -> bytes:
            key: Any = held.session.get_key(object_class=ObjectClass.SECRET_KEY, id=key_id.encode())
            made: bytes = key.encrypt(secret.reveal(), mechanism=Mechanism.AES_CBC_PAD, mechanism_param=iv)
            return iv + made

        return self._pool.run(work)

    def decrypt(self, key_id: str, sealed: bytes) -> Secret:
        """What `encrypt` made, or something else when it was altered. Raises SignerUnavailable."""

        def work(held: Held) -> bytes:
            key: Any = held.session.get_key(object_class=ObjectClass.SECRET_KEY, id=key_id.encode())
            iv, body = sealed[:_IV_SIZE], sealed[_IV_SIZE:]
            opened: bytes = key.decrypt(body, mechanism=Mechanism.AES_CBC_PAD, mechanism_param=iv)
            return opened

        return Secret(self._pool.run(work))


class TokenSigner:
    """One key of a token. Its signatures are verified by the room of keys, not here."""

    def __init__(self, pool: SessionPool, key_id: str, algorithm: KeyAlgorithm, spki: bytes) -> None:
        self._pool = pool
        self._key_id = key_id
        self.algorithm = algorithm
        self.spki = spki

    def sign(self, data: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """The signature over `data`. Raises ValueError, SignerUnavailable, and SignerLied for what is no signature."""
        return self.sign_digest(digest_of(data, algorithm), algorithm)

    def sign_digest(self, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        """As `sign`, over data of which only the hash is given."""
        if algorithm.family != self.algorithm.family:
            raise ValueError(f"a key of type {self.algorithm.name} cannot sign with {algorithm.name}")
        return self._pool.run(lambda held: self._signed(self._key(held), digest, algorithm))

    def _signed(self, key: Any, digest: bytes, algorithm: SignatureAlgorithm) -> bytes:
        if algorithm.family == "EC":
            raw: bytes = key.sign(ecdsa_input(digest, self.algorithm.size), mechanism=Mechanism.ECDSA)
            if not raw or len(raw) % 2:
                raise SignerLied("the token's signature has an odd length")
            return ecdsa_signature(raw)
        assert algorithm.value.hash is not None
        signed: bytes
        if algorithm.value.pss:
            parameters = _HASHES[algorithm.value.hash]
            signed = key.sign(digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=parameters)
        else:
            signed = key.sign(digest_info(digest, algorithm), mechanism=Mechanism.RSA_PKCS)
        return signed

    def _key(self, held: Held) -> Any:
        if self._key_id not in held.keys:
            found = held.session.get_key(object_class=ObjectClass.PRIVATE_KEY, id=self._key_id.encode())
            if len(held.keys) >= _REMEMBERED:
                held.keys.clear()
            held.keys[self._key_id] = found
        return held.keys[self._key_id]


def _destroy(held: Held, key_id: str) -> None:
    held.keys.pop(key_id, None)
    objects: Iterable[Any] = list(held.session.get_objects({Attribute.ID: key_id.encode()}))
    for each in objects:
        if str(each[Attribute.LABEL]).startswith(_LABEL):
            each.destroy()


def _offered(pool: SessionPool) -> frozenset[KeyAlgorithm]:
    """The rows of the table that the token has the mechanisms and sizes for."""
    slot = pool.token().slot
    present = slot.get_mechanisms()
    offered = set()
    for row in KeyAlgorithm:
        needed = _NEEDED.get(row.family)
        if needed is None or not present.issuperset(needed):
            continue
        limits = slot.get_mechanism_info(needed[0])
        # Some tokens say nothing of sizes, which PKCS#11 spells as zero.
        if (limits.min_key_length or 0) <= row.size <= (limits.max_key_length or row.size):
            offered.add(row)
    return frozenset(offered)
