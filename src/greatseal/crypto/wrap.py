"""Sealing of secrets at rest: AES-256-GCM under a key-encryption key.

A sealed value is `version(1) | fingerprint(8) | nonce(12) | ciphertext and tag`. The fingerprint names the
key-encryption key, so that several can be in use while one takes over from another. The identity of what is sealed
goes in as associated data, so that a row copied over another row does not open (DESIGN section 5). Values of version
1 had no fingerprint; they open under whichever key fits.
"""

import hashlib
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from greatseal.kernel.entropy import Entropy
from greatseal.kernel.secret import Secret

KEY_SIZE = 32
NONCE_SIZE = 12
_TAG_SIZE = 16
_FINGERPRINT_SIZE = 8
_UNNAMED, _NAMED = b"\x01", b"\x02"
PREFIX_SIZE = 1 + _FINGERPRINT_SIZE


class CannotOpen(ValueError):
    """The sealed value was altered, moved to another place, or sealed under another key."""


def seal(kek: Secret, plaintext: Secret, *, nonce: bytes, associated: bytes) -> bytes:
    """Encrypts `plaintext`. `nonce` is 12 random bytes, fresh for each call."""
    if len(nonce) != NONCE_SIZE:
        raise ValueError(f"a nonce has {NONCE_SIZE} bytes")
    prefix = prefix_under(key_fingerprint(kek))
    return prefix + nonce + AESGCM(kek.reveal()).encrypt(nonce, plaintext.reveal(), prefix + associated)


def unseal(kek: Secret, sealed: bytes, *, associated: bytes) -> Secret:
    """Decrypts what `seal` made. Raises CannotOpen."""
    size = PREFIX_SIZE if sealed[:1] == _NAMED else 1
    if sealed[:1] not in (_NAMED, _UNNAMED) or len(sealed) < size + NONCE_SIZE + _TAG_SIZE:
        raise CannotOpen("the sealed value has an unknown form")
    prefix, nonce, body = sealed[:size], sealed[size : size + NONCE_SIZE], sealed[size + NONCE_SIZE :]
    try:
        return Secret(AESGCM(kek.reveal()).decrypt(nonce, body, prefix + associated))
    except InvalidTag:
        raise CannotOpen("the sealed value does not open with this key") from None


def key_from_passphrase(passphrase: Secret, salt: bytes) -> Secret:
    """A key-encryption key from a passphrase by scrypt (RFC 7914) with N=2^15, r=8, p=1: about 0.1 s."""
    return Secret(Scrypt(salt=salt, length=KEY_SIZE, n=2**15, r=8, p=1).derive(passphrase.reveal()))


def key_fingerprint(kek: Secret) -> str:
    """Names a key-encryption key without telling anything about it: 16 hex digits."""
    return hashlib.sha256(b"greatseal key-encryption key\0" + kek.reveal()).hexdigest()[:16]


def prefix_under(fingerprint: str) -> bytes:
    """The first bytes of everything that is sealed under the key with this fingerprint."""
    return _NAMED + bytes.fromhex(fingerprint)


class Keyring:
    """The key-encryption keys that this process knows, by fingerprint. One of them seals; all of them open.

    `learn` is asked for a fingerprint that is not known: another process may have put a new key to use.
    """

    def __init__(self, current: Secret) -> None:
        # Both are replaced, never changed: other threads seal and open meanwhile.
        self._sealing = (key_fingerprint(current), current)
        self._keys: Mapping[str, Secret] = dict([self._sealing])
        self._retired = False
        self.learn: Callable[[str], Secret | None] = lambda _: None

    @property
    def current(self) -> str:
        """The fingerprint of the key that seals."""
        return self._sealing[0]

    @property
    def key(self) -> Secret:
        """The key that seals. Raises CannotOpen when nobody could open what it seals."""
        if self._retired:
            raise CannotOpen("the key-encryption key of this process was replaced: start it with the new one")
        return self._sealing[1]

    def known(self) -> Mapping[str, Secret]:
        """Every key, by fingerprint."""
        return self._keys

    def find(self, fingerprint: str) -> Secret | None:
        """A key, asked for elsewhere when it is not known here."""
        found = self._keys.get(fingerprint)
        if found is None and (found := self.learn(fingerprint)) is not None:
            self._keys = {**self._keys, fingerprint: found}
        return found

    def open(self, identity: str, sealed: bytes) -> Secret:
        """A sealed secret again. Raises CannotOpen."""
        if sealed[:1] == _NAMED:
            kek = self.find(sealed[1:PREFIX_SIZE].hex())
            if kek is None:
                raise CannotOpen("the sealed value is under a key-encryption key that is not known here")
            return unseal(kek, sealed, associated=identity.encode())
        for kek in self._keys.values():
            try:
                return unseal(kek, sealed, associated=identity.encode())
            except CannotOpen:
                continue
        raise CannotOpen("the sealed value does not open with any key-encryption key")

    def use(self, current: Secret) -> None:
        """From now on `current` seals; the others still open."""
        sealing = (key_fingerprint(current), current)
        self._keys = {**self._keys, sealing[0]: current}
        self._sealing = sealing
        self._retired = False

    def forget_others(self) -> None:
        """Only the key that seals opens from now on."""
        self._keys = dict([self._sealing])

    def retire(self) -> None:
        """Nothing is sealed any more until `use`: the installation has another key, which is not known here."""
        self._retired = True


class Sealer:
    """The one mechanism that seals secrets at rest: key-encryption keys and a source of nonces.

    `identity` says what the secret is (table, row), is bound to the sealed value, and must be given
    again to open it.
    """

    def __init__(self, kek: Secret | Keyring, entropy: Entropy) -> None:
        self.keyring = kek if isinstance(kek, Keyring) else Keyring(kek)
        self.entropy = entropy

    def seal(self, identity: str, secret: Secret) -> bytes:
        """The sealed form of `secret`. Raises CannotOpen when the key was retired elsewhere."""
        nonce = self.entropy.token_bytes(NONCE_SIZE)
        return seal(self.keyring.key, secret, nonce=nonce, associated=identity.encode())

    def open(self, identity: str, sealed: bytes) -> Secret:
        """The secret again. Raises CannotOpen."""
        return self.keyring.open(identity, sealed)
