"""A whole installation in one process: every room and the AWS door, without sockets and threads.

installation = Installation(storage)            # a migrated Storage
pca = installation.client("acm-pca")            # a real boto3 client
pca.create_certificate_authority(...)
installation.work()                             # runs the jobs that are due
installation.clock.advance(timedelta(days=400))
"""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials

from greatseal.app.building import build
from greatseal.app.doors import aws_door
from greatseal.app.publics import PublicWishes
from greatseal.app.rooms import Rooms
from greatseal.aws.door import AwsDoor
from greatseal.aws.throttling import Throttle
from greatseal.crypto.wrap import Keyring
from greatseal.domain.access import Credential
from greatseal.domain.access.ports import IssuerKeys
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid
from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing.clock import FakeClock
from greatseal.testing.control import FakeControl
from greatseal.testing.entropy import FakeEntropy
from greatseal.testing.key_proxies import FakeKeyProxies
from greatseal.work.runner import Runner
from greatseal.work.schedule import Schedule

ACCOUNT = "111122223333"
REGION = "us-east-1"
ENDPOINT = "https://localhost:8443"
_KEK = Secret(bytes(range(32)))
# Models are read once for all clients: a test makes many.
_LOADER = botocore.loaders.create_loader()


class Installation:
    """Rooms, door and runner over a migrated database, with a clock that only the test moves."""

    def __init__(
        self,
        storage: Storage,
        *,
        clock: FakeClock | None = None,
        entropy: Entropy | None = None,
        account: str = ACCOUNT,
        region: str = REGION,
        issuer_keys: IssuerKeys | None = None,
        kek: Secret | Keyring = _KEK,
        throttle: Throttle | None = None,
        **more: Any,
    ) -> None:
        """`more` goes to `greatseal.app.building.build` as it is."""
        self.clock = clock or FakeClock()
        self.entropy: Entropy = entropy or FakeEntropy()
        self.region = region
        more.setdefault("key_proxies", FakeKeyProxies(self.entropy))
        self.control = FakeControl()
        more.setdefault("public", PublicWishes(control=self.control, can_mail=True))
        self.rooms: Rooms = build(
            storage=storage,
            kek=kek,
            clock=self.clock,
            entropy=self.entropy,
            pool={},
            region=region,
            issuer_keys=issuer_keys,
            **more,
        )
        self.credential: Credential = self.rooms.access.ensure_root(account=account)
        self.door: AwsDoor = aws_door(self.rooms, lambda _: True, throttle=throttle)
        schedule = Schedule(storage=storage, clock=self.clock, tasks=self.rooms.recurring())
        self.runner = Runner(
            storage=storage,
            clock=self.clock,
            entropy=self.entropy,
            handlers={**self.rooms.handlers(), **self.rooms.delivery_handlers(), **schedule.handlers()},
            owner="test",
            last_words=self.rooms.last_words(),
        )

    def work(self) -> int:
        """Routes events and runs jobs until nothing is due; how many jobs ran."""
        total = 0
        while self.rooms.bus.router.run() + (handled := self.runner.run_due(self.clock.now())):
            total += handled
        return total

    def handle(self, request: HttpRequest) -> HttpResponse:
        """One request straight at the door."""
        return self.door.handle(request)

    def client(
        self,
        service: str,
        *,
        region: str | None = None,
        credential: Credential | None = None,
        token: str | None = None,
        retries: Mapping[str, Any] | None = None,
    ) -> Any:
        """A boto3-style client whose requests are answered in this process, signed at the installation's time.

        `token` is the session token of a temporary credential, `retries` what botocore calls so; none by default.
        """
        signer = credential or self.credential
        session = botocore.session.Session()
        session.register_component("data_loader", _LOADER)
        session.set_credentials(signer.access_key_id, signer.secret.reveal().decode(), token)
        made = session.create_client(
            service,
            region_name=region or self.region,
            endpoint_url=ENDPOINT,
            config=Config(retries=dict(retries or {"max_attempts": 0}), parameter_validation=False),
        )

        def answer(request: Any, **_: Any) -> AWSResponse:
            signed = sign(request, signer, service, region or self.region, self.clock)
            response = self.handle(to_http(signed, new_uuid(self.entropy)))
            headers = {name.decode(): value.decode() for name, value in response.headers}
            return AWSResponse(request.url, response.status, headers, _Raw(response.body))

        made.meta.events.register("before-send", answer)
        return made


def sign(request: Any, credential: Credential, service: str, region: str, clock: Clock) -> AWSRequest:
    """The request, signed again at the time of `clock`: botocore itself knows the machine's time only."""
    kept = {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
        if name.lower() not in ("authorization", "x-amz-date", "date")
    }
    fresh = AWSRequest(method=request.method, url=request.url, headers=kept, data=request.body)
    keys = Credentials(credential.access_key_id, credential.secret.reveal().decode())
    signer = _ObjectSignerAt if service == "s3" else _SignerAt
    signer(keys, service, region, clock.now()).add_auth(fresh)
    return fresh


def to_http(request: Any, request_id: str) -> HttpRequest:
    """A botocore request as the edge would hand it over."""
    parts = urlsplit(request.url)
    headers = [
        (str(name).lower().encode(), value if isinstance(value, bytes) else str(value).encode())
        for name, value in request.headers.items()
    ]
    if not any(name == b"host" for name, _ in headers):
        headers.append((b"host", parts.netloc.encode()))
    body = request.data if isinstance(request, AWSRequest) else request.body
    if hasattr(body, "read"):
        body = body.read()
    return HttpRequest(
        method=request.method,
        raw_path=parts.path.encode() or b"/",
        raw_query=parts.query.encode(),
        headers=tuple(headers),
        body=body if isinstance(body, bytes) else (body or "").encode(),
        request_id=request_id,
        client_ip="192.0.2.7",
    )


class _SignerAt(SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """SigV4 at a given time."""

    def __init__(self, keys: Credentials, service: str, region: str, at: datetime) -> None:
        super().__init__(keys, service, region)
        self._at = at

    def add_auth(self, request: AWSRequest) -> None:
        """As the parent's, which reads the machine's clock."""
        request.context["timestamp"] = self._at.strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        canonical = self.canonical_request(request)
        to_sign = self.string_to_sign(request, canonical)
        self._inject_signature_to_request(request, self.signature(to_sign, request))


class _ObjectSignerAt(_SignerAt):
    """As S3 has it: the path as it is sent, and whatever the client said about its payload."""

    def _normalize_url_path(self, path: str) -> str:
        return path

    def payload(self, request: AWSRequest) -> str:
        """The header that the client has set."""
        declared: str | None = request.headers["X-Amz-Content-SHA256"]
        return declared or str(super().payload(request))


class _Raw(BytesIO):
    """What botocore reads an answer's body from."""

    def stream(self) -> list[bytes]:
        """The body in one piece."""
        return [self.getvalue()]
