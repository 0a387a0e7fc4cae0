"""A zoo of PEM from the real world, and the writer."""

import base64
import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.x509 import pem
from greatseal.x509.pem import PemBlock, PemError, read_blocks

A, B = bytes(range(100)), b"second"


def block(label=b"CERTIFICATE", content=A, newline=b"\n", columns=64):
    text = base64.b64encode(content)
    lines = [text[at : at + columns] for at in range(0, len(text), columns)]
    return newline.join([b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----"])


BAG = b"Bag Attributes\n    friendlyName: x\n    localKeyID: 01 02\nsubject=C = US, CN = a-b--c\nissuer=CN = d\n"
ONE = (PemBlock("CERTIFICATE", A),)
TWO = (PemBlock("CERTIFICATE", A), PemBlock("CERTIFICATE", B))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (block(), ONE),
        (block() + b"\n", ONE),
        (block(newline=b"\r\n") + b"\r\n\r\n", ONE),
        (block(newline=b"\r"), ONE),
        (block(newline=b" "), ONE),
        (block(newline=b"\n   \t"), ONE),
        (block(columns=76), ONE),
        (block(columns=100_000), ONE),
        (block(newline=b"", columns=100_000), ONE),
        (b"\xef\xbb\xbf" + block(), ONE),
        (block().decode().encode("utf-16"), ONE),
        (b"\xfe\xff" + block().decode().encode("utf-16-be"), ONE),
        (BAG + block() + b"\n" + BAG + block(content=B), TWO),
        (block() + b"\t" + block(content=B), TWO),
        (block() + block(content=B), TWO),
        (b"   0 s:CN = x\n   i:CN = y\n" + block() + b"\n---\nServer certificate\n" + block(content=B) + b"\n---", TWO),
        (block(b"EC PARAMETERS", B) + b"\n" + block(b"EC PRIVATE KEY"), (PemBlock("EC PRIVATE KEY", A),)),
        (block(b"RSA PRIVATE KEY") + block(content=B), (PemBlock("RSA PRIVATE KEY", A), TWO[1])),
        (b"", ()),
        (b"no PEM at all -- really", ()),
        (b"\0\xff", ()),
    ],
)
def test_what_the_world_writes(data, expected):
    assert read_blocks(data) == expected


def test_headers_of_an_encrypted_key():
    text = block(b"RSA PRIVATE KEY").replace(
        b"-----\n", b"-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,00FF\r\n\r\n", 1
    )
    (found,) = read_blocks(text)
    assert found.der == A
    assert found.headers == (("Proc-Type", "4,ENCRYPTED"), ("DEK-Info", "AES-128-CBC,00FF"))
    assert found.is_encrypted
    assert PemBlock("ENCRYPTED PRIVATE KEY", A).is_encrypted
    assert not PemBlock("PRIVATE KEY", A).is_encrypted


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (block()[:-1], "no matching END"),
        (block()[:-20], "no matching END"),
        (block().replace(b"END CERTIFICATE", b"END CERTIFICAT"), "no matching END"),
        (block()[5:], "damaged"),
        (block() + b"\n----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----", "damaged"),
        (block() + b"----BEGIN CERTIFICATE-----", "damaged"),
        (b"-----BEGIN CERTIFICATE-----\n" + block(), "no matching END"),
        (block(b""), "no label"),
        (b"-----BEGIN " + b"X" * 500 + b"-----", "no label"),
        (b"-----BEGIN CERT\xffIFICATE-----\n-----END CERT\xffIFICATE-----", "no label"),
        (block(content=b""), "empty"),
        (b"-----BEGIN X-----\nA\n-----END X-----", "not base64"),
        (b"-----BEGIN X-----\nAA==AA==\n-----END X-----", "not base64"),
        (b"-----BEGIN X-----\nAA=A\n-----END X-----", "not base64"),
        (b"-----BEGIN X-----\nAA_-\n-----END X-----", "not base64"),
        (b"-----BEGIN X-----\n\\nAAAA\n-----END X-----", "not base64"),
        (b"-----BEGIN X-----\nA: b\nAAAA\n-----END X-----", "headers"),
        (b"\xff\xfe-", "UTF-16"),
    ],
)
def test_what_is_refused(data, reason):
    with pytest.raises(PemError, match=reason):
        read_blocks(data)


@given(st.binary(max_size=300))
def test_arbitrary_octets_never_break_the_reader(data):
    try:
        read_blocks(b"-----BEGIN " + data)
    except PemError:
        return


@pytest.mark.parametrize(
    "data", [b"-----BEGIN " * 190_000, b"-" * 2_000_000, b"-----BEGIN X-----" + b"A" * 2_000_000, b"\n" * 2_000_000]
)
def test_big_input_takes_linear_time(data):
    start = time.perf_counter()
    with contextlib.suppress(PemError):
        read_blocks(data)
    assert time.perf_counter() - start < 1


@given(st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=4))
def test_what_is_written_is_read(contents):
    text = pem.write_certificates(contents)
    assert [found.der for found in read_blocks(text.encode())] == contents
    assert not text.endswith("\n")
    assert "\n\n" not in text
    assert max(map(len, text.split("\n"))) <= 64


def test_the_form_of_the_service():
    assert pem.write("CERTIFICATE", bytes(49)) == (
        "-----BEGIN CERTIFICATE-----\n" + "A" * 64 + "\nAA==\n-----END CERTIFICATE-----"
    )
    assert pem.join(["a", "b"]) == "a\nb"
