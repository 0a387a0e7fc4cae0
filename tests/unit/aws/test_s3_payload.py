"""Checksums, chunks and XML bodies of requests to S3."""

import base64

import pytest

from greatseal.aws.protocol import xml_tree
from greatseal.aws.protocol.checksums import checksum
from greatseal.aws.protocol.s3_payload import CHUNKED, Unpacked, unpack
from greatseal.aws.wire import WireError

# Check values of the catalogue of parametrised CRC algorithms, for "123456789".
CHECKS = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("algorithm", CHECKS)
def test_check_values(algorithm):
    assert base64.b64decode(checksum(algorithm, b"123456789")).hex() == CHECKS[algorithm]


def chunked(raw, trailer=b"x-amz-checksum-crc32", length=b"6"):
    headers = (
        (b"x-amz-content-sha256", CHUNKED.encode()),
        (b"x-amz-trailer", trailer),
        (b"x-amz-decoded-content-length", length),
        (b"content-encoding", b"gzip,aws-chunked"),
    )
    return unpack(Unpacked("PUT", b"/b/k", b"", headers, raw))


GOOD = b"4\r\nabcd\r\n2;x=y\r\nef\r\n0\r\nx-amz-checksum-crc32:" + checksum("crc32", b"abcdef").encode() + b"\r\n\r\n"


def test_chunks_become_a_body():
    found = chunked(GOOD)
    assert found.body == b"abcdef"
    assert found.header("content-encoding") == "gzip"
    assert found.header("x-amz-checksum-crc32") == checksum("crc32", b"abcdef")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (GOOD.replace(b"ef", b"eg"), "BadDigest"),
        (GOOD.replace(b"crc32:", b"sha1:"), "MalformedTrailerError"),
        (GOOD.replace(b"4\r\n", b"5\r\n"), "IncompleteBody"),
        (GOOD.replace(b"4\r\n", b"-4\r\n"), "IncompleteBody"),
        (GOOD[:12], "IncompleteBody"),
        (b"", "IncompleteBody"),
        (b"0\r\n\r\n", "MalformedTrailerError"),
        (GOOD.replace(b"0\r\nx", b"1\r\ng\r\n0\r\nx"), "IncompleteBody"),
    ],
)
def test_broken_chunks(raw, code):
    with pytest.raises(WireError) as caught:
        chunked(raw)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a>",
        b"<a></b>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&undefined;</a>",
        b"<a>" * 70 + b"</a>" * 70,
        b"<a>" + b"<b/>" * 20_001 + b"</a>",
        b"<a>\xff</a>",
    ],
)
def test_xml_that_is_refused(body):
    with pytest.raises(WireError) as caught:
        xml_tree.parse(body)
    assert caught.value.code == "SerializationException"
