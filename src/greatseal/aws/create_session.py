"""The door of CreateSession, `POST /sessions`: a certificate's signature in, temporary credentials out (iam.md 11.2).

The operation is in no SDK's model, hence the parameters are checked here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
import structlog

from greatseal.aws.errors import from_refusal, spelled, trail_code
from greatseal.aws.protocol import encoded
from greatseal.aws.protocol.auth_errors import Family
from greatseal.aws.protocol.models import Service
from greatseal.aws.protocol.rest_json import RestJsonCodec
from greatseal.aws.protocol.x509_signing import verify_x509
from greatseal.aws.wire import WireError, internal_failure, method_not_allowed, serialization_error, validation_error
from greatseal.domain.anywhere import Application, Trusted, Vended, Vending
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal

OPERATION = "rolesanywhere:CreateSession"
PATH = "/sessions"
_ARNS = {
    "trustAnchorArn": re.compile(r"arn:aws(-[^:]+)?:rolesanywhere:[^:]+:[0-9]{12}:trust-anchor/[^/]+"),
    "profileArn": re.compile(r"arn:aws(-[^:]+)?:rolesanywhere:[^:]+:[0-9]{12}:profile/[^/]+"),
    "roleArn": re.compile(r"arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+"),
}
_LONGEST_ARN = 1011
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_DURATIONS = range(900, 43201)
_MOST_PROPERTIES, _LONGEST_PROPERTY = 50, 200

_log = structlog.get_logger("greatseal.aws")


class CreateSession:
    """Answers requests for sessions."""

    def __init__(self, *, vending: Vending, service: Service, clock: Clock) -> None:
        """`service` is the model of the control plane: its errors are those of this operation too."""
        self._vending = vending
        self._service = service
        self._clock = clock
        self._codec = RestJsonCodec()

    def handle(self, request: HttpRequest) -> HttpResponse:
        """The answer to one request. Raises nothing: a defect is logged and answered as InternalFailure."""
        now = self._clock.now()
        trusted: Trusted | None = None
        try:
            if request.raw_path != PATH.encode():
                raise WireError("UnknownOperationException", "There is no such operation.", 404)
            if request.method != "POST":
                raise method_not_allowed("POST")
            trusted = self._trusted(request, _parameters(request), now)
            vended = self._vending.create(trusted)
            body = msgspec.json.encode(_wire(vended, trusted.application.role_arn))
            return _answer(201, ((b"content-type", b"application/json"),), body, request, now)
        except WireError as found:
            error = found
        except Refusal as refusal:
            error = from_refusal(self._service, refusal)
        except Exception:  # noqa: BLE001 - the last line of defence: logged, and opaque to the client
            return self._defect(request, now)
        error = spelled(error, Family.REST_JSON, self._service)
        if trusted is not None:
            try:
                self._vending.record_refusal(trusted, code=trail_code(error.code), message=error.message)
            except Exception:  # noqa: BLE001 - without its record the refusal is not told either
                return self._defect(request, now)
        return self._refused(error, request, now)

    def _trusted(self, request: HttpRequest, parameters: Mapping[str, Any], now: datetime) -> Trusted:
        signed = verify_x509(request, now)
        application = Application(
            certificate=signed.certificate,
            intermediates=signed.intermediates,
            anchor_arn=parameters["trustAnchorArn"],
            profile_arn=parameters["profileArn"],
            role_arn=parameters["roleArn"],
            duration_seconds=parameters.get("durationSeconds"),
            session_name=parameters.get("roleSessionName"),
            instance_properties=tuple(sorted(parameters.get("instanceProperties", {}).items())),
        )
        shown = msgspec.json.encode({name: value for name, value in parameters.items() if name != "cert"}).decode()
        return self._vending.trust(_caller(request, signed.region, now, shown), application)

    def _defect(self, request: HttpRequest, now: datetime) -> HttpResponse:
        _log.exception("operation_failed", request_id=request.request_id, operation=OPERATION)
        return self._refused(internal_failure(request.request_id), request, now)

    def _refused(self, error: WireError, request: HttpRequest, now: datetime) -> HttpResponse:
        answer = self._codec.encode_error(self._service, error, request.request_id)
        return _answer(answer.status, (*answer.headers, *error.headers), answer.body, request, now)


def _parameters(request: HttpRequest) -> dict[str, Any]:
    """The parameters of query and body, checked. Raises WireError SerializationException and ValidationException.

    The helper sends the ARNs in the query, the documentation shows them in the body: both are understood.
    """
    query = encoded.unique(encoded.pairs(request.raw_query, plus_is_blank=False))
    try:
        body = msgspec.json.decode(request.body) if request.body else {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise serialization_error("The request body is not JSON.") from None
    if not isinstance(body, dict):
        raise serialization_error("The request body is not a JSON object.")
    # Null is the same as nothing.
    given: dict[str, Any] = {name: value for name, value in body.items() if value is not None}
    for name in _ARNS:
        if name in query and given.setdefault(name, query[name]) != query[name]:
            raise validation_error(f"Query and body disagree about {name}.")
    problems = [problem for problem in _problems(given) if problem]
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise validation_error(count + "; ".join(problems))
    names = (*_ARNS, "durationSeconds", "roleSessionName", "instanceProperties")
    return {name: given[name] for name in names if name in given}


def _problems(given: Mapping[str, Any]) -> list[str | None]:
    found: list[str | None] = [_arn_problem(name, given.get(name)) for name in _ARNS]
    duration = given.get("durationSeconds", _DURATIONS[0])
    if type(duration) is not int or duration not in _DURATIONS:
        found.append(f"'durationSeconds' must be a whole number between {_DURATIONS[0]} and {_DURATIONS[-1]}")
    name = given.get("roleSessionName", "ok")
    if not isinstance(name, str) or not _SESSION_NAME.fullmatch(name):
        found.append(
            "Value at 'roleSessionName' failed to satisfy constraint: "
            "Member must have 2 to 64 characters and satisfy regular expression pattern: [\\w+=,.@-]*"
        )
    properties = given.get("instanceProperties", {})
    if (
        not isinstance(properties, dict)
        or len(properties) > _MOST_PROPERTIES
        or not all(
            isinstance(value, str) and 1 <= len(key) <= _LONGEST_PROPERTY and 1 <= len(value) <= _LONGEST_PROPERTY
            for key, value in properties.items()
        )
    ):
        found.append(f"'instanceProperties' must be at most {_MOST_PROPERTIES} short texts")
    return found


def _arn_problem(name: str, value: object) -> str | None:
    if value is None:
        return f"Value null at '{name}' failed to satisfy constraint: Member must not be null"
    if not isinstance(value, str) or len(value) > _LONGEST_ARN or not _ARNS[name].fullmatch(value):
        return f"Value at '{name}' failed to satisfy constraint: Member must be the ARN of a {_NOUNS[name]}"
    return None


_NOUNS = {"trustAnchorArn": "trust anchor", "profileArn": "profile", "roleArn": "role"}


def _caller(request: HttpRequest, region: str, now: datetime, parameters: str = "{}") -> Caller:
    """Nobody in particular yet: account and principal follow from the certificate."""
    return Caller(
        account="",
        region=region,
        principal_arn="",
        access_key_id="",
        request_id=request.request_id,
        operation=OPERATION,
        at=now,
        source_ip=request.client_ip,
        user_agent=request.header("user-agent") or "",
        request_parameters=parameters,
        secure=request.scheme == "https",
    )


def _wire(vended: Vended, role_arn: str) -> dict[str, Any]:
    credential = vended.credential
    return {
        "credentialSet": [
            {
                "assumedRoleUser": {"arn": credential.principal_arn, "assumedRoleId": credential.principal_id},
                "credentials": {
                    "accessKeyId": credential.access_key_id,
                    "secretAccessKey": credential.secret.reveal().decode("ascii"),
                    "sessionToken": vended.token,
                    "expiration": vended.session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                },
                "packedPolicySize": vended.packed_size,
                "roleArn": role_arn,
                "sourceIdentity": vended.session.source_identity,
            }
        ],
        "subjectArn": vended.subject_arn,
    }


def _answer(
    status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes, request: HttpRequest, now: datetime
) -> HttpResponse:
    common = (
        (b"x-amzn-requestid", request.request_id.encode("ascii")),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"date", format_datetime(now, usegmt=True).encode("ascii")),
        (b"cache-control", b"no-store"),
    )
    return HttpResponse(status, (*headers, *common), body, OPERATION)
