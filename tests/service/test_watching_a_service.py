"""A real service as operators see it: readiness, status, and a log that never has secrets."""

import base64
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from faults.services import running
from greatseal.cli.client import Client, read_client
from greatseal.cli.group import greatseal
from greatseal.edge.messages import HttpResponse
from greatseal.settings import DataPaths
from made_servers import plain_server

POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::100000000000:root"}}
        ],
    }
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("watched") / "data"


@pytest.fixture(scope="module")
def service(data: Path) -> Iterator[tuple[Client, str]]:
    """A service that logs all it can."""
    with running(data, GREATSEAL_LOG_LEVEL="debug", GREATSEAL_LOG_FORMAT="json") as (_, plain):
        yield read_client(DataPaths(data), {}), plain


def get(url: str, path: str) -> tuple[int, bytes]:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_lives_and_is_ready_on_both_listeners(service: tuple[Client, str]) -> None:
    client, plain = service
    status, body = get(plain, "/readyz")
    told = json.loads(body)
    assert (status, told["status"]) == (200, "ready")
    assert told["checks"] == {"database": "ok", "schema": "ok", "keys": "ok"}
    assert json.loads(get(plain, "/healthz")[1])["status"] == "ok"
    place = urlsplit(client.endpoint.https)
    context = ssl.create_default_context(cafile=str(client.ca_bundle))
    connection = http.client.HTTPSConnection(place.hostname or "", place.port, timeout=30, context=context)
    connection.request("GET", "/readyz")
    assert connection.getresponse().status == 200
    connection.close()


def test_status_says_how_it_is(service: tuple[Client, str], data: Path) -> None:
    done = CliRunner().invoke(greatseal, ["status", "--data", str(data), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["ready"], told["database"], told["workers"]) == (True, "sqlite", 1)
    assert told["url"] == service[1]
    assert told["jobs"]["buried"] == told["deliveries"]["deadLetters"] == 0
    assert told["keyEncryptionKey"] == "settled"
    assert told["uptimeSeconds"] >= 0
    text = CliRunner().invoke(greatseal, ["status", "--url", service[1]])
    assert text.exit_code == 0
    assert text.stdout.splitlines()[0].startswith("service       ready")
    assert "sqlite, 1 worker" in text.stdout


def test_status_of_nobody(tmp_path: Path) -> None:
    for arguments in (["--data", str(tmp_path / "none")], ["--url", "http://127.0.0.1:9"], ["--url", "ftp://x"]):
        done = CliRunner().invoke(greatseal, ["status", *arguments])
        assert done.exit_code == 2, done.output
        assert done.stderr.startswith("Error: ")


def test_what_status_says_where_there_is_something_else() -> None:
    with plain_server(lambda _: HttpResponse(200, (), b"<html>")) as port:
        done = CliRunner().invoke(greatseal, ["status", "--url", f"http://127.0.0.1:{port}"])
    assert done.exit_code == 2
    assert "not as Greatseal does" in done.stderr


def _session(client: Client) -> list[str]:
    """Does a bit of everything that has secrets in it; what must be found in no log."""
    known = client.credential
    secrets = [known.secret_access_key]

    def api(
        service: str, key: str = known.access_key_id, secret: str = known.secret_access_key, token: str = ""
    ) -> object:
        return boto3.client(
            service,
            endpoint_url=client.endpoint.https,
            verify=str(client.ca_bundle),
            region_name=client.endpoint.region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token or None,
            config=Config(retries={"total_max_attempts": 1}),
        )

    iam, sts, kms, acm = api("iam"), api("sts"), api("kms"), api("acm")
    iam.create_user(UserName="alice")
    made = iam.create_access_key(UserName="alice")["AccessKey"]
    secrets.append(made["SecretAccessKey"])
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=POLICY)
    session = sts.assume_role(RoleArn="arn:aws:iam::100000000000:role/worker", RoleSessionName="session")["Credentials"]
    secrets += [session["SecretAccessKey"], session["SessionToken"]]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    plaintext = base64.b64encode(b"a secret of somebody").decode()
    blob = kms.encrypt(KeyId=key, Plaintext=b"a secret of somebody")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"a secret of somebody"
    secrets += [plaintext, base64.b64encode(kms.generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"]).decode()]
    private = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    secrets += private.decode().splitlines()[1:-1]
    with pytest.raises(ClientError):
        acm.import_certificate(
            Certificate=b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", PrivateKey=private
        )
    with pytest.raises(ClientError):
        acm.export_certificate(
            CertificateArn="arn:aws:acm:us-east-1:100000000000:certificate/00000000-0000-4000-8000-000000000000",
            Passphrase=b"correct horse battery",
        )
    secrets += ["correct horse battery", base64.b64encode(b"correct horse battery").decode()]
    with pytest.raises(ClientError):
        api(
            "sts", session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"][:-4] + "AAAA"
        ).get_caller_identity()
    signed = sts.generate_presigned_url("get_caller_identity")
    secrets.append(re.search(r"Signature=([0-9a-f]{64})", signed)[1])
    place = urlsplit(signed)
    connection = http.client.HTTPSConnection(
        place.hostname or "", place.port, context=ssl.create_default_context(cafile=str(client.ca_bundle))
    )
    connection.request("GET", f"{place.path}?{place.query}")
    connection.getresponse().read()
    connection.close()
    return secrets


def test_a_whole_session_leaves_no_secret_in_the_log(service: tuple[Client, str], data: Path) -> None:
    client, plain = service
    secrets = [*_session(client), (data / "kek").read_text().strip()]
    # The log is written by the loop that answers this: what was asked before is in it by then.
    get(plain, "/healthz")
    log = data.with_name(data.name + ".log")
    lines = _settled(log, plain)
    text = "\n".join(lines)
    assert [secret for secret in secrets if secret in text] == []
    assert "BEGIN PRIVATE" not in text
    assert "AWS4-HMAC-SHA256" not in text
    requests = [json.loads(line) for line in lines if '"event":"request"' in line]
    operations = {entry["operation"] for entry in requests}
    assert {"iam:CreateAccessKey", "sts:AssumeRole", "kms:Decrypt", "acm:ImportCertificate"} <= operations
    identifiers = [entry["request_id"] for entry in requests]
    assert len(set(identifiers)) == len(identifiers)
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in identifiers)


def _settled(log: Path, plain: str) -> list[str]:
    """The log once a request that was made now is in it: lines are gathered for a moment."""
    for _ in range(1000):
        get(plain, "/healthz/settled")
        lines = log.read_text().splitlines()
        if any("/healthz/settled" in line for line in lines):
            return lines
    raise AssertionError("the log is not written")


def test_the_settings_are_not_in_the_error_of_a_start_that_failed(tmp_path: Path) -> None:
    address = "postgresql://greatseal:hunter2hunter2@127.0.0.1:9/greatseal"
    done = subprocess.run(
        [sys.executable, "-m", "greatseal", "serve", "--data", str(tmp_path / "data"), "--listen", "127.0.0.1:0"],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "GREATSEAL_DATABASE": address,
            "GREATSEAL_LOG_LEVEL": "debug",
            "GREATSEAL_SERVER_HTTP": "127.0.0.1:0",
        },
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "hunter2hunter2" not in done.stdout + done.stderr
