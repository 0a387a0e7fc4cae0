"""Profiles in the files of the AWS CLI: changed line by line, so that everything else stays as it was."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from greatseal.cli.client import Client

_NAME = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")


class ProfileInUse(Exception):
    """The profile cannot be written; the message says why and what to do."""


def write_profile(name: str, client: Client, environment: Mapping[str, str]) -> tuple[Path, Path]:
    """Adds or updates profile `name`; returns the two files. Raises ProfileInUse."""
    if not _NAME.fullmatch(name):
        raise ProfileInUse(f"{name!r} is not a profile name: use letters, digits and _ . @ + -")
    home = Path.home() / ".aws"
    config = Path(environment.get("AWS_CONFIG_FILE") or home / "config").expanduser()
    credentials = Path(environment.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials").expanduser()
    config_text, credentials_text = _read(config), _read(credentials)
    section = "default" if name == "default" else f"profile {name}"
    known = values_of(config_text, section)
    # A profile without an endpoint talks to AWS itself; its owner would miss it.
    if "endpoint_url" not in known and (known or values_of(credentials_text, name)):
        raise ProfileInUse(f"profile {name} exists and is not Greatseal's\n  choose another name: --write-profile NAME")
    config_text = with_values(
        config_text,
        section,
        {
            "endpoint_url": client.endpoint.https,
            "ca_bundle": str(client.ca_bundle),
            "region": client.endpoint.region,
        },
    )
    credentials_text = with_values(
        credentials_text,
        name,
        {
            "aws_access_key_id": client.credential.access_key_id,
            "aws_secret_access_key": client.credential.secret_access_key,
        },
    )
    _replace(config, config_text)
    _replace(credentials, credentials_text)
    return config, credentials


def values_of(text: str, section: str) -> dict[str, str]:
    """The values of one section; empty when it does not exist."""
    start, end = _bounds(text.splitlines(), section)
    pairs = (line.partition("=") for line in text.splitlines()[start:end])
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and not key[:1].isspace()}


def with_values(text: str, section: str, values: Mapping[str, str]) -> str:
    """The text with `values` set in `section`, which is appended when it does not exist."""
    lines = text.splitlines()
    start, end = _bounds(lines, section)
    if start == 0:
        gap = [""] if lines and lines[-1].strip() else []
        lines += [*gap, f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]
        return "\n".join(lines) + "\n"
    missing = dict(values)
    for number in range(start, end):
        key = lines[number].partition("=")[0]
        if not key[:1].isspace() and key.strip() in values:
            lines[number] = f"{key.strip()} = {values[key.strip()]}"
            missing.pop(key.strip(), None)
    while end > start and not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [f"{key} = {value}" for key, value in missing.items()]
    return "\n".join(lines) + "\n"


def _bounds(lines: list[str], section: str) -> tuple[int, int]:
    """First line inside the section and first line after it; (0, 0) when it does not exist."""
    words = r"\s+".join(rf"[\"']?{re.escape(word)}[\"']?" for word in section.split())
    header = re.compile(rf"\[\s*{words}\s*\]")
    start = next((number for number, line in enumerate(lines, 1) if header.match(line.strip())), 0)
    if start == 0:
        return 0, 0
    end = next((number for number in range(start, len(lines)) if lines[number].startswith("[")), len(lines))
    return start, end


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileInUse(f"{path} cannot be read: {error}") from error


def _replace(path: Path, text: str) -> None:
    """Writes whole files only, with the mode of the old one; a link stays a link."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=target.parent, delete=False, encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
        Path(file.name).replace(target)
    except OSError as error:
        raise ProfileInUse(f"{path} cannot be written: {error}") from error
