"""Roles for the bearers of OpenID Connect tokens, with a real provider over HTTPS (iam.md 9)."""

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from doors.organization import allow, role, session_client, trust
from doors.pki import name, rsa_key
from greatseal.integrations.issuer_keys import HttpsIssuerKeys
from greatseal.kernel.clock import SystemClock
from greatseal.storage import Storage
from greatseal.testing import FakeClock, Installation
from greatseal.testing.installation import ACCOUNT

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
AUDIENCE = "sts.amazonaws.com"
SUBJECT = "system:serviceaccount:pki:issuer"


class Provider:
    """An OpenID Connect provider: its configuration, its keys, and tokens that it signs."""

    def __init__(self, folder: Path) -> None:
        self.keys: dict[str, Any] = {"one": rsa_key()}
        self.broken = False
        self.asked = 0
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                found = provider.answer(self.path)
                self.send_response(200 if found is not None else 404)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                """Nothing to tell."""

        self._server = HTTPServer(("127.0.0.1", 0), Answers)
        self.ca_file = folder / "provider.pem"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(self.ca_file))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}/tenant"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, path: str) -> dict[str, Any] | None:
        if self.broken:
            return None
        if path == "/tenant/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if path == "/tenant/keys":
            return {"keys": [_jwk(kid, key) for kid, key in self.keys.items()]}
        return None

    def token(
        self, clock: FakeClock, *, key: Any = None, kid: str | None = "one", alg: str = "RS256", **claims: Any
    ) -> str:
        """A token; claims that are None are left out."""
        now = int(clock.now().timestamp())
        content = {"iss": self.url, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 600, **claims}
        content = {each: value for each, value in content.items() if value is not None}
        headers = {"kid": kid} if kid else {}
        return jwt.encode(content, key or self.keys.get(kid or "one"), algorithm=alg, headers=headers)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name("localhost"))
        .issuer_name(name("localhost"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def _jwk(kid: str, key: Any) -> dict[str, Any]:
    algorithm = (
        jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
    )
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    made = Provider(tmp_path)
    yield made
    made.close()


@pytest.fixture
def installation(storage: Storage, provider: Provider) -> Installation:
    clock = FakeClock()
    made = Installation(storage, clock=clock, issuer_keys=HttpsIssuerKeys(clock=clock, ca_file=provider.ca_file))
    made.client("iam").create_open_id_connect_provider(Url=provider.url, ClientIDList=[AUDIENCE, "other"])
    return made


def workload(installation: Installation, provider: Provider) -> str:
    host = provider.url.removeprefix("https://")
    federated = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"}
    condition = {"StringEquals": {f"{host}:sub": SUBJECT, f"{host}:aud": AUDIENCE}}
    trusted = trust(federated, "sts:AssumeRoleWithWebIdentity", Condition=condition)
    return role(installation, "workload", trusted, allow("acm:ListCertificates"))


def exchange(installation: Installation, arn: str, token: str) -> dict[str, Any]:
    """Asked by nobody: the token is all there is."""
    sts = installation.client("sts")
    answer: dict[str, Any] = sts.assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="pod-1", WebIdentityToken=token
    )
    return answer


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_token_is_exchanged(installation: Installation, provider: Provider) -> None:
    arn = workload(installation, provider)
    answer = exchange(installation, arn, provider.token(installation.clock))
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT
    assert answer["Audience"] == AUDIENCE
    assert answer["Provider"].endswith(provider.url.removeprefix("https://"))
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/workload/pod-1"
    session_client(installation, "acm", answer).list_certificates()
    found = installation.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
    )
    (event,) = [json.loads(each["CloudTrailEvent"]) for each in found["Events"]]
    assert event["requestParameters"]["webIdentityToken"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert event["userIdentity"]["arn"].endswith(f":{SUBJECT}")


def test_each_flaw_of_a_token(installation: Installation, provider: Provider) -> None:
    arn, clock = workload(installation, provider), installation.clock
    now = int(clock.now().timestamp())
    stranger = ec.generate_private_key(ec.SECP256R1())
    good = provider.token(clock)
    head, body, signature = good.split(".")
    for token, code in (
        (provider.token(clock, iss="https://localhost/other"), "InvalidIdentityToken"),
        (provider.token(clock, aud="somebody"), "InvalidIdentityToken"),
        (provider.token(clock, azp="somebody"), "InvalidIdentityToken"),
        (provider.token(clock, aud=None), "InvalidIdentityToken"),
        (provider.token(clock, sub=None), "InvalidIdentityToken"),
        (provider.token(clock, exp=None), "InvalidIdentityToken"),
        (provider.token(clock, exp="tomorrow"), "InvalidIdentityToken"),
        (provider.token(clock, exp=now), "ExpiredTokenException"),
        (provider.token(clock, exp=10**30), None),
        (provider.token(clock, iat=now + 3600), "InvalidIdentityToken"),
        (provider.token(clock, nbf=now + 3600), "InvalidIdentityToken"),
        (provider.token(clock, kid="two", key=provider.keys["one"]), "InvalidIdentityToken"),
        (provider.token(clock, key=stranger, alg="ES256"), "InvalidIdentityToken"),
        (provider.token(clock, key="x" * 32, alg="HS256"), "InvalidIdentityToken"),
        (jwt.encode({"iss": provider.url, "sub": SUBJECT}, "", algorithm="none"), "InvalidIdentityToken"),
        (f"{head}.{body}.{signature[:-8]}AAAAAAAA", "InvalidIdentityToken"),
        ("an-opaque-access-token", "InvalidIdentityToken"),
        (provider.token(clock, sub="system:serviceaccount:pki:other"), "AccessDenied"),
        (provider.token(clock, aud="other"), "AccessDenied"),
        (provider.token(clock, kid=None, key=provider.keys["one"]), None),
    ):
        if code is None:
            exchange(installation, arn, token)
            continue
        with pytest.raises(ClientError) as error:
            exchange(installation, arn, token)
        assert code_of(error) == code
    with pytest.raises(ClientError) as error:
        exchange(installation, arn + "x", good)
    assert code_of(error) == "AccessDenied"
    assert error.value.response["Error"]["Message"] == "Not authorized to perform sts:AssumeRoleWithWebIdentity"
    # Who has a good token is in the trail; a stranger could fill it.
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
    events = installation.client("cloudtrail").lookup_events(LookupAttributes=wanted)["Events"]
    codes = [json.loads(each["CloudTrailEvent"]).get("errorCode") for each in events]
    assert sorted(code or "" for code in codes) == ["", "", "AccessDenied", "AccessDenied", "AccessDenied"]


def test_the_provider_may_change_its_keys_and_may_be_away(installation: Installation, provider: Provider) -> None:
    arn, clock = workload(installation, provider), installation.clock
    exchange(installation, arn, provider.token(clock))
    asked = provider.asked
    exchange(installation, arn, provider.token(clock))
    assert provider.asked == asked
    provider.keys = {"two": ec.generate_private_key(ec.SECP256R1())}
    clock.advance(timedelta(minutes=1))
    exchange(installation, arn, provider.token(clock, kid="two", alg="ES256"))
    # Tokens with made-up keys do not make us ask the provider over and over.
    asked = provider.asked
    for _ in range(3):
        with pytest.raises(ClientError):
            exchange(installation, arn, provider.token(clock, kid="three", key=rsa_key()))
    assert provider.asked == asked
    provider.broken = True
    clock.advance(timedelta(minutes=11))
    asked = provider.asked
    for _ in range(3):
        with pytest.raises(ClientError) as error:
            exchange(installation, arn, provider.token(clock, kid="two", alg="ES256"))
        assert code_of(error) == "IDPCommunicationError"
    assert provider.asked == asked + 1
    provider.broken = False
    clock.advance(timedelta(seconds=30))
    exchange(installation, arn, provider.token(clock, kid="two", alg="ES256"))


def test_a_provider_that_is_gone_opens_nothing(installation: Installation, provider: Provider) -> None:
    arn = workload(installation, provider)
    token = provider.token(installation.clock)
    host = provider.url.removeprefix("https://")
    installation.client("iam").delete_open_id_connect_provider(
        OpenIDConnectProviderArn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/{host}"
    )
    with pytest.raises(ClientError) as error:
        exchange(installation, arn, token)
    assert code_of(error) == "InvalidIdentityToken"
    assert "No OpenIDConnect provider found in your account" in str(error.value)
