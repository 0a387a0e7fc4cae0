"""The other half of the protocol for tests of the door: botocore clients whose requests never leave the process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

from greatseal.aws.catalogue import SERVICES
from greatseal.aws.door import AwsDoor, OperationFunction
from greatseal.aws.protocol.models import Service, load_services
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.caller import Caller
from greatseal.kernel.secret import Secret

AKID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
REGION = "eu-central-1"
ACM, ACM_PCA = load_services(["acm", "acm-pca"])
IAM, STS, ORGANIZATIONS, RAM, ROLES_ANYWHERE, CLOUDTRAIL, S3 = load_services(
    ["iam", "sts", "organizations", "ram", "rolesanywhere", "cloudtrail", "s3"]
)
EVERY = tuple(load_services(list(SERVICES)))
REQUEST_ID = "7f1d3c2e-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Key:
    access_key_id: str = AKID
    secret: Secret = field(default_factory=lambda: Secret(SECRET.encode()))
    account: str = "111122223333"
    principal_arn: str = "arn:aws:iam::111122223333:user/alice"
    principal_id: str = "AIDAALICEALICEALICE00"
    session: None = None


class Recorder:
    """An operation function that remembers its arguments and answers or raises what it was told."""

    def __init__(self, answer: Mapping[str, Any] | Exception | None = None) -> None:
        self.answer = answer
        self.calls: list[tuple[Caller, dict[str, Any]]] = []

    def __call__(self, caller: Caller, parameters: dict[str, Any]) -> Mapping[str, Any] | None:
        self.calls.append((caller, parameters))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FixedClock:
    """Follows the machine to the second, unless set: botocore signs with the machine's time."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at or datetime.now(UTC)


def find_key(access_key_id: str) -> Key | None:
    return Key() if access_key_id == AKID else None


def message(body: bytes = b"", method: str = "POST", path: str = "/", query: str = "", **headers: str) -> HttpRequest:
    """A request that nobody signed; underscores in the names of headers are hyphens."""
    sent = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return HttpRequest(method, path.encode(), query.encode(), sent, body, REQUEST_ID)


def door(
    functions: Mapping[str, Mapping[str, OperationFunction]] | None = None,
    clock: FixedClock | None = None,
    services: tuple[Service, ...] = (ACM, ACM_PCA),
    **options: Any,
) -> AwsDoor:
    functions = functions or {}
    not_yet = {
        service.name: dict.fromkeys(service.operations.keys() - functions.get(service.name, {}).keys(), "not in tests")
        for service in services
    }
    return AwsDoor(
        services=services,
        implementations=functions,
        not_yet=not_yet,
        credentials=find_key,
        clock=clock or FixedClock(),
        **{"regions": lambda region: region != "ap-east-1", **options},
    )


def to_http(request: Any) -> HttpRequest:
    """A prepared botocore request as the edge would hand it over."""
    parts = urlsplit(request.url)
    headers = [
        (name.lower().encode(), value if isinstance(value, bytes) else str(value).encode())
        for name, value in request.headers.items()
    ]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", parts.netloc.encode()))
    body = request.body or b""
    return HttpRequest(
        method=request.method,
        raw_path=parts.path.encode() or b"/",
        raw_query=parts.query.encode(),
        headers=tuple(headers),
        body=body if isinstance(body, bytes) else body.encode(),
        request_id=REQUEST_ID,
        client_ip="192.0.2.7",
    )


class _Raw:
    """What botocore reads an answer's body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


def client(
    service: str,
    handle: Callable[[HttpRequest], HttpResponse],
    *,
    key: str = AKID,
    token: str | None = None,
    region: str = REGION,
    **config: Any,
) -> Any:
    """A botocore client of a service that talks to a door in this process."""
    session = botocore.session.Session()
    session.set_credentials(key, SECRET, token)
    made = session.create_client(
        service,
        region_name=region,
        endpoint_url="https://localhost:8443",
        config=Config(retries={"max_attempts": 0}, parameter_validation=False, **config),
    )

    def answer(request: Any, **_: Any) -> AWSResponse:
        response = handle(to_http(request))
        headers = {name.decode(): value.decode() for name, value in response.headers}
        return AWSResponse(request.url, response.status, headers, _Raw(response.body))

    made.meta.events.register("before-send", answer)
    return made


def sign(
    method: str = "POST",
    url: str = "https://localhost:8443/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    service: str = "acm",
    region: str = REGION,
    key: str = AKID,
    secret: str = SECRET,
    token: str | None = None,
) -> HttpRequest:
    """A request signed by botocore."""
    request = AWSRequest(method=method, url=url, headers=dict(headers or {}), data=body)
    SigV4Auth(Credentials(key, secret, token), service, region).add_auth(request)
    return to_http(request.prepare())


def form_call(body: bytes, service: str = "iam", **options: Any) -> HttpRequest:
    """A signed Query request."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return sign(headers=headers, body=body, service=service, **options)


def json_call(target: str, body: bytes = b"{}", **options: Any) -> HttpRequest:
    """A signed AWS JSON request."""
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
    service = "acm" if target.startswith("CertificateManager") else "acm-pca"
    return sign(headers=headers, body=body, service=service, **options)


def cbor_call(operation: str, body: bytes = b"\xa0", **options: Any) -> HttpRequest:
    """A signed RPC v2 CBOR request to Private CA."""
    headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Accept": "application/cbor"}
    url = f"https://localhost:8443/service/ACMPrivateCA/operation/{operation}"
    return sign(url=url, headers=headers, body=body, service="acm-pca", **options)
