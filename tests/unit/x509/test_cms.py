"""CMS signatures: what is written holds, and what is wrong is refused with its reason (RFC 5652, RFC 9882)."""

from dataclasses import replace

import pytest

from greatseal.x509 import cms, der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.cms import CmsError, Digest, Fault, SignerInfo, attributes
from made_certificates import NOW
from made_signed import (
    CONTENT,
    DIGESTS,
    LABELS,
    attributes_of,
    author,
    certificate,
    info,
    resigned,
    signed,
)

P256 = author("p256")


def judged(made: bytes, number: int = 0, digests: dict[Digest, bytes] | None = None) -> cms.Signed:
    found = cms.read(made)
    signer = found.signers[number]
    return cms.check(found, signer, cms.certificate_of(found, signer), DIGESTS if digests is None else digests)


def refused(made: bytes, fault: Fault, text: str = "", number: int = 0) -> None:
    with pytest.raises(CmsError) as caught:
        judged(made, number)
    assert caught.value.fault is fault, caught.value
    assert text in str(caught.value)


@pytest.mark.parametrize("label", LABELS)
def test_every_kind_of_key_signs(label: str) -> None:
    who = author(label)
    held = judged(signed(info(who)))
    assert held.at == NOW
    assert held.binds_certificate
    assert held.token is None
    assert held.scheme.digest is who.scheme.digest


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("pss", [False, True])
def test_rsa_signs_with_every_digest(digest: str, pss: bool) -> None:
    held = judged(signed(info(author("rsa", Digest[digest], pss=pss))))
    assert held.scheme.digest is Digest[digest]


ALLOWED = {
    "mldsa44": list(Digest),
    "mldsa65": [Digest.SHA384, Digest.SHA512, Digest.SHA3_384, Digest.SHA3_512, Digest.SHAKE256],
    "mldsa87": [Digest.SHA512, Digest.SHA3_512, Digest.SHAKE256],
}


@pytest.mark.parametrize("label", ALLOWED)
@pytest.mark.parametrize("digest", list(Digest))
def test_ml_dsa_takes_digests_of_its_level(label: str, digest: Digest) -> None:
    if digest in ALLOWED[label]:
        assert judged(signed(info(author(label, digest)))).scheme.digest is digest
        return
    with pytest.raises(CmsError, match="too weak") as caught:
        author(label, digest)
    assert caught.value.fault is Fault.WEAK_DIGEST
    # Somebody else may have written it.
    strong = info(author(label))
    weak = replace(strong, digest_identifier=digest.identifier)
    refused(signed(weak), Fault.WEAK_DIGEST, digest.name)


def test_lengths_of_shake() -> None:
    assert Digest.SHAKE128.size == 32
    assert Digest.SHAKE256.size == 64
    who = author("mldsa65", Digest.SHAKE256)
    short = attributes.attribute(attributes.MESSAGE_DIGEST, der.octet_string(DIGESTS[Digest.SHAKE256][:32]))
    refused(signed(changed(who, attributes.MESSAGE_DIGEST, short)), Fault.DIGEST_LENGTH, "32 octets")


def test_two_signers_of_which_one_is_wrong() -> None:
    good, other = info(P256), info(author("mldsa65"))
    wrong = replace(other, signature=bytes(len(other.signature)))
    made = signed(good, wrong)
    signers = cms.read(made).signers
    first, second = (signers.index(each) for each in (good, wrong))
    assert judged(made, first).at == NOW
    refused(made, Fault.SIGNATURE, "not made by the key", second)


def test_the_content_must_be_what_was_signed() -> None:
    made = signed(info(P256))
    with pytest.raises(CmsError) as caught:
        judged(made, digests={digest: digest.of(CONTENT + b"x") for digest in Digest})
    assert caught.value.fault is Fault.CHANGED


def test_the_frame_is_strict() -> None:
    made = signed(info(P256))
    refused(made + b"\0", Fault.MALFORMED, "1 octets follow")
    refused(b"\x30\x80" + made[4:] + b"\0\0", Fault.MALFORMED, "indefinite length, which is BER")
    refused(made[:-1], Fault.MALFORMED)
    refused(b"", Fault.MALFORMED)
    refused(b"hello", Fault.MALFORMED)
    refused(b"\x30\x84\xff\xff\xff\xff", Fault.MALFORMED)
    data = der.sequence(der.oid(cms.DATA), der.explicit(0, der.octet_string(bytes(200))))
    refused(data, Fault.NOT_SIGNED_DATA, cms.DATA)
    refused(cms.encode([], [certificate("p256")]), Fault.NO_SIGNER)
    refused(made.replace(b"\x02\x01\x01\x31", b"\x02\x01\x03\x31", 1), Fault.VERSION)
    nested = b"\x30\x80" * 200_000
    refused(nested, Fault.MALFORMED)


