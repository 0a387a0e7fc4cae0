"""pkilint's linter for the Baseline Requirements finds nothing in the certificates of the trust services."""

import pytest

from doors.pki import P384, Pki, csr, rsa_key
from greatseal.crypto.algorithms import KeyAlgorithm
from greatseal.domain.trust_services import Plan
from greatseal.domain.trust_services.model import ROOTS
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from made_trust import Logs
from pkilint_opinion import pkilint_public_findings

# What is "not recommended" and yet in the certificates of the real service, so in ours (acm.md 7.4).
ACCEPTED = (
    "cabf.serverauth.dv.common_name_attribute_present",
    "cabf.serverauth.subscriber.subject_key_identifier_extension_present",
    "cabf.serverauth.subscriber_rsa_digitalsignature_and_keyencipherment_present",
    # A root of the same operator is cross-signed for all that it may do.
    "cabf.serverauth.cross_ca.extended_key_usage_extension_absent",
)
KEYS = {"RSA_2048": rsa_key, "EC_secp384r1": lambda: P384}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory):
    storage = open_storage(f"sqlite:///{tmp_path_factory.mktemp('pkilint')}/x.db")
    migrate(storage)
    # A name of the public DNS, as an installation with public certificates has one.
    pki = Pki(storage, trust=Plan(issuers=1), base_url="http://pki.example.com")
    room = pki.installation.rooms.trusting
    room.services._submission = Logs()
    yield room
    storage.close()


def objections(der: bytes, kind: str) -> list[str]:
    found = pkilint_public_findings(der, kind)
    return [each for each in found if each.partition(":")[0].partition(" ")[2] not in ACCEPTED]


@pytest.mark.parametrize("key", KEYS)
def test_a_leaf_and_its_precertificate(trusting, key):
    request = csr("www.example.com", "www.example.com", "*.example.com", key=KEYS[key]())
    issued = trusting.services.place(csr=request, key=KeyAlgorithm[key], token=f"order/{key}", logged=True)
    precertificate = trusting.services._submission.seen[-1][0]
    assert not objections(issued.certificate, "DV_FINAL_CERTIFICATE")
    assert not objections(precertificate, "DV_PRE_CERTIFICATE")


@pytest.mark.parametrize("tier", [ROOTS[0], ROOTS[3]], ids=["rsa", "ecdsa"])
def test_the_cas_above(trusting, tier):
    [issuer] = trusting.hierarchy.issuers(tier)
    assert not objections(issuer.certificate.der, "INTERNAL_UNCONSTRAINED_TLS_CA")
    for root in trusting.hierarchy.roots():
        assert not objections(root.der, "ROOT_CA")
        if root.cross is not None:
            assert not objections(root.cross, "INTERNAL_CROSS_CA")
