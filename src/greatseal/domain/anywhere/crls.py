"""The verbs of imported lists of revoked certificates. They are never fetched: what counts is what was imported."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from greatseal.domain.anywhere.anchors import TrustAnchors
from greatseal.domain.anywhere.model import ImportedCrl, not_found
from greatseal.domain.anywhere.shelf import Shelf
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import crl, der, pem
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList
from greatseal.x509.extensions import OID, read_key_usage
from greatseal.x509.names import same_name

_LABEL = "X509 CRL"


class Crls:
    """Imports and changes CRLs."""

    def __init__(self, *, shelf: Shelf[ImportedCrl], anchors: TrustAnchors) -> None:
        self.shelf = shelf
        self._anchors = anchors

    def create(
        self,
        caller: Caller,
        *,
        name: str,
        data: bytes,
        anchor_arn: str,
        enabled: bool,
        alias: str | None,
        tags: Sequence[Tag],
    ) -> ImportedCrl:
        """Raises NotFound for the anchor, InvalidArgument for a list that is broken or not its CA's."""
        encoded = self._check(caller, anchor_arn, data)
        return self.shelf.create(
            caller,
            lambda id, arn, now: ImportedCrl(
                id=id,
                arn=arn,
                account=caller.account,
                region=caller.region,
                name=name,
                enabled=enabled,
                created_at=now,
                updated_at=now,
                anchor_arn=anchor_arn,
                data=data,
                der=encoded,
            ),
            alias=alias,
            tags=tags,
        )

    def update(
        self, caller: Caller, arn: str, *, name: str | None, data: bytes | None, alias: str | None
    ) -> tuple[ImportedCrl, str | None]:
        """The CRL and the alias that it gave up. None leaves a value as it is; raises as `create`."""
        present = self.shelf.get(caller, arn)
        encoded = None if data is None else self._check(caller, present.anchor_arn, data)
        return self.shelf.change(
            caller,
            arn,
            lambda item: replace(
                item,
                name=name or item.name,
                data=item.data if data is None else data,
                der=item.der if encoded is None else encoded,
            ),
            alias=alias,
        )

    def _check(self, caller: Caller, anchor_arn: str, data: bytes) -> bytes:
        """The DER of the list, once the anchor's CA has signed it."""
        anchor = self._anchors.shelf.at(anchor_arn)
        if anchor is None or (anchor.account, anchor.region) != (caller.account, caller.region):
            raise not_found(anchor_arn)
        try:
            encoded = _decode(data)
            found = read(encoded)
            crl.check_complete(found)
        except ValueError as error:
            raise InvalidArgument(f"The CRL cannot be read: {error}.") from None
        if not any(_signed(found, issuer) for issuer in self._anchors.certificates(anchor)):
            raise InvalidArgument(f"The CRL was not signed by the certificate authority of {anchor_arn}.")
        return encoded


@lru_cache(maxsize=128)
def read(encoded: bytes) -> RevocationList:
    """A list whose DER this is; remembered, because every session asks. Raises DerError."""
    return RevocationList.parse(encoded)


def _decode(data: bytes) -> bytes:
    """The DER inside of PEM, or DER itself. Raises ValueError."""
    if data[:1] == bytes([der.SEQUENCE]):
        return data
    blocks = pem.read_blocks(data)
    if len(blocks) != 1 or blocks[0].label != _LABEL:
        raise pem.PemError(f"there must be one PEM block of type {_LABEL}")
    return blocks[0].der


def _signed(found: RevocationList, issuer: Certificate) -> bool:
    """Whether a CA that may sign CRLs (RFC 5280 section 4.2.1.3) signed this one."""
    if not same_name(found.issuer, issuer.subject):
        return False
    usage = issuer.extension(OID.KEY_USAGE)
    if usage is not None and "CRLSign" not in read_key_usage(usage):
        return False
    return crl.verify_signature(found, issuer.spki)
