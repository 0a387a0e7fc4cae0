"""Verification of requests that are signed with AWS Signature Version 4 in the Authorization header (iam.md 7).

A pure function of the request, the clock's time and a resolver of credentials, which also judges session tokens.
Signatures in the query string (presigned URLs) are refused until a service needs them.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from greatseal.aws.protocol import canonical, s3_payload
from greatseal.aws.protocol.auth_errors import Failure, Family, Unauthenticated, auth_error
from greatseal.aws.protocol.authorization import Authorization, parse_authorization, signing_time
from greatseal.aws.protocol.message import Message
from greatseal.kernel.caller import Session
from greatseal.kernel.secret import Secret

SKEW = timedelta(minutes=15)
"""How far the client's clock may be off, in either direction."""

_BASIC_FORMAT = "%Y%m%dT%H%M%SZ"
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d{1,2}", re.ASCII)
# For an unknown key the same work is done, so that the time of the answer does not tell more than its text.
_NO_SECRET = Secret(b"\0" * 40)


_EXPIRED_TOKEN = "The security token included in the request is expired"  # noqa: S105 - a message
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - a message
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request "
    "should have been\n'{request}'\n\nThe String-to-Sign should have been\n'{string}'\n"
)


class Credential(Protocol):
    """An access key, long-term or temporary, as `domain.access` keeps it."""

    @property
    def access_key_id(self) -> str:
        """AKIA or ASIA and 16 characters."""
        ...

    @property
    def secret(self) -> Secret:
        """The secret access key."""
        ...

    @property
    def account(self) -> str:
        """The account of the principal, 12 digits."""
        ...

    @property
    def principal_arn(self) -> str:
        """Whom the key belongs to."""
        ...

    @property
    def principal_id(self) -> str:
        """The unique id of the principal."""
        ...

    @property
    def session(self) -> Session | None:
        """What a temporary key says about itself."""
        ...


