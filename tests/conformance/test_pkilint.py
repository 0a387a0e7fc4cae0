"""pkilint finds no error in any certificate that a default template makes, whoever signs it."""

import pytest

from conformance.hierarchy import csr
from greatseal.x509.templates import TEMPLATES
from pkilint_opinion import pkilint_errors

ISSUERS = ("RSA_2048", "EC_prime256v1", "ML_DSA_65")
BASE = [template for template in TEMPLATES.values() if not template.name.endswith("Passthrough")]
SUBORDINATES = [template.name for template in BASE if template.ca and not template.root]
LEAVES = [template.name for template in BASE if not template.ca]

# What pkilint objects to although the template dictates it: EndEntity templates ask for keyEncipherment whatever the
# key is (acm-pca.md 5). A subject with an RSA key gets no objection from any template.
_ENCIPHERMENT = {
    "EC_prime256v1": "pkix.key_usage_value_prohibited_for_ec",  # RFC 8813 section 3
    "ML_DSA_65": "pkix.key_usage_value_prohibited_for_mldsa",  # RFC 9881 section 5
}


def dictated(template: str, subject: str) -> list[str]:
    return [_ENCIPHERMENT[subject]] if template.startswith("EndEntity") and subject in _ENCIPHERMENT else []


def codes(der: bytes) -> list[str]:
    return [error.partition(":")[0] for error in pkilint_errors(der)]


@pytest.fixture(scope="session")
def roots(customer):
    return {key: customer.root(key) for key in ISSUERS}


def test_these_are_the_ten_default_templates():
    assert len(BASE) == 10
    assert len(SUBORDINATES) == 4
    assert len(LEAVES) == 5


@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_root(roots, issuer):
    assert pkilint_errors(roots[issuer].issued.der) == []


@pytest.mark.parametrize("template", SUBORDINATES)
@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_subordinate(customer, roots, issuer, template):
    for subject in ISSUERS:
        request = customer.csr_of(customer.create("SUBORDINATE", subject))
        assert pkilint_errors(customer.issue(roots[issuer], request, template, 1825).der) == []


@pytest.mark.parametrize("subject", ISSUERS)
@pytest.mark.parametrize("template", LEAVES)
@pytest.mark.parametrize("issuer", ISSUERS)
def test_a_leaf(customer, roots, issuer, template, subject):
    issued = customer.issue(roots[issuer], csr(subject, "www.example.com", "example.com"), template)
    assert codes(issued.der) == dictated(template, subject)


@pytest.mark.parametrize("issuer", ["RSA_2048", "EC_prime256v1"])
def test_the_certificates_of_acm(customer, chain, issuer):
    exported = customer.export(chain(issuer), issuer, "www.example.com", "example.com")
    assert codes(exported.der) == dictated("EndEntityCertificate", issuer)
    assert codes(chain(issuer).issued.der) == []


def test_a_wildcard_is_all_that_it_says_about_a_wildcard(customer, chain):
    exported = customer.export(chain("RSA_2048"), "RSA_2048", "*.example.com")
    # RFC 5280 section 4.2.1.6 wants the preferred name syntax and leaves wildcards to others (RFC 9525).
    assert codes(exported.der) == ["pkix.invalid_domain_name_syntax"]
