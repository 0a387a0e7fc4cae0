"""A reader's checks in their order, each with its own reason; and an independent reader of the same documents."""

from dataclasses import replace
from datetime import timedelta

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from isomdoc import verify_device_response

from greatseal.crypto import cose
from greatseal.crypto.cbor import Tagged, decode, encode
from greatseal.mdoc import (
    DOC_TYPE,
    NAMESPACE,
    Accepted,
    CannotIssue,
    Code,
    ElementRefused,
    MalformedDocument,
    Refused,
    prepare,
    read_documents,
    verify,
)
from greatseal.x509.extensions import Extension, extended_key_usage
from greatseal.x509.mdl_profiles import DOCUMENT_SIGNING
from greatseal.x509.revocation import Material
from made_certificates import ALGORITHM, NOW, Order, signer
from made_mdl import IACA, SIGNER, issued, licence, order, question, randoms, subject
from made_revocation import crl


def judged(data: bytes, **changes: object) -> object:
    [document] = read_documents(data)
    return verify(document, question(**changes))


def refused(data: bytes, code: Code, text: str = "", **changes: object) -> Refused:
    found = judged(data, **changes)
    assert isinstance(found, Refused), found
    assert found.code is code, found
    assert text in found.sentence, found
    return found


def altered(change) -> bytes:
    """A good document whose decoded form was changed, but not signed again."""
    tree = decode(issued())
    change(tree)
    return encode(tree)


def test_a_good_document():
    found = judged(issued())
    assert isinstance(found, Accepted)
    assert found.deviations == ()
    assert {each.item.identifier: each.item.value for each in found.document.items[NAMESPACE]} == licence()
    assert found.document.security.device_key == signer("device").spki
    assert found.path == (SIGNER.sign(), IACA.sign())


@pytest.mark.parametrize("algorithm", ["SHA-256", "SHA-384", "SHA-512"])
def test_every_digest_algorithm(algorithm):
    assert isinstance(judged(issued(order(digest_algorithm=algorithm))), Accepted)


def test_digest_numbers_tell_nothing_of_what_is_not_shown():
    first, second = (read_documents(issued(order(), SIGNER))[0] for _ in range(2))
    assert first.items == second.items  # the same randoms
    names = [each.item.identifier for each in first.items[NAMESPACE]]
    assert names != sorted(names)
    assert names != list(licence())


