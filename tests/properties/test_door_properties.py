"""Bodies of all kinds at the AWS door, correctly signed: an answer or a modelled error, never a 5xx, nothing left."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from doors.pki import csr, days, template
from greatseal.aws.catalogue import SERVICES, implemented
from greatseal.aws.protocol.models import load_services
from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.testing.installation import ENDPOINT, REGION, sign, to_http
from properties.examples import Counted, examples

# Those that take JSON; tests/unit/aws has the like for forms and paths.
MODELS = {service.name: service for service in load_services(list(SERVICES)) if service.target_prefix}
SERVED = [(service, name) for service in MODELS for name in sorted(implemented(service))]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    ready = {row: keypair.generate(row) for row in KeyAlgorithm}
    with pytest.MonkeyPatch.context() as patched:
        # Hundreds of RSA keys would be most of the time and tell nothing.
        patched.setattr(keypair, "generate", lambda algorithm: ready[algorithm])
        made = Counted(tmp_path_factory.mktemp("properties"))
        yield made
        made.storage.close()


def bodies(authority: str) -> dict[tuple[str, str], dict[str, Any]]:
    """A right body for the operations that have something to get wrong."""
    certificate = f"{authority}/certificate/{'0' * 31}1"
    managed = "arn:aws:acm:us-east-1:111122223333:certificate/11111111-2222-4333-8444-555555555555"
    tags = [{"Key": "k", "Value": "v"}]
    subject = {"CommonName": "x", "Country": "NL"}
    extensions = {"KeyUsage": {"DigitalSignature": True}, "SubjectAlternativeNames": [{"DnsName": "a.example.com"}]}
    configuration = {"KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA", "Subject": subject}
    ca = {"CertificateAuthorityArn": authority}
    return {
        ("acm-pca", "CreateCertificateAuthority"): {
            "CertificateAuthorityConfiguration": configuration,
            "CertificateAuthorityType": "ROOT",
            "Tags": tags,
        },
        ("acm-pca", "IssueCertificate"): {
            **ca,
            "Csr": csr(),
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Validity": days(3),
            "ValidityNotBefore": {"Type": "ABSOLUTE", "Value": 1768478400},
            "TemplateArn": template("BlankEndEntityCertificate_APIPassthrough"),
            "ApiPassthrough": {"Subject": subject, "Extensions": extensions},
            "IdempotencyToken": "t",
        },
        ("acm-pca", "GetCertificate"): {**ca, "CertificateArn": certificate},
        ("acm-pca", "RevokeCertificate"): {**ca, "CertificateSerial": "00:01", "RevocationReason": "SUPERSEDED"},
        ("acm-pca", "ImportCertificateAuthorityCertificate"): {**ca, "Certificate": b"x", "CertificateChain": b"y"},
        ("acm-pca", "UpdateCertificateAuthority"): {
            **ca,
            "Status": "ACTIVE",
            "RevocationConfiguration": {"CrlConfiguration": {"Enabled": False}},
        },
        ("acm-pca", "TagCertificateAuthority"): {**ca, "Tags": tags},
        ("acm-pca", "ListCertificateAuthorities"): {"MaxResults": 3, "NextToken": "abc"},
        ("acm-pca", "CreatePermission"): {**ca, "Principal": "acm.amazonaws.com", "Actions": ["IssueCertificate"]},
        ("acm", "RequestCertificate"): {
            "DomainName": "a.example.com",
            "SubjectAlternativeNames": ["b.example.com", "*.c.example.com"],
            "CertificateAuthorityArn": authority,
            "KeyAlgorithm": "EC_prime256v1",
            "Tags": tags,
            "Options": {"CertificateTransparencyLoggingPreference": "ENABLED"},
        },
        ("acm", "ImportCertificate"): {"Certificate": b"x", "PrivateKey": b"y", "CertificateChain": b"z"},
        ("acm", "ExportCertificate"): {"CertificateArn": managed, "Passphrase": b"secret"},
        ("acm", "DescribeCertificate"): {"CertificateArn": managed},
        ("acm", "ListCertificates"): {
            "CertificateStatuses": ["ISSUED"],
            "Includes": {"keyTypes": ["RSA_2048"]},
            "MaxItems": 5,
            "NextToken": "x",
            "SortBy": "CREATED_AT",
            "SortOrder": "DESCENDING",
        },
        ("acm", "SearchCertificates"): {"MaxResults": 5, "FilterStatement": {"And": []}},
        ("acm", "PutAccountConfiguration"): {"ExpiryEvents": {"DaysBeforeExpiry": 3}, "IdempotencyToken": "t"},
    }


NUMBERS = [-1, 0, 2**31, 2**63, 2**70, 1.5, -0.0, 1e308]
TEXTS = ["", " ", "\x00", "x" * 3000, "\u202e", "*", "arn:aws:acm-pca", "arn:::::", "0" * 5000]
SHAPES = [[], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": {}}}}, ["a"] * 300]
# Right somewhere, so that the rooms get to see them and not only the model's checks.
PLAUSIBLE = [
    *("ROOT", "SUBORDINATE", "DISABLED", "ACTIVE", "DELETED", "RSA_2048", "ML_DSA_65", "SHA512WITHRSA", "ML_DSA_65"),
    *("ABSOLUTE", "END_DATE", "YEARS", "MONTHS", "SHORT_LIVED_CERTIFICATE", "EC_secp384r1", "KEY_COMPROMISE"),
    *("a.example.com", "*.example.com", "127.0.0.1", "XN--A.example", "2.5.4.3", "1.3.6.1.5.5.7.3.1", "MAA="),
    *(1, 7, 99, 20301231235959, 4102444800, False),
    *(template(name) for name in ("RootCACertificate", "SubordinateCACertificate_PathLen0", "CodeSigningCertificate")),
]
NONSENSE = st.sampled_from([None, True, *NUMBERS, *TEXTS, *SHAPES]) | st.sampled_from(PLAUSIBLE)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, item in inside for deeper in _paths(item, (*path, key)))]


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at `path`; Ellipsis removes."""
    if not path:
        return new
    copied = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and new is ...:
        del copied[path[0]]
    else:
        copied[path[0]] = _changed(copied[path[0]], path[1:], new)
    return copied


