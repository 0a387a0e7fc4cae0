"""What is asked of a remote perspective, and what it answers: JSON in the body of one POST."""

from typing import Annotated

import msgspec
from msgspec import Meta

from greatseal.domain.validation.ports import ControlFailure, Finding
from greatseal.integrations.domain_control.local import LocalControl

PATH = "/v1/check"
LARGEST = 16 * 1024
"""Octets of a question or an answer."""

_Name = Annotated[str, Meta(max_length=300)]


class _Message(msgspec.Struct, frozen=True, tag_field="check", forbid_unknown_fields=True):
    pass


class CnameQuestion(_Message, frozen=True, tag="cname"):
    """As `ControlCheck.cname`."""

    name: _Name
    value: _Name

    def about(self) -> str:
        """The name that it is about."""
        return self.name

    def put(self, control: LocalControl) -> Finding:
        """What is found from here."""
        return control.cname(self.name, self.value)


class HttpQuestion(_Message, frozen=True, tag="http"):
    """As `ControlCheck.http`."""

    url: Annotated[str, Meta(max_length=2048)]
    content: Annotated[str, Meta(max_length=4096)]

    def about(self) -> str:
        """The name that it is about."""
        return self.url.partition("://")[2].partition("/")[0].partition(":")[0]

    def put(self, control: LocalControl) -> Finding:
        """What is found from here."""
        return control.http(self.url, self.content)


class CaaQuestion(_Message, frozen=True, tag="caa"):
    """As `ControlCheck.caa`, with the names that mean who asks."""

    domain: _Name
    wildcard: bool
    method: Annotated[str, Meta(max_length=64)]
    account_uri: Annotated[str, Meta(max_length=512)]
    issuers: Annotated[tuple[_Name, ...], Meta(max_length=32)]

    def about(self) -> str:
        """The name that it is about."""
        return self.domain

    def put(self, control: LocalControl) -> Finding:
        """What is found from here."""
        return control.caa_for(
            self.issuers, self.domain, wildcard=self.wildcard, method=self.method, account_uri=self.account_uri
        )


Question = CnameQuestion | HttpQuestion | CaaQuestion


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding on its way."""

    ok: bool
    failure: str | None = None
    detail: Annotated[str, Meta(max_length=2000)] = ""

    def finding(self) -> Finding:
        """What was found. Raises ValueError when it contradicts itself."""
        if self.ok == (self.failure is not None):
            raise ValueError("an answer that contradicts itself")
        # What a stranger's server said may be shown to somebody: nothing that moves a cursor.
        detail = "".join(each if each.isprintable() else "?" for each in self.detail[:500])
        return Finding(self.ok, ControlFailure(self.failure) if self.failure else None, detail)


def read_question(body: bytes) -> Question:
    """A question from its JSON. Raises msgspec.DecodeError."""
    question: Question = msgspec.json.decode(body, type=Question)
    return question


def write_answer(finding: Finding) -> bytes:
    """The JSON of a finding, without what others have said."""
    failure = finding.failure.value if finding.failure else None
    return msgspec.json.encode(Answer(finding.ok, failure, finding.detail[:500]))