def test_any_flipped_bit_fails():
    data = issued()
    for at in range(0, len(data) * 8, 7):
        flipped = bytearray(data)
        flipped[at // 8] ^= 1 << at % 8
        try:
            documents = read_documents(bytes(flipped))
        except MalformedDocument:
            continue
        assert not any(isinstance(verify(each, question()), Accepted) for each in documents), at


def test_a_flipped_element_is_named():
    def flip(tree):
        items = tree["nameSpaces"][NAMESPACE]
        at = next(n for n, each in enumerate(items) if b"given_name" in each.value)
        items[at] = Tagged(24, items[at].value.replace(b"John", b"Joan"))

    found = refused(altered(flip), Code.DIGEST, "nothing in the document is trusted")
    assert found.element == f"{NAMESPACE}/given_name"


def test_digests_are_over_what_was_received():
    """A length in more octets than needed is the same value, and not what the issuer hashed."""
    data = issued()
    [document] = read_documents(data)
    raw = min((each.raw for each in document.items[NAMESPACE]), key=len)
    assert raw[:3] == b"\xd8\x18\x58"
    longer = data.replace(raw, b"\xd8\x18\x59\x00" + raw[3:])
    assert len(longer) == len(data) + 1
    refused(longer, Code.DIGEST, "is not the one that was signed")


def test_an_item_that_was_never_signed():
    def add(tree):
        tree["nameSpaces"]["com.example"] = tree["nameSpaces"][NAMESPACE][:1]

    refused(altered(add), Code.DIGEST, "has no digest in the security object")


def test_items_may_be_left_out():
    def only_one(tree):
        items = tree["nameSpaces"][NAMESPACE]
        tree["nameSpaces"][NAMESPACE] = [each for each in items if b"age_over_18" in each.value]

    found = judged(altered(only_one))
    assert isinstance(found, Accepted)
    assert [each.item.identifier for each in found.document.items[NAMESPACE]] == ["age_over_18"]


def test_other_roots():
    refused(issued(), Code.UNTRUSTED, "of which no certificate was given", roots=[Order("other", ca=True).sign()])


def test_a_wrong_signature():
    other = issued(order(valid_until=NOW + timedelta(days=10)))

    def swap(tree):
        tree["issuerAuth"][3] = decode(other)["issuerAuth"][3]

    refused(altered(swap), Code.SIGNATURE, "signature over the document is wrong")


def test_the_algorithm_cannot_be_changed():
    def swap(tree):
        tree["issuerAuth"][0] = encode({1: -35})

    refused(altered(swap), Code.SIGNATURE, "ES384 does not go with the signer's key")


def test_doc_types():
    other = issued(order({"com.example": {"x": 1}}, doc_type="com.example.card"))
    refused(other, Code.DOC_TYPE, "'com.example.card', not 'org.iso.18013.5.1.mDL'")
    assert isinstance(judged(other, doc_type="com.example.card"), Accepted)
    outer = encode({"docType": DOC_TYPE, "issuerSigned": decode(other)})
    refused(outer, Code.DOC_TYPE, "outside", doc_type="com.example.card")


def test_before_and_after():
    data = issued(order(valid_from=NOW + timedelta(days=1)))
    refused(data, Code.NOT_YET_VALID, "not valid before 2026-07-02T12:00:00Z")
    refused(data, Code.EXPIRED, "expired 2026-07-31T12:00:00Z", at=NOW + timedelta(days=31))
    # The last second is inside; a document outlives its signer's certificate in the reader's eyes.
    assert isinstance(judged(data, at=NOW + timedelta(days=30, microseconds=5)), Accepted)


def test_signed_outside_the_signers_validity():
    short = SIGNER.but(not_before=NOW - timedelta(days=100), not_after=NOW - timedelta(days=50))
    prepared = prepare(
        order(
            signed=NOW - timedelta(days=60), valid_from=NOW - timedelta(days=60), valid_until=NOW - timedelta(days=51)
        ),
        (short.sign(),),
        randoms(),
    )
    late = replace(
        prepared,
        payload=prepare(order(), (SIGNER.sign(),), randoms()).payload,
    )
    data = late.finish(signer(SIGNER.label).sign(late.to_be_signed, ALGORITHM))
    refused(data, Code.SIGNER_VALIDITY, "expired 2026-05-12T12:00:00Z")


def test_revoked_and_unknown_signers():
    data = issued()
    good = crl(IACA)
    assert isinstance(judged(data, material=Material((good,))), Accepted)
    refused(data, Code.REVOKED, "was revoked", material=Material((crl(IACA, (SIGNER.serial, 1)),)))
    stale = Material((good,))
    refused(data, Code.REVOCATION_UNKNOWN, "unknown revocation", material=stale, at=NOW + timedelta(days=25))


def test_profiles_are_demanded_and_can_be_tolerated():
    soft = SIGNER.but(add=tuple(_uncritical(each) for each in SIGNER.add))
    data = issued(paper=soft)
    refused(data, Code.PROFILE, "ExtendedKeyUsage that is not critical")
    found = judged(data, tolerate_deviations=True)
    assert isinstance(found, Accepted)
    assert len(found.deviations) == 1


def _uncritical(extension: Extension) -> Extension:
    return extended_key_usage([DOCUMENT_SIGNING]) if extension.oid == "2.5.29.37" else extension


def test_another_purpose_is_never_tolerated():
    other = SIGNER.but(add=(extended_key_usage(["1.3.6.1.5.5.7.3.3"], critical=True),))
    data = issued(paper=other)
    refused(data, Code.SIGNER_USAGE, "not for signing documents", tolerate_deviations=True)


def test_the_country_is_that_of_the_signer():
    elsewhere = SIGNER.but(subject=subject("signer", "CA"))
    made = prepare(order(), (SIGNER.sign(),), randoms())
    forged = replace(made, chain=(elsewhere.sign().der,))
    data = forged.finish(signer(SIGNER.label).sign(forged.to_be_signed, ALGORITHM))
    refused(data, Code.COUNTRY, "issuing_country is 'US'", tolerate_deviations=True)
    state = SIGNER.but(subject=subject("signer", "US", "US-NV"))
    forged = replace(made, chain=(state.sign().der,))
    data = forged.finish(signer(SIGNER.label).sign(forged.to_be_signed, ALGORITHM))
    refused(data, Code.COUNTRY, "issuing_jurisdiction is 'US-CA'", tolerate_deviations=True)


NOT_ISSUED = [
    ({"valid_until": NOW + timedelta(days=457)}, "validUntil is after the document signer ends"),
    ({"valid_until": NOW}, "validUntil is not after validFrom"),
    ({"valid_from": NOW - timedelta(seconds=1)}, "validFrom is before the time of signing"),
    ({"signed": NOW - timedelta(days=2)}, "outside the validity of the document signer"),
    ({"namespaces": {NAMESPACE: licence(issuing_country="CA")}}, "issuing_country is CA, the document signer is of US"),
    ({"namespaces": {NAMESPACE: licence(issuing_jurisdiction="US-NV")}}, "issuing_jurisdiction is US-NV"),
    ({"digest_algorithm": "SHA-1"}, "SHA-1 is not a digest algorithm"),
]


@pytest.mark.parametrize(("changes", "reason"), NOT_ISSUED)
def test_what_a_reader_would_refuse_is_not_issued(changes, reason):
    with pytest.raises(CannotIssue, match=reason):
        issued(order(**changes))


def test_no_elements():
    with pytest.raises(ElementRefused, match="no elements"):
        issued(order({}))


def test_a_signature_by_another_key_goes_nowhere():
    with pytest.raises(CannotIssue, match="not made by the document signer's key"):
        issued(key_of="somebody else")
    with pytest.raises(CannotIssue, match="cannot be used"):
        prepare(order(), (SIGNER.sign(),), randoms()).finish(b"junk")


MALFORMED = [
    (lambda tree: tree.pop("issuerAuth"), "nameSpaces and issuerAuth"),
    (lambda tree: tree.update(more=1), "nameSpaces and issuerAuth"),
    (lambda tree: tree.update(nameSpaces=5), "nameSpaces is not a map"),
    (lambda tree: tree.update(nameSpaces={NAMESPACE: 5}), "a list of items"),
    (lambda tree: tree["nameSpaces"][NAMESPACE].append(tree["nameSpaces"][NAMESPACE][0]), "twice"),
    (lambda tree: tree["issuerAuth"][1].update({33: b"junk"}), "certificate that cannot be read"),
    (lambda tree: tree["issuerAuth"].__setitem__(2, b"\x01"), "under tag 24"),
]


@pytest.mark.parametrize(("change", "reason"), MALFORMED)
def test_malformed_documents(change, reason):
    with pytest.raises(MalformedDocument, match=reason):
        read_documents(altered(change))


def changed_security(**changes: object) -> bytes:
    prepared = prepare(order(), (SIGNER.sign(),), randoms())
    inner = decode(decode(prepared.payload).value)
    inner.update(changes)
    return encode(Tagged(24, encode({k: v for k, v in inner.items() if v is not None})))


SECURITY = [
    ({"version": "2.0"}, "another version than 1"),
    ({"digestAlgorithm": "SHA-1"}, "none of SHA-256"),
    ({"docType": None}, "no docType"),
    ({"valueDigests": {NAMESPACE: {0: bytes(31)}}}, "not 32 octets"),
    ({"valueDigests": {1: {}}}, "namespace that is not text"),
    ({"valueDigests": 5}, "valueDigests is missing or not a map"),
    ({"deviceKeyInfo": {}}, "device key that cannot be used"),
    ({"validityInfo": {}}, "signed is not a time"),
    ({"validityInfo": {"signed": Tagged(0, "2026-07-01T12:00:00.5Z")}}, "signed is not a time"),
    ({"validityInfo": {"signed": Tagged(1, 5)}}, "signed is not a time"),
]


@pytest.mark.parametrize(("changes", "reason"), SECURITY)
def test_malformed_security_objects(changes, reason):
    payload = changed_security(**changes)
    with pytest.raises(MalformedDocument, match=reason):
        read_documents(altered(lambda tree: tree["issuerAuth"].__setitem__(2, payload)))


def response(issuer_signed: bytes) -> bytes:
    """What a wallet sends: the document with the device's own signature (ISO/IEC 18013-5 9.1.3)."""
    key = ec.derive_private_key(int.from_bytes(b"device".ljust(16, b"\1"), "big") + 2**200, ec.SECP256R1())
    empty = cbor2.CBORTag(24, cbor2.dumps({}))
    to_sign = cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(["DeviceAuthentication", TRANSCRIPT, DOC_TYPE, empty])))
    protected = cbor2.dumps({1: -7})
    r, s = decode_dss_signature(
        key.sign(cbor2.dumps(["Signature1", protected, b"", to_sign]), ec.ECDSA(hashes.SHA256()))
    )
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    device = {"nameSpaces": empty, "deviceAuth": {"deviceSignature": [protected, {}, None, signature]}}
    document = {"docType": DOC_TYPE, "issuerSigned": cbor2.loads(issuer_signed), "deviceSigned": device}
    return cbor2.dumps({"version": "1.0", "documents": [document], "status": 0})


TRANSCRIPT = [None, None, ["handover", bytes(10)]]


def test_an_independent_reader_accepts_what_is_issued():
    sent = response(issued())
    [document] = verify_device_response(sent, TRANSCRIPT).documents
    assert document.doctype == DOC_TYPE
    assert document.issuer_signed.get_element_value(NAMESPACE, "family_name") == "Doe"
    assert document.issuer_signed.get_element_value(NAMESPACE, "height") == 183
    spki = document.issuer_signed.device_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert spki == signer("device").spki
    # And ours reads the same answer.
    assert isinstance(judged(sent), Accepted)


def test_device_keys_survive_cose():
    assert cose.read_cose_key(cose.cose_key(signer("device").spki)) == signer("device").spki
