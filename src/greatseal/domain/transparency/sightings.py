"""Certificates as a monitor sees them in the leaves of a log: whose names they carry, and what they say. Pure."""

from dataclasses import dataclass
from hashlib import sha256

from greatseal.domain.transparency.entries import content_of, read_leaf_input
from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.der import DerError
from greatseal.x509.sct import PRECERT_ENTRY

MAX_NAMES = 20


@dataclass(frozen=True, slots=True)
class Sighting:
    """A certificate in a log. `certificate` is None when it cannot be read, though it carries a watched name."""

    index: int
    timestamp: int
    is_precertificate: bool
    names: tuple[str, ...]
    certificate: Certificate | None
    fingerprint: str
    """SHA-256 of the certificate, or of the to-be-signed part of a precertificate, in hexadecimal."""

    @property
    def identity(self) -> str:
        """The same for a precertificate and the certificate that came of it: issuer and serial number."""
        if self.certificate is None:
            return self.fingerprint
        issuer = sha256(self.certificate.issuer.der).hexdigest()[:16]
        return f"{issuer}/{self.certificate.serial:x}"


def sighting(index: int, leaf_input: bytes, domains: tuple[str, ...]) -> Sighting | None:
    """The certificate of a leaf if it carries a name of these domains, or below them. Raises EncodingError."""
    timestamp, entry, _ = read_leaf_input(leaf_input)
    kind, content = content_of(entry)
    # Most leaves are of no interest, and reading a certificate takes a hundred times as long as this.
    lowered = content.lower()
    if not any(each.encode("ascii") in lowered for each in domains):
        return None
    of_precertificate = kind == PRECERT_ENTRY
    fingerprint = sha256(content).hexdigest()
    try:
        certificate = Certificate.parse(_whole(content) if of_precertificate else content)
        names = _names(certificate)
    except DerError:
        # Somebody's certificate with our name in it that we cannot read is worth a look.
        return Sighting(index, timestamp, of_precertificate, (), None, fingerprint)
    wanted = tuple(name for name in names if any(_is_below(name, each) for each in domains))
    if not wanted:
        return None
    return Sighting(index, timestamp, of_precertificate, wanted[:MAX_NAMES], certificate, fingerprint)


def _whole(tbs: bytes) -> bytes:
    """A to-be-signed part as a certificate with an empty signature, so that it can be read as one."""
    inside = der.only(tbs, der.SEQUENCE)
    if inside.peek() == 0xA0:
        inside.raw()
    inside.raw(der.INTEGER)
    return der.sequence(tbs, inside.raw(der.SEQUENCE), der.bit_string(b""))


def _names(certificate: Certificate) -> list[str]:
    """DNS names and the common names, lower case, each once."""
    found = [each.text.lower() for each in certificate.san if each.kind == "dns"]
    found += [each.lower() for each in certificate.subject.common_names]
    return list(dict.fromkeys(found))


def _is_below(name: str, domain: str) -> bool:
    bare = name.removeprefix("*.").rstrip(".")
    return bare == domain or bare.endswith(f".{domain}")
