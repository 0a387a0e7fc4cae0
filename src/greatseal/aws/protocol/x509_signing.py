"""Verification of requests that are signed with the key of a certificate (iam.md 11.2).

The canonical request is Signature Version 4's; instead of an HMAC there is a signature by the key whose certificate
travels in `x-amz-x509`. Whether that certificate is trusted is the room's question, not this module's.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from greatseal.aws.protocol import canonical
from greatseal.aws.protocol.auth_errors import Failure, Family, Unauthenticated, auth_error, malformed
from greatseal.aws.protocol.authorization import signing_time
from greatseal.aws.protocol.message import Message
from greatseal.aws.protocol.sigv4 import SKEW
from greatseal.aws.wire import WireError, validation_error
from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
from greatseal.crypto.keypair import UnusableKey, algorithm_of, load_public
from greatseal.crypto.signature import verify_with
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate

SERVICE = "rolesanywhere"
_ALGORITHMS = {"AWS4-X509-RSA-SHA256": "RSA", "AWS4-X509-ECDSA-SHA256": "EC", "AWS4-X509-MLDSA": "ML_DSA"}
"""The families of keys by the name of the algorithm."""

_FORMAT = "%Y%m%dT%H%M%SZ"
_MOST_INTERMEDIATES = 5
# The largest serial number has 20 octets.
_SERIAL = re.compile(r"[0-9]{1,49}", re.ASCII)
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed and for which region; the intermediates in the order in which they came."""

    certificate: Certificate
    intermediates: tuple[Certificate, ...]
    region: str


@dataclass(frozen=True, slots=True)
class _Authorization:
    algorithm: str
    serial: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: bytes

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/{self.terminator}"


def verify_x509(request: Message, now: datetime) -> Signed:
    """Checks certificate, time, scope and signature.

    Raises WireError: MissingAuthenticationTokenException and IncompleteSignatureException for what cannot be read,
    ValidationException for certificates that cannot be parsed, AccessDeniedException for what is wrong.
    """
    try:
        authorization = _parse(request)
        signed_at = signing_time(request)
    except Unauthenticated as error:
        raise auth_error(error.failure, error.message, Family.REST_JSON) from None
    certificate, intermediates = _certificates(request)
    timestamp = signed_at.strftime(_FORMAT)
    if not now - SKEW <= signed_at <= now + SKEW:
        raise _denied(f"Signature expired or not yet current: {timestamp} is not within 15 minutes of our time")
    _check_scope(authorization, timestamp)
    _check_signed_headers(request, authorization)
    if int(authorization.serial) != certificate.serial:
        raise _denied("Invalid signature: the Credential does not name the serial number of the certificate")
    text = canonical.canonical_request(
        request.method,
        canonical.canonical_path(request.raw_path, once=False),
        canonical.canonical_query(request.raw_query),
        canonical.canonical_headers(request.headers, authorization.signed_headers),
        authorization.signed_headers,
        hashlib.sha256(request.body).hexdigest(),
    )
    digest = hashlib.sha256(text.encode("latin-1")).hexdigest()
    string = "\n".join((authorization.algorithm, timestamp, authorization.scope, digest))
    _check_signature(certificate, authorization, string.encode("latin-1"))
    return Signed(certificate, intermediates, authorization.region)


def _parse(request: Message) -> _Authorization:
    header = request.header("authorization")
    if not header:
        raise Unauthenticated(Failure.MISSING, "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    if algorithm not in _ALGORITHMS:
        raise malformed(f"Unsupported AWS 'algorithm': '{algorithm[:64]}'.")
    fields: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip(" \t").partition("=")
        if not equals or name in fields:
            raise malformed("The Authorization header is not a list of distinct key=value pairs.")
        fields[name] = value
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not fields.get(name)]
    if missing:
        raise malformed(" ".join(f"Authorization header requires '{name}' parameter." for name in missing))
    scope = fields["Credential"].split("/")
    if len(scope) != 5 or not _SERIAL.fullmatch(scope[0]):
        raise malformed("Credential must be a serial number in decimal, date, region, service and terminator.")
    if not _HEX.fullmatch(fields["Signature"]):
        raise malformed("The Signature must be lower-case hexadecimal.")
    serial, date, region, service, terminator = scope
    signed = tuple(fields["SignedHeaders"].split(";"))
    signature = bytes.fromhex(fields["Signature"])
    return _Authorization(algorithm, serial, date, region, service, terminator, signed, signature)


def _certificates(request: Message) -> tuple[Certificate, tuple[Certificate, ...]]:
    leaf = request.header("x-amz-x509")
    if not leaf:
        raise validation_error("The header X-Amz-X509 is missing.")
    chain = request.header("x-amz-x509-chain")
    encoded = chain.split(",") if chain else []
    if len(encoded) > _MOST_INTERMEDIATES:
        raise validation_error(f"X-Amz-X509-Chain has more than {_MOST_INTERMEDIATES} certificates.")
    return _certificate(leaf, "X-Amz-X509"), tuple(_certificate(each, "X-Amz-X509-Chain") for each in encoded)


def _certificate(encoded: str, header: str) -> Certificate:
    try:
        return Certificate.parse(base64.b64decode(encoded.strip(" \t"), validate=True))
    except (binascii.Error, der.DerError, ValueError):
        raise validation_error(f"{header} does not hold certificates as base64 of DER.") from None


def _check_scope(authorization: _Authorization, timestamp: str) -> None:
    if authorization.date != timestamp[:8]:
        raise _denied("Invalid signature: the date in the Credential is not that of X-Amz-Date")
    if (authorization.service, authorization.terminator) != (SERVICE, canonical.TERMINATOR):
        raise _denied(f"Invalid signature: the Credential must be scoped to {SERVICE}/{canonical.TERMINATOR}")
    if not _REGION.fullmatch(authorization.region):
        raise _denied("Invalid signature: the Credential must be scoped to a valid Region")


def _check_signed_headers(request: Message, authorization: _Authorization) -> None:
    """The headers that decide where the request goes, when, and by whom must be under the signature."""
    chain = () if request.header("x-amz-x509-chain") is None else ("x-amz-x509-chain",)
    for name in ("host", "x-amz-date", "x-amz-x509", *chain):
        if name not in authorization.signed_headers:
            raise _denied(f"Invalid signature: '{name}' must be a signed header")


def _check_signature(certificate: Certificate, authorization: _Authorization, data: bytes) -> None:
    try:
        key = load_public(certificate.spki)
    except UnusableKey:
        raise _denied("Untrusted certificate. Insufficient certificate: its public key cannot be read") from None
    row = algorithm_of(key)
    if row is None:
        raise _denied("Untrusted certificate. Insufficient certificate: its key is of an unsupported kind or size")
    if row.family != _ALGORITHMS[authorization.algorithm]:
        raise _denied(f"Invalid signature: {authorization.algorithm} does not fit the key of the certificate")
    if not verify_with(key, _signature_algorithm(row), authorization.signature, data):
        raise _denied("Invalid signature")


def _signature_algorithm(key: KeyAlgorithm) -> SignatureAlgorithm:
    """PKCS#1 v1.5 and ECDSA always with SHA-256, whatever the size of the key; ML-DSA without a hash before it."""
    if key.family == "ML_DSA":
        return SignatureAlgorithm[key.name]
    return SignatureAlgorithm.SHA256WITHRSA if key.family == "RSA" else SignatureAlgorithm.SHA256WITHECDSA


def _denied(message: str) -> WireError:
    return WireError("AccessDeniedException", f"{message}.", 403)
