"""The repository of CAs on the plain listener: files, pages, the index, and paths that other doors have, too."""

import base64
import hashlib
import json
import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7

from doors.lists import CRL, bucket, fetch, published, revoke, serials
from doors.pki import Pki, csr, days, parse, serial_of
from greatseal.domain.revocation.lists import Pace
from greatseal.domain.revocation.repository import Visibility
from greatseal.edge.messages import HttpRequest
from greatseal.web.repository import handler as repository_handler

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
BOTH = {"CrlConfiguration": CRL, "OcspConfiguration": {"Enabled": True}}
TAG = {"Key": "greatseal:repository", "Value": "listed"}


def listed(storage, **more):
    return Pki(storage, repository_visibility=Visibility.LISTED, **more)


def path_of(arn, ending=""):
    return f"/ca/{arn.rpartition('/')[2]}{ending}"


def headers_of(answer):
    return {name.decode(): value.decode() for name, value in answer.headers}


def chain_of(pki, arn):
    answer = pki.pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)
    return answer["Certificate"], answer.get("CertificateChain", "")


def test_the_certificate_in_every_form(storage):
    pki = Pki(storage)
    root = pki.root()
    low = pki.subordinate(root)
    certificate, chain = chain_of(pki, low)
    expected = [parse(certificate), parse(chain)]

    def get(ending, kind):
        answer = fetch(pki, path_of(low, ending))
        assert (answer.status, headers_of(answer)["content-type"]) == (200, kind)
        assert headers_of(answer)["cache-control"] == "public, max-age=3600"
        return answer.body

    assert x509.load_der_x509_certificate(get(".cer", "application/pkix-cert")) == expected[0]
    assert get(".pem", "application/x-pem-file").decode() == certificate + "\n"
    assert get(".chain.pem", "application/x-pem-file").decode() == f"{certificate}\n{chain}\n"
    certs_only = "application/pkcs7-mime; smime-type=certs-only"
    assert pkcs7.load_der_pkcs7_certificates(get(".p7c", certs_only)) == expected[:1]
    whole = pkcs7.load_der_pkcs7_certificates(get(".chain.p7c", certs_only))
    assert {each.fingerprint(hashes.SHA256()) for each in whole} == {
        each.fingerprint(hashes.SHA256()) for each in expected
    }


