"""A copy by HTTPS POST: the receiver's 2xx is its word that it keeps the records."""

import http.client
import ipaddress
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from greatseal.kernel.secret import Secret

_LONGEST_ANSWER = 64 * 1024


class WebhookSink:
    """Posts lines as `application/x-ndjson` over a connection that is kept. Redirects are not followed.

    Raises ValueError for a URL that is not https; http is for this very host only.
    """

    def __init__(
        self, url: str, *, token: Secret | None = None, timeout: float = 5.0, context: ssl.SSLContext | None = None
    ) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not host or parts.username is not None or parts.scheme not in ("https", "http"):
            raise ValueError("a webhook needs a URL https://HOST/PATH without user and password")
        if parts.scheme == "http" and not _is_loopback(host):
            raise ValueError("a webhook over plain http would show the audit trail to the network: use https")
        self._secure = parts.scheme == "https"
        self._host, self._port = host, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._token = token
        self._timeout = timeout
        self._context = context or (ssl.create_default_context() if self._secure else None)
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def write(self, lines: Sequence[bytes]) -> None:
        """Raises OSError unless the receiver answers 2xx in time."""
        body = b"".join(line + b"\n" for line in lines)
        with self._lock:
            kept = self._connection is not None
            try:
                status = self._post(body)
            except (ConnectionError, http.client.BadStatusLine) as error:
                self._close()
                if not kept:
                    raise OSError(f"the webhook at {self._host} does not answer: {error}") from error
                status = self._again(body)  # the receiver closed a connection that had been idle
            except http.client.HTTPException as error:
                self._close()
                raise OSError(f"the webhook at {self._host} does not speak HTTP: {error!r}") from error
            except OSError:
                self._close()
                raise
            if not 200 <= status < 300:
                raise OSError(f"the webhook at {self._host} answered {status}")

    def close(self) -> None:
        """Closes the connection; the next line opens it again."""
        with self._lock:
            self._close()

    def _again(self, body: bytes) -> int:
        try:
            return self._post(body)
        except (OSError, http.client.HTTPException) as error:
            self._close()
            raise OSError(f"the webhook at {self._host} does not answer: {error}") from error

    def _post(self, body: bytes) -> int:
        if self._connection is None:
            self._connection = self._connect()
        headers = {"Content-Type": "application/x-ndjson", "User-Agent": "greatseal"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal().decode('ascii')}"
        self._connection.request("POST", self._path, body, headers)
        answer = self._connection.getresponse()
        answer.read(_LONGEST_ANSWER)
        if not answer.isclosed():
            self._close()  # the rest of an endless answer is not worth waiting for
        return answer.status

    def _connect(self) -> http.client.HTTPConnection:
        if self._secure:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _close(self) -> None:
        if self._connection is not None:
            gone, self._connection = self._connection, None
            with suppress(OSError):
                gone.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
