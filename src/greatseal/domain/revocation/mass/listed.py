"""Lists of certificates as people have them: serial numbers, ARNs, or the certificates themselves."""

from collections.abc import Iterable, Iterator

from greatseal.domain.authorities import Registry
from greatseal.domain.authorities.issued import serial_from_text
from greatseal.domain.authorities.store import journal
from greatseal.domain.keys.model import fingerprint
from greatseal.kernel.errors import InvalidArgument, Refusal
from greatseal.storage import Storage
from greatseal.x509 import pem
from greatseal.x509.certificate import Certificate

_BEGIN, _END = "-----BEGIN ", "-----END "
_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")


class Listing:
    """Reads lists, a line at a time."""

    def __init__(self, *, storage: Storage, registry: Registry) -> None:
        self._storage = storage
        self._registry = registry

    def read(self, lines: Iterable[str], authority_arn: str | None) -> Iterator[tuple[str, str]]:
        """The id of the CA and the serial number of each certificate.

        A line is the ARN of a certificate, the ARN of a CA and a serial number, or a serial number alone, which is one
        of `authority_arn`. Empty lines and comments (`#`) are passed over; PEM blocks of certificates may come between.
        Whether a serial number was issued is not looked at. Raises InvalidArgument with the number of the line.
        """
        known: dict[str, str] = {}
        block: list[str] = []
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            try:
                if block or line.startswith(_BEGIN):
                    block.append(line)
                    if line.startswith(_END):
                        yield self._certificate("\n".join(block))
                        block.clear()
                elif line and not line.startswith("#"):
                    arn, serial = _parts(line, authority_arn)
                    if arn not in known:
                        known[arn] = self._registry.describe(arn).id
                    yield known[arn], serial_from_text(serial)
            except (Refusal, ValueError) as error:
                raise InvalidArgument(f"line {number}: {error}") from error
        if block:
            raise InvalidArgument("the list ends within a PEM block")

    def _certificate(self, text: str) -> tuple[str, str]:
        [found] = pem.read_blocks(text.encode())
        if found.label not in _LABELS:
            raise InvalidArgument(f"a PEM block of {found.label} is no certificate")
        certificate = Certificate.parse(found.der)
        key = fingerprint(certificate.spki)
        named = self._storage.read(lambda tx: journal.named_by(tx, key, found.der))
        if named is None:
            raise InvalidArgument("no CA of this installation issued the certificate that ends here")
        return named


def _parts(line: str, authority_arn: str | None) -> tuple[str, str]:
    """The ARN of the CA and the serial number, as they are written."""
    words = line.replace(",", " ").split()
    if len(words) == 1 and "/certificate/" in line:
        arn, _, serial = line.partition("/certificate/")
        return arn, serial
    if len(words) == 2:
        return words[0], words[1]
    if len(words) != 1 or line.startswith("arn:"):
        raise InvalidArgument(
            "expected the ARN of a certificate, the ARN of a CA and a serial number, or a serial number"
        )
    if authority_arn is None:
        raise InvalidArgument("a serial number alone says nothing: name the CA")
    return authority_arn, line
