"""Identity providers: issuers of OpenID Connect tokens that an account trusts (iam.md 9)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from greatseal.domain.access.identities import rules
from greatseal.domain.access.identities.registrar import Registrar, partition
from greatseal.domain.access.policy_model import IdentityProvider
from greatseal.domain.access.store import providers as store
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import AlreadyExists, InvalidRequest, NotFound, ValidationFailed
from greatseal.storage import Tx

_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_PLACE = re.compile(r"[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/%-]*)?")


@dataclass(frozen=True, slots=True)
class ShownProvider:
    """A provider and its tags."""

    provider: IdentityProvider
    tags: tuple[Tag, ...] = ()


def place_of(url: str) -> str:
    """The URL without `https://`, which names the provider in ARNs. Raises ValidationFailed."""
    parts = urlsplit(url)
    place = url.removeprefix("https://").rstrip("/")
    if parts.scheme != "https" or parts.query or parts.fragment or not _PLACE.fullmatch(place):
        raise ValidationFailed("Invalid Open ID Connect Provider URL")
    return place


def provider_arn(caller: Caller, place: str) -> str:
    """The ARN of the caller's provider with this place."""
    return f"arn:{partition(caller)}:iam::{caller.account}:oidc-provider/{place}"


class IdentityProviders:
    """Registers, changes, lists and deletes identity providers."""

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    def create(
        self,
        caller: Caller,
        url: str,
        *,
        client_ids: Sequence[str],
        thumbprints: Sequence[str],
        tags: tuple[Tag, ...],
    ) -> str:
        """The ARN. Raises ValidationFailed for a URL that is not https, AlreadyExists, LimitExceeded, InvalidRequest.

        Thumbprints are kept and shown; trust in the provider's server comes from its certificate's chain.
        """
        registrar = self._registrar
        place = place_of(url)
        arn = provider_arn(caller, place)
        ids = _client_ids(client_ids)
        prints = _thumbprints(thumbprints)

        def work(tx: Tx) -> str:
            if len(store.listing(tx, caller.account)) >= rules.PROVIDERS_PER_ACCOUNT:
                raise rules.over("OpenIDConnectProvidersPerAccount", rules.PROVIDERS_PER_ACCOUNT)
            new = IdentityProvider(arn, caller.account, place, ids, prints, registrar.clock.now())
            if not store.add(tx, new):
                raise AlreadyExists(f"Provider with url {url} already exists.")
            registrar.tags.add(tx, arn, tags)
            registrar.changed(tx, caller, arn)
            return arn

        return registrar.storage.transact(work)

    def get(self, caller: Caller, arn: str) -> ShownProvider:
        """Raises NotFound."""

        def work(tx: Tx) -> ShownProvider:
            return ShownProvider(_find(tx, caller, arn), self._registrar.tags.of(tx, arn))

        return self._registrar.storage.read(work)

    def listing(self, caller: Caller) -> Sequence[str]:
        """The ARNs."""
        return [each.arn for each in self._registrar.storage.read(lambda tx: store.listing(tx, caller.account))]

    def delete(self, caller: Caller, arn: str) -> None:
        """Nothing happens when there is no such provider."""
        registrar = self._registrar

        def work(tx: Tx) -> None:
            found = store.find(tx, arn)
            if found is not None and found.account == caller.account:
                store.remove(tx, arn)
                registrar.tags.remove_all(tx, arn)
            registrar.changed(tx, caller, arn)

        registrar.storage.transact(work)

    def add_client_id(self, caller: Caller, arn: str, client_id: str) -> None:
        """Nothing changes for one that is there. Raises NotFound, LimitExceeded."""
        self._change(caller, arn, lambda found: replace(found, client_ids=_client_ids((*found.client_ids, client_id))))

    def remove_client_id(self, caller: Caller, arn: str, client_id: str) -> None:
        """Nothing changes for one that is not there. Raises NotFound."""
        self._change(
            caller,
            arn,
            lambda found: replace(found, client_ids=tuple(each for each in found.client_ids if each != client_id)),
        )

    def set_thumbprints(self, caller: Caller, arn: str, thumbprints: Sequence[str]) -> None:
        """Replaces all of them. Raises NotFound, InvalidRequest, LimitExceeded."""
        prints = _thumbprints(thumbprints)
        self._change(caller, arn, lambda found: replace(found, thumbprints=prints))

    def _change(self, caller: Caller, arn: str, changed: Callable[[IdentityProvider], IdentityProvider]) -> None:
        registrar = self._registrar

        def work(tx: Tx) -> None:
            after = changed(_find(tx, caller, arn))
            store.change(tx, arn, client_ids=after.client_ids, thumbprints=after.thumbprints)
            registrar.changed(tx, caller, arn)

        registrar.storage.transact(work)


def _find(tx: Tx, caller: Caller, arn: str) -> IdentityProvider:
    found = store.find(tx, arn)
    if found is None or found.account != caller.account:
        raise NotFound(f"OpenIDConnect Provider not found for arn {arn}")
    return found


def _client_ids(given: Sequence[str]) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(given))
    if len(ids) > rules.CLIENT_IDS_PER_PROVIDER:
        raise rules.over("ClientIdsPerOpenIdConnectProvider", rules.CLIENT_IDS_PER_PROVIDER)
    return ids


def _thumbprints(given: Sequence[str]) -> tuple[str, ...]:
    if len(given) > rules.THUMBPRINTS_PER_PROVIDER:
        raise InvalidRequest("Thumbprint list must contain fewer than 5 entries.")
    for each in given:
        if not _THUMBPRINT.fullmatch(each):
            raise InvalidRequest(f"Thumbprint {each} is not the 40 hexadecimal digits of a SHA-1 digest.")
    return tuple(given)
