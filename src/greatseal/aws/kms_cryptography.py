"""KMS: the cryptographic operations (kms.md 4 to 8)."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import kms_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.crypto.message_signature import MessageType
from greatseal.domain.keys.managed import Directory, Found
from greatseal.domain.keys.managed.agreement import Agreement
from greatseal.domain.keys.managed.cipher import key_name_in
from greatseal.domain.keys.managed.encryption import SYMMETRIC, DataKeyPair, Encryption, Side
from greatseal.domain.keys.managed.grant import context_keys
from greatseal.domain.keys.managed.model import ManagedKey
from greatseal.domain.keys.managed.refusals import UnsupportedOnKey
from greatseal.domain.keys.managed.signing import Signing
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AccessDenied, ValidationFailed

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None

_SIZES = {"AES_128": 16, "AES_256": 32}
_GONE = (
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
    "not allowed to access."
)


class CryptographicOperations:
    """Signs, encrypts, authenticates and agrees with keys."""

    def __init__(
        self,
        *,
        asking: KeyAsking,
        directory: Directory,
        signing: Signing,
        encryption: Encryption,
        agreement: Agreement,
    ) -> None:
        self._asking = asking
        self._directory = directory
        self._signing = signing
        self._encryption = encryption
        self._agreement = agreement

    def sign(self, caller: Caller, p: Parameters) -> Result:
        """RAW messages are hashed here."""
        key, algorithm, kind = self._signer(caller, p)
        signature = self._signing.sign(caller, key, algorithm, p["Message"], kind, dry_run=_dry(p))
        return {"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm}

    def verify(self, caller: Caller, p: Parameters) -> Result:
        """A wrong signature is an error, never `false`."""
        key, algorithm, kind = self._signer(caller, p)
        self._signing.verify(caller, key, algorithm, p["Message"], kind, p["Signature"], dry_run=_dry(p))
        return {"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm}

    def get_public_key(self, caller: Caller, p: Parameters) -> Result:
        """For every key pair that is enabled."""
        key = self._asking.used(caller, p)
        return {
            "KeyId": key.arn,
            "PublicKey": self._signing.public_key(caller, key),
            "CustomerMasterKeySpec": key.spec.name,
            "KeySpec": key.spec.name,
            "KeyUsage": key.usage,
            **shapes.algorithms(key),
        }

    def generate_mac(self, caller: Caller, p: Parameters) -> Result:
        """An HMAC."""
        algorithm = p["MacAlgorithm"]
        key = self._asking.used(caller, p, {"kms:MacAlgorithm": algorithm})
        mac = self._signing.make_mac(caller, key, algorithm, p["Message"], dry_run=_dry(p))
        return {"Mac": mac, "MacAlgorithm": algorithm, "KeyId": key.arn}

    def verify_mac(self, caller: Caller, p: Parameters) -> Result:
        """A wrong code is an error, never `false`."""
        algorithm = p["MacAlgorithm"]
        key = self._asking.used(caller, p, {"kms:MacAlgorithm": algorithm})
        self._signing.verify_mac(caller, key, algorithm, p["Message"], p["Mac"], dry_run=_dry(p))
        return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": algorithm}

    def encrypt(self, caller: Caller, p: Parameters) -> Result:
        """Up to 4096 bytes, less with RSA."""
        algorithm = p.get("EncryptionAlgorithm", SYMMETRIC)
        key = self._asking.used(caller, p, {"kms:EncryptionAlgorithm": algorithm})
        side = Side(key, algorithm, p.get("EncryptionContext"))
        made = self._encryption.encrypt(caller, side, p["Plaintext"], dry_run=_dry(p))
        return {"CiphertextBlob": made.blob, "KeyId": key.arn, "EncryptionAlgorithm": algorithm}

    def decrypt(self, caller: Caller, p: Parameters) -> Result:
        """A symmetric blob names its key; one of RSA does not."""
        _refuse_recipient(p)
        algorithm = p.get("EncryptionAlgorithm", SYMMETRIC)
        context = p.get("EncryptionContext") or {}
        conditions = {"kms:EncryptionAlgorithm": algorithm, **context_keys(context)}
        key = self._source(caller, p, conditions, "KeyId", caller.operation, algorithm)
        made = self._encryption.decrypt(caller, Side(key, algorithm, context), p.get("CiphertextBlob"), dry_run=_dry(p))
        return {
            "KeyId": key.arn,
            "Plaintext": made.plaintext,
            "EncryptionAlgorithm": algorithm,
            "KeyMaterialId": made.material_id,
        }

    def re_encrypt(self, caller: Caller, p: Parameters) -> Result:
        """Needs kms:ReEncryptFrom on the one key and kms:ReEncryptTo on the other."""
        before = p.get("SourceEncryptionAlgorithm", SYMMETRIC)
        after = p.get("DestinationEncryptionAlgorithm", SYMMETRIC)
        old, new = p.get("SourceEncryptionContext") or {}, p.get("DestinationEncryptionContext") or {}
        into = self._directory.find(caller, p["DestinationKeyId"])
        same = {"kms:ReEncryptOnSameKey": "false"}
        source_conditions = {"kms:EncryptionAlgorithm": before, **context_keys(old), **same}
        source = self._source(caller, p, source_conditions, "SourceKeyId", "kms:ReEncryptFrom", before, into=into)
        if into.key is not None and into.key.arn == source.arn:
            same = {"kms:ReEncryptOnSameKey": "true"}
        conditions = {"kms:EncryptionAlgorithm": after, **context_keys(new), **same}
        target = self._asking.authorized(caller, into, conditions, operation="kms:ReEncryptTo", across=True)
        made, material = self._encryption.re_encrypt(
            caller, Side(source, before, old), Side(target, after, new), p.get("CiphertextBlob"), dry_run=_dry(p)
        )
        return {
            "CiphertextBlob": made.blob,
            "SourceKeyId": source.arn,
            "KeyId": target.arn,
            "SourceEncryptionAlgorithm": before,
            "DestinationEncryptionAlgorithm": after,
            "SourceKeyMaterialId": material,
            "DestinationKeyMaterialId": made.material_id,
        }

    def generate_data_key(self, caller: Caller, p: Parameters) -> Result:
        """Open and encrypted."""
        _refuse_recipient(p)
        return self._data_key(caller, p, open_too=True)

    def generate_data_key_without_plaintext(self, caller: Caller, p: Parameters) -> Result:
        """Encrypted only."""
        return self._data_key(caller, p, open_too=False)

    def generate_data_key_pair(self, caller: Caller, p: Parameters) -> Result:
        """The private half open and encrypted."""
        _refuse_recipient(p)
        key, made = self._pair(caller, p)
        return {**_pair_wire(key, made, p), "PrivateKeyPlaintext": made.private}

    def generate_data_key_pair_without_plaintext(self, caller: Caller, p: Parameters) -> Result:
        """The private half encrypted only."""
        return _pair_wire(*self._pair(caller, p), p)

    def generate_random(self, caller: Caller, p: Parameters) -> Result:
        """From the operating system's generator."""
        self._asking.anything(caller)
        _refuse_recipient(p)
        if "CustomKeyStoreId" in p:
            raise UnsupportedOnKey("Random bytes do not come from custom key stores.")
        if "NumberOfBytes" not in p:
            raise ValidationFailed("NumberOfBytes is required.")
        return {"Plaintext": self._encryption.random(p["NumberOfBytes"])}

    def derive_shared_secret(self, caller: Caller, p: Parameters) -> Result:
        """The x-coordinate of ECDH."""
        _refuse_recipient(p)
        algorithm = p["KeyAgreementAlgorithm"]
        key = self._asking.used(caller, p, {"kms:KeyAgreementAlgorithm": algorithm})
        secret = self._agreement.derive(caller, key, algorithm, p["PublicKey"], dry_run=_dry(p))
        return {
            "KeyId": key.arn,
            "SharedSecret": secret,
            "KeyAgreementAlgorithm": algorithm,
            "KeyOrigin": key.origin.value,
        }

    def encapsulate(self, caller: Caller, p: Parameters) -> Result:
        """ML-KEM (FIPS 203)."""
        algorithm = p["EncapsulationAlgorithm"]
        key = self._asking.used(caller, p, {"kms:EncapsulationAlgorithm": algorithm})
        secret, blob = self._agreement.encapsulate(caller, key, algorithm, dry_run=_dry(p))
        return {
            "KeyId": key.arn,
            "SharedSecret": secret,
            "SharedSecretCiphertextBlob": blob,
            "EncapsulationAlgorithm": algorithm,
        }

    def decapsulate(self, caller: Caller, p: Parameters) -> Result:
        """A ciphertext of the right length always gives a secret: that is how ML-KEM refuses (FIPS 203 section 6.3)."""
        algorithm = p["EncapsulationAlgorithm"]
        key = self._asking.used(caller, p, {"kms:EncapsulationAlgorithm": algorithm})
        blob = p["SharedSecretCiphertextBlob"]
        secret = self._agreement.decapsulate(caller, key, algorithm, blob, dry_run=_dry(p))
        return {"KeyId": key.arn, "SharedSecret": secret, "EncapsulationAlgorithm": algorithm}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "Sign": self.sign,
            "Verify": self.verify,
            "GetPublicKey": self.get_public_key,
            "GenerateMac": self.generate_mac,
            "VerifyMac": self.verify_mac,
            "Encrypt": self.encrypt,
            "Decrypt": self.decrypt,
            "ReEncrypt": self.re_encrypt,
            "GenerateDataKey": self.generate_data_key,
            "GenerateDataKeyWithoutPlaintext": self.generate_data_key_without_plaintext,
            "GenerateDataKeyPair": self.generate_data_key_pair,
            "GenerateDataKeyPairWithoutPlaintext": self.generate_data_key_pair_without_plaintext,
            "GenerateRandom": self.generate_random,
            "DeriveSharedSecret": self.derive_shared_secret,
            "Encapsulate": self.encapsulate,
            "Decapsulate": self.decapsulate,
        }

    def _signer(self, caller: Caller, p: Parameters) -> tuple[ManagedKey, str, MessageType]:
        algorithm, kind = p["SigningAlgorithm"], MessageType(p.get("MessageType", "RAW"))
        conditions = {"kms:SigningAlgorithm": algorithm, "kms:MessageType": kind.value}
        return self._asking.used(caller, p, conditions), algorithm, kind

    def _source(
        self,
        caller: Caller,
        p: Parameters,
        conditions: Mapping[str, str | tuple[str, ...]],
        member: str,
        operation: str,
        algorithm: str,
        into: Found | None = None,
    ) -> ManagedKey:
        """The key that is to decrypt: the one that the request names, or else the one that the blob names."""
        _check_ciphertext(p)
        given = p.get(member)
        if given is not None:
            found = self._directory.find(caller, given)
        elif algorithm != SYMMETRIC or "CiphertextBlob" not in p:
            raise ValidationFailed(f"{member} is required.")
        else:
            name = key_name_in(p["CiphertextBlob"], caller)
            found = self._directory.find(caller, str(name.arn))
            if found.key is None:
                raise AccessDenied(_GONE)
        if into is not None and found.key is not None and into.key is not None and found.key.arn == into.key.arn:
            conditions = {**conditions, "kms:ReEncryptOnSameKey": "true"}
        self._asking.check_tokens(p)
        return self._asking.authorized(caller, found, conditions, operation=operation, across=True)

    def _data_key(self, caller: Caller, p: Parameters, *, open_too: bool) -> Result:
        named, size = p.get("KeySpec"), p.get("NumberOfBytes")
        if (named is None) == (size is None):
            raise ValidationFailed("Please specify either number of bytes or key spec.")
        key = self._asking.used(caller, p, {"kms:EncryptionAlgorithm": SYMMETRIC})
        octets: int = _SIZES[p["KeySpec"]] if size is None else size
        side = Side(key, SYMMETRIC, p.get("EncryptionContext"))
        plaintext, made = self._encryption.data_key(caller, side, octets, dry_run=_dry(p))
        told = {"CiphertextBlob": made.blob, "KeyId": key.arn, "KeyMaterialId": made.material_id}
        return {**told, "Plaintext": plaintext} if open_too else told

    def _pair(self, caller: Caller, p: Parameters) -> tuple[ManagedKey, DataKeyPair]:
        name = p["KeyPairSpec"]
        conditions = {"kms:DataKeyPairSpec": name, "kms:EncryptionAlgorithm": SYMMETRIC}
        key = self._asking.used(caller, p, conditions)
        side = Side(key, SYMMETRIC, p.get("EncryptionContext"))
        return key, self._encryption.data_key_pair(caller, side, shapes.key_spec(name), dry_run=_dry(p))


def _pair_wire(key: ManagedKey, made: DataKeyPair, p: Parameters) -> dict[str, Any]:
    return {
        "PrivateKeyCiphertextBlob": made.encrypted.blob,
        "PublicKey": made.public,
        "KeyId": key.arn,
        "KeyPairSpec": p["KeyPairSpec"],
        "KeyMaterialId": made.encrypted.material_id,
    }


def _dry(p: Parameters) -> bool:
    return bool(p.get("DryRun", False))


def _check_ciphertext(p: Parameters) -> None:
    """The ciphertext may be missing only in a dry run that says so."""
    ignored = _dry(p) and "IGNORE_CIPHERTEXT" in p.get("DryRunModifiers", ())
    if "CiphertextBlob" not in p and not ignored:
        raise ValidationFailed("CiphertextBlob is required.")


def _refuse_recipient(p: Parameters) -> None:
    """Answers for attested enclaves only would have to be encrypted to a document that we cannot check."""
    if "Recipient" in p:
        raise UnsupportedOnKey("The Recipient parameter is not supported.")
