"""Cryptographic Message Syntax: signatures over files and timestamps, as functions of digests (docs/signing.md).

One signer:  sign(certificate, scheme_for(certificate.spki), digest.of(content), key) -> SignerInfo
The file:    encode([signer, ...], certificates) -> DER of a ContentInfo
Back:        signed = read(DER); check(signed, signer, certificate_of(signed, signer), {digest: octets})

The content itself never comes here unless it is attached, as in a timestamp token; `wanted(signed)` says which
digests of it are needed.
"""

from greatseal.x509.cms.check import Signed, certificate_of, check, wanted
from greatseal.x509.cms.digests import Digest, Sum, read_digest
from greatseal.x509.cms.faults import CmsError, Fault
from greatseal.x509.cms.schemes import Scheme, algorithm_name, is_post_quantum, read_scheme, scheme_for, verifies
from greatseal.x509.cms.signed_data import (
    DATA,
    SIGNED_DATA,
    TST_INFO,
    Sign,
    SignedData,
    SignerInfo,
    encode,
    read,
    sign,
)

__all__ = [
    "DATA",
    "SIGNED_DATA",
    "TST_INFO",
    "CmsError",
    "Digest",
    "Fault",
    "Scheme",
    "Sign",
    "Signed",
    "SignedData",
    "SignerInfo",
    "Sum",
    "algorithm_name",
    "certificate_of",
    "check",
    "encode",
    "is_post_quantum",
    "read",
    "read_digest",
    "read_scheme",
    "scheme_for",
    "sign",
    "verifies",
    "wanted",
]
