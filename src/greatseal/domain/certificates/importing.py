"""What may be imported: the checks of acm.md 10.4 and 10.5, as functions of the bytes and the time."""

import re
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from greatseal.crypto import keypair
from greatseal.crypto.weakness import weaknesses
from greatseal.domain.certificates.usage import extended_key_usages, key_usages, missing
from greatseal.kernel.errors import ValidationFailed
from greatseal.kernel.secret import Secret
from greatseal.x509 import chain as chains
from greatseal.x509 import pem
from greatseal.x509.bundle import read_certificates
from greatseal.x509.certificate import Certificate
from greatseal.x509.der import DerError
from greatseal.x509.extensions import OID, read_ocsp_urls

_KEY_LABELS = frozenset({"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"})
_RSA_SIZES = (1024, 2048, 3072, 4096)
_MAX_OCSP_URL = 1000
_MAX_SERIAL_BITS = 160
_HOST = re.compile(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9_-]+)*|[0-9a-fA-F:]*:[0-9a-fA-F:.]+")
_BAD_CHAIN = "Could not validate the certificate with the certificate chain."


@dataclass(frozen=True, slots=True)
class Parcel:
    """A certificate with its key and chain that passed every check."""

    certificate: Certificate
    chain: tuple[Certificate, ...]
    private_key: Secret
    key_algorithm: str

    @property
    def names(self) -> tuple[str, ...]:
        """DNS names and addresses of the SAN, in their order; without any, common names that name a host."""
        listed = tuple(str(name) for name in self.certificate.san if name.kind in ("dns", "ip"))
        # Certificates without such a SAN are still common; their name is the common name, if it is one of a host.
        return listed or tuple(name for name in self.certificate.subject.common_names if _HOST.fullmatch(name))

    @property
    def domain_name(self) -> str:
        """The common name, else the first name of the SAN, else nothing."""
        return next(iter((*self.certificate.subject.common_names, *self.names)), "")


def open_parcel(certificate: bytes, private_key: bytes, chain: bytes | None, now: datetime) -> Parcel:
    """Parses and checks an import. Raises ValidationFailed with the service's own sentences."""
    leaf = _leaf(certificate, now)
    algorithm, key = _key(private_key)
    if keypair.encode_public(keypair.load_private(key).public_key()) != _canonical(leaf):
        raise ValidationFailed("The private key does not match the public key of the certificate.")
    above = _certificates(chain, _BAD_CHAIN) if chain else ()
    if above:
        try:
            chains.check_end_entity_chain(leaf, above)
        except chains.BrokenChain:
            raise ValidationFailed(_BAD_CHAIN) from None
    return Parcel(leaf, above, key, algorithm)


def check_reimport(old: Certificate, old_algorithm: str, new: Parcel) -> None:
    """What a reimport may change (acm.md 10.5). Raises ValidationFailed."""
    if new.key_algorithm != old_algorithm:
        raise ValidationFailed("The new certificate must have the same key type and size as the current one.")
    old_names, new_names = _names(old), _names(new.certificate)
    if old_names and not old_names & new_names:
        raise ValidationFailed("The new certificate must keep at least one domain name of the current one.")
    old_ku, new_ku = key_usages(old), key_usages(new.certificate)
    # An ECDSA key cannot encipher, so its certificates may lose what they should not have had.
    droppable = frozenset({"KEY_ENCIPHERMENT"}) if old_algorithm.startswith("EC_") else frozenset()
    if old_ku == ("ANY",) != new_ku:
        raise ValidationFailed("A key usage extension cannot be introduced by a reimport.")
    if old_ku != ("ANY",) and missing(old_ku, new_ku, may_go=droppable):
        raise ValidationFailed(
            "New certificate is missing one or more Key Usages supported by the currently imported certificate"
        )
    old_eku, new_eku = _purposes(old), _purposes(new.certificate)
    if not old_eku and new_eku:
        raise ValidationFailed("An extended key usage extension cannot be introduced by a reimport.")
    if missing(old_eku, new_eku, may_go=frozenset({"1.3.6.1.5.5.7.3.2"})):
        raise ValidationFailed(
            "New certificate is missing one or more Extended Key Usages supported by the currently imported certificate"
        )


