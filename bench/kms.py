"""KMS calls per second through the whole path, beside the raw library: `bench/kms.py [--seconds N] [--workers N]`.

A service of its own process on SQLite, with durable commits; wrk sends signed requests over TLS, on connections that
stay open. Each call is verified (SigV4), authorized and written to the audit trail before it is answered. The raw rates
are those of one thread of this process. Prints lines for people and one JSON object.
"""

import argparse
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CLIENTS, FIRST_CLIENTS = 96, 8
MESSAGE = b"a message of thirty-two octets.."


@contextmanager
def service(folder: Path, workers: int) -> Iterator[dict[str, str]]:
    """A running service; its client environment."""
    command = [sys.executable, "-m", "greatseal", "serve", "--data", str(folder)]
    addresses = ["--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--workers", str(workers)]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS", "GREATSEAL"))}
    # Filling the pool of RSA keys takes a core for the first seconds, and is not what is measured.
    environment |= {f"GREATSEAL_KEYS_POOL_RSA_{size}": "0" for size in (2048, 3072, 4096)}
    with subprocess.Popen(
        [*command, *addresses], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().startswith("ready ")
            said = subprocess.run(
                [sys.executable, "-m", "greatseal", "env", "--json", "--data", str(folder)],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
            )
            yield json.loads(said.stdout)
        finally:
            running.terminate()


def rate(call: Callable[[], object], seconds: float) -> float:
    """Calls per second of one thread."""
    count, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        call()
        count += 1
    return count / passed


def raw_rates(seconds: float) -> dict[str, float]:
    """What the library does alone."""
    curve, dilithium = ec.generate_private_key(ec.SECP256R1()), mldsa.MLDSA65PrivateKey.generate()
    aead = AESGCM(bytes(32))
    return {
        "Sign P-256": rate(lambda: curve.sign(MESSAGE, ec.ECDSA(hashes.SHA256())), seconds),
        "Sign ML-DSA-65": rate(lambda: dilithium.sign(MESSAGE), seconds),
        "GenerateDataKey": rate(lambda: aead.encrypt(os.urandom(12), os.urandom(32), b""), seconds),
    }


def load(
    environment: dict[str, str], operation: str, body: dict[str, Any], folder: Path, seconds: float, clients: int
) -> dict[str, Any]:
    """What wrk measures for one signed request, sent again and again: a signature is good for 15 minutes."""
    request = AWSRequest(
        "POST",
        environment["AWS_ENDPOINT_URL"] + "/",
        headers={"x-amz-target": f"TrentService.{operation}", "content-type": "application/x-amz-json-1.1"},
        data=json.dumps(body),
    )
    keys = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "kms", environment["AWS_DEFAULT_REGION"]).add_auth(request)
    lines = ['wrk.method = "POST"', f"wrk.body = [[{json.dumps(body)}]]"]
    lines += [f'wrk.headers["{name}"] = [[{value}]]' for name, value in request.headers.items()]
    script = folder / "load.lua"
    script.write_text("\n".join(lines))
    said = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--latency", "-s", script, environment["AWS_ENDPOINT_URL"]],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = {
        "per_second": float(re.search(r"Requests/sec:\s+([0-9.]+)", said)[1]),  # type: ignore[index]
        "p99": re.search(r"99%\s+(\S+)", said)[1],  # type: ignore[index]
    }
    wrong = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", said)
    assert wrong is None, said
    return found


def main() -> int:
    """Runs and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    chosen = parser.parse_args()
    seconds, workers = chosen.seconds, chosen.workers
    raw = raw_rates(min(seconds, 2.0))
    results: dict[str, Any] = {
        "clients": CLIENTS,
        "cores": os.cpu_count(),
        "workers": workers,
        "storage": "sqlite",
        "rows": {},
    }
    with tempfile.TemporaryDirectory() as place, service(Path(place) / "data", workers) as environment:
        session = Session()
        session.set_credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
        kms = session.create_client(
            "kms",
            region_name=environment["AWS_DEFAULT_REGION"],
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            verify=environment["AWS_CA_BUNDLE"],
        )
        message = base64.b64encode(MESSAGE).decode()

        def key(**more: str) -> str:
            arn: str = kms.create_key(**more)["KeyMetadata"]["KeyId"]
            return arn

        signing = {"Message": message, "MessageType": "RAW"}
        calls = {
            "Sign P-256": (
                "Sign",
                {"KeyId": key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY"), "SigningAlgorithm": "ECDSA_SHA_256"}
                | signing,
            ),
            "Sign ML-DSA-65": (
                "Sign",
                {"KeyId": key(KeySpec="ML_DSA_65", KeyUsage="SIGN_VERIFY"), "SigningAlgorithm": "ML_DSA_SHAKE_256"}
                | signing,
            ),
            "GenerateDataKey": ("GenerateDataKey", {"KeyId": key(), "KeySpec": "AES_256"}),
        }
        for name, (operation, body) in calls.items():
            # A crowd that meets a service which has just started is another question.
            load(environment, operation, body, Path(place), 1, FIRST_CLIENTS)
            found = load(environment, operation, body, Path(place), seconds, CLIENTS)
            results["rows"][name] = {**found, "raw_per_second": raw[name], "share": found["per_second"] / raw[name]}
            print(
                f"{name:16} {found['per_second']:8.0f}/s  p99 {found['p99']:>9}   "
                f"raw library {raw[name]:9.0f}/s   share {found['per_second'] / raw[name]:6.1%}"
            )
    print(json.dumps(results))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
