"""CreateSession end to end: certificates of a private CA and of a bundle become sessions (iam.md 11.2)."""

import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import mldsa

from doors.anywhere import END_ENTITY, TRUSTING, Outpost, Workload, subject
from doors.pki import MLDSA65, P256, P384, ForeignCa, csr, rsa_key

sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
SPIFFE = "spiffe://example.com/app"


@pytest.fixture
def outpost(storage):
    return Outpost(storage)


@pytest.mark.parametrize("in_body", [False, True])
def test_a_session_that_works(outpost, in_body):
    workload = outpost.workload()
    workload.in_body = in_body
    answer = outpost.session(workload)
    (given,) = answer["credentialSet"]
    serial = f"{workload.certificate.serial_number:x}"
    serial = serial if len(serial) % 2 == 0 else f"0{serial}"
    role_id = given["assumedRoleUser"]["assumedRoleId"].partition(":")[0]
    assert role_id.startswith("AROA")
    assert given["assumedRoleUser"] == {
        "arn": f"arn:aws:sts::111122223333:assumed-role/Worker/{serial}",
        "assumedRoleId": f"{role_id}:{serial}",
    }
    assert given["roleArn"] == outpost.role
    assert given["sourceIdentity"] == "app.example.com"
    assert given["credentials"]["expiration"] == (outpost.now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert given["credentials"]["accessKeyId"].startswith("ASIA")
    assert 0 < given["packedPolicySize"] <= 100
    pca = outpost.client_of(answer, "acm-pca")
    assert pca.describe_certificate_authority(CertificateAuthorityArn=outpost.ca)
    identity = outpost.client_of(answer, "sts").get_caller_identity()
    assert identity["Arn"] == given["assumedRoleUser"]["arn"]
    assert identity["UserId"] == given["assumedRoleUser"]["assumedRoleId"]


@sqlite
@pytest.mark.parametrize(
    ("ca_key", "key"),
    [("EC_secp384r1", P384), ("ML_DSA_65", MLDSA65), ("RSA_2048", None), ("ML_DSA_65", P256)],
    ids=["p384", "ml-dsa-65", "rsa", "p256 below ml-dsa"],
)
def test_keys_of_all_kinds(storage, ca_key, key):
    outpost = Outpost(storage, key=ca_key)
    outpost.session(outpost.workload(key or rsa_key()))


@sqlite
@pytest.mark.parametrize("make", [mldsa.MLDSA44PrivateKey, mldsa.MLDSA87PrivateKey])
def test_other_sets_of_ml_dsa(outpost, make):
    key = make.from_seed_bytes(bytes(32))
    ca = ForeignCa("Bundle", outpost.now)
    anchor = outpost.add_bundle(ca.certificate)
    certificate = ca.sign(key.public_key(), subject(CN="pq"), constraints=None, extensions=END_ENTITY)
    outpost.session(Workload(key, certificate), trustAnchorArn=anchor)


@sqlite
def test_intermediates_in_any_order_below_a_bundle(outpost):
    top = ForeignCa("Top", outpost.now)
    middle = ForeignCa("Middle CA", outpost.now, top)
    lower = ForeignCa("Lower CA!!", outpost.now, middle)
    anchor = outpost.add_bundle(ForeignCa("Another", outpost.now).certificate, top.certificate)
    leaf = lower.sign(P256.public_key(), subject(CN="deep"), constraints=None, extensions=END_ENTITY)
    for chain in ([middle, lower], [lower, middle], [top, lower, middle]):
        workload = Workload(P256, leaf, [each.certificate for each in chain])
        outpost.session(workload, trustAnchorArn=anchor)
    outpost.refuses("Untrusted signing certificate", Workload(P256, leaf, [lower.certificate]), trustAnchorArn=anchor)
    # A subordinate may be the anchor itself.
    outpost.session(Workload(P256, leaf), trustAnchorArn=outpost.add_bundle(lower.certificate))


@sqlite
def test_a_subordinate_of_the_private_ca(outpost):
    sub = outpost.subordinate(outpost.ca)
    leaf = outpost.certificate(sub, csr("below"))
    chain = outpost.pca.get_certificate_authority_certificate(CertificateAuthorityArn=sub)["Certificate"]
    outpost.refuses("Untrusted signing certificate", Workload(P256, leaf))
    outpost.session(Workload(P256, leaf, [x509.load_pem_x509_certificate(chain.encode())]))


@sqlite
def test_names_and_durations_of_sessions(outpost):
    role = outpost.add_role("Long", max_session_seconds=43200, path="/team/")
    profile = outpost.add_profile(roleArns=[role], durationSeconds=7200, acceptRoleSessionName=True)
    workload, more = outpost.workload(), {"roleArn": role, "profileArn": profile}
    answer = outpost.session(workload, {"roleSessionName": "pod-1"}, **more)
    (given,) = answer["credentialSet"]
    assert given["assumedRoleUser"]["arn"] == "arn:aws:sts::111122223333:assumed-role/Long/pod-1"
    for asked, seconds in ((None, 7200), (900, 900), (43200, 7200)):
        body = {} if asked is None else {"durationSeconds": asked}
        (given,) = outpost.session(workload, body, **more)["credentialSet"]
        until = outpost.now + timedelta(seconds=seconds)
        assert given["credentials"]["expiration"] == until.strftime("%Y-%m-%dT%H:%M:%SZ")
    outpost.refuses("Not authorized to set roleSessionName.", workload, {"roleSessionName": "pod-1"})
    short = outpost.add_profile(durationSeconds=7200)
    status, answer = outpost.ask(workload, profileArn=short)
    assert (status, answer["code"]) == (400, "ValidationException")
    assert "MaxSessionDuration" in answer["message"]


@sqlite
def test_the_session_ends_and_its_policies_limit_it(outpost):
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "acm-pca:List*", "Resource": "*"}}
    profile = outpost.add_profile(
        sessionPolicy=json.dumps(policy), managedPolicyArns=["arn:aws:iam::aws:policy/AWSCertificateManagerReadOnly"]
    )
    answer = outpost.session(outpost.workload(), profileArn=profile)
    pca = outpost.client_of(answer, "acm-pca")
    pca.list_certificate_authorities()
    outpost.client_of(answer, "acm").list_certificates()
    with pytest.raises(Exception, match="because no session policy allows"):
        pca.delete_certificate_authority(CertificateAuthorityArn=outpost.ca)
    outpost.clock.advance(timedelta(hours=1))
    with pytest.raises(Exception, match="expired"):
        pca.list_certificate_authorities()