def _leaf(data: bytes, now: datetime) -> Certificate:
    found = _certificates(data, "Unable to parse certificate. Please ensure the certificate is in PEM format.")
    if len(found) > 1:
        raise ValidationFailed(
            "The certificate field contains more than one certificate. You can specify only one certificate in "
            "this field."
        )
    leaf = found[0]
    if leaf.not_after < now:
        raise ValidationFailed("The certificate has expired, is not valid.")
    if leaf.not_before > now:
        raise ValidationFailed("The certificate is not in effect yet, is not valid.")
    if leaf.version != 3:
        raise ValidationFailed("The certificate is not an X.509 version 3 certificate.")
    if leaf.issuer.is_empty:
        raise ValidationFailed("The certificate has no issuer.")
    aia = leaf.extension(OID.AUTHORITY_INFORMATION_ACCESS)
    try:
        urls = read_ocsp_urls(aia) if aia else ()
        key_usages(leaf)
        extended_key_usages(leaf)
        _ = leaf.san
    except DerError as error:
        raise ValidationFailed(f"The certificate has an extension that cannot be read: {error}.") from None
    _check_storable(leaf)
    if any(len(url) > _MAX_OCSP_URL for url in urls):
        raise ValidationFailed(f"The certificate has an OCSP address of more than {_MAX_OCSP_URL} characters.")
    return leaf


def _check_storable(leaf: Certificate) -> None:
    """What RFC 5280 forbids (sections 4.1.2.2 and 4.2.1.6) and nothing that shows it would show rightly."""
    if leaf.serial.bit_length() > _MAX_SERIAL_BITS:
        raise ValidationFailed("The serial number of the certificate has more than 20 octets.")
    if any("\0" in name for name in _names(leaf)):
        raise ValidationFailed("The certificate has a name with a NUL character.")


def _certificates(data: bytes, otherwise: str) -> tuple[Certificate, ...]:
    try:
        return read_certificates(data)
    except ValueError:
        raise ValidationFailed(otherwise) from None


def _key(data: bytes) -> tuple[str, Secret]:
    """The algorithm in the model's spelling, and the key as PKCS#8."""
    try:
        blocks = pem.read_blocks(data)
    except pem.PemError:
        raise ValidationFailed("Passed PEM was not a private key.") from None
    if len(blocks) == 1 and blocks[0].is_encrypted:
        raise ValidationFailed("The private key is encrypted. Pass it without a passphrase.")
    if len(blocks) != 1 or blocks[0].label not in _KEY_LABELS:
        raise ValidationFailed("Passed PEM was not a private key.")
    try:
        loaded = serialization.load_der_private_key(blocks[0].der, password=None)
        key = keypair.accept_private(loaded)
    except (keypair.UnusableKey, UnsupportedAlgorithm):
        raise ValidationFailed("The private key is not supported.") from None
    except (ValueError, TypeError):
        raise ValidationFailed("Passed PEM was not a private key.") from None
    public = key.public_key()
    size = getattr(public, "key_size", 0)
    row = keypair.algorithm_of(public)
    name = f"RSA_{size}" if size in _RSA_SIZES else row.name if row else ""
    if not name or name.startswith("ML_DSA"):
        raise ValidationFailed("The private key is not supported.")
    # RSA 1024 may be imported (acm.md 7.2): it was signed elsewhere. What anybody can factor may not.
    weak = weaknesses(keypair.encode_public(public), min_rsa_bits=min(_RSA_SIZES))
    if weak:
        raise ValidationFailed("The private key is not supported. " + " ".join(weak))
    return name, keypair.encode_private(key)


def _canonical(certificate: Certificate) -> bytes:
    try:
        return keypair.encode_public(keypair.load_public(certificate.spki))
    except keypair.UnusableKey:
        raise ValidationFailed("The public key of the certificate is not supported.") from None


def _names(certificate: Certificate) -> set[str]:
    return {str(name).lower() for name in certificate.san} | {n.lower() for n in certificate.subject.common_names}


def _purposes(certificate: Certificate) -> list[str]:
    return [oid for _, oid in extended_key_usages(certificate) if oid is not None]
