"""RevocationConfiguration through the door: every rule of acm-pca.md 10.1, and that it is described as it was given."""

from base64 import b64encode
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from doors.lists import bucket
from doors.pki import P256, Pki, csr, refused

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

BUCKET = "example-lists"
ENABLED = {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": BUCKET}
OFF = {"Enabled": False}


@pytest.fixture
def pki(storage):
    made = Pki(storage)
    bucket(made)
    return made


def crl(**more):
    return {"CrlConfiguration": {**ENABLED, **more}}


def ocsp(**more):
    return {"OcspConfiguration": {"Enabled": True, **more}}


def shown(pki, arn):
    return pki.describe(arn)["RevocationConfiguration"]


def update(pki, arn, configuration):
    pki.pca.update_certificate_authority(CertificateAuthorityArn=arn, RevocationConfiguration=configuration)


GIVEN = {
    "plain": {},
    "all": {
        "CustomCname": "crl.example.com",
        "S3ObjectAcl": "BUCKET_OWNER_FULL_CONTROL",
        "CrlDistributionPointExtensionConfiguration": {"OmitExtension": False},
        "CrlType": "PARTITIONED",
        "CustomPath": "pki/lists",
    },
    "omitted": {"CrlDistributionPointExtensionConfiguration": {"OmitExtension": True}, "CrlType": "COMPLETE"},
    "at the root of the bucket": {"CustomPath": "/", "S3ObjectAcl": "PUBLIC_READ"},
    "longest": {"ExpirationInDays": 5000, "CustomCname": "a" * 253, "CustomPath": "b" * 253},
}


@pytest.mark.parametrize("given", GIVEN)
def test_what_was_given_is_described(pki, given):
    wanted = {"S3ObjectAcl": "PUBLIC_READ", **ENABLED, **GIVEN[given]}
    arn = pki.create(RevocationConfiguration=crl(**GIVEN[given]))
    assert shown(pki, arn) == {"CrlConfiguration": wanted, "OcspConfiguration": OFF}
    [listed] = pki.pca.list_certificate_authorities()["CertificateAuthorities"]
    assert listed["RevocationConfiguration"]["CrlConfiguration"] == wanted


def test_a_half_that_is_given_replaces_that_half_and_no_other(pki):
    arn = pki.root(RevocationConfiguration={**crl(CustomCname="crl.example.com"), **ocsp(OcspCustomCname="o.example")})
    pki.clock.advance(timedelta(minutes=5))
    update(pki, arn, crl(ExpirationInDays=30))
    full = {"S3ObjectAcl": "PUBLIC_READ", **ENABLED, "ExpirationInDays": 30}
    assert shown(pki, arn) == {
        "CrlConfiguration": full,
        "OcspConfiguration": {"Enabled": True, "OcspCustomCname": "o.example"},
    }
    assert pki.describe(arn)["LastStateChangeAt"] == pki.now
    update(pki, arn, {"CrlConfiguration": OFF})
    assert shown(pki, arn)["CrlConfiguration"] == OFF
    update(pki, arn, {"OcspConfiguration": OFF})
    assert shown(pki, arn) == {"CrlConfiguration": OFF, "OcspConfiguration": OFF}
    pki.set_status(arn, "DISABLED")
    assert shown(pki, arn) == {"CrlConfiguration": OFF, "OcspConfiguration": OFF}


INVALID = {
    "no bucket": ({"CrlConfiguration": {"Enabled": True, "ExpirationInDays": 7}}, "S3BucketName"),
    "no days": ({"CrlConfiguration": {"Enabled": True, "S3BucketName": BUCKET}}, "ExpirationInDays"),
    "off with days": ({"CrlConfiguration": {"Enabled": False, "ExpirationInDays": 7}}, "not enabled"),
    "off with a bucket": ({"CrlConfiguration": {"Enabled": False, "S3BucketName": BUCKET}}, "not enabled"),
    "off with an ACL": ({"CrlConfiguration": {"Enabled": False, "S3ObjectAcl": "PUBLIC_READ"}}, "not enabled"),
    "off with a type": ({"CrlConfiguration": {"Enabled": False, "CrlType": "COMPLETE"}}, "not enabled"),
    "OCSP off with a name": ({"OcspConfiguration": {"Enabled": False, "OcspCustomCname": "o.example"}}, "not enabled"),
    "omitted and a name": (
        crl(CustomCname="c.example", CrlDistributionPointExtensionConfiguration={"OmitExtension": True}),
        "OmitExtension",
    ),
    "protocol": (crl(CustomCname="http://crl.example.com"), "protocol prefix"),
    "protocol in capitals": (crl(CustomCname="HTTPS://crl.example.com"), "protocol prefix"),
    "only a path": (crl(CustomCname="/crl"), "protocol prefix"),
    "protocol for OCSP": (ocsp(OcspCustomCname="https://o.example"), "protocol prefix"),
    "a step up": (crl(CustomPath="a/../b"), "CustomPath"),
    **{
        f"bucket {name}": (crl(S3BucketName=name), "naming rules")
        for name in ("Upper", "under_score", "a/b", "-ab", "ab-", "a..b", "192.168.0.1", "a" * 64)
    },
}


@pytest.mark.parametrize("case", INVALID)
def test_what_breaks_a_rule_is_refused(pki, case):
    configuration, text = INVALID[case]
    with refused("InvalidArgsException", text):
        pki.create(RevocationConfiguration=configuration)
    arn = pki.root(RevocationConfiguration=crl())
    with refused("InvalidArgsException", text):
        update(pki, arn, configuration)
    assert shown(pki, arn)["CrlConfiguration"]["Enabled"] is True


@pytest.mark.parametrize(
    "configuration",
    [
        {"CrlConfiguration": {}},
        {"OcspConfiguration": {}},
        crl(ExpirationInDays=0),
        crl(ExpirationInDays=5001),
        crl(S3BucketName="ab"),
        crl(S3ObjectAcl="PRIVATE"),
        crl(CrlType="DELTA"),
        crl(CustomCname="crl example"),
        crl(CustomCname="a" * 254),
        crl(CustomPath="/leading"),
        crl(CustomPath="trailing/"),
        crl(CrlDistributionPointExtensionConfiguration={}),
        ocsp(OcspCustomCname="o\u00e9.example"),
    ],
)
def test_what_breaks_the_model_is_a_validation_exception(pki, configuration):
    with refused("ValidationException"):
        pki.create(RevocationConfiguration=configuration)


def points(certificate):
    try:
        found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    except x509.ExtensionNotFound:
        return None
    assert not found.critical
    [point] = found.value
    assert (point.relative_name, point.reasons, point.crl_issuer) == (None, None, None)
    [name] = point.full_name
    return name.value


def responder(certificate):
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except x509.ExtensionNotFound:
        return None
    [entry] = found.value
    assert entry.access_method == AuthorityInformationAccessOID.OCSP
    return entry.access_location.value


def authority_id(arn):
    return arn.rpartition("/")[2]


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:8080/crl/{id}.crl"),
        ({"CustomCname": "crl.example.com"}, "http://crl.example.com/crl/{id}.crl"),
        ({"CustomCname": "example.com:81/pki"}, "http://example.com:81/pki/crl/{id}.crl"),
        ({"CustomCname": "c.example", "CustomPath": "pki/lists"}, "http://c.example/pki/lists/{id}.crl"),
        ({"CustomPath": "/"}, "http://127.0.0.1:8080/{id}.crl"),
    ],
)
def test_where_certificates_say_that_the_list_is(pki, options, url):
    arn = pki.root(RevocationConfiguration=crl(**options))
    assert points(pki.certificate(arn)) == url.format(id=authority_id(arn))
    own = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"]
    assert points(x509.load_pem_x509_certificate(own.encode())) is None
    low = pki.subordinate(arn)
    below = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=low)["Certificate"]
    assert points(x509.load_pem_x509_certificate(below.encode())) == url.format(id=authority_id(arn))
    assert points(pki.certificate(low)) is None


