"""Checks of the programs that people use against the service."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from greatseal.cli.doctor.findings import Finding, Level, Patient

# The first releases that read AWS_ENDPOINT_URL and a profile's endpoint_url.
_FIRST_WITH_ENDPOINT = {1: (1, 29), 2: (2, 13)}
_TIMEOUT_SECONDS = 20


def aws_cli(patient: Patient) -> Iterator[Finding]:
    """The AWS CLI that the shell would run knows how to find another endpoint."""
    program = shutil.which("aws", path=patient.environment.get("PATH"))
    if program is None:
        yield Finding("AWS CLI", Level.NOTE, "not installed; SDKs work without it", "pip install awscli")
        return
    try:
        # The program comes from the user's own PATH: it is the one that this check is about.
        command = [program, "--version"]
        answer = subprocess.run(  # noqa: S603 - see above
            command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        yield Finding(
            "AWS CLI", Level.WARNING, f"{program} does not run: {error}", "install it again: pip install awscli"
        )
        return
    yield judge(program, answer.stdout + answer.stderr)


def judge(program: str, output: str) -> Finding:
    """What the answer of `aws --version` means."""
    found = re.search(r"aws-cli/(\d+)\.(\d+)(?:\.\d+)?", output)
    if not found:
        return Finding("AWS CLI", Level.WARNING, f"{program} does not tell its version", "pip install awscli")
    major, minor = int(found[1]), int(found[2])
    if (major, minor) >= _FIRST_WITH_ENDPOINT.get(major, (0, 0)):
        return Finding("AWS CLI", Level.OK, f"{found[0]} reads the endpoint from the environment and profiles")
    return Finding(
        "AWS CLI",
        Level.WARNING,
        f"{found[0]} at {program} ignores AWS_ENDPOINT_URL and endpoint_url",
        'add --endpoint-url "$AWS_ENDPOINT_URL" to each command, or install 2.13 or newer (version 1: 1.29)',
    )
