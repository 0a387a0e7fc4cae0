"""A bit flipped anywhere in a signed file, its signature or its timestamp makes it bad, and nothing raises."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.signing import Judge, Trust
from greatseal.x509 import cms, custom_object
from made_certificates import NOW
from made_signed import CONTENT, DIGESTS, author, certificate, info, root, signed, subordinate, token
from properties.examples import examples


@cache
def made(kind: str) -> bytes:
    """A file of signatures."""
    if kind == "classical and post-quantum":
        return signed(info(author("p256")), info(author("mldsa44")))
    first = info(author("rsa") if kind == "rsa" else author("p384"))
    return signed(first.stamped(token(first.signature)) if kind == "stamped" else first)


def good(data: bytes, digests: dict[cms.Digest, bytes] = DIGESTS) -> bool:
    """What `greatseal verify` says."""
    try:
        found = cms.read(data)
    except cms.CmsError:
        return False
    return Judge(Trust(anchors=(root(),), at=NOW)).signed(found, digests).good


@pytest.mark.parametrize("kind", ["rsa", "stamped", "classical and post-quantum"])
def test_a_bit_flipped_anywhere_fails(kind: str) -> None:
    whole = made(kind)
    assert good(whole)

    @examples(300)
    @given(st.integers(0, len(whole) * 8 - 1))
    def flipped(bit: int) -> None:
        octets = bytearray(whole)
        octets[bit // 8] ^= 1 << bit % 8
        assert not good(bytes(octets))

    flipped()


@examples(100)
@given(st.integers(0, len(CONTENT) * 8 - 1))
def test_a_bit_of_the_content_matters(bit: int) -> None:
    octets = bytearray(CONTENT)
    octets[bit // 8] ^= 1 << bit % 8
    assert not good(made("rsa"), {digest: digest.of(bytes(octets)) for digest in cms.Digest})


@examples(200)
@given(st.binary(max_size=300))
def test_any_octets_are_refused_in_words(data: bytes) -> None:
    assert not good(data)
    assert not good(made("rsa")[:40] + data)


@cache
def classic() -> bytes:
    """A classic object."""
    who = author("rsa")
    tbs = custom_object.to_be_signed(CONTENT[:200], who.certificate.subject)
    return custom_object.assemble(tbs, who.scheme.effective, who.key.sign(tbs, who.scheme.effective))


def good_object(data: bytes) -> bool:
    """What `greatseal verify` says of a classic object."""
    try:
        found = custom_object.read(data)
    except custom_object.ObjectError:
        return False
    trust = Trust(anchors=(root(),), at=NOW, intermediates=(certificate("rsa"), subordinate()))
    return Judge(trust).object(found).good


@examples(300)
@given(st.data())
def test_a_bit_of_a_classic_object_matters(data: st.DataObject) -> None:
    octets = bytearray(classic())
    assert good_object(bytes(octets))
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[bit // 8] ^= 1 << bit % 8
    assert not good_object(bytes(octets))
