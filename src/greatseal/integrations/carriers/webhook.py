"""A POST to a receiver's URL, signed when there is a secret (docs/notifications.md, "Webhooks").

A stranger's URL leads to the public internet only, unless the operator lists the host or network. Nothing is followed,
and nothing of the answer but its head is read.
"""

import base64
import hmac
import http.client
import ipaddress
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, urlencode, urlsplit

from greatseal.domain.delivery import Parcel, Undeliverable
from greatseal.integrations.addresses import is_elsewhere, is_public
from greatseal.integrations.pinned import NotAllowed, NotReached, Resolve, cut_at, dial, http_over, resolve, said
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import Refusal
from greatseal.kernel.secret import Secret

Secrets = Callable[[Mapping[str, str]], Mapping[str, str]]
"""The secrets for an address: `signing`, `user` and `password`, `name` and `value`, or `header:`, `query:` and `body:`
with a name. Raises Refusal when they are gone."""

_PORTS = {"https": 443, "http": 80}
_AGAIN = (408, 409, 425, 429)
_BUSY = (429, 503)
# What would change how the request is framed or where it goes.
_OURS = ("host", "content-length", "transfer-encoding", "connection", "te", "upgrade", "expect")


@dataclass(frozen=True, slots=True)
class Hook:
    """The webhook of a channel. The operator chose its URL, so it may be inside."""

    url: str
    secret: Secret | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where strangers' URLs may lead besides the public internet."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    @classmethod
    def of(cls, allowed: Sequence[str]) -> "Reach":
        """From names of hosts, addresses and networks."""
        hosts, networks = set(), []
        for each in allowed:
            try:
                networks.append(ipaddress.ip_network(each, strict=False))
            except ValueError:
                hosts.add(each.lower())
        return cls(frozenset(hosts), tuple(networks))

    def lists(self, host: str, address: str) -> bool:
        """Whether the operator listed this host or address."""
        if host.lower() in self.hosts:
            return True
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed.version == network.version and parsed in network for network in self.networks)


def no_secrets(address: Mapping[str, str]) -> Mapping[str, str]:
    """For an installation without connections."""
    return {}