CONDITIONS = [
    ({"ArnEquals": {"aws:SourceArn": "$anchor"}}, True),
    ({"ArnEquals": {"aws:SourceArn": "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/x"}}, False),
    ({"StringEquals": {"aws:SourceAccount": "111122223333"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "app"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "Home & Garden, Inc."}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509Subject/OU": "Second"}}, False),
    ({"StringEquals": {"aws:PrincipalTag/x509Subject/UID": "u1"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509Issuer/CN": "Bundle"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509SAN/URI": SPIFFE}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509SAN/DNS": "a.example.com"}}, True),
    ({"StringEquals": {"aws:PrincipalTag/x509SAN/Name/O": "Directory"}}, True),
    ({"StringEquals": {"aws:RequestTag/x509Subject/CN": "app"}}, True),
    ({"StringEquals": {"sts:SourceIdentity": "app"}}, True),
    ({"StringEquals": {"sts:SourceIdentity": "other"}}, False),
    ({"StringLike": {"sts:RoleSessionName": "10*"}}, True),
    ({"Null": {"aws:PrincipalTag/x509Subject/L": "true"}}, True),
]


@sqlite
def test_conditions_of_the_trust_policy(outpost):
    ca = ForeignCa("Bundle", outpost.now)
    anchor = outpost.add_bundle(ca.certificate)
    directory = x509.DirectoryName(subject(O="Directory"))
    san = x509.SubjectAlternativeName(
        [
            x509.UniformResourceIdentifier(SPIFFE),
            x509.DNSName("a.example.com"),
            x509.DNSName("b.example.com"),
            directory,
        ]
    )
    name = x509.Name([*subject(OU="Home & Garden, Inc."), *subject(OU="Second"), *subject(CN="app", UID="u1")])
    workload = Workload(
        P256, ca.sign(P256.public_key(), name, constraints=None, extensions=(*END_ENTITY, (san, False)))
    )
    for number, (condition, allowed) in enumerate(CONDITIONS):
        filled = json.loads(json.dumps(condition).replace("$anchor", anchor))
        trust = {**TRUSTING, "Statement": {**TRUSTING["Statement"], "Condition": filled}}
        role = outpost.add_role(f"Conditioned{number}", trust)
        profile = outpost.add_profile(roleArns=[role])
        arns = {"roleArn": role, "profileArn": profile, "trustAnchorArn": anchor}
        if allowed:
            outpost.session(workload, **arns)
        else:
            outpost.refuses(f"Unable to assume role for {role}", workload, **arns)


@sqlite
@pytest.mark.parametrize("missing", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
def test_all_three_actions_must_be_trusted(outpost, missing):
    actions = [each for each in TRUSTING["Statement"]["Action"] if each != missing]
    role = outpost.add_role("Half", {**TRUSTING, "Statement": {**TRUSTING["Statement"], "Action": actions}})
    profile = outpost.add_profile(roleArns=[role])
    outpost.refuses(f"Unable to assume role for {role}", outpost.workload(), roleArn=role, profileArn=profile)


@sqlite
def test_the_profile_chooses_the_tags(outpost):
    profile_id = outpost.profile.rpartition("/")[2]
    control = outpost.control
    control.delete_attribute_mapping(profileId=profile_id, certificateField="x509Subject", specifiers=["*"])
    control.delete_attribute_mapping(profileId=profile_id, certificateField="x509Issuer")
    control.put_attribute_mapping(
        profileId=profile_id, certificateField="x509Subject", mappingRules=[{"specifier": "2.5.4.3"}]
    )
    seen = {"Null": {"aws:PrincipalTag/x509Subject/CN": "true", "aws:PrincipalTag/x509Issuer/CN": "true"}}
    seen["StringEquals"] = {"aws:PrincipalTag/x509Subject/2.5.4.3": "app.example.com"}
    role = outpost.add_role("Mapped", {**TRUSTING, "Statement": {**TRUSTING["Statement"], "Condition": seen}})
    control.update_profile(profileId=profile_id, roleArns=[role])
    outpost.session(outpost.workload(), roleArn=role)


@sqlite
def test_session_tags_are_seen_by_resources(outpost):
    answer = outpost.session(outpost.workload())
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "acm-pca:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "else"}},
        },
    }
    outpost.control.update_profile(profileId=outpost.profile.rpartition("/")[2], sessionPolicy=json.dumps(document))
    limited = outpost.session(outpost.workload())
    outpost.client_of(answer, "acm-pca").list_certificate_authorities()
    with pytest.raises(Exception, match="no session policy allows"):
        outpost.client_of(limited, "acm-pca").list_certificate_authorities()


def test_subjects_and_the_trail(outpost):
    first, second = outpost.workload(), outpost.workload(common_name="other.example.com")
    answer = outpost.session(first, {"instanceProperties": {"os": "linux"}})
    outpost.clock.advance(timedelta(minutes=1))
    assert outpost.session(first)["subjectArn"] == answer["subjectArn"]
    renewed = outpost.workload()
    outpost.refuses("Unable to assume", renewed, roleArn=outpost.add_role("Unlisted"))
    outpost.session(second)
    listed = outpost.control.list_subjects()["subjects"]
    assert [each["x509Subject"] for each in listed] == ["CN=app.example.com", "CN=other.example.com"]
    found = outpost.control.get_subject(subjectId=listed[0]["subjectId"])["subject"]
    assert found["subjectArn"] == answer["subjectArn"]
    assert found["lastSeenAt"] == outpost.now
    assert found["enabled"] is True
    shown = [(each["serialNumber"], each["failed"], each["issuer"]) for each in found["credentials"]]
    issuer = "C=NL,O=Example,CN=Root"
    assert shown == [
        (str(renewed.certificate.serial_number), True, issuer),
        (str(first.certificate.serial_number), False, issuer),
    ]
    assert found["instanceProperties"][0]["properties"] == {"os": "linux"}

    trail = outpost.storage.read(lambda tx: outpost.installation.rooms.audit.recent(tx, "111122223333", 99))
    sessions = [each for each in trail if each.operation == "rolesanywhere:CreateSession"]
    (refused,) = (each for each in sessions if each.error_code)
    made = [each for each in sessions if not each.error_code]
    assert (refused.error_code, len(made)) == ("AccessDenied", 3)
    assert "Unable to assume role" in (refused.error_message or "")
    for each in made:
        assert {outpost.anchor, outpost.profile, outpost.role} < set(each.resources)
        assert each.principal_arn.startswith("arn:aws:sts::111122223333:assumed-role/Worker/")
        assert each.source_ip == "192.0.2.9"
    (keys,) = answer["credentialSet"]
    everything = "".join(map(repr, sessions))
    assert keys["credentials"]["secretAccessKey"] not in everything
    assert keys["credentials"]["sessionToken"] not in everything
