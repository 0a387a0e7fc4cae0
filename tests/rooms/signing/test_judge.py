"""Whose signature over what, when: signers, paths, timestamps and revocation (workflows.md 7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from greatseal.domain.signing import Judge, Needed, SignedReport, Trust
from greatseal.x509 import cms
from greatseal.x509.cms import Digest, SignerInfo
from greatseal.x509.crl_write import encode_entry
from greatseal.x509.extensions import OID, extended_key_usage
from greatseal.x509.path import Purpose
from greatseal.x509.revocation import Material, Mode
from greatseal.x509.timestamp import Imprint, TstInfo
from made_certificates import NOW, ROOT, SUBORDINATE, Order
from made_revocation import crl
from made_signed import (
    CONTENT,
    DIGESTS,
    author,
    certificate,
    info,
    key,
    order,
    root,
    signed,
    subordinate,
    token,
    tsa_order,
)

DAY = timedelta(days=1)
TRUST = Trust(anchors=(root(),), at=NOW)


def judged(*infos: SignerInfo, trust: Trust = TRUST, **more: object) -> SignedReport:
    return Judge(trust).signed(cms.read(signed(*infos, **more)), DIGESTS)  # type: ignore[arg-type]


def code(report: SignedReport) -> str:
    return "good" if report.problem is None else report.problem.code


def by(made: Order, label: str = "p256") -> bytes:
    """A file by a key whose certificate is this."""
    own = made.sign()
    scheme = cms.scheme_for(own.spki)
    signer = cms.sign(own, scheme, DIGESTS[scheme.digest], lambda octets: key(label).sign(octets, scheme.effective))
    return cms.encode([signer], [own, subordinate()])


def judge_by(made: Order, **trust: object) -> SignedReport:
    return Judge(replace(TRUST, **trust)).signed(cms.read(by(made)), DIGESTS)  # type: ignore[arg-type]


def test_a_signer_under_the_root_is_good() -> None:
    report = judged(info(author("p256")))
    assert report.good
    (signer,) = report.signers
    assert signer.name == "CN=p256"
    assert (signer.algorithm, signer.digest, signer.says) == ("SHA256WITHECDSA", "SHA256", NOW)
    assert signer.judged_at == NOW
    assert not signer.post_quantum


def test_the_root_must_be_given() -> None:
    other = Order("elsewhere", ca=True).sign()
    report = judged(info(author("p256")), trust=replace(TRUST, anchors=(other,)))
    assert code(report) == "no-issuer"
    inside = cms.encode([info(author("p256"))], [certificate("p256"), subordinate(), root()])
    assert code(Judge(replace(TRUST, anchors=(other,))).signed(cms.read(inside), DIGESTS)) == "no-issuer"
    # With the root inside, as the sample's own files have it (workflows.md 7).
    assert Judge(TRUST).signed(cms.read(inside), DIGESTS).good


def test_certificates_may_be_given_beside() -> None:
    bare = cms.read(cms.encode([info(author("p256"))], []))
    assert code(Judge(TRUST).signed(bare, DIGESTS)) == "no-certificate"
    beside = replace(TRUST, intermediates=(certificate("p256"), subordinate()))
    assert Judge(beside).signed(bare, DIGESTS).good


def test_usages_that_do_not_fit() -> None:
    assert code(judge_by(order("p256", purpose=OID.SERVER_AUTH))) == "purpose"
    assert judge_by(order("p256", purpose=OID.SERVER_AUTH), purpose=Purpose.ANY).good
    assert code(judge_by(order("p256").but(add=()))) == "purpose"
    from greatseal.x509.extensions import key_usage

    usages = (key_usage(("KeyEncipherment",)), extended_key_usage([OID.CODE_SIGNING]))
    assert code(judge_by(order("p256").but(add=usages))) == "key-usage"
    leaf = order("p384")
    assert code(judge_by(order("p256", issuer=leaf.but(issuer=SUBORDINATE)))) in ("no-issuer", "not-a-ca")


@pytest.mark.parametrize("needed", list(Needed))
def test_who_must_be_good(needed: Needed) -> None:
    classical, quantum = info(author("p256")), info(author("mldsa65"))
    trust = replace(TRUST, needed=needed)
    assert judged(classical, quantum, trust=trust).good
    broken = {
        "classical": (replace(classical, signature=classical.signature[:-1] + b"\0"), quantum),
        "quantum": (classical, replace(quantum, signature=bytes(3309))),
    }
    expected = {
        Needed.ALL: (False, False),
        Needed.ANY: (True, True),
        Needed.CLASSICAL: (False, True),
        Needed.POST_QUANTUM: (True, False),
        Needed.BOTH: (False, False),
    }[needed]
    found = tuple(judged(*broken[kind], trust=trust).good for kind in ("classical", "quantum"))
    assert found == expected


def test_the_bad_signer_is_named() -> None:
    classical, quantum = info(author("p256")), info(author("mldsa65"))
    report = judged(classical, replace(quantum, signature=bytes(3309)))
    assert report.problem is not None
    assert report.problem.sentence.endswith(
        "(CN=mldsa65): the signature was not made by the key of the signer's certificate"
    )
    only = judged(classical, trust=replace(TRUST, needed=Needed.POST_QUANTUM))
    assert code(only) == "no-such-signer"


def test_attached_content_is_not_taken() -> None:
    assert code(judged(info(author("p256")), content=CONTENT)) == "content"


def test_a_signing_time_in_the_future() -> None:
    assert judged(info(author("p256"), at=NOW + timedelta(minutes=4))).good
    assert code(judged(info(author("p256"), at=NOW + timedelta(minutes=6)))) == "signing-time"
    assert judged(info(author("p256"), at=None)).good


# Timestamps.

LATER = replace(TRUST, at=NOW + 700 * DAY, anchors=(ROOT.but(not_after=NOW + 5000 * DAY).sign(),))


def stamped(**more: object) -> SignerInfo:
    made = info(author("p256"))
    return made.stamped(token(made.signature, **more))  # type: ignore[arg-type]


def test_a_timestamp_outlives_the_signer() -> None:
    plain = judged(info(author("p256")), trust=LATER)
    assert code(plain) == "expired"
    report = judged(stamped(), trust=LATER)
    assert report.good, report.problem
    stamp = report.signers[0].stamp
    assert stamp is not None
    assert (stamp.at, stamp.authority) == (NOW, "CN=p384-tsa")
    assert report.signers[0].judged_at == NOW


def test_a_timestamp_after_the_end_does_not_help() -> None:
    assert code(judged(stamped(at=NOW + 400 * DAY, authority=tsa_order().but(issuer=ROOT)), trust=LATER)) == "expired"


def test_a_timestamp_may_be_required() -> None:
    trust = replace(TRUST, needs_stamp=True)
    assert code(judged(info(author("p256")), trust=trust)) == "no-timestamp"
    assert judged(stamped(), trust=trust).good


def test_timestamps_that_are_wrong() -> None:
    assert code(judged(stamped(at=NOW + timedelta(minutes=6)))) == "timestamp-future"
    made = info(author("p256"))
    other = made.stamped(token(b"another signature"))
    assert code(judged(other)) == "timestamp"
    assert code(judged(made.stamped(signed(made)))) == "timestamp"
    assert code(judged(stamped(bind=False))) == "timestamp"
    weak = TstInfo("1.2.3.4", Imprint(bytes.fromhex("300706052b0e03021a"), bytes(20)), 7, NOW)
    assert code(judged(stamped(over=weak))) == "timestamp-weak-digest"
    short = TstInfo("1.2.3.4", Imprint(Digest.SHAKE256.identifier, bytes(32)), 7, NOW)
    assert code(judged(stamped(over=short))) == "timestamp-digest-length"
    whole = token(made.signature)
    assert code(judged(made.stamped(whole[:-1] + bytes((whole[-1] ^ 1,))))) == "timestamp-signature"


def test_timestamps_by_whom_nobody_trusts() -> None:
    stranger = tsa_order().but(issuer=Order("stranger", ca=True))
    assert code(judged(stamped(authority=stranger))) == "timestamp-no-issuer"
    anchors = replace(TRUST, stamp_anchors=(Order("stranger", ca=True).sign(),))
    assert judged(stamped(authority=stranger), trust=anchors).good
    assert code(judged(stamped(), trust=anchors)) == "timestamp-no-issuer"
    for bad in (
        order("p384-tsa"),
        order("p384-tsa", purpose=OID.TIME_STAMPING, critical=False),
        order("p384-tsa").but(add=(replace(extended_key_usage([OID.TIME_STAMPING, OID.CODE_SIGNING]), critical=True),)),
    ):
        assert code(judged(stamped(authority=bad))) == "timestamp-purpose"
    ended = tsa_order().but(not_after=NOW - timedelta(hours=1))
    assert code(judged(stamped(authority=ended))) == "timestamp-expired"


# Revocation. The list says NOW - 1 hour.

SERIAL = order("p256").serial
TSA_SERIAL = tsa_order().serial


def lists(*entries: bytes, trust: Trust = TRUST) -> Trust:
    material = Material(lists=(crl(SUBORDINATE, entries=entries), crl(ROOT)))
    return replace(trust, mode=Mode.HARD_FAIL, material=material)


def test_a_revoked_signer_without_timestamp() -> None:
    assert judged(info(author("p256")), trust=lists()).good
    assert code(judged(info(author("p256")), trust=lists(encode_entry(SERIAL, NOW - DAY, 1)))) == "revoked"


def test_a_revoked_signer_with_timestamp() -> None:
    before = stamped(at=NOW - timedelta(hours=12))
    assert judged(before, trust=lists()).good
    # Revoked after the signature was stamped, for whatever reason: it was good when it was made.
    report = judged(before, trust=lists(encode_entry(SERIAL, NOW - timedelta(hours=2), 1)))
    assert report.good, report.problem
    assert code(judged(before, trust=lists(encode_entry(SERIAL, NOW - timedelta(hours=13), 1)))) == "revoked"
    assert (
        code(judged(info(author("p256")), trust=lists(encode_entry(SERIAL, NOW - timedelta(hours=2), 1)))) == "revoked"
    )


def test_a_revoked_authority() -> None:
    before = stamped(at=NOW - timedelta(hours=12))
    superseded = encode_entry(TSA_SERIAL, NOW - timedelta(hours=2), 4)
    compromised = encode_entry(TSA_SERIAL, NOW - timedelta(hours=2), 1)
    assert judged(before, trust=lists(superseded)).good
    assert code(judged(before, trust=lists(compromised))) == "timestamp-revoked"


def test_nobody_knows() -> None:
    assert code(judged(info(author("p256")), trust=replace(TRUST, mode=Mode.HARD_FAIL))) == "revocation-unknown"
    assert judged(info(author("p256")), trust=replace(TRUST, mode=Mode.SOFT_FAIL)).good


def test_both_kinds_can_be_demanded() -> None:
    classical, quantum = info(author("p256")), info(author("mldsa65"))
    both = replace(TRUST, needed=Needed.BOTH)
    assert judged(classical, quantum, trust=both).good
    # Whoever breaks one of the two takes the other signer out, which `all` does not see.
    assert judged(classical).good
    for alone, missing in ((classical, "post-quantum"), (quantum, "classical")):
        refused = judged(alone, trust=both)
        assert code(refused) == "no-such-signer"
        assert refused.problem is not None
        assert refused.problem.sentence == f"no {missing} key signed it"
    bad = replace(quantum, signature=bytes(len(quantum.signature)))
    assert code(judged(classical, bad, trust=both)) == "signature"


def test_the_last_second_of_the_calendar() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    good = info(author("p256"))
    assert code(judged(good, trust=replace(TRUST, at=end))) == "expired"
    stamped = good.stamped(token(good.signature))
    assert judged(stamped, trust=replace(TRUST, at=end)).good
