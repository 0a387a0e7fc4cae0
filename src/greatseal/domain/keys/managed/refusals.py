"""The refusals of KMS that other services do not know (kms.md 9). Some carry no message: KMS says none."""

from greatseal.kernel.errors import (
    AlreadyExists,
    InvalidArn,
    InvalidPolicy,
    InvalidState,
    LimitExceeded,
    NotFound,
    Refusal,
    ValidationFailed,
)


class KeyNotFound(NotFound):
    """No such key or alias."""


class InvalidKeyArn(InvalidArn):
    """An ARN that names nothing of the right kind."""


class KeyDisabled(InvalidState):
    """The key is disabled."""


class KeyInvalidState(InvalidState):
    """The state of the key forbids the operation."""


class KeyUnavailable(Refusal):
    """The key cannot be used now; asking again may help."""


class InvalidKeyUsage(Refusal):
    """The key or its algorithms are not for this operation."""


class UnsupportedOnKey(Refusal):
    """The operation is not offered for this kind of key."""


class WrongKey(Refusal):
    """The ciphertext was made under another key."""


class InvalidCiphertext(Refusal):
    """The ciphertext does not open."""

    def __init__(self) -> None:
        super().__init__("")


class InvalidSignature(Refusal):
    """The signature does not verify."""

    def __init__(self) -> None:
        super().__init__("")


class InvalidMac(Refusal):
    """The message authentication code does not verify."""

    def __init__(self) -> None:
        super().__init__("")


class DryRunSucceeded(Refusal):
    """The request would have succeeded."""

    def __init__(self) -> None:
        super().__init__("The request would have succeeded, but the DryRun option is set.")


class AliasExists(AlreadyExists):
    """The name is taken."""


class InvalidAliasName(ValidationFailed):
    """A name that no alias may have."""


class InvalidGrantId(Refusal):
    """No such grant."""


class InvalidGrantToken(Refusal):
    """A grant token that was not handed out, or whose grant is gone."""


class PolicyLocksOut(InvalidPolicy):
    """The new policy would not let its author change it again."""


class PolicyTooLong(LimitExceeded):
    """A key policy over the quota."""


class InvalidImportToken(Refusal):
    """The import token is not that of the key's last GetParametersForImport."""


class ExpiredImportToken(Refusal):
    """The import token is older than a day."""


class WrongKeyMaterial(Refusal):
    """Other material than the key had before."""


class RotationConflict(Refusal):
    """Another rotation is not finished."""


class CustomStoreNotFound(NotFound):
    """No such custom key store in this account and region."""


class CustomStoreNameInUse(AlreadyExists):
    """Another custom key store has the name."""


class CustomStoreHasKeys(Refusal):
    """Keys are in the custom key store, perhaps some that wait for their deletion."""


class CustomStoreInvalidState(InvalidState):
    """The custom key store must be connected, or must not be."""


class ProxyUriInUse(AlreadyExists):
    """Another custom key store is behind the same proxy."""


class ProxyUnreachable(Refusal):
    """The proxy cannot be reached, does not answer in time, or has no key manager that works."""


class ProxyIncorrectCredential(Refusal):
    """The proxy does not accept the credential."""


class ProxyInvalidConfiguration(Refusal):
    """The proxy is not set up as it must be."""


class ProxyInvalidResponse(Refusal):
    """The proxy's answer cannot be understood."""


class ExternalKeyNotFound(NotFound):
    """The key manager has no such key."""


class ExternalKeyInUse(AlreadyExists):
    """Another KMS key has this external key."""


class ExternalKeyInvalidConfiguration(Refusal):
    """The external key is not one that can be used: AES-256, enabled, for encryption and decryption."""