def test_pem_is_read() -> None:
    made = signed(info(P256))
    for label in ("CMS", "PKCS7"):
        assert judged((pem.write(label, made) + "\n").encode()).at == NOW
    refused(pem.write("CERTIFICATE", made).encode(), Fault.MALFORMED, "type CMS")


def test_a_key_identifier_names_a_signer_too() -> None:
    certificate_ = certificate("p256")
    named = replace(info(P256), version=3, sid=der.tlv(0x80, certificate_.key_identifier))
    made = cms.encode([named], [certificate_])
    assert judged(made).at == NOW
    refused(cms.encode([replace(named, version=1)], [certificate_]), Fault.VERSION)
    refused(cms.encode([named], [certificate("p384")]), Fault.NO_CERTIFICATE)


def test_the_signer_is_named_octet_by_octet() -> None:
    other = der.sequence(certificate("p256").issuer.der.replace(b"subordinate", b"Subordinate"), der.integer(1))
    refused(cms.encode([replace(info(P256), sid=other)], [certificate("p256")]), Fault.NO_CERTIFICATE)


def changed(who: cms.Signed | object, oid: str, value: bytes | None) -> SignerInfo:
    """The signer with another attribute in the place of one, signed again."""
    made = info(who)  # type: ignore[arg-type]
    mark = der.oid(oid)
    kept = [each for each in attributes_of(made) if mark not in each]
    return resigned(who, made, [*kept, *([value] if value is not None else [])])  # type: ignore[arg-type]


def _attribute(oid: str, *values: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(values))


def test_signed_attributes_that_are_missing_or_wrong() -> None:
    bare = replace(info(P256), attributes=None)
    refused(signed(bare), Fault.NO_SIGNED_ATTRIBUTES)
    refused(signed(changed(P256, attributes.CONTENT_TYPE, None)), Fault.MISSING_ATTRIBUTE, "contentType")
    refused(signed(changed(P256, attributes.MESSAGE_DIGEST, None)), Fault.MISSING_ATTRIBUTE, "messageDigest")
    other = attributes.attribute(attributes.CONTENT_TYPE, der.oid(cms.TST_INFO))
    refused(signed(changed(P256, attributes.CONTENT_TYPE, other)), Fault.CONTENT_TYPE, cms.TST_INFO)
    twice = _attribute(attributes.MESSAGE_DIGEST, der.octet_string(bytes(32)), der.octet_string(bytes(31)))
    refused(signed(changed(P256, attributes.MESSAGE_DIGEST, twice)), Fault.DUPLICATE_ATTRIBUTE, "2 values")
    refused(signed(changed(P256, attributes.SIGNING_TIME, _attribute(attributes.SIGNING_TIME))), Fault.MALFORMED)
    text = attributes.attribute(attributes.SIGNING_TIME, der.utf8("yesterday"))
    refused(signed(changed(P256, attributes.SIGNING_TIME, text)), Fault.SIGNING_TIME)
    wrong_form = attributes.attribute(attributes.SIGNING_TIME, der.tlv(der.GENERALIZED_TIME, b"20260701120000Z"))
    refused(signed(changed(P256, attributes.SIGNING_TIME, wrong_form)), Fault.SIGNING_TIME, "wrong type")


def test_attributes_that_were_reordered_or_repeated() -> None:
    made = info(P256)
    listed = attributes_of(made)
    refused(signed(resigned(P256, made, listed[::-1], ordered=False)), Fault.ATTRIBUTE_ORDER)
    # Reordered without signing again: the signature is over the right order, and it is refused all the same.
    moved = replace(made, attributes=der.tlv(der.SET, b"".join(listed[::-1])))
    refused(signed(moved), Fault.ATTRIBUTE_ORDER)
    refused(signed(resigned(P256, made, [*listed, listed[0]])), Fault.DUPLICATE_ATTRIBUTE)
    refused(signed(resigned(P256, made, [])), Fault.MALFORMED, "empty set")
    mark = der.time(NOW)
    assert made.attributes is not None
    altered = made.attributes.replace(mark, der.time(NOW.replace(day=2)))
    refused(signed(replace(made, attributes=altered)), Fault.SIGNATURE)


def test_the_algorithms_are_those_that_were_protected() -> None:
    made = info(author("rsa"))
    # Plain rsaEncryption and sha256WithRSAEncryption make the same signature.
    spelt = replace(made, signature_identifier=bytes.fromhex("300d06092a864886f70d01010b0500"))
    refused(signed(spelt), Fault.ALGORITHM_PROTECTION)
    other = changed(P256, attributes.SIGNING_CERTIFICATE_V2, None)
    assert not judged(signed(other)).binds_certificate
    value = der.sequence(der.sequence(der.sequence(der.octet_string(bytes(32)))))
    bound = changed(
        P256, attributes.SIGNING_CERTIFICATE_V2, attributes.attribute(attributes.SIGNING_CERTIFICATE_V2, value)
    )
    refused(signed(bound), Fault.CERTIFICATE_ID)


