"""The second opinion: pkilint's RFC 5280 validators, in this process, over one certificate or CRL."""

import warnings
from functools import cache

with warnings.catch_warnings():
    # pkilint's dependencies use constructs that newer Pythons complain about; not ours to repair.
    warnings.simplefilter("ignore")
    from pkilint import document, finding_filter, loader, pkix, validation
    from pkilint.cabf import serverauth
    from pkilint.pkix import certificate, crl, extension, name


@cache
def _validator() -> validation.ValidatorContainer:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def pkilint_errors(der: bytes) -> list[str]:
    """What pkilint calls an ERROR or FATAL about a certificate (DER), as `code: message`, sorted.

    Only clear violations of RFC 5280; its warnings and notices are left out. A certificate that pkilint
    cannot decode is one finding, `undecodable`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = loader.RFC5280CertificateDocumentLoader().load_der_document(der, "certificate")
            results = list(_validator().validate(parsed.root))
        except (ValueError, document.SubstrateDecodingFailedError) as undecodable:
            return [f"undecodable: {undecodable}"]
    return sorted(
        f"{found.finding.code}: {found.message or ''}"
        for result in results
        for found in result.finding_descriptions
        if found.finding.severity <= validation.ValidationFindingSeverity.ERROR
    )


def pkilint_public_findings(der: bytes, kind: str) -> list[str]:
    """All that pkilint's linter for the Baseline Requirements of TLS says about a certificate (DER), notices too.

    `kind` names one of its certificate types, DV_FINAL_CERTIFICATE for instance.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = serverauth.serverauth_constants.CertificateType[kind]
        parsed = loader.RFC5280CertificateDocumentLoader().load_der_document(der, "certificate")
        validator = certificate.create_pkix_certificate_validator_container(
            serverauth.create_decoding_validators(), serverauth.create_validators(chosen)
        )
        results, _ = finding_filter.filter_results(
            serverauth.create_serverauth_finding_filters(chosen), validator.validate(parsed.root)
        )
    return sorted(
        f"{found.finding.severity.name} {found.finding.code}: {found.message or ''}"
        for result in results
        for found in result.finding_descriptions
        if found.finding.severity <= validation.ValidationFindingSeverity.NOTICE
    )


@cache
def _crl_validator() -> validation.ValidatorContainer:
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def pkilint_crl_errors(der: bytes) -> list[str]:
    """As `pkilint_errors`, about a CRL (DER); warnings and notices count too, because we write all of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = loader.RFC5280CertificateListDocumentLoader().load_der_document(der, "crl")
        results = list(_crl_validator().validate(parsed.root))
    return sorted(
        f"{found.finding.code}: {found.message or ''}"
        for result in results
        for found in result.finding_descriptions
        if found.finding.severity <= validation.ValidationFindingSeverity.NOTICE
    )
