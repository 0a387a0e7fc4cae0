"""How control of a domain is shown to the CA: a TXT record (DNS-01) or a file at the plain listener (HTTP-01).

What is written for an order is a row first, and is taken away when the order has ended.
"""

import hashlib
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from greatseal.domain.upstream import store
from greatseal.domain.upstream.jose import base64url, thumbprint
from greatseal.domain.upstream.ports import Problem
from greatseal.domain.zones import HostedZones, OwnZones, ProviderFailed
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InProgress
from greatseal.storage import Storage

log = logging.getLogger(__name__)

_TTL = 60


class Challenges:
    """Prepares answers to challenges and takes them away again."""

    def __init__(self, *, storage: Storage, hosted: HostedZones, own: OwnZones, kind: str, clock: Clock) -> None:
        """`kind` is `dns-01` or `http-01`."""
        self._storage = storage
        self._hosted = hosted
        self._own = own
        self._kind = kind
        self._clock = clock

    def alias(self, domain: str) -> str | None:
        """Where `_acme-challenge.DOMAIN` is pointed by a CNAME, when no provider has its zone and we have one."""
        if (
            self._kind != "dns-01"
            or self._hosted.serving(f"_acme-challenge.{domain}") is not None
            or not self._own.zones
        ):
            return None
        return f"{hashlib.sha256(domain.encode()).hexdigest()[:32]}.{self._own.zones[0]}"

    def file(self, name: str) -> str | None:
        """What is answered at `/.well-known/acme-challenge/NAME`."""
        return self._storage.read(lambda tx: store.file(tx, name))

    def prepare(self, token: str, url: str, authorization: Mapping[str, Any], spki: bytes) -> str | None:
        """Prepares the answer for an authorization; the URL to tell the CA, None while servers do not know it yet.

        Raises Problem when control cannot be shown this way, InProgress when a DNS provider fails now.
        """
        offered = {each.get("type"): each for each in authorization.get("challenges", ())}
        chosen = offered.get(self._kind)
        if chosen is None:
            raise Problem("malformed", f"the CA offers no {self._kind} for this name; it offers {sorted(offered)}")
        if chosen.get("status") != "pending":
            return None
        authorized = f"{chosen['token']}.{thumbprint(spki)}"
        zone, name, content, settles = "", str(chosen["token"]), authorized, 0
        if self._kind == "dns-01":
            domain = str(authorization["identifier"]["value"])
            zone, name, settles = self._place(domain)
            content = base64url(hashlib.sha256(authorized.encode()).digest())
        now = self._clock.now()
        row = {"url": url, "token": token, "kind": self._kind, "zone": zone, "name": name, "content": content}
        self._storage.transact(lambda tx: store.add_challenge(tx, **row, prepared_at=now))
        kept = self._storage.read(lambda tx: store.challenge(tx, url))
        if zone:
            self._write(zone, name, content)
        if kept is not None and now < kept.prepared_at + timedelta(seconds=settles):
            return None
        return str(chosen["url"])

    def clear(self, token: str) -> None:
        """Takes away what was prepared for an order. What a provider does not remove now is left there, and logged."""
        for row in self._storage.read(lambda tx: store.challenges(tx, token)):
            found = self._hosted.serving(row.name) if row.zone else None
            if found is not None:
                try:
                    found[1].provider.remove(found[0], row.name, "TXT", row.content)
                except ProviderFailed as failure:
                    log.warning("the TXT record of %s was not removed: %s", row.name, failure)
            url = row.url
            self._storage.transact(lambda tx, url=url: store.forget_challenge(tx, url))  # type: ignore[misc]

    def _place(self, domain: str) -> tuple[str, str, int]:
        """Zone and name of the TXT record, and how many seconds it takes until all servers know. Raises Problem."""
        name = self.alias(domain) or f"_acme-challenge.{domain}"
        found = self._hosted.serving(name)
        if found is None:
            raise Problem("dns", f"no DNS provider has the zone of {name}, and there is no name server of our own")
        return found[0], name, found[1].settles_after

    def _write(self, zone: str, name: str, content: str) -> None:
        found = self._hosted.serving(name)
        if found is None:
            raise InProgress(f"The zone {zone} is in no provider's settings any more.")
        try:
            found[1].provider.upsert(found[0], name, "TXT", content, _TTL)
        except ProviderFailed as failure:
            raise InProgress(f"The TXT record of {name} cannot be written now: {failure}") from None
