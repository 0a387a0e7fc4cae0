"""The wheel: built, installed from the package index into an empty environment, started and asked."""

import json
import sys
from pathlib import Path

import pytest

import greatseal
from interop.programs import Workbench, running

pytestmark = pytest.mark.interop
ROOT = Path(__file__).resolve().parent.parent.parent
READY = r"ready (https://[\d.]+:\d+) http://"
# One call with nothing but what the wheel brings: botocore, in the same environment.
CALL = """
import json, sys
from botocore.session import Session
v = json.load(sys.stdin)
session = Session()
session.set_credentials(v["AWS_ACCESS_KEY_ID"], v["AWS_SECRET_ACCESS_KEY"])
client = session.create_client("acm-pca", v["AWS_DEFAULT_REGION"], endpoint_url=v["AWS_ENDPOINT_URL"],
                               verify=v["AWS_CA_BUNDLE"])
configuration = {"KeyAlgorithm": "ML_DSA_65", "SigningAlgorithm": "ML_DSA_65", "Subject": {"CommonName": "Root"}}
print(client.create_certificate_authority(CertificateAuthorityType="ROOT",
                                          CertificateAuthorityConfiguration=configuration)["CertificateAuthorityArn"])
"""


@pytest.fixture
def uv() -> str:
    found = sorted(Path(sys.prefix).glob("uv-*/bin/uv"))
    assert found, "make setup puts uv beside the environment"
    return str(found[-1])


def test_the_wheel_runs_by_itself(uv: str, bench: Workbench) -> None:
    bench.run(uv, "build", "--quiet", "--wheel", "--out-dir", "dist", str(ROOT))
    [wheel] = (bench.folder / "dist").glob("*.whl")
    assert wheel.name == f"greatseal-{greatseal.__version__}-py3-none-any.whl"
    bench.run(uv, "venv", "--quiet", "--python", sys.executable, "fresh")
    python = str(bench.folder / "fresh" / "bin" / "python")
    bench.run(uv, "pip", "install", "--quiet", "--python", python, str(wheel))
    program = str(bench.folder / "fresh" / "bin" / "greatseal")
    assert greatseal.__version__ in bench.run(program, "version")
    anywhere = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    with running(program, "serve", "--data", "data", *anywhere, folder=bench.folder, ready=READY) as ready:
        variables = json.loads(bench.run(program, "env", "--data", "data", "--json"))
        assert variables["AWS_ENDPOINT_URL"] == ready[1]
        created = bench.run(python, "-W", "error", "-c", CALL, stdin=json.dumps(variables))
        assert created.startswith("arn:aws:acm-pca:")
    # It has stopped, politely: nothing holds the data directory, and a second start finds what the first one made.
    with running(program, "serve", "--data", "data", *anywhere, folder=bench.folder, ready=READY):
        assert "arn:aws" in created