def test_where_certificates_say_that_the_responder_is(pki):
    arn = pki.root(RevocationConfiguration=ocsp())
    before = pki.issue(arn)
    assert responder(pki.certificate(arn)) == f"http://127.0.0.1:8080/ocsp/{authority_id(arn)}"
    update(pki, arn, ocsp(OcspCustomCname="ocsp.example.com"))
    assert responder(pki.certificate(arn)) == "http://ocsp.example.com"
    update(pki, arn, {"OcspConfiguration": OFF})
    assert responder(pki.certificate(arn)) is None
    old = x509.load_pem_x509_certificate(pki.get(arn, before)["Certificate"].encode())
    assert responder(old) is not None


def own_point(url):
    return x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)])


def test_the_point_of_a_request_counts_only_when_the_authority_gives_none(pki):
    """7.1: the CA's value wins; with OmitExtension or without a CRL, what the request or the API says passes."""
    mine = own_point("http://mine.example/own.crl")
    request = csr("app", "app.example.com", key=P256, extensions=[(mine, False)])
    using = "BlankEndEntityCertificate_CSRPassthrough"
    arn = pki.root(RevocationConfiguration=crl())
    assert points(pki.certificate(arn, request, using=using)).endswith(f"/crl/{authority_id(arn)}.crl")
    update(pki, arn, crl(CrlDistributionPointExtensionConfiguration={"OmitExtension": True}))
    assert points(pki.certificate(arn, request)) is None
    assert points(pki.certificate(arn, request, using=using)) == "http://mine.example/own.crl"
    custom = {
        "ObjectIdentifier": ExtensionOID.CRL_DISTRIBUTION_POINTS.dotted_string,
        "Value": b64encode(mine.public_bytes()).decode(),
    }
    through_api = {"Extensions": {"CustomExtensions": [custom]}}
    api = "BlankEndEntityCertificate_APIPassthrough"
    assert points(pki.certificate(arn, using=api, ApiPassthrough=through_api)) == "http://mine.example/own.crl"
    update(pki, arn, {"CrlConfiguration": OFF})
    assert points(pki.certificate(arn, request, using=using)) == "http://mine.example/own.crl"


def test_each_certificate_of_a_partitioned_authority_names_a_part(pki):
    arn = pki.root(RevocationConfiguration=crl(CrlType="PARTITIONED", CustomCname="c.example"))
    first, second = points(pki.certificate(arn)), points(pki.certificate(arn))
    assert first == second
    prefix = f"http://c.example/crl/{authority_id(arn)}/"
    assert first.startswith(prefix)
    assert first.endswith(".crl")
    update(pki, arn, crl(CrlType="PARTITIONED", CustomCname="d.example", CustomPath="parts"))
    moved = points(pki.certificate(arn))
    assert moved.startswith("http://d.example/parts/")
    assert moved.rpartition("/")[2] != first.rpartition("/")[2]
    update(pki, arn, crl(CrlType="PARTITIONED", CustomCname="c.example"))
    assert points(pki.certificate(arn)) == first