class WebhookCarrier:
    """Carries parcels of the kind `webhook`; threads may share it."""

    def __init__(
        self,
        *,
        clock: Clock,
        secrets: Secrets = no_secrets,
        channels: Mapping[str, Hook] | None = None,
        allow: Sequence[str] = (),
        ca_file: Path | None = None,
        timeout: float = 10.0,
        resolver: Resolve = resolve,
    ) -> None:
        """`allow` lists hosts, addresses and networks that are not public; plain http goes to those only.

        `timeout` is seconds for a whole delivery. `ca_file` is trusted besides the system's authorities.
        """
        self._clock = clock
        self._secrets = secrets
        self._channels = dict(channels or {})
        self._reach = Reach.of(allow)
        self._ca_file = ca_file
        self._timeout = timeout
        self._resolve = resolver
        self._context: ssl.SSLContext | None = None

    def carry(self, parcel: Parcel) -> None:
        """Returns after a 2xx. Raises Undeliverable."""
        hook = self._hook(parcel)
        url, body, headers = self._request(parcel, hook)
        parts = _checked(url)
        context = self._trusting() if parts.scheme == "https" else None
        try:
            status, retry_after = self._exchange(parcel, parts, hook is not None, context, headers, body)
        except NotAllowed as error:
            raise Undeliverable(str(error), final=True) from None
        except NotReached as error:
            raise Undeliverable(str(error), down=True) from None
        if not 200 <= status < 300:
            self._refused(status, retry_after)

    def _hook(self, parcel: Parcel) -> Hook | None:
        name = parcel.address.get("channel")
        if name is None:
            return None
        if name not in self._channels:
            raise Undeliverable(f"the settings have no webhook channel {name}", final=True)
        return self._channels[name]

    def _request(self, parcel: Parcel, hook: Hook | None) -> tuple[str, bytes, dict[str, str]]:
        """URL, body and headers, with what is secret in them."""
        # In small letters, so that nobody's header stands beside ours of the same name.
        headers = {"content-type": "application/json", "user-agent": "greatseal"}
        headers |= {name.lower(): value for name, value in json.loads(parcel.address.get("headers", "{}")).items()}
        headers["greatseal-message-id"] = parcel.message_id
        try:
            body = parcel.body.encode()
        except UnicodeEncodeError:
            raise Undeliverable("the body is not text", final=True) from None
        if hook is not None:
            return hook.url, body, headers | self._signature(hook.secret, body)
        try:
            secrets = self._secrets(parcel.address)
        except Refusal as error:
            raise Undeliverable(str(error), final=True) from None
        body = _with_members(body, secrets)
        if "user" in secrets:
            pair = f"{secrets['user']}:{secrets['password']}".encode()
            headers["authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        if "name" in secrets:
            headers[secrets["name"].lower()] = secrets["value"]
        more = {name.partition(":")[2].lower(): value for name, value in secrets.items() if name.startswith("header:")}
        headers |= more
        query = {name.partition(":")[2]: value for name, value in secrets.items() if name.startswith("query:")}
        url = parcel.address.get("url", "")
        if query:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
        signing = Secret(secrets["signing"].encode()) if "signing" in secrets else None
        return url, body, headers | self._signature(signing, body)

    def _signature(self, secret: Secret | None, body: bytes) -> dict[str, str]:
        if secret is None:
            return {}
        at = int(self._clock.now().timestamp())
        made = hmac.digest(secret.reveal(), b"%d.%b" % (at, body), sha256).hex()
        return {"greatseal-signature": f"t={at},v1={made}"}

    def _exchange(
        self,
        parcel: Parcel,
        parts: SplitResult,
        ours: bool,
        context: ssl.SSLContext | None,
        headers: Mapping[str, str],
        body: bytes,
    ) -> tuple[int, str | None]:
        """Status and Retry-After. Raises Undeliverable, NotReached."""
        host = parts.hostname or ""

        def allowed(address: str) -> bool:
            if self._reach.lists(host, address):
                return True
            if ours:
                return is_elsewhere(address, or_here=True)
            return context is not None and is_public(address)

        until = time.monotonic() + self._timeout
        port = parts.port or _PORTS[parts.scheme]
        raw = dial(host, port, allowed=allowed, timeout=self._timeout, resolver=self._resolve)
        try:
            with cut_at(until, raw):
                connection = http_over(raw, host, parts.port, context)
                try:
                    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                    _send(connection, parcel.address.get("method", "POST"), target, headers, body)
                    answer = connection.getresponse()
                    return answer.status, answer.getheader("Retry-After")
                finally:
                    connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            late = time.monotonic() >= until or isinstance(error, TimeoutError)
            reason = f"{host} took too long" if late else f"{host}: {said(error)}"
            raise Undeliverable(reason, down=late or isinstance(error, ssl.SSLError)) from None
        finally:
            raw.close()

    def _trusting(self) -> ssl.SSLContext:
        # When it is first needed: the system's authorities take a while to read.
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            self._context = context
        return self._context

    def _refused(self, status: int, retry_after: str | None) -> NoReturn:
        if 300 <= status < 400:
            raise Undeliverable(f"it answered {status}: redirects are not followed", final=True)
        final = 400 <= status < 500 and status not in _AGAIN
        wish = None if final else _seconds(retry_after, self._clock.now())
        raise Undeliverable(f"it answered {status}", final=final, down=status in _BUSY, retry_after=wish)


def _send(
    connection: http.client.HTTPConnection, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Raises Undeliverable for what cannot be written into a request, OSError."""
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            if name not in _OURS:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
    except (ValueError, TypeError, http.client.HTTPException):
        raise Undeliverable("the method or a header cannot be sent", final=True) from None
    connection.endheaders(body)


def _checked(url: str) -> SplitResult:
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Undeliverable("not a URL", final=True)
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise Undeliverable("not a URL", final=True) from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        raise Undeliverable("webhooks need a URL https://HOST/PATH without user and password", final=True)
    return parts


def _with_members(body: bytes, secrets: Mapping[str, str]) -> bytes:
    """The body with the members that a connection adds; only an object can take them."""
    members = {name.partition(":")[2]: value for name, value in secrets.items() if name.startswith("body:")}
    if not members:
        return body
    try:
        tree = json.loads(body)
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        raise Undeliverable("the connection adds members, and the body is no JSON object", final=True)
    return json.dumps(tree | members, ensure_ascii=False).encode()


def _seconds(retry_after: str | None, now: datetime) -> timedelta | None:
    """How long a Retry-After means (RFC 9110 section 10.2.3): seconds, or a date."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return timedelta(seconds=min(int(retry_after[:9]), 86400))
    try:
        date = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    wish = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    return min(max(wish, timedelta(0)), timedelta(days=1))