def _json(value: Any) -> bytes:
    return json.dumps(value, default=lambda raw: base64.b64encode(raw).decode()).encode()


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, bool, Any]:
    """Service, operation, whether CBOR; and what to do to its right body: a function of the body to octets."""
    service, operation = draw(st.sampled_from(SERVED) | st.sampled_from(sorted(bodies(""))))
    is_cbor = service == "acm-pca" and draw(st.booleans())
    encode = cbor2.dumps if is_cbor else _json
    kind = draw(st.integers(0, 9))
    if kind == 0:
        octets = draw(st.binary(max_size=200))
        return service, operation, is_cbor, lambda body: octets
    if kind == 1:
        depth = draw(st.integers(1, 5000))
        return service, operation, is_cbor, lambda body: (b"\x81" if is_cbor else b"[") * depth
    if kind == 2:
        value = draw(NONSENSE)
        return service, operation, is_cbor, lambda body: encode(value)
    seeds = draw(st.lists(st.tuples(st.integers(0, 10**6), st.one_of(st.just(...), NONSENSE)), min_size=0, max_size=3))
    damage = draw(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=3)) if kind < 6 else []

    def make(body: Any) -> bytes:
        for seed, new in seeds:
            paths = _paths(body)[1:]
            if isinstance(body, dict) and paths:
                body = _changed(body, paths[seed % len(paths)], new)
        octets = bytearray(encode(body))
        for at, octet in damage:
            if octets:
                octets[at % len(octets)] = octet
        return bytes(octets)

    return service, operation, is_cbor, make


def signed(counted: Counted, service: str, operation: str, is_cbor: bool, body: bytes) -> HttpRequest:
    prefix = MODELS[service].target_prefix
    if is_cbor:
        url = f"{ENDPOINT}/service/{prefix}/operation/{operation}"
        headers = {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    else:
        url = ENDPOINT + "/"
        headers = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    installation = counted.pki.installation
    request = AWSRequest(method="POST", url=url, headers=headers, data=body)
    fresh = sign(request, installation.credential, service, REGION, installation.clock)
    return to_http(fresh, "11111111-2222-3333-4444-555555555555")


@examples(10_000)
@given(made=requests())
def test_no_body_is_a_server_error(counted: Counted, made: tuple[str, str, bool, Any]) -> None:
    service, operation, is_cbor, make = made
    body = make(bodies(counted.authority).get((service, operation), {"CertificateAuthorityArn": counted.authority}))
    request = signed(counted, service, operation, is_cbor, body)
    before = counted.commits
    response: HttpResponse = counted.pki.installation.handle(request)
    assert response.status in (200, 400), (service, operation, body, response.body)
    if response.status == 400:
        assert counted.commits == before, (service, operation, body, response.body)
        assert b"__type" in response.body