def test_the_page_says_what_the_certificate_says(storage):
    pki = Pki(storage, pace=Pace(deltas=True))
    bucket(pki)
    arn = pki.root(RevocationConfiguration=BOTH)
    pki.issue(arn)
    pki.installation.work()
    certificate = parse(chain_of(pki, arn)[0])
    found = json.loads(fetch(pki, path_of(arn, ".json")).body)
    spki = hashlib.sha256(certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    assert found["subject"] == found["issuer"] == "C=NL,O=Example,CN=Root"
    assert int(found["serialNumber"], 16) == certificate.serial_number
    assert found["keyAlgorithm"] == "EC_prime256v1"
    assert found["spkiSha256"] == spki.hexdigest()
    assert found["spkiSha256Base64"] == base64.b64encode(spki.digest()).decode()
    assert found["certificateSha256"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert found["certificateSha1"] == certificate.fingerprint(hashes.SHA1()).hex()
    assert found["ocspUrl"] == f"http://127.0.0.1:8080/ocsp/{found['id']}"
    [crl] = found["crls"]
    assert crl["url"] == f"http://127.0.0.1:8080/crl/{found['id']}.crl"
    assert crl["deltaUrl"] == f"http://127.0.0.1:8080/crl/{found['id']}-delta.crl"
    for link in (*found["links"].values(), urlsplit(crl["url"]).path, urlsplit(crl["deltaUrl"]).path):
        assert fetch(pki, link).status == 200
    page = fetch(pki, path_of(arn))
    for value in (found["spkiSha256"], found["spkiSha256Base64"], crl["url"], crl["deltaUrl"], found["ocspUrl"]):
        assert value in page.body.decode()
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() in page.body.decode()
    assert json.loads(fetch(pki, path_of(arn), accept="application/json").body) == found
    assert b"<html" in fetch(pki, path_of(arn), accept="text/html,application/json;q=0.9").body


def test_expired_cas_have_pages_that_say_so(storage):
    pki = Pki(storage)
    arn = pki.root(valid=days(2))
    assert b"expired" not in fetch(pki, path_of(arn)).body
    pki.clock.advance(timedelta(days=3))
    assert b"<strong>expired</strong>" in fetch(pki, path_of(arn)).body


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def test_names_cannot_become_html(storage):
    pki = Pki(storage)
    evil = '<script src="//evil.example/x.js"></script>\'"&'
    arn = pki.create("ROOT", common_name=evil)
    pki.install_root(arn)
    pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[TAG])
    shown = listed(storage, clock=pki.clock)
    for path in (path_of(arn), "/ca/"):
        answer = fetch(shown, path)
        parser = _Tags()
        parser.feed(answer.body.decode())
        assert {tag for tag, _ in parser.seen}.isdisjoint({"script", "img", "iframe", "object", "form", "link", "base"})
        assert not [name for _, attributes in parser.seen for name in attributes if name.startswith("on")]
        assert "&lt;script" in answer.body.decode()
        headers = headers_of(answer)
        assert headers["x-content-type-options"] == "nosniff"
        style = re.search(r"<style>(.*?)</style>", answer.body.decode(), re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert headers["content-security-policy"].startswith(f"default-src 'none'; style-src 'sha256-{digest}'")


def test_caches_may_ask_again(storage):
    pki = Pki(storage)
    arn = pki.root()
    for ending in ("", ".json", ".cer"):
        first = fetch(pki, path_of(arn, ending))
        tag = headers_of(first)["etag"]
        assert fetch(pki, path_of(arn, ending), if_none_match=f'"x", W/{tag}').status == 304
        assert fetch(pki, path_of(arn, ending), if_none_match='"x"').status == 200
        assert fetch(pki, path_of(arn, ending), method="POST").status == 405


def test_what_there_is_not(storage):
    pki = Pki(storage)
    waiting = pki.create("ROOT")
    nobody = "00000000-0000-0000-0000-000000000000"
    for path in (path_of(waiting), path_of(waiting, ".cer"), f"/ca/{nobody}", f"/ca/{nobody}.p7c", "/ca/x", "/ca/../x"):
        assert fetch(pki, path).status == 404
    arn = pki.root()
    for ending in (".exe", ".CER", "/", ".chain", ".cer.pem", "%2ecer"):
        assert fetch(pki, path_of(arn, ending)).status == 404


def test_the_index_is_for_those_who_want_to_be_in_it(storage):
    pki = listed(storage)
    first, second, third = pki.root(), pki.root(), pki.root()
    for arn, value in ((first, "listed"), (second, "no"), (third, "listed")):
        pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[{**TAG, "Value": value}])
    index = json.loads(fetch(pki, "/ca/index.json").body)
    assert {each["id"] for each in index["authorities"]} == {arn.rpartition("/")[2] for arn in (first, third)}
    assert index["next"] is None
    assert first.rpartition("/")[2] in fetch(pki, "/ca").body.decode()
    pki.set_status(third, "DISABLED")
    pki.delete(third)
    assert third.rpartition("/")[2] not in fetch(pki, "/ca/").body.decode()
    # Its certificates are still about, and so is its own.
    assert fetch(pki, path_of(third, ".cer")).status == 200


def test_the_index_goes_on(storage, monkeypatch):
    monkeypatch.setattr("greatseal.domain.revocation.repository.INDEX_PAGE", 2)
    pki = listed(storage)
    made = {pki.root().rpartition("/")[2] for _ in range(5)}
    for each in made:
        arn = f"arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/{each}"
        pki.pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[TAG])
    seen, after = [], ""
    while after is not None:
        answer = pki.installation.rooms.repository.index(after)
        seen += [each.id for each in answer[0]]
        after = answer[1]
    assert len(seen) == 5
    assert set(seen) == made


