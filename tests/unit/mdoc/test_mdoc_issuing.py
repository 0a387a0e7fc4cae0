"""Orders that no reader would take, and files that are none of the order's business: refused, with the reason."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from greatseal.cli.mdl.files import Unusable
from greatseal.cli.mdl.issue import _beside
from greatseal.mdoc import NAMESPACE, CannotIssue, prepare
from greatseal.mdoc.device_keys import UnusableDeviceKey, read_device_key
from greatseal.x509 import der
from made_certificates import ALGORITHM, signer
from made_mdl import SIGNER, licence, order, randoms

CHAIN = (SIGNER.sign(),)
OWN = "com.example"


def test_a_document_that_readers_are_too_small_for():
    large = order({NAMESPACE: licence(), OWN: {"scan": bytes(16 * 1024 * 1024)}})
    prepared = prepare(large, CHAIN, randoms())
    signature = signer(SIGNER.label).sign(prepared.to_be_signed, ALGORITHM)
    with pytest.raises(CannotIssue, match="readers take 16777216"):
        prepared.finish(signature)


def test_a_time_that_utc_does_not_have():
    west = timezone(timedelta(hours=-10))
    late = order(expected_update=datetime(9999, 12, 31, 23, 59, tzinfo=west))
    with pytest.raises(CannotIssue, match="cannot be written"):
        prepare(late, CHAIN, randoms())


@pytest.mark.parametrize("element", [{"note": "\ud800"}, {"\ud800": "note"}])
def test_half_a_character(element):
    with pytest.raises(CannotIssue, match="surrogates"):
        prepare(order({NAMESPACE: licence(), OWN: element}), CHAIN, randoms())


@pytest.mark.parametrize(
    "algorithm", [(der.oid("1.2.840.10045.2.1"), der.oid("1.2.3.4")), (der.oid("1.2.3.4.5"),)], ids=["curve", "kind"]
)
def test_device_keys_of_kinds_that_nobody_knows(algorithm):
    key = der.sequence(der.sequence(*algorithm), der.bit_string(b"\x04" + bytes(64)))
    with pytest.raises(UnusableDeviceKey, match="cannot be read"):
        read_device_key(key)


@pytest.mark.parametrize("name", ["/etc/passwd", "../key.pem", "a/../../key.pem", "a\0b", "\ud800", ""])
def test_a_document_takes_no_file_from_elsewhere(name):
    with pytest.raises(Unusable, match="not beside it"):
        _beside(Path("batch/doe.json"), name)


def test_files_beside():
    assert _beside(Path("batch/doe.json"), "pictures/doe.jpg") == Path("batch/pictures/doe.jpg")
