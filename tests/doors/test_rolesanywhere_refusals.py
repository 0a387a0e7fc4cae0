"""Everything that CreateSession refuses: signatures, certificates, paths, and what the account does not want."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from doors.anywhere import END_ENTITY, TRUSTING, Outpost, Workload, crl, read, subject
from doors.pki import P256, P384, ForeignCa

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
BASIC, USAGE, PURPOSES = END_ENTITY


@pytest.fixture
def outpost(storage):
    return Outpost(storage)


@pytest.fixture
def ca(outpost):
    """A CA outside, trusted by a bundle: it signs what the private CA would not."""
    made = ForeignCa("Bundle", outpost.now)
    outpost.anchor = outpost.add_bundle(made.certificate)
    return made


def leaf(ca, name=None, *, extensions=END_ENTITY, key=P256, constraints=None, **more):
    return Workload(
        key,
        ca.sign(key.public_key(), name or subject(CN="leaf"), constraints=constraints, extensions=extensions, **more),
    )


def test_the_good_ones(outpost, ca):
    outpost.session(leaf(ca))


# -- signature -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"serial": 1}, "serial number"),
        ({"algorithm": "AWS4-X509-RSA-SHA256"}, "does not fit the key"),
        ({"algorithm": "AWS4-X509-MLDSA"}, "does not fit the key"),
        ({"service": "sts"}, "must be scoped to rolesanywhere/aws4_request"),
        ({"skip": ("host",)}, "'host' must be a signed header"),
        ({"skip": ("x-amz-date",)}, "'x-amz-date' must be a signed header"),
        ({"skip": ("x-amz-x509",)}, "'x-amz-x509' must be a signed header"),
    ],
)
def test_signatures_that_are_not_right(outpost, change, text):
    outpost.refuses(text, outpost.workload(), **change)


@pytest.mark.parametrize("minutes", [-16, 16])
def test_requests_out_of_their_time(outpost, minutes):
    outpost.refuses("within 15 minutes", outpost.workload(), at=outpost.now + timedelta(minutes=minutes))
    outpost.session(outpost.workload(), at=outpost.now + timedelta(minutes=14))


def test_a_chain_must_be_signed(outpost):
    workload = outpost.workload()
    workload.chain = [workload.certificate]
    outpost.refuses("'x-amz-x509-chain' must be a signed header", workload, skip=("x-amz-x509-chain",))


def test_a_request_that_was_changed_on_its_way(outpost):
    request = outpost.workload().request(outpost.arns(), {"durationSeconds": 900}, outpost.now)
    other = ForeignCa("Other", outpost.now)
    stolen = outpost.workload().request(outpost.arns(), {}, outpost.now)
    for changed in (
        replace(request, body=request.body.replace(b"900", b"901")),
        replace(request, raw_query=request.raw_query.replace(b"Worker", b"Master")),
        replace(request, headers=tuple((n, b"evil" if n == b"host" else v) for n, v in request.headers)),
        replace(
            request,
            headers=tuple((n, dict(stolen.headers)[n] if n == b"authorization" else v) for n, v in request.headers),
        ),
    ):
        status, answer = read(outpost.door.handle(changed))
        assert (status, answer["code"]) == (403, "AccessDeniedException"), answer
        assert "Invalid signature" in answer["message"]
    # Somebody else's key cannot use a certificate.
    outpost.refuses("Invalid signature", Workload(P384, outpost.workload().certificate))
    outpost.refuses("Invalid signature", Workload(other.key, outpost.workload().certificate))


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("authorization", None, 403, "MissingAuthenticationTokenException"),
        ("authorization", "", 403, "MissingAuthenticationTokenException"),
        ("authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e", 403, "IncompleteSignatureException"),
        ("authorization", "AWS4-X509-ECDSA-SHA384 x", 403, "IncompleteSignatureException"),
        ("authorization", "AWS4-X509-ECDSA-SHA256 Credential=1/2/3/4/5", 403, "IncompleteSignatureException"),
        (
            "authorization",
            "AWS4-X509-ECDSA-SHA256 Credential=ff/2/3/4/5, SignedHeaders=a, Signature=00",
            403,
            "IncompleteSignatureException",
        ),
        (
            "authorization",
            "AWS4-X509-ECDSA-SHA256 Credential=1/2/3/4/5, SignedHeaders=a, Signature=0",
            403,
            "IncompleteSignatureException",
        ),
        ("x-amz-date", "yesterday", 403, "IncompleteSignatureException"),
        ("x-amz-x509", None, 400, "ValidationException"),
        ("x-amz-x509", "!", 400, "ValidationException"),
        ("x-amz-x509", base64.b64encode(b"0\0").decode(), 400, "ValidationException"),
        ("x-amz-x509-chain", "AAAA,,", 400, "ValidationException"),
        ("x-amz-x509-chain", ",".join(["MAA="] * 6), 400, "ValidationException"),
    ],
)
def test_headers_that_cannot_be_read(outpost, header, value, status, code):
    request = outpost.workload().request(outpost.arns(), {}, outpost.now)
    kept = tuple(pair for pair in request.headers if pair[0] != header.encode())
    changed = kept if value is None else (*kept, (header.encode(), value.encode()))
    found, answer = read(outpost.door.handle(replace(request, headers=changed)))
    assert (found, answer["code"]) == (status, code), answer


@pytest.mark.parametrize(
    "body",
    [
        {"durationSeconds": 899},
        {"durationSeconds": 43201},
        {"durationSeconds": True},
        {"durationSeconds": "900"},
        {"roleSessionName": "x"},
        {"roleSessionName": "a b"},
        {"roleSessionName": 7},
        {"instanceProperties": []},
        {"instanceProperties": {"a": 1}},
        {"instanceProperties": {str(n): "x" for n in range(51)}},
        {"profileArn": "arn:aws:rolesanywhere:us-east-1:111122223333:profile/other"},
    ],
)
def test_parameters_that_are_not_right(outpost, body):
    status, answer = outpost.ask(outpost.workload(), body)
    assert (status, answer["code"]) == (400, "ValidationException"), answer


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'"x"', b"[" * 5000])
def test_bodies_that_are_not_json(outpost, body):
    request = replace(outpost.workload().request(outpost.arns(), {}, outpost.now), body=body)
    status, answer = read(outpost.door.handle(request))
    assert (status, answer["code"]) == (400, "SerializationException")


def test_arns_that_are_missing_or_of_other_things(outpost):
    workload = outpost.workload()
    for name, value in (("roleArn", outpost.ca), ("profileArn", outpost.anchor), ("trustAnchorArn", "x")):
        status, answer = outpost.ask(workload, **{name: value})
        assert (status, answer["code"]) == (400, "ValidationException"), answer
        assert f"'{name}'" in answer["message"]
    request = workload.request({}, {}, outpost.now)
    status, answer = read(outpost.door.handle(request))
    assert (status, answer["code"]) == (400, "ValidationException")
    assert answer["message"].startswith("3 validation errors detected: ")


def test_other_paths_and_methods(outpost):
    request = outpost.workload().request(outpost.arns(), {}, outpost.now)
    for changed, status in ((replace(request, method="GET"), 405), (replace(request, raw_path=b"/sessions/x"), 404)):
        assert read(outpost.door.handle(changed))[0] == status


# -- the certificate -----------------------------------------------------------------------------------------


def usage(**bits):
    names = "digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign"
    every = dict.fromkeys([*names.split(), "crl_sign", "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(**(every | bits)), True


@pytest.mark.parametrize(
    ("extensions", "text"),
    [
        ((USAGE, PURPOSES), "CA:FALSE"),
        (((x509.BasicConstraints(True, 0), True), USAGE, PURPOSES), "CA:FALSE"),
        ((BASIC, PURPOSES), "digitalSignature"),
        ((BASIC, usage(key_encipherment=True)), "digitalSignature"),
        ((BASIC, USAGE, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)), "clientAuth"),
        ((BASIC, USAGE, (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.37"), b"0\0"), False)), "be read"),
    ],
)
def test_end_entities_that_are_not_fit(outpost, ca, extensions, text):
    outpost.refuses("Untrusted certificate. Insufficient certificate", leaf(ca, extensions=extensions))
    outpost.refuses(text, leaf(ca, extensions=extensions))


@pytest.mark.parametrize("purposes", [None, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
def test_purposes_that_are_enough(outpost, ca, purposes):
    more = () if purposes is None else ((x509.ExtendedKeyUsage([purposes]), False),)
    outpost.session(leaf(ca, extensions=(BASIC, USAGE, *more)))


def test_names_that_make_no_session(outpost, ca):
    outpost.refuses("no common name", leaf(ca, subject(O="Example")))
    outpost.refuses("no common name", leaf(ca, subject(CN=" ")))
    outpost.refuses("source identity", leaf(ca, subject(CN="a\nb")))
    long = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://x/" + "a" * 250)])
    outpost.refuses("x509SAN/URI has more than 256", leaf(ca, extensions=(*END_ENTITY, (long, False))))


def test_keys_that_are_not_supported(outpost, ca):
    for key in (ec.generate_private_key(ec.SECP224R1()), rsa.generate_private_key(65537, 1024)):
        outpost.refuses("unsupported kind or size", leaf(ca, key=key))


def test_weak_hashes(outpost, ca):
    builder = (
        x509.CertificateBuilder(subject_name=subject(CN="old"), issuer_name=ca.name, public_key=P256.public_key())
        .serial_number(7)
        .not_valid_before(outpost.now - timedelta(days=1))
        .not_valid_after(outpost.now + timedelta(days=1))
    )
    for extension, critical in END_ENTITY:
        builder = builder.add_extension(extension, critical)
    outpost.refuses("Untrusted signing certificate", Workload(P256, builder.sign(ca.key, hashes.SHA224())))


def test_certificates_out_of_their_time(outpost, ca):
    outpost.refuses("certificate 0 (CN=leaf) expired 2", leaf(ca, until=timedelta(seconds=-1)))
    young = leaf(ca)
    outpost.clock.advance(timedelta(days=3660))
    outpost.refuses(") expired 2", young)


# -- the path ------------------------------------------------------------------------------------------------


def test_strangers(outpost, ca):
    same_name = ForeignCa("Bundle", outpost.now)
    same_name.key = P384
    outpost.refuses("Untrusted signing certificate", leaf(same_name))
    outpost.refuses("Untrusted signing certificate", leaf(ForeignCa("Stranger", outpost.now)))
    # A certificate that signs itself is nobody's but its own.
    itself = ForeignCa("Self", outpost.now)
    outpost.refuses("CA:FALSE", Workload(itself.key, itself.certificate, [itself.certificate]))


def test_intermediates_that_may_not_certify(outpost, ca):
    usual = (x509.BasicConstraints(True, None), True)
    for options, text in (
        ({"constraints": None}, "(CN=Middle CA) is not the certificate of a CA"),
        ({"constraints": usual, "extensions": (USAGE,)}, "does not allow signing certificates"),
        ({"constraints": usual, "until": timedelta(seconds=-1)}, "certificate 1 (CN=Middle CA) expired 2"),
        (
            {
                "constraints": usual,
                "extensions": ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), True),),
            },
            "critical extension 1.2.3",
        ),
    ):
        middle = ForeignCa("Middle CA", outpost.now, ca, **options)
        workload = leaf(middle)
        workload.chain = [middle.certificate]
        outpost.refuses(text, workload)


def test_path_length_and_name_constraints(outpost):
    top = ForeignCa("Top", outpost.now, constraints=(x509.BasicConstraints(True, 0), True))
    middle = ForeignCa("Middle CA", outpost.now, top)
    outpost.anchor = outpost.add_bundle(top.certificate)
    workload = leaf(middle)
    workload.chain = [middle.certificate]
    outpost.refuses("path length", workload)
    outpost.session(leaf(top))

    permitted = x509.NameConstraints([x509.DirectoryName(subject(O="Example"))], None)
    bound = ForeignCa("Bound CA!", outpost.now, extensions=((permitted, True),))
    outpost.anchor = outpost.add_bundle(bound.certificate)
    outpost.session(leaf(bound, subject(O="Example", CN="x")))
    outpost.refuses("name constraints", leaf(bound, subject(O="Else", CN="x")))
    outpost.refuses("name constraints", leaf(bound, subject(CN="x")))


def test_many_cas_that_certify_each_other(outpost, ca):
    """A web of cross-certificates is walked in bounded time and ends in a refusal."""
    web = [ForeignCa("Web", outpost.now, until=timedelta(days=n + 1)) for n in range(5)]
    workload = leaf(web[0])
    workload.chain = [each.certificate for each in web]
    outpost.refuses("Untrusted signing certificate", workload)


def test_certificates_that_were_revoked(outpost, ca):
    outpost.clock.advance(timedelta(days=1))
    one, other = leaf(ca, subject(CN="one")), leaf(ca, subject(CN="other"), extensions=(BASIC, USAGE))
    assert one.certificate.serial_number != other.certificate.serial_number
    made = outpost.control.import_crl(
        name="revoked",
        crlData=crl(ca, outpost.now, one.certificate.serial_number),
        trustAnchorArn=outpost.anchor,
    )
    crl_id = made["crl"]["crlId"]
    assert made["crl"]["enabled"] is False
    outpost.session(one)
    outpost.control.enable_crl(crlId=crl_id)
    outpost.refuses("Untrusted certificate. Revoked certificate.", one)
    outpost.session(other)
    outpost.clock.advance(timedelta(days=30))
    outpost.refuses("Revoked", one)
    outpost.control.update_crl(crlId=crl_id, crlData=crl(ca, outpost.now))
    outpost.session(one)
    outpost.control.update_crl(crlId=crl_id, crlData=crl(ca, outpost.now, one.certificate.serial_number))
    outpost.refuses("Revoked", one)
    # Another anchor of the same CA has its own lists.
    outpost.session(one, trustAnchorArn=outpost.add_bundle(ca.certificate))
    outpost.control.delete_crl(crlId=crl_id)
    outpost.session(one)


# -- what the account wants ----------------------------------------------------------------------------------


def test_disabled_anchors_and_profiles(outpost):
    workload = outpost.workload()
    anchor_id, profile_id = (arn.rpartition("/")[2] for arn in (outpost.anchor, outpost.profile))
    outpost.control.disable_trust_anchor(trustAnchorId=anchor_id)
    outpost.refuses("is disabled", workload)
    outpost.control.enable_trust_anchor(trustAnchorId=anchor_id)
    outpost.control.disable_profile(profileId=profile_id)
    outpost.refuses("is disabled", workload)
    outpost.control.enable_profile(profileId=profile_id)
    outpost.session(workload)
    outpost.control.delete_trust_anchor(trustAnchorId=anchor_id)
    status, answer = outpost.ask(workload)
    assert (status, answer["code"]) == (404, "ResourceNotFoundException")


def test_anchors_and_profiles_elsewhere(outpost):
    workload = outpost.workload()
    abroad = outpost.installation.client("rolesanywhere", region="eu-central-1")
    profile = abroad.create_profile(name="p", roleArns=[outpost.role], enabled=True)["profile"]["profileArn"]
    for arns in (
        {"profileArn": profile},
        {"profileArn": outpost.profile.replace("111122223333", "444455556666")},
        {"trustAnchorArn": outpost.anchor.replace("111122223333", "444455556666")},
        {"trustAnchorArn": outpost.anchor.replace("us-east-1", "eu-central-1")},
    ):
        status, answer = outpost.ask(workload, **arns)
        assert (status, answer["code"]) == (404, "ResourceNotFoundException"), answer
    # The region that is signed for must be the anchor's.
    workload.region = "eu-central-1"
    assert outpost.ask(workload)[0] == 404


def test_roles_that_may_not_be_assumed(outpost):
    workload = outpost.workload()
    unlisted = outpost.add_role("Unlisted")
    outpost.refuses(f"Unable to assume role for {unlisted}", workload, roleArn=unlisted)
    missing = unlisted.replace("Unlisted", "Missing")
    profile = outpost.add_profile(roleArns=[missing])
    outpost.refuses(f"Unable to assume role for {missing}", workload, roleArn=missing, profileArn=profile)
    untrusting = {"Principal": {"Service": "ec2.amazonaws.com"}}
    role = outpost.add_role("Untrusting", {**TRUSTING, "Statement": {**TRUSTING["Statement"], **untrusting}})
    profile = outpost.add_profile(roleArns=[role])
    outpost.refuses(f"Unable to assume role for {role}", workload, roleArn=role, profileArn=profile)


def test_a_private_ca_that_is_gone(outpost):
    workload = outpost.workload()
    outpost.set_status(outpost.ca, "DISABLED")
    outpost.session(workload)
    outpost.delete(outpost.ca)
    outpost.refuses("has no certificate", workload)


def test_refusals_are_recorded_of_trusted_certificates(outpost):
    """A stranger, who needs no more than the ARN of an anchor, cannot fill the trail."""
    workload = outpost.workload()
    request = workload.request(outpost.arns(), {}, outpost.now)
    outpost.door.handle(replace(request, headers=tuple(p for p in request.headers if p[0] != b"authorization")))
    outpost.ask(workload, trustAnchorArn=outpost.anchor[:-1] + "x")
    outpost.ask(workload, roleArn=outpost.role + "x")
    recorded = outpost.storage.read(lambda tx: outpost.installation.rooms.audit.recent(tx, "111122223333", 99))
    refused = [each for each in recorded if each.operation == "rolesanywhere:CreateSession"]
    assert [each.error_code for each in refused] == ["AccessDenied"]
    assert json.dumps(refused[0].resources) == json.dumps([outpost.anchor, outpost.profile, outpost.role + "x"])
