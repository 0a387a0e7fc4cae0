"""The verbs of trust anchors."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from greatseal.domain.anywhere.model import (
    NotificationEvent,
    NotificationSetting,
    Source,
    SourceKind,
    TrustAnchor,
    UntrustedCertificate,
    with_settings,
)
from greatseal.domain.anywhere.shelf import Shelf
from greatseal.domain.authorities import Registry
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument, Refusal
from greatseal.x509 import bundle
from greatseal.x509.certificate import Certificate
from greatseal.x509.path.links import may_sign_certificates


class TrustAnchors:
    """Creates and changes trust anchors, and knows their certificates."""

    def __init__(self, *, shelf: Shelf[TrustAnchor], registry: Registry) -> None:
        self.shelf = shelf
        self._registry = registry

    def create(
        self,
        caller: Caller,
        *,
        name: str,
        source: Source,
        enabled: bool,
        settings: Sequence[NotificationSetting],
        alias: str | None,
        tags: Sequence[Tag],
    ) -> TrustAnchor:
        """Raises InvalidArgument for a source that is no CA of this account, region and installation."""
        self._check(caller, source)
        own = with_settings((), tuple(settings))
        return self.shelf.create(
            caller,
            lambda id, arn, now: TrustAnchor(
                id=id,
                arn=arn,
                account=caller.account,
                region=caller.region,
                name=name,
                enabled=enabled,
                created_at=now,
                updated_at=now,
                source=source,
                settings=own,
            ),
            alias=alias,
            tags=tags,
        )

    def update(
        self, caller: Caller, arn: str, *, name: str | None, source: Source | None, alias: str | None
    ) -> tuple[TrustAnchor, str | None]:
        """The anchor and the alias that it gave up. None leaves a value as it is."""
        if source is not None:
            self._check(caller, source)
        return self.shelf.change(
            caller,
            arn,
            lambda anchor: replace(anchor, name=name or anchor.name, source=source or anchor.source),
            alias=alias,
        )

    def put_settings(self, caller: Caller, arn: str, settings: Sequence[NotificationSetting]) -> TrustAnchor:
        """Sets what the owner is told about; other events keep their setting."""
        added = tuple(settings)
        return self.shelf.change(
            caller, arn, lambda anchor: replace(anchor, settings=with_settings(anchor.settings, added))
        )[0]

    def reset_settings(self, caller: Caller, arn: str, events: Sequence[NotificationEvent]) -> TrustAnchor:
        """Brings the service's own settings back for some events."""
        return self.shelf.change(
            caller,
            arn,
            lambda anchor: replace(anchor, settings=tuple(s for s in anchor.settings if s.event not in events)),
        )[0]

    def certificates(self, anchor: TrustAnchor) -> tuple[Certificate, ...]:
        """The CA certificates that paths may end in: now, not when the anchor was made.

        Raises UntrustedCertificate when the private CA is gone or has no certificate.
        """
        if anchor.source.kind is SourceKind.BUNDLE:
            return _read_bundle(anchor.source.value)
        try:
            return (Certificate.parse(self._registry.certificate(anchor.source.value).der),)
        except Refusal:
            raise UntrustedCertificate(
                f"Untrusted signing certificate: the certificate authority of {anchor.arn} has no certificate."
            ) from None

    def _check(self, caller: Caller, source: Source) -> None:
        if source.kind is SourceKind.PRIVATE_CA:
            self._check_authority(caller, source.value)
            return
        try:
            certificates = _read_bundle(source.value)
        except ValueError as error:
            raise InvalidArgument(f"The certificate bundle cannot be read: {error}.") from None
        for certificate in certificates:
            if not certificate.is_ca or not may_sign_certificates(certificate):
                raise InvalidArgument(
                    f"The certificate of {certificate.subject.display()!r} in the bundle is not that of a CA."
                )

    def _check_authority(self, caller: Caller, authority_arn: str) -> None:
        try:
            arn = Arn.parse(authority_arn)
        except ValueError:
            raise InvalidArgument(f"{authority_arn} is not the ARN of a private CA.") from None
        if (arn.account, arn.region) != (caller.account, caller.region):
            raise InvalidArgument(f"The private CA {authority_arn} is not in this account and Region.")
        try:
            self._registry.certificate(authority_arn)
        except Refusal as refusal:
            raise InvalidArgument(refusal.message) from None


@lru_cache(maxsize=256)
def _read_bundle(text: str) -> tuple[Certificate, ...]:
    """Raises ValueError."""
    return bundle.read_certificates(text.encode())
