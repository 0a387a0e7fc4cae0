"""The revocation configuration of a CA and its rules (acm-pca.md 10.1)."""

from dataclasses import dataclass

from greatseal.kernel.errors import InvalidArgument


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """What CreateCertificateAuthority and UpdateCertificateAuthority may ask for.

    `crl_options` and `ocsp_options` name the members that were given beside `Enabled`.
    """

    crl_enabled: bool = False
    crl_options: frozenset[str] = frozenset()
    ocsp_enabled: bool = False
    ocsp_options: frozenset[str] = frozenset()


def check(settings: RevocationSettings) -> None:
    """Raises InvalidArgument.

    A CA that promises a CRL or an OCSP responder puts the address into every certificate. While neither
    is published, the promise is refused rather than broken (DESIGN principle 5).
    """
    for name, enabled, options in (
        ("CrlConfiguration", settings.crl_enabled, settings.crl_options),
        ("OcspConfiguration", settings.ocsp_enabled, settings.ocsp_options),
    ):
        if not enabled and options:
            raise InvalidArgument(
                f"{name} is not enabled, so these members cannot be given: {', '.join(sorted(options))}."
            )
    if settings.crl_enabled:
        raise InvalidArgument(
            "CrlConfiguration cannot be enabled yet: this version of Greatseal records revocations but does not "
            "publish CRLs. Create the certificate authority with CrlConfiguration Enabled=false."
        )
    if settings.ocsp_enabled:
        raise InvalidArgument(
            "OcspConfiguration cannot be enabled yet: this version of Greatseal records revocations but does not "
            "answer OCSP requests. Create the certificate authority with OcspConfiguration Enabled=false."
        )
