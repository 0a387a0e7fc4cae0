"""PKCS#7 that carries certificates and signs nothing (RFC 5652 section 5, "degenerate" SignedData)."""

from collections.abc import Iterable

from greatseal.x509 import der

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_DATA = "1.2.840.113549.1.7.1"


def certificates_only(certificates: Iterable[bytes]) -> bytes:
    """The DER of a ContentInfo with these certificates (DER), each once.

    A SET OF has no order of its own in DER, so whoever reads it finds the issuers by their names.
    """
    listed = der.set_of(dict.fromkeys(certificates))
    content = der.sequence(
        der.integer(1),
        der.set_of(()),
        der.sequence(der.oid(_DATA)),
        # IMPLICIT: the tag replaces that of the SET.
        b"\xa0" + listed[1:],
        der.set_of(()),
    )
    return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, content))
