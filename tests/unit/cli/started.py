"""A data directory as a service leaves it, without a service."""

import json
from pathlib import Path

HTTPS, HTTP = "https://127.0.0.1:9", "http://127.0.0.1:9"
KEY_ID, SECRET = "AKIA" + "A" * 16, "s3cr3t/+" * 5


def started(tmp_path: Path, *, credential: bool = True) -> Path:
    data = tmp_path / "it's data"
    (data / "run").mkdir(parents=True)
    data.chmod(0o700)
    endpoint = {"https": HTTPS, "http": HTTP, "region": "eu-west-1", "account_id": "100000000000"}
    (data / "run" / "endpoint.json").write_text(json.dumps(endpoint), encoding="utf-8")
    (data / "ca-bundle.pem").write_text("", encoding="utf-8")
    if credential:
        file = data / "root-credential.json"
        file.write_text(json.dumps({"access_key_id": KEY_ID, "secret_access_key": SECRET}), encoding="utf-8")
        file.chmod(0o600)
    return data
