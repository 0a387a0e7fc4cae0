"""The catalogue of dns-lexicon (the extra `dns`): some ninety hosters of DNS behind one interface.

Lexicon's own client guesses the zone with a list from the internet. Ours is known, so its providers are used directly.
"""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lexicon.config import ConfigResolver
from lexicon.interfaces import Provider

from greatseal.domain.zones.model import ZoneRefused, rdata_of
from greatseal.domain.zones.ports import ProviderFailed
from greatseal.kernel.secret import Secret


class LexiconProvider:
    """Changes zones at one hoster; every change signs in anew, because sessions of most hosters end soon."""

    def __init__(self, name: str, hoster: str, *, options: Mapping[str, str], secrets: Mapping[str, Secret]) -> None:
        """`hoster` is Lexicon's name of it; `options` and `secrets` are Lexicon's options of that hoster.

        Raises OSError for a hoster that Lexicon does not know, or whose own dependencies are missing.
        """
        self.name = name
        self._hoster = hoster
        self._options, self._secrets = options, secrets
        try:
            self._kind: type[Provider] = importlib.import_module(f"lexicon._private.providers.{hoster}").Provider
        except ImportError as error:
            raise OSError(
                f"the DNS provider {name} cannot be used: Lexicon has no {hoster!r}, or it needs "
                f"pip install 'dns-lexicon[{hoster}]': {error}"
            ) from None

    def upsert(self, zone: str, name: str, kind: str, value: str, ttl: int) -> None:
        """As `DnsProvider.upsert`."""
        value = _checked(kind, value)
        with self._signed_in(zone, ttl) as provider:
            if kind == "CNAME":
                others = [each for each in provider.list_records(kind, name) if not _same(each["content"], value)]
                for each in others:
                    provider.delete_record(each.get("id"), kind, name, each["content"])
            if provider.create_record(kind, name, value) is False and not _has(provider, kind, name, value):
                raise ProviderFailed(f"{self._hoster} did not create the record of {name}")

    def remove(self, zone: str, name: str, kind: str, value: str) -> None:
        """As `DnsProvider.remove`."""
        value = _checked(kind, value)
        with self._signed_in(zone, None) as provider:
            for each in provider.list_records(kind, name):
                if _same(each["content"], value):
                    provider.delete_record(each.get("id"), kind, name, each["content"])

    @contextmanager
    def _signed_in(self, zone: str, ttl: int | None) -> Iterator[Provider]:
        secrets = {option: secret.reveal().decode() for option, secret in self._secrets.items()}
        chosen: dict[str, Any] = {
            "provider_name": self._hoster,
            "domain": zone.removesuffix("."),
            self._hoster: {**self._options, **secrets},
        }
        if ttl is not None:
            chosen["ttl"] = ttl
        try:
            resolver = ConfigResolver()  # type: ignore[no-untyped-call]
            provider = self._kind(resolver.with_dict(chosen))
            provider.authenticate()
            try:
                yield provider
            finally:
                provider.cleanup()
        except ProviderFailed:
            raise
        except Exception as error:  # noqa: BLE001 - ninety providers raise what they like
            # Not its text: the URLs of some hosters carry the token.
            status = getattr(getattr(error, "response", None), "status_code", None)
            told = type(error).__name__ if status is None else f"{type(error).__name__}, HTTP status {status}"
            raise ProviderFailed(f"{self._hoster} failed ({told})") from None


def _has(provider: Provider, kind: str, name: str, value: str) -> bool:
    return any(_same(each["content"], value) for each in provider.list_records(kind, name))


def _same(one: str, other: str) -> bool:
    return one.strip('"').rstrip(".") == other.rstrip(".")


def _checked(kind: str, value: str) -> str:
    """The value as hosters take it: texts without quotation marks, names with the dot that makes them absolute."""
    try:
        text = rdata_of(kind, value).to_text()
    except ZoneRefused as error:
        raise ProviderFailed(error.message) from None
    return value if kind == "TXT" else text
