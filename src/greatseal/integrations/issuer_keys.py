"""The keys of OpenID Connect providers, fetched over HTTPS (OpenID Connect Discovery 1.0 section 4).

One GET for the configuration and one for the keys it names. No redirects, small answers, short time; what was fetched
is kept for some minutes, and a token with an unknown key makes us ask again no more often than every half minute.
"""

import http.client
import json
import ssl
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import RequestFailed

_KEPT = timedelta(minutes=10)
_PAUSE = timedelta(seconds=30)
_LARGEST_ANSWER = 256 * 1024
_MANY = 256


class HttpsIssuerKeys:
    """Implements `domain.access.ports.IssuerKeys`."""

    def __init__(self, *, clock: Clock, ca_file: Path | None = None, timeout: float = 5.0) -> None:
        """`ca_file` adds certificate authorities to those of the system. Raises OSError when it cannot be read."""
        self._clock = clock
        self._timeout = timeout
        self._ca_file = ca_file
        # Now if it can fail, and else when it is needed: the system's authorities take a while to read.
        self._context = self._trusting() if ca_file is not None else None
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Mapping[str, Any]]] = {}
        self._away: dict[str, tuple[datetime, str]] = {}

    def of(self, issuer: str, *, fresh: bool = False) -> Mapping[str, Any]:
        """The key set. Raises RequestFailed."""
        now = self._clock.now()
        with self._lock:
            known, away = self._kept.get(issuer), self._away.get(issuer)
        if known is not None and now - known[0] < (_PAUSE if fresh else _KEPT):
            return known[1]
        if away is not None and now - away[0] < _PAUSE:
            # Anybody may send tokens, and each would keep a thread waiting for a provider that does not answer.
            raise RequestFailed(away[1])
        try:
            keys = self._fetch(issuer)
        except RequestFailed as failure:
            with self._lock:
                _remember(self._away, issuer, (now, failure.message))
            raise
        with self._lock:
            _remember(self._kept, issuer, (now, keys))
        return keys

    def _fetch(self, issuer: str) -> Mapping[str, Any]:
        configuration = self._get(issuer.rstrip("/") + "/.well-known/openid-configuration")
        if configuration.get("issuer") != issuer:
            raise _failed("its configuration is that of another issuer")
        keys = self._get(str(configuration.get("jwks_uri", "")))
        if not isinstance(keys.get("keys"), list):
            raise _failed("its key set has no keys")
        return keys

    def _trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(cafile=self._ca_file)
        return context

    def _get(self, url: str) -> dict[str, Any]:
        self._context = self._context or self._trusting()
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.username is not None:
            raise _failed("it is not reached by https")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=self._timeout, context=self._context
            )
            try:
                connection.request("GET", path, headers={"Accept": "application/json", "User-Agent": "greatseal"})
                answer = connection.getresponse()
                body = answer.read(_LARGEST_ANSWER + 1)
            finally:
                connection.close()
            found = json.loads(body)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise _failed(type(error).__name__) from error
        if answer.status != 200 or len(body) > _LARGEST_ANSWER or not isinstance(found, dict):
            raise _failed(f"it answered {answer.status}")
        return found


def _remember(memory: dict[str, Any], issuer: str, value: object) -> None:
    if len(memory) >= _MANY:
        memory.clear()
    memory[issuer] = value


def _failed(why: str) -> RequestFailed:
    return RequestFailed(f"Couldn't retrieve verification key from your identity provider: {why}")
