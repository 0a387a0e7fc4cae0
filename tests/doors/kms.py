"""What tests of KMS import: an installation with its client, keys in few words, and people with other rights."""

from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding

from doors.organization import allow, document, role, session_client, trust, user
from greatseal.domain.access import Credential
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation

ACCOUNT = "111122223333"
REGION = "us-east-1"
HERE = f"arn:aws:iam::{ACCOUNT}"
KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
NO_KEY = f"{KEYS}12345678-1234-4234-8234-123456789abc"
_SIGN = ("SIGN_VERIFY",)
USAGES = {
    "SYMMETRIC_DEFAULT": ("ENCRYPT_DECRYPT",),
    **dict.fromkeys(("RSA_2048", "RSA_3072", "RSA_4096"), ("ENCRYPT_DECRYPT", "SIGN_VERIFY")),
    **dict.fromkeys(("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"), ("SIGN_VERIFY", "KEY_AGREEMENT")),
    **dict.fromkeys(("ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87"), _SIGN),
    **dict.fromkeys(("ML_KEM_768", "ML_KEM_1024"), ("ENCAPSULATE_DECAPSULATE",)),
    **dict.fromkeys(("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"), ("GENERATE_VERIFY_MAC",)),
}
"""The usages of each key spec that is served (kms.md 3)."""


class Kms:
    """An installation and its KMS client, signed by the root principal."""

    def __init__(self, storage: Storage, **more: Any) -> None:
        self.installation = Installation(storage, **more)
        self.storage = storage
        self.kms = self.installation.client("kms")

    @property
    def clock(self) -> FakeClock:
        return self.installation.clock

    def pass_days(self, days: float) -> None:
        """Time goes on, and the upkeep of keys runs."""
        self.clock.advance(timedelta(days=days))
        self.installation.rooms.managed_keys.upkeep.run()

    def create(self, spec: str = "SYMMETRIC_DEFAULT", usage: str | None = None, **more: Any) -> str:
        """A new key's ARN; with the first usage of its spec unless told."""
        wanted = {"KeySpec": spec, "KeyUsage": usage or USAGES[spec][0], **more}
        if spec == "SYMMETRIC_DEFAULT":
            wanted = more
        arn: str = self.kms.create_key(**wanted)["KeyMetadata"]["Arn"]
        return arn

    def external(self, spec: str = "SYMMETRIC_DEFAULT", usage: str | None = None, **more: Any) -> str:
        """A key that waits for its material."""
        return self.create(spec, usage, Origin="EXTERNAL", **more)

    def describe(self, key: str) -> dict[str, Any]:
        """KeyMetadata."""
        found: dict[str, Any] = self.kms.describe_key(KeyId=key)["KeyMetadata"]
        return found

    def state(self, key: str) -> str:
        """The key's state."""
        return str(self.describe(key)["KeyState"])

    def bring(self, key: str, material: bytes, *, client: Any = None, **more: Any) -> dict[str, Any]:
        """Imports material that never expires, unless told otherwise."""
        kms = client or self.kms
        hybrid = len(material) > 64
        algorithm = "RSA_AES_KEY_WRAP_SHA_256" if hybrid else "RSAES_OAEP_SHA_256"
        given = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
        wrapped = (wrapped_hybrid if hybrid else wrapped_directly)(given["PublicKey"], material)
        if "ValidTo" not in more:
            more.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
        answer: dict[str, Any] = kms.import_key_material(
            KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=wrapped, **more
        )
        return answer

    def client(self, credential: Credential, *, region: str | None = None) -> Any:
        """A KMS client of somebody else."""
        return self.installation.client("kms", credential=credential, region=region)

    def user(self, name: str, *statements: dict[str, Any], root: Credential | None = None) -> Any:
        """The KMS client of a new user with this inline policy."""
        return self.client(user(self.installation, name, *statements, root=root))

    def role(self, name: str, *statements: dict[str, Any], **session: Any) -> Any:
        """The KMS client of a session of a new role with this inline policy."""
        arn = role(self.installation, name, trust({"AWS": f"{HERE}:root"}), *statements)
        caller = user(self.installation, f"assumes-{name}", allow("sts:AssumeRole"))
        sts = self.installation.client("sts", credential=caller)
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="s1", **session)
        return session_client(self.installation, "kms", answer)


def whole(*statements: dict[str, Any]) -> str:
    """A key policy that lets the root of the account do everything, and what else is said."""
    return document(to_account("kms:*"), *statements)


def to_account(actions: str | list[str], account: str = ACCOUNT) -> dict[str, Any]:
    """A statement of a key policy that lets an account's own policies decide."""
    return to(f"arn:aws:iam::{account}:root", actions)


def to(principal: str, actions: str | list[str], **more: Any) -> dict[str, Any]:
    """A statement of a key policy."""
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*", **more}


def _oaep(public: bytes, octets: bytes) -> bytes:
    key = serialization.load_der_public_key(public)
    digest = hashes.SHA256()
    wrapped: bytes = key.encrypt(octets, padding.OAEP(padding.MGF1(digest), digest, None))  # type: ignore[union-attr, call-arg]
    return wrapped


def wrapped_directly(public: bytes, material: bytes) -> bytes:
    """Material under RSAES_OAEP_SHA_256."""
    return _oaep(public, material)


def wrapped_hybrid(public: bytes, material: bytes) -> bytes:
    """Material under RSA_AES_KEY_WRAP_SHA_256."""
    between = bytes(range(32))
    return _oaep(public, between) + aes_key_wrap_with_padding(between, material)


def pkcs8(key: Any) -> bytes:
    """A private key as it is imported."""
    encoded: bytes = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded
