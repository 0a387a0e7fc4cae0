"""Hostile requests for sessions: damaged headers, certificates and bodies are refused, and are never a defect."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doors.anywhere import Outpost, Workload, der, read
from greatseal.storage.migrate import migrate
from greatseal.storage.tx import open_storage
from properties.examples import examples

SIGNED = ("authorization", "host", "x-amz-date", "x-amz-x509", "content-type")


@pytest.fixture(scope="module")
def outpost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outpost]:
    storage = open_storage(f"sqlite:///{tmp_path_factory.mktemp('sessions')}/greatseal.db")
    migrate(storage)
    yield Outpost(storage)
    storage.close()


@pytest.fixture(scope="module")
def workload(outpost: Outpost) -> Workload:
    return outpost.workload()


@examples(150)
@given(name=st.sampled_from(SIGNED), where=st.integers(0, 4000), octet=st.integers(0x20, 0xFF), cut=st.booleans())
def test_damaged_headers(outpost: Outpost, workload: Workload, name: str, where: int, octet: int, cut: bool) -> None:
    request = workload.request(outpost.arns(), {}, outpost.now)
    value = dict(request.headers)[name.encode()]
    at = where % len(value)
    damaged = value[:at] if cut else value[:at] + bytes([octet]) + value[at + 1 :]
    # Blanks between the parts of a header mean nothing.
    if b"".join(damaged.split()) == b"".join(value.split()):
        return
    headers = tuple((n, damaged if n == name.encode() else v) for n, v in request.headers)
    status, answer = read(outpost.door.handle(replace(request, headers=headers)))
    assert status in (400, 403, 404), answer


@examples(150)
@given(where=st.integers(0, 4000), octet=st.integers(0, 255), chain=st.booleans())
def test_damaged_certificates_that_are_signed_for(
    outpost: Outpost, workload: Workload, where: int, octet: int, chain: bool
) -> None:
    """The client signs over the very octets that it damaged."""
    good = der(workload.certificate)
    at = where % len(good)
    if good[at] == octet:
        return
    encoded = base64.b64encode(good[:at] + bytes([octet]) + good[at + 1 :]).decode()
    headers = {"x-amz-x509-chain" if chain else "x-amz-x509": encoded}
    status, answer = outpost.ask(replace(workload, headers=headers))
    # A damaged certificate in the chain is not needed for the path and may be one that can still be read.
    assert status in ((201, 400) if chain else (400, 403)), answer


@examples(100)
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode), query=st.binary(max_size=100))
def test_any_body_and_query(outpost: Outpost, workload: Workload, body: bytes, query: bytes) -> None:
    request = workload.request(outpost.arns(), {}, outpost.now)
    status, answer = read(outpost.door.handle(replace(request, body=body, raw_query=query)))
    assert status in (400, 403), answer
