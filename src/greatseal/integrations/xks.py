"""Speaks the public XKS API with proxies of external key managers: signed JSON over HTTPS, every answer checked.

"The XKS API" is the AWS KMS External Keystore Proxy API Specification, version 1 (docs/kms-external-keys.md).
"""

import hashlib
import hmac
import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from greatseal.domain.keys.managed.ports import (
    ExternalCiphertext,
    ExternalKey,
    Fault,
    KeyProxy,
    Occasion,
    ProxyFailed,
)
from greatseal.integrations.xks_connections import ProxyConnections
from greatseal.kernel.clock import Clock
from greatseal.kernel.group import waits

log = logging.getLogger(__name__)

SERVICE = "kms-xks-proxy"
_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED_HEADERS = "host;x-amz-date"
_LONGEST_MESSAGE = 512

_FAULTS: Mapping[str, Fault] = {
    "ValidationException": Fault.INVALID_RESPONSE,
    "InvalidStateException": Fault.KEY_DISABLED,
    "InvalidCiphertextException": Fault.INVALID_CIPHERTEXT,
    "InvalidKeyUsageException": Fault.KEY_USAGE,
    "AuthenticationFailedException": Fault.AUTHENTICATION,
    "AccessDeniedException": Fault.ACCESS_DENIED,
    "KeyNotFoundException": Fault.KEY_NOT_FOUND,
    "InvalidUriPathException": Fault.URI_PATH,
    "ThrottlingException": Fault.THROTTLED,
    "UnsupportedOperationException": Fault.UNSUPPORTED,
    "DependencyTimeoutException": Fault.DEPENDENCY_TIMEOUT,
    "InternalException": Fault.INTERNAL,
}


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    """An answer of a proxy. What it says beyond the XKS API is passed over."""


class _Refused(_Answer, frozen=True):
    error_name: str
    error_message: str = ""


class _Manager(_Answer, frozen=True):
    id: str
    model: str
    health_status: Literal["ACTIVE", "DEGRADED", "UNAVAILABLE"]


class _Health(_Answer, frozen=True):
    xks_proxy_fleet_size: Annotated[int, msgspec.Meta(ge=1)]
    xks_proxy_vendor: str
    xks_proxy_model: str
    ekm_vendor: str
    ekm_fleet_details: Annotated[list[_Manager], msgspec.Meta(min_length=1, max_length=10)]


class _Metadata(_Answer, frozen=True):
    key_spec: str
    key_usage: Annotated[list[str], msgspec.Meta(max_length=10)]
    key_status: Literal["ENABLED", "DISABLED"]


class _Encrypted(_Answer, frozen=True):
    """Octets are read from standard base64."""

    ciphertext: bytes
    initialization_vector: bytes
    authentication_tag: bytes
    ciphertext_data_integrity_value: bytes
    ciphertext_metadata: bytes = b""


class _Decrypted(_Answer, frozen=True):
    plaintext: bytes


Answer = TypeVar("Answer", bound=_Answer)


