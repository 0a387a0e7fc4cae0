"""Whether a certificate that somebody shows is one of ours."""

from greatseal.crypto.keypair import UnusableKey
from greatseal.domain.authorities.issued import serial_text
from greatseal.domain.authorities.store import journal
from greatseal.domain.keys.model import fingerprint
from greatseal.storage import Tx
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate


def is_issued_here(tx: Tx, certificate: Certificate) -> bool:
    """Whether a CA of this installation issued it, or is about to; only what is signed is looked at."""
    try:
        key = fingerprint(certificate.spki)
    except UnusableKey:
        return False
    prepared = journal.prepared_for(tx, key, serial_text(certificate.serial))
    # Anybody may certify our key under our serial number; the issuer's name is what a strange CA must leave alone,
    # or its certificate chains to nobody.
    return any(_issuer_of(each) == certificate.issuer.der for each in prepared)


def _issuer_of(tbs: bytes) -> bytes:
    inside = der.only(tbs, der.SEQUENCE)
    inside.raw(0xA0)
    inside.raw(der.INTEGER)
    inside.raw(der.SEQUENCE)
    return inside.raw(der.SEQUENCE)