@dataclass(frozen=True, slots=True)
class Verified:
    """Who signed, and for which region."""

    access_key_id: str
    region: str
    credential: Credential


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Nobody signed, because the operation asks for no signature."""

    region: str
    """The region of the installation: there is no scope that would name one."""


class Unusable(Enum):
    """Why there is no credential for an access key and a session token."""

    UNKNOWN = "no such key, or an inactive one"
    BAD_TOKEN = "a token that is not this key's, or a key that needs one"  # noqa: S105 - not a password
    EXPIRED = "token expired"


Credentials = Callable[[str, str | None], Credential | Unusable]
"""Finds the credential of an access key id and the session token that came with it."""


Sessions = Callable[[str, str], Credential | Unusable]
"""Finds temporary credentials by their access key id and session token."""


def resolver(long_term: Callable[[str], Credential | None], sessions: Sessions | None = None) -> Credentials:
    """Requests without a token go to `long_term`, those with one to `sessions`; without it no token is valid."""

    def resolve(access_key_id: str, token: str | None) -> Credential | Unusable:
        if token is None:
            return long_term(access_key_id) or Unusable.UNKNOWN
        return sessions(access_key_id, token) if sessions else Unusable.BAD_TOKEN

    return resolve


def verify(
    request: Message,
    credentials: Credentials,
    now: datetime,
    service: str,
    regions: Callable[[str], bool],
    family: Family = Family.AWS_JSON,
) -> Verified:
    """Checks time, scope, signature and session token; tells who signed.

    `service` is the signing name, `regions` tells whether a scope's region is accepted, `family` decides how
    failures are spelled. Raises WireError with one of `auth_errors.AUTH_ERRORS`.
    """
    try:
        return _verify(request, credentials, now, service, regions)
    except Unauthenticated as error:
        raise auth_error(error.failure, error.message, family) from None


def _verify(
    request: Message, credentials: Credentials, now: datetime, service: str, regions: Callable[[str], bool]
) -> Verified:
    authorization = parse_authorization(request)
    signed_at = signing_time(request)
    _check_time(signed_at, now)
    timestamp = signed_at.strftime(_BASIC_FORMAT)
    _check_scope(authorization, timestamp, service, regions)
    objects = service == "s3"
    _check_signed_headers(request, authorization, every_x_amz=objects)
    payload = s3_payload.declared_hash(request) if objects else _payload_hash(request)

    credential = credentials(authorization.access_key_id, request.header("x-amz-security-token"))
    secret = _NO_SECRET if isinstance(credential, Unusable) else credential.secret
    key = canonical.signing_key(secret.reveal(), authorization.date, authorization.region, service)
    text = canonical.canonical_request(
        request.method,
        canonical.canonical_path(request.raw_path, once=objects),
        canonical.canonical_query(request.raw_query),
        canonical.canonical_headers(request.headers, authorization.signed_headers),
        authorization.signed_headers,
        payload,
    )
    string = canonical.string_to_sign(timestamp, authorization.scope, text)
    genuine = hmac.compare_digest(canonical.signature(key, string), authorization.signature)

    if credential is Unusable.EXPIRED:
        raise Unauthenticated(Failure.TOKEN_EXPIRED, _EXPIRED_TOKEN)
    if isinstance(credential, Unusable):
        raise Unauthenticated(Failure.UNKNOWN_KEY, _INVALID_TOKEN)
    if not genuine:
        raise Unauthenticated(Failure.BAD_SIGNATURE, _MISMATCH.format(request=text, string=string))
    return Verified(authorization.access_key_id, authorization.region, credential)


def _check_time(signed_at: datetime, now: datetime) -> None:
    earliest, latest = now - SKEW, now + SKEW
    if earliest.replace(microsecond=0) <= signed_at <= latest:
        return
    timestamp = signed_at.strftime(_BASIC_FORMAT)
    minutes = int(SKEW.total_seconds() // 60)
    if signed_at < earliest.replace(microsecond=0):
        raise Unauthenticated(
            Failure.BAD_TIME,
            f"Signature expired: {timestamp} is now earlier than {earliest.strftime(_BASIC_FORMAT)} "
            f"({now.strftime(_BASIC_FORMAT)} - {minutes} min.)",
        )
    raise Unauthenticated(
        Failure.BAD_TIME,
        f"Signature not yet current: {timestamp} is still later than {latest.strftime(_BASIC_FORMAT)} "
        f"({now.strftime(_BASIC_FORMAT)} + {minutes} min.)",
    )


def _check_scope(authorization: Authorization, timestamp: str, service: str, regions: Callable[[str], bool]) -> None:
    if authorization.terminator != canonical.TERMINATOR:
        raise Unauthenticated(
            Failure.BAD_SIGNATURE,
            f"Credential should be scoped with a valid terminator: '{canonical.TERMINATOR}', "
            f"not '{authorization.terminator}'.",
        )
    if authorization.date != timestamp[:8]:
        raise Unauthenticated(
            Failure.BAD_SIGNATURE,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{authorization.date}' != '{timestamp[:8]}', from '{timestamp}'.",
        )
    if authorization.service != service:
        raise Unauthenticated(Failure.BAD_SIGNATURE, f"Credential should be scoped to correct service: '{service}'.")
    if not _REGION.fullmatch(authorization.region):
        raise Unauthenticated(
            Failure.BAD_SIGNATURE,
            f"Credential should be scoped to a valid Region, not '{authorization.region}'.",
        )
    # A region that exists but is not enabled looks to the caller as if the key did not exist there.
    if not regions(authorization.region):
        raise Unauthenticated(Failure.UNKNOWN_KEY, _INVALID_TOKEN)


def _check_signed_headers(request: Message, authorization: Authorization, *, every_x_amz: bool) -> None:
    """The headers that decide what is done, by whom and when must be under the signature.

    In requests to S3 headers are parameters: `every_x_amz` one of them must be signed.
    """
    date = "x-amz-date" if request.header("x-amz-date") is not None else "date"
    optional = [name for name in ("x-amz-security-token", "x-amz-target") if request.header(name) is not None]
    if every_x_amz:
        optional += [name.decode("latin-1") for name, _ in request.headers if name.startswith(b"x-amz-")]
    for name in ("host", date, *optional):
        if name not in authorization.signed_headers:
            shown = "'Host' or ':authority'" if name == "host" else f"'{name}'"
            raise Unauthenticated(Failure.BAD_SIGNATURE, f"{shown} must be a 'SignedHeader' in the AWS Authorization.")


def _payload_hash(request: Message) -> str:
    actual = hashlib.sha256(request.body).hexdigest()
    declared = request.header("x-amz-content-sha256")
    # This also refuses UNSIGNED-PAYLOAD, which only S3 knows.
    if declared is not None and declared != actual:
        raise Unauthenticated(
            Failure.BAD_SIGNATURE, "The x-amz-content-sha256 header is not the SHA-256 digest of the request body."
        )
    return actual
