"""Why a signature, or the structure that carries it, is refused: a word for programs and a sentence for people."""

from enum import Enum


class Fault(Enum):
    """Every reason that this package has. docs/signing.md explains each."""

    MALFORMED = "malformed"
    NOT_SIGNED_DATA = "not-signed-data"
    CONTENT = "content"
    VERSION = "version"
    NO_SIGNER = "no-signer"
    NO_CERTIFICATE = "no-certificate"
    CERTIFICATE_ID = "certificate-id"
    NO_SIGNED_ATTRIBUTES = "no-signed-attributes"
    ATTRIBUTE_ORDER = "attribute-order"
    DUPLICATE_ATTRIBUTE = "duplicate-attribute"
    MISSING_ATTRIBUTE = "missing-attribute"
    UNKNOWN_ATTRIBUTE = "unknown-unsigned-attribute"
    CONTENT_TYPE = "content-type"
    SIGNING_TIME = "signing-time"
    DIGEST_ALGORITHM = "digest-algorithm"
    WEAK_DIGEST = "weak-digest"
    DIGEST_LENGTH = "digest-length"
    PARAMETERS = "algorithm-parameters"
    SIGNATURE_ALGORITHM = "signature-algorithm"
    ALGORITHM_PROTECTION = "algorithm-protection"
    CHANGED = "content-changed"
    SIGNATURE = "signature"


class CmsError(ValueError):
    """A refusal. The message is a sentence without a full stop."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