@pytest.mark.parametrize("query", [b"after=%00", b"after=%ff&after=x", b"after=" + b"a" * 3000, b"%"])
def test_the_index_begins_anew_after_what_is_no_id(storage, monkeypatch, query):
    """No database is asked for it: PostgreSQL refuses a text with a null character."""
    repository = listed(storage).installation.rooms.repository
    asked, index = [], repository.index
    monkeypatch.setattr(repository, "index", lambda after: asked.append(after) or index(after))
    request = HttpRequest(method="GET", raw_path=b"/ca/", raw_query=query, headers=(), body=b"", request_id="r")
    assert repository_handler(repository)(request).status == 200
    assert asked == [""]


def test_what_the_operator_shows(storage):
    pki = Pki(storage)
    arn = pki.root()
    assert fetch(pki, "/ca/").status == 404
    assert fetch(pki, path_of(arn)).status == 200
    hidden = Pki(storage, clock=pki.clock, repository_visibility=Visibility.OFF)
    assert fetch(hidden, path_of(arn)).status == fetch(hidden, path_of(arn, ".json")).status == 404
    assert fetch(hidden, path_of(arn, ".cer")).status == 200


def test_certificates_lead_to_that_of_their_ca(storage):
    pki = Pki(storage, issuers_in_certificates=True)
    root = pki.root()
    low = pki.subordinate(root)
    leaf = pki.certificate(low)
    found = leaf
    for _ in range(2):
        [access] = found.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        assert access.access_method == x509.AuthorityInformationAccessOID.CA_ISSUERS
        answer = fetch(pki, urlsplit(access.access_location.value).path)
        issuer = x509.load_der_x509_certificate(answer.body)
        found.verify_directly_issued_by(issuer)
        found = issuer
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.AuthorityInformationAccess)


def test_the_address_of_the_ca_beside_ocsp_and_instead_of_nothing(storage):
    pki = Pki(storage, issuers_in_certificates=True)
    arn = pki.root(RevocationConfiguration={"OcspConfiguration": {"Enabled": True}})
    access = pki.certificate(arn).extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [each.access_method for each in access] == [
        x509.AuthorityInformationAccessOID.OCSP,
        x509.AuthorityInformationAccessOID.CA_ISSUERS,
    ]
    # Without OCSP, what was asked for wins, as in the real service.
    own = x509.AuthorityInformationAccess(
        [
            x509.AccessDescription(
                x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://own.example")
            )
        ]
    )
    quiet = pki.root()
    made = pki.certificate(quiet, csr(extensions=[(own, False)]), using="BlankEndEntityCertificate_CSRPassthrough")
    assert made.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value == own


def test_nothing_leads_there_by_default(storage):
    pki = Pki(storage)
    with pytest.raises(x509.ExtensionNotFound):
        pki.certificate(pki.root()).extensions.get_extension_for_class(x509.AuthorityInformationAccess)


@pytest.mark.parametrize("folder", ["healthz", "metrics", "ocsp", "ca", "s3", "s3/example-lists", "sessions", "ca/x"])
def test_lists_may_have_the_folder_of_another_door(storage, folder):
    pki = Pki(storage)
    bucket(pki)
    arn = pki.root(RevocationConfiguration={"CrlConfiguration": {**CRL, "CustomPath": folder}})
    issued = pki.issue(arn)
    revoke(pki, issued)
    pki.clock.advance(pki.installation.rooms.points._pace.delay)
    pki.installation.work()
    found = published(pki, f"http://x/{folder}/{arn.rpartition('/')[2]}.crl")
    assert serials(found) == {int(serial_of(issued), 16)}
    # The doors themselves are where they were.
    assert fetch(pki, "/healthz").status == 200
    assert fetch(pki, "/ocsp/x").operation == "malformed_request"
    assert fetch(pki, path_of(arn, ".cer")).status == 200
