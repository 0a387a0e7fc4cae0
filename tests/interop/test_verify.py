"""`greatseal verify` against the running service: what it publishes about its certificates is fetched and believed."""

import json

import pytest

from conformance.hierarchy import csr
from interop.conftest import GREATSEAL
from interop.programs import Workbench

pytestmark = pytest.mark.interop
ASKED = {"CrlConfiguration": {"Enabled": False}, "OcspConfiguration": {"Enabled": True}}
FETCH = ("--fetch", "--allow-private-addresses", "--output", "json", "--name", "app.example.internal")


def verdict(bench: Workbench, *words: str, valid: bool) -> dict:
    run = bench.run if valid else bench.fail
    found = json.loads(run(str(GREATSEAL), "verify", "leaf.pem", "--root", "root.pem", *words))
    assert found[0]["valid"] is valid
    return found[0]


@pytest.mark.parametrize("key", ["EC_prime256v1", "ML_DSA_44"])
def test_good_then_revoked(customer, bench, key):
    root = customer.root(key, RevocationConfiguration=ASKED)
    authority = customer.subordinate(root, key, RevocationConfiguration=ASKED)
    leaf = customer.issue(authority, csr("EC_prime256v1", "app.example.internal"), "EndEntityServerAuthCertificate")
    bench.put(leaf=leaf.full_chain, root=leaf.root)
    good = verdict(bench, *FETCH, "--purpose", "serverAuth", "--nonce", valid=True)
    assert [each["revocation"] and each["revocation"]["source"] for each in good["path"]] == ["OCSP", "OCSP", None]
    assert [each["failure"] for each in good["fetched"]] == [None, None]
    customer.pca.revoke_certificate(
        CertificateAuthorityArn=authority.arn,
        CertificateSerial=leaf.arn.rpartition("/")[2],
        RevocationReason="SUPERSEDED",
    )
    problem = verdict(bench, *FETCH, "--nonce", valid=False)["problem"]
    assert (problem["code"], problem["index"]) == ("revoked", 0)
    assert problem["sentence"].endswith("(superseded), says OCSP")


def test_the_network_inside_is_not_fetched_from_unasked(customer, bench):
    key = "EC_prime256v1"
    authority = customer.subordinate(customer.root(key), key, RevocationConfiguration=ASKED)
    leaf = customer.issue(authority, csr(key, "app.example.internal"))
    bench.put(leaf=leaf.full_chain, root=leaf.root)
    found = verdict(bench, "--fetch", "--output", "json", valid=False)
    assert found["problem"]["code"] == "revocation-unknown"
    assert "is not on the public internet" in found["fetched"][0]["failure"]
    assert verdict(bench, "--fetch", "--output", "json", "--revocation", "off", valid=True)["fetched"] == []