@pytest.mark.parametrize(
    ("oid", "fault", "text"),
    [
        ("1.3.14.3.2.26", Fault.WEAK_DIGEST, "SHA-1"),
        ("1.2.840.113549.2.5", Fault.WEAK_DIGEST, "MD5"),
        ("2.16.840.1.101.3.4.2.4", Fault.WEAK_DIGEST, "SHA-224"),
        ("1.2.3.4", Fault.DIGEST_ALGORITHM, "1.2.3.4"),
        ("2.16.840.1.101.3.4.2.3", Fault.DIGEST_ALGORITHM, "SHA256"),
    ],
)
def test_digests_that_are_not_accepted(oid: str, fault: Fault, text: str) -> None:
    refused(signed(replace(info(P256), digest_identifier=der.sequence(der.oid(oid)))), fault, text)


def test_the_digest_must_be_listed_in_front() -> None:
    made = signed(info(P256))
    identifier = Digest.SHA256.identifier
    refused(made.replace(identifier, Digest.SHA384.identifier, 1), Fault.DIGEST_ALGORITHM, "listed in front")


def test_parameters_that_must_be_absent() -> None:
    for label, text in (("p256", "SHA256WITHECDSA"), ("mldsa65", "ML_DSA_65"), ("ed25519", "Ed25519")):
        who = author(label)
        found = der.only(who.scheme.identifier, der.SEQUENCE).oid()
        spelt = replace(info(who), signature_identifier=der.sequence(der.oid(found), der.null()))
        refused(signed(spelt), Fault.PARAMETERS, text)
    shake = info(author("mldsa65", Digest.SHAKE256))
    spelt = replace(shake, digest_identifier=der.sequence(der.oid(Digest.SHAKE256.value.oid), der.null()))
    refused(signed(spelt), Fault.PARAMETERS, "SHAKE256")
    rsa = replace(info(author("rsa")), signature_identifier=der.sequence(der.oid("1.2.840.113549.1.1.1")))
    refused(signed(rsa), Fault.PARAMETERS, "NULL")
    # SHA-2 with NULL is what old programs write, and goes through (RFC 5754 section 2).
    null = der.sequence(der.oid(Digest.SHA256.value.oid), der.null())
    plain = changed(P256, attributes.ALGORITHM_PROTECTION, None)
    assert judged(signed(replace(plain, digest_identifier=null))).at == NOW


def test_signature_algorithms_that_are_not_accepted() -> None:
    for oid in ("1.2.840.10045.4.1", "1.2.840.113549.1.1.5", "1.2.840.10040.4.3"):
        spelt = replace(info(P256), signature_identifier=der.sequence(der.oid(oid)))
        refused(signed(spelt), Fault.SIGNATURE_ALGORITHM, oid)
    # ML-DSA of another level than the key.
    spelt = replace(info(author("mldsa65")), signature_identifier=author("mldsa44").scheme.identifier)
    spelt = resigned(
        author("mldsa65"),
        spelt,
        [each for each in attributes_of(spelt) if der.oid(attributes.ALGORITHM_PROTECTION) not in each],
    )
    refused(signed(spelt), Fault.SIGNATURE)


def test_unsigned_attributes() -> None:
    stamped = info(P256).stamped(der.sequence(der.null()))
    assert judged(signed(stamped)).token == der.sequence(der.null())
    unknown = replace(stamped, unsigned=der.set_of([_attribute("1.2.3.4", der.null())]))
    refused(signed(unknown), Fault.UNKNOWN_ATTRIBUTE, "1.2.3.4")
    two = replace(
        stamped, unsigned=der.set_of([_attribute(attributes.SIGNATURE_TIMESTAMP, der.null(), der.boolean(True))])
    )
    refused(signed(two), Fault.DUPLICATE_ATTRIBUTE)


def test_attached_content_is_carried() -> None:
    made = cms.encode([info(P256)], [certificate("p256")], content=CONTENT)
    assert cms.read(made).content == CONTENT
    assert cms.read(signed(info(P256))).content is None


def test_names_of_algorithms() -> None:
    names = {label: cms.algorithm_name(author(label).scheme.identifier) for label in LABELS}
    assert names["rsa"] == "RSA"
    assert names["mldsa65"] == "ML_DSA_65"
    assert names["ed25519"] == "ED25519"
    assert cms.algorithm_name(b"\x30") == "unreadable"
    assert isinstance(certificate("p256"), Certificate)
