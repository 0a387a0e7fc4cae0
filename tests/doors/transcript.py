"""Transcripts: text files of requests and answers that are played against a fresh installation.

The format is described in tests/transcripts/README.md.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from doors.kms import wrapped_directly
from doors.organization import second_account
from doors.pki import P256, csr, name, pem
from greatseal.domain.access import Credential
from greatseal.testing import Installation

FOLDER = Path(__file__).parent.parent / "transcripts"
PLACEHOLDERS = {
    "<pem>": r"(?:-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n]+\n-----END [A-Z ]+-----\n?)+",
    "<uuid>": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "<serial>": r"[0-9a-f]{2}(?::[0-9a-f]{2}){15,16}",
    "<hex>": r"(?:mrk-)?[0-9a-f]{32,64}",
    "<token>": r"[A-Za-z0-9_=-]{20,}",
    "<any>": r"(?s:.*)",
}
OCTETS = "base64:"
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass
class Exchange:
    """A request, or a line that starts with @; for a request also what is expected."""

    head: str
    body: str = ""
    status: str = ""
    answer: str = ""


def parse(text: str) -> Iterator[Exchange | str]:
    """Exchanges in their order; comments as they are."""
    current: Exchange | None = None
    for line in text.splitlines():
        if line.startswith(("#", "@", ">")) and current is not None:
            yield current
            current = None
        if line.startswith("#") or not line.strip():
            yield line
        elif line.startswith("@"):
            yield Exchange(line)
        elif line.startswith(">"):
            current = Exchange(line[1:].strip())
        elif current is None:
            raise ValueError(f"a line that belongs to no request: {line!r}")
        elif line.startswith("<") and not current.status:
            current.status = line[1:].strip()
        elif current.status:
            current.answer += line + "\n"
        else:
            current.body += line + "\n"
    if current is not None:
        yield current


@dataclass
class Player:
    """Plays transcripts against one installation and remembers their variables."""

    installation: Installation
    variables: dict[str, str] = field(default_factory=dict)
    signers: dict[str, Credential] = field(default_factory=dict)
    signer: Credential | None = None

    def play(self, text: str) -> None:
        """Raises AssertionError at the first answer that is not as written."""
        for item in parse(text):
            if isinstance(item, Exchange):
                self.step(item)

    def step(self, item: Exchange) -> None:
        """One line or one request."""
        if item.head.startswith("@"):
            word, _, rest = item.head[1:].partition(" ")
            getattr(self, "_" + word.replace("-", "_"))(rest)
        else:
            self.check(item, *self.call(item))

    def check(self, item: Exchange, status: str, answer: Any) -> None:
        """Raises AssertionError when this is not what is written; takes over the variables that are new."""
        assert item.status == status, (item.head, status, answer)
        if status == "200":
            self._compare(json.loads(item.answer or "{}"), answer, item.head)
        else:
            self._compare(item.answer.strip(), answer, item.head)

    def call(self, item: Exchange) -> tuple[str, Any]:
        """Sends a request; `200` and the members of the answer, or `400 Code` and the text."""
        service, operation = item.head.split()
        parameters = self._filled(json.loads(item.body or "{}"))
        client = self.installation.client(service, credential=self.signer)
        try:
            answer = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            response = error.response
            return (
                f"{response['ResponseMetadata']['HTTPStatusCode']} {response['Error']['Code']}",
                response["Error"]["Message"],
            )
        answer.pop("ResponseMetadata")
        return "200", plain(answer)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if isinstance(value, str):
            text = self._substituted(value)
            return base64.b64decode(text.removeprefix(OCTETS)) if text.startswith(OCTETS) else text
        return value

    def _substituted(self, text: str) -> str:
        return _VARIABLE.sub(lambda match: self.variables[match[1] or match[2]], text)

    def _compare(self, expected: Any, found: Any, where: str) -> None:
        if isinstance(expected, dict):
            assert isinstance(found, dict), (where, found)
            assert expected.keys() == found.keys(), (where, found)
            for key, value in expected.items():
                self._compare(value, found[key], f"{where}.{key}")
        elif isinstance(expected, list):
            assert isinstance(found, list), (where, found)
            assert len(expected) == len(found), (where, found)
            for number, value in enumerate(expected):
                self._compare(value, found[number], f"{where}[{number}]")
        elif isinstance(expected, str):
            alone = re.fullmatch(r"\$(\w+)", expected)
            if alone and alone[1] not in self.variables:
                self.variables[alone[1]] = found
                return
            pattern = re.escape(self._substituted(expected))
            for placeholder, allowed in PLACEHOLDERS.items():
                pattern = pattern.replace(re.escape(placeholder), allowed)
            assert re.fullmatch(pattern, found), (where, expected, found)
        else:
            assert expected == found, (where, expected, found)

    def _include(self, path: str) -> None:
        self.play((FOLDER / path).read_text())

    def _as(self, name: str) -> None:
        if name == "root":
            self.signer = None
            return
        if name not in self.signers:
            self.signers[name] = second_account(self.installation, str(2 * 10**11 + len(self.signers)), name)
            self.variables[name] = self.signers[name].account
        self.signer = self.signers[name]

    def _advance(self, amount: str) -> None:
        number, unit = amount.split()
        self.installation.clock.advance(timedelta(**{unit.rstrip("s") + "s": int(number)}))
        self.installation.work()

    def _set(self, rest: str) -> None:
        variable, _, text = rest.partition(" ")
        how, _, value = text.partition(" ")
        if how == "after-last-slash":
            self.variables[variable] = self._filled(value).rpartition("/")[2]
        else:
            self.variables[variable] = self._filled(text)

    def _cname(self, rest: str) -> None:
        """From now on there is such a record."""
        name, value = (self._substituted(each) for each in rest.split())
        self.installation.control.cnames[name] = value

    def _csr(self, rest: str) -> None:
        variable, *names = rest.split()
        self.variables[variable] = csr(*names).decode()

    def _wrapped(self, rest: str) -> None:
        """Key material under a wrapping key of KMS."""
        variable, public, material = rest.split()
        key = base64.b64decode(self.variables[public].removeprefix(OCTETS))
        wrapped = wrapped_directly(key, bytes.fromhex(material))
        self.variables[variable] = OCTETS + base64.b64encode(wrapped).decode()

    def _self_signed(self, rest: str) -> None:
        variable, host = rest.split()
        now = self.installation.clock.now()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name(host))
            .issuer_name(name(host))
            .public_key(P256.public_key())
            .serial_number(0x1234)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .sign(P256, hashes.SHA256())
        )
        self.variables[variable] = pem(certificate).decode()
        self.variables[f"{variable}_key"] = P256.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()


def plain(value: Any) -> Any:
    """An answer of boto3 as JSON would have it."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return OCTETS + base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
