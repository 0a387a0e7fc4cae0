"""Writes the golden certificates: `python tools/make_golden.py` (tests/golden/README.md says what they are).

Everything that a certificate depends on is fixed here or checked in: keys, names, times, serials. The
same functions run in the test that compares; after a deliberate change, run this and review the diff.
"""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from greatseal.crypto.algorithms import default_signature_algorithm
from greatseal.crypto.keypair import load_private
from greatseal.crypto.signature import SoftwareSigner
from greatseal.kernel.secret import Secret
from greatseal.x509 import general_names, pem
from greatseal.x509.certificate import TbsCertificate, assemble, encode_tbs
from greatseal.x509.csr import CertificationRequest, build_csr, parse_csr
from greatseal.x509.extensions import (
    OID,
    Extension,
    basic_constraints,
    crl_distribution_points,
    extended_key_usage,
    key_identifier_of,
    key_usage,
    subject_alternative_name,
)
from greatseal.x509.names import Name, subject_from_attributes
from greatseal.x509.templates import TEMPLATES, IssuerFacts, Passthrough, Template, compose, passthrough
from greatseal.x509.validity import Validity, ValidityType, validity_period

GOLDEN = Path(__file__).parent.parent / "tests" / "golden"
ISSUED_AT = datetime(2026, 1, 1, tzinfo=UTC)
# A root outlives 2049 on purpose: its end is a GeneralizedTime, its beginning a UTCTime.
LEAF_LIFE, ROOT_LIFE = Validity(13, ValidityType.MONTHS), Validity(30, ValidityType.YEARS)
LEAF_SUBJECT = {"Country": "US", "Organization": "Greatseal Tests", "CommonName": "leaf.example.com"}
API_SUBJECT = {"Country": "SE", "Organization": "Greatseal API", "CommonName": "api.example.com"}


@dataclass(frozen=True, slots=True)
class Family:
    """One golden file: the issuer's key, and whether every source of extensions says all that it can."""

    issuer: str
    full: bool = False

    @property
    def path(self) -> Path:
        """The checked-in file."""
        return GOLDEN / f"{self.issuer}{'-full' if self.full else ''}.txt"

    @property
    def signed(self) -> bool:
        """Whether signatures repeat; those of ML-DSA are hedged, hence only the signed part is golden."""
        return not self.issuer.startswith("ML_DSA")


FAMILIES = (
    Family("RSA_2048"),
    Family("EC_prime256v1"),
    Family("ML_DSA_44"),
    Family("EC_prime256v1", full=True),
)


def signer(name: str) -> SoftwareSigner:
    """The checked-in test key `tests/golden/keys/<name>.pem`."""
    block = pem.read_blocks((GOLDEN / "keys" / f"{name}.pem").read_bytes())[0]
    return SoftwareSigner.of(load_private(Secret(block.der)), deterministic=True)


def issuer_name(family: Family) -> Name:
    """The subject of the family's issuer, and of the roots that its key signs."""
    return subject_from_attributes(
        {"Country": "US", "Organization": "Greatseal Tests", "CommonName": f"Golden {family.issuer}"}
    )


def serial_of(family: Family, template: Template) -> int:
    """A serial that is fixed, distinct, and in half of all cases has its top bit set."""
    return int.from_bytes(hashlib.sha256(f"{family.path.name} {template.name}".encode()).digest()[:16], "big")


def request_for(family: Family, template: Template) -> CertificationRequest:
    """The request: of the issuer itself for roots, else a leaf's with two names; with `full` it asks for more."""
    key = signer(family.issuer if template.root else "subject_EC_prime256v1")
    subject = issuer_name(family) if template.root else subject_from_attributes(LEAF_SUBJECT)
    extensions = [] if template.root else [subject_alternative_name([general_names.dns("leaf.example.com")])]
    if not template.root and not family.full:
        extensions = [subject_alternative_name([general_names.dns("leaf.example.com"), general_names.ip("192.0.2.1")])]
    if family.full:
        extensions += hostile("csr", "1.3.6.1.4.1.37244.9.1")
    return parse_csr(build_csr(subject, key, default_signature_algorithm(key.algorithm), extensions))


def hostile(source: str, own_oid: str) -> list[Extension]:
    """Extensions that try to override every part of a template, and one that only this source has."""
    return [
        basic_constraints(True, 7),
        Extension(OID.SUBJECT_KEY_IDENTIFIER, False, b"\x04\x03" + source.encode()),
        Extension(OID.AUTHORITY_KEY_IDENTIFIER, False, b"\x30\x05\x80\x03" + source.encode()),
        key_usage(["KeyAgreement", "DecipherOnly"], critical=True),
        extended_key_usage([OID.EMAIL_PROTECTION if source == "csr" else OID.TIME_STAMPING]),
        crl_distribution_points(f"http://{source}.example.com/crl"),
        Extension(own_oid, False, b"\x0c\x03" + source.encode()),
    ]


def passthrough_for(family: Family) -> Passthrough | None:
    """ApiPassthrough of the full family; the plain ones have none."""
    if not family.full:
        return None
    return passthrough(
        subject=subject_from_attributes(API_SUBJECT),
        names=[general_names.dns("api.example.com")],
        policies=[("1.3.6.1.4.1.37244.9.3", ["https://example.com/cps"])],
        custom=hostile("api", "1.3.6.1.4.1.37244.9.2"),
    )


def tbs_of(family: Family, template: Template) -> bytes:
    """The to-be-signed part of the family's certificate from this template."""
    key = signer(family.issuer)
    issuer = issuer_name(family)
    request = request_for(family, template)
    facts = None
    if not template.root:
        full = family.full
        facts = IssuerFacts(
            subject=issuer,
            key_identifier=key_identifier_of(key.spki),
            crl_url="http://ca.example.com/crl/1.crl" if full else None,
            ocsp_url="http://ocsp.example.com" if full else None,
        )
    content = compose(template, request=request, passthrough=passthrough_for(family), issuer=facts)
    not_before, not_after = validity_period(ROOT_LIFE if template.root else LEAF_LIFE, None, ISSUED_AT)
    return encode_tbs(
        TbsCertificate(
            serial=serial_of(family, template),
            algorithm=default_signature_algorithm(key.algorithm),
            issuer=content.subject if template.root else issuer,
            not_before=not_before,
            not_after=not_after,
            subject=content.subject,
            spki=request.spki,
            extensions=content.extensions,
        )
    )


def sign(family: Family, tbs: bytes) -> bytes:
    """The certificate of a to-be-signed part."""
    key = signer(family.issuer)
    algorithm = default_signature_algorithm(key.algorithm)
    return assemble(tbs, algorithm, key.sign(tbs, algorithm))


def lines(family: Family) -> Iterator[str]:
    """The content of the golden file: template, SHA-256 of the signed part, base64 of the DER."""
    what = "certificate" if family.signed else "to-be-signed part (signatures of ML-DSA do not repeat)"
    yield f"# Made by tools/make_golden.py. Columns: template, SHA-256 of the TBS, base64 of the {what}."
    for template in sorted(TEMPLATES.values(), key=lambda item: item.name):
        tbs = tbs_of(family, template)
        encoded = sign(family, tbs) if family.signed else tbs
        yield f"{template.name} {hashlib.sha256(tbs).hexdigest()} {base64.b64encode(encoded).decode('ascii')}"


def main() -> None:
    """Writes every golden file."""
    for family in FAMILIES:
        family.path.write_text("\n".join(lines(family)) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
