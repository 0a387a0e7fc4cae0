"""The demo is a promise to whoever clones the repository, so it is run with both generations of the AWS CLI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.interop
@pytest.mark.parametrize(
    ("aws", "algorithm"),
    [
        (str(Path(sys.executable).parent / "aws"), "RSA_2048"),
        (str(Path(sys.executable).parent / "aws"), "ML_DSA_65"),
        ("/usr/bin/aws", "EC_prime256v1"),
    ],
)
def test_the_demo_ends_well(aws: str, algorithm: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "demo.py", "--algorithm", algorithm],
        env=os.environ | {"AWS": aws},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "Everything worked" in done.stdout
