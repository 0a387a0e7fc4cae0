"""Timestamp requests, responses and tokens: what is written is read, and what is wrong is refused (RFC 3161)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from greatseal.x509 import cms, der
from greatseal.x509.cms import CmsError, Digest
from greatseal.x509.timestamp import (
    BAD_ALG,
    GRANTED,
    REJECTION,
    SYSTEM_FAILURE,
    UNACCEPTED_POLICY,
    Imprint,
    TimestampError,
    TimestampRequest,
    TimestampResponse,
    TstInfo,
    read_token,
)
from made_certificates import NOW
from made_signed import author, info, signed, token

IMPRINT = Imprint.of(Digest.SHA256, b"signature")
INFO = TstInfo("1.2.3.4", IMPRINT, 7, NOW)


@pytest.mark.parametrize(
    "request_",
    [
        TimestampRequest(IMPRINT),
        TimestampRequest(IMPRINT, "1.2.3.4", 2**127 + 1, True),
        TimestampRequest(IMPRINT, nonce=0),
    ],
)
def test_requests_are_read_as_they_were_written(request_: TimestampRequest) -> None:
    assert TimestampRequest.parse(request_.encode()) == request_


@pytest.mark.parametrize(
    "found",
    [
        INFO,
        replace(INFO, at=NOW + timedelta(microseconds=1), nonce=-5, ordering=True),
        replace(INFO, at=NOW + timedelta(milliseconds=120), accuracy=timedelta(seconds=1, microseconds=2003)),
        replace(INFO, accuracy=timedelta(milliseconds=500)),
    ],
)
def test_tokens_say_what_was_meant(found: TstInfo) -> None:
    assert TstInfo.parse(found.encode()) == found


@pytest.mark.parametrize(
    "response",
    [
        TimestampResponse(GRANTED, der.sequence(der.null())),
        TimestampResponse(REJECTION, None, ("no",), BAD_ALG),
        TimestampResponse(REJECTION, None, (), UNACCEPTED_POLICY),
        TimestampResponse(REJECTION, None, (), SYSTEM_FAILURE),
    ],
)
def test_responses_are_read_as_they_were_written(response: TimestampResponse) -> None:
    assert TimestampResponse.parse(response.encode()) == response


@pytest.mark.parametrize("text", [b"20260701120000.10Z", b"20260701120000", b"20260701120000.Z", b"2026070112Z"])
def test_times_in_other_forms_are_refused(text: bytes) -> None:
    good = INFO.encode()
    bad = der.sequence(good[2:].replace(der.tlv(der.GENERALIZED_TIME, b"20260701120000Z"), der.tlv(0x18, text)))
    with pytest.raises(TimestampError):
        TstInfo.parse(bad)


@pytest.mark.parametrize("octets", [b"", b"\x30\x80", b"\x30\x03\x02\x01\x02", der.sequence(der.integer(1))])
def test_octets_that_are_nothing(octets: bytes) -> None:
    for parse in (TimestampRequest.parse, TstInfo.parse, TimestampResponse.parse):
        with pytest.raises(TimestampError):
            parse(octets)


def test_responses_that_are_not_whole() -> None:
    for response in (TimestampResponse(GRANTED), TimestampResponse(REJECTION, der.sequence(der.null()))):
        with pytest.raises(TimestampError, match="not whole"):
            TimestampResponse.parse(response.encode())


def test_imprints_are_as_long_as_their_digest() -> None:
    with pytest.raises(CmsError, match="not as long"):
        _ = Imprint(Digest.SHA512.identifier, bytes(32)).digest


def test_a_token_is_signed_data_around_a_timestamp() -> None:
    found, said = read_token(token(b"signature"))
    assert said.imprint == Imprint.of(Digest.SHA512, b"signature")
    assert found.content_type == cms.TST_INFO
    with pytest.raises(TimestampError, match="not a timestamp"):
        read_token(signed(info(author("p256"))))
    two = cms.encode([*found.signers, info(author("p256"))], [], content_type=cms.TST_INFO, content=found.content)
    with pytest.raises((TimestampError, CmsError)):
        read_token(two)