class XksProxies:
    """Implements `domain.keys.managed.ports.KeyProxies`."""

    def __init__(self, *, clock: Clock, connections: ProxyConnections | None = None) -> None:
        self._connections = connections or ProxyConnections()
        self._clock = clock

    def check(self, proxy: KeyProxy, occasion: Occasion) -> None:
        """GetHealthStatus."""
        found = self._call(proxy, "health", {"requestMetadata": _metadata(occasion)}, _Health)
        if all(each.health_status == "UNAVAILABLE" for each in found.ekm_fleet_details):
            raise ProxyFailed(Fault.UNAVAILABLE)

    def describe(self, proxy: KeyProxy, key_id: str, occasion: Occasion) -> ExternalKey:
        """GetKeyMetadata."""
        asked = {"requestMetadata": _metadata(occasion)}
        found = self._call(proxy, f"keys/{key_id}/metadata", asked, _Metadata)
        return ExternalKey(found.key_spec, frozenset(found.key_usage), found.key_status == "ENABLED")

    def encrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, plaintext: bytes, associated: bytes
    ) -> ExternalCiphertext:
        """Encrypt. The proxy vouches with a digest over everything that it will be able to decrypt it."""
        asked = {
            "requestMetadata": _metadata(occasion),
            "additionalAuthenticatedData": associated,
            "plaintext": plaintext,
            "encryptionAlgorithm": "AES_GCM",
            "ciphertextDataIntegrityValueAlgorithm": "SHA_256",
        }
        found = self._call(proxy, f"keys/{key_id}/encrypt", asked, _Encrypted)
        made = ExternalCiphertext(
            found.initialization_vector, found.ciphertext_metadata, found.authentication_tag, found.ciphertext
        )
        digest = hashlib.sha256(associated + made.metadata + made.iv + made.ciphertext + made.tag).digest()
        sizes = (len(made.iv) in (12, 16), len(made.tag) == 16, len(made.metadata) <= 20)
        if not all(sizes) or len(made.ciphertext) != len(plaintext):
            raise ProxyFailed(Fault.INVALID_RESPONSE)
        if not hmac.compare_digest(digest, found.ciphertext_data_integrity_value):
            raise ProxyFailed(Fault.INVALID_RESPONSE)
        return made

    def decrypt(
        self, proxy: KeyProxy, key_id: str, occasion: Occasion, sealed: ExternalCiphertext, associated: bytes
    ) -> bytes:
        """Decrypt."""
        asked: dict[str, Any] = {
            "requestMetadata": _metadata(occasion),
            "additionalAuthenticatedData": associated,
            "encryptionAlgorithm": "AES_GCM",
            "ciphertext": sealed.ciphertext,
            "initializationVector": sealed.iv,
            "authenticationTag": sealed.tag,
        }
        if sealed.metadata:
            asked["ciphertextMetadata"] = sealed.metadata
        plaintext = self._call(proxy, f"keys/{key_id}/decrypt", asked, _Decrypted).plaintext
        if len(plaintext) != len(sealed.ciphertext):
            raise ProxyFailed(Fault.INVALID_RESPONSE)
        return plaintext

    def _call(self, proxy: KeyProxy, resource: str, asked: Mapping[str, object], wanted: type[Answer]) -> Answer:
        waits()
        host = proxy.endpoint.removeprefix("https://").lower()
        path = f"{proxy.path}/{resource}"
        body = msgspec.json.encode(asked)
        headers = sign(proxy, host, path, body, f"{self._clock.now():%Y%m%dT%H%M%SZ}")
        headers |= {"Content-Type": "application/json", "User-Agent": "greatseal"}
        status, content = self._connections.post(host, path, headers, body)
        try:
            if status == 200:
                return msgspec.json.decode(content, type=wanted)
            refused = msgspec.json.decode(content, type=_Refused)
        except (ValueError, RecursionError):
            log.warning("the key store proxy %s answers %d with something else than the XKS API", host, status)
            raise ProxyFailed(Fault.INVALID_RESPONSE) from None
        log.warning("the key store proxy %s: %s: %s", host, _plain(refused.error_name), _plain(refused.error_message))
        raise ProxyFailed(_FAULTS.get(refused.error_name, Fault.INVALID_RESPONSE))


def sign(proxy: KeyProxy, host: str, path: str, body: bytes, at: str) -> dict[str, str]:
    """The headers that sign a POST: Signature Version 4, over `host` and `x-amz-date` (XKS API, Appendix A).

    `at` is the time as `20260115T120000Z`; `path` has only characters that need no encoding.
    """
    scope = f"{at[:8]}/{proxy.region}/{SERVICE}/aws4_request"
    request = "\n".join(
        ("POST", path, "", f"host:{host}", f"x-amz-date:{at}", "", _SIGNED_HEADERS, hashlib.sha256(body).hexdigest())
    )
    to_sign = "\n".join((_ALGORITHM, at, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = b"AWS4" + proxy.secret.reveal()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"{proxy.access_key_id}/{scope}"
    return {
        "Host": host,
        "X-Amz-Date": at,
        "Authorization": f"{_ALGORITHM} Credential={credential}, SignedHeaders={_SIGNED_HEADERS}, "
        f"Signature={signature}",
    }


def _metadata(occasion: Occasion) -> dict[str, str]:
    told = {
        "awsPrincipalArn": occasion.principal,
        "kmsKeyArn": occasion.key_arn,
        "kmsOperation": occasion.operation,
        "kmsRequestId": occasion.request_id,
        "kmsViaService": occasion.via_service,
    }
    return {name: value for name, value in told.items() if value is not None}


def _plain(text: str) -> str:
    """Text of a stranger for one line of the log: printable ASCII, as the XKS API has it."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text[:_LONGEST_MESSAGE])
