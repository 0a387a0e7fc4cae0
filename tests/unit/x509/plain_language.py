"""Says in plain language what a certificate contains, once with `cryptography` and once with `asn1crypto`.

Neither uses a line of Greatseal's own reader; the golden tests compare both with `tests/golden/families.txt`.
"""

import hashlib

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

USAGES = {
    "digital_signature": "digital signature",
    "content_commitment": "non-repudiation",
    "non_repudiation": "non-repudiation",
    "key_encipherment": "key encipherment",
    "data_encipherment": "data encipherment",
    "key_agreement": "key agreement",
    "key_cert_sign": "certificate signing",
    "crl_sign": "CRL signing",
}
PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "TLS server",
    "1.3.6.1.5.5.7.3.2": "TLS client",
    "1.3.6.1.5.5.7.3.3": "code signing",
    "1.3.6.1.5.5.7.3.9": "OCSP signing",
}


def basic_constraints(ca: bool, path_length: int | None) -> str:
    if not ca:
        return "end entity"
    return "CA" if path_length is None else f"CA, path length {path_length}"


def owner(identifier: bytes, subject: bytes, issuer: bytes, whose: str) -> str:
    known = {"subject": subject, "issuer": issuer}
    return f"the {whose}'s key" if identifier == known[whose] else "an unknown key"


def by_cryptography(certificate: x509.Certificate, issuer_key_id: bytes) -> list[str]:
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    own = hashlib.sha1(asn1_key_bits(spki)).digest()
    lines = []
    for extension in certificate.extensions:
        value = extension.value
        match value:
            case x509.BasicConstraints():
                label, text = "basic constraints", basic_constraints(value.ca, value.path_length)
            case x509.AuthorityKeyIdentifier():
                assert value.authority_cert_issuer is None
                label, text = "authority key identifier", owner(value.key_identifier, own, issuer_key_id, "issuer")
            case x509.SubjectKeyIdentifier():
                label, text = "subject key identifier", owner(value.digest, own, issuer_key_id, "subject")
            case x509.KeyUsage():
                set_bits = [name for attr, name in USAGES.items() if getattr(value, attr, False)]
                label, text = "key usage", ", ".join(set_bits)
            case x509.ExtendedKeyUsage():
                label, text = "extended key usage", ", ".join(PURPOSES[oid.dotted_string] for oid in value)
            case x509.SubjectAlternativeName():
                kinds = {x509.DNSName: "DNS", x509.IPAddress: "IP"}
                label, text = "subject alternative name", ", ".join(f"{kinds[type(n)]} {n.value}" for n in value)
            case _:
                label, text = extension.oid.dotted_string, "unexpected"
        lines.append(f"{label}{', critical' if extension.critical else ''}: {text}")
    return lines


def by_asn1crypto(encoded: bytes, issuer_key_id: bytes) -> list[str]:
    certificate = asn1.Certificate.load(encoded, strict=True)
    own = hashlib.sha1(asn1_key_bits(certificate["tbs_certificate"]["subject_public_key_info"].dump())).digest()
    lines = []
    for extension in certificate["tbs_certificate"]["extensions"]:
        kind, value = extension["extn_id"].native, extension["extn_value"].parsed
        if kind == "basic_constraints":
            native = value.native
            label, text = "basic constraints", basic_constraints(native["ca"], native["path_len_constraint"])
        elif kind == "authority_key_identifier":
            label = "authority key identifier"
            text = owner(value["key_identifier"].native, own, issuer_key_id, "issuer")
        elif kind == "key_identifier":
            label, text = "subject key identifier", owner(value.native, own, issuer_key_id, "subject")
        elif kind == "key_usage":
            label = "key usage"
            text = ", ".join(name for bit, name in USAGES.items() if bit in value.native)
        elif kind == "extended_key_usage":
            label, text = "extended key usage", ", ".join(PURPOSES[oid.dotted] for oid in value)
        elif kind == "subject_alt_name":
            kinds = {"dns_name": "DNS", "ip_address": "IP"}
            label = "subject alternative name"
            text = ", ".join(f"{kinds[name.name]} {name.native}" for name in value)
        else:
            label, text = kind, "unexpected"
        lines.append(f"{label}{', critical' if extension['critical'].native else ''}: {text}")
    return lines


def asn1_key_bits(spki: bytes) -> bytes:
    """The octets of the subjectPublicKey bit string, whatever the algorithm."""
    from asn1crypto.core import BitString, Sequence

    class Info(Sequence):
        _fields = [("algorithm", Sequence), ("key", BitString)]  # noqa: RUF012 # asn1crypto's own form

    return Info.load(spki)["key"].contents[1:]
