"""HTTP to logs that the settings name: one request a connection, with limits of time and size."""

import gzip
import http.client
import io
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec

from greatseal.domain.transparency.ports import LogFailed
from greatseal.integrations.pinned import NotReached, Resolve, cut_at, dial, http_over, resolve, said

_PIECE = 64 * 1024
_PORTS = {"http": 80, "https": 443}


class NotThere(LogFailed):
    """The log has nothing at this path."""


class LogHttp:
    """What one log answers below its address."""

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | None = None,
        timeout: float = 10.0,
        largest: int = 32 * 1024 * 1024,
        resolver: Resolve = resolve,
    ) -> None:
        """`timeout` is seconds for a whole exchange, `largest` octets of an answer, also after it was inflated."""
        self._base = urlsplit(url.rstrip("/"))
        self._ca_file = ca_file
        self._timeout = timeout
        self._largest = largest
        self._resolve = resolver
        self._context: ssl.SSLContext | None = None

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> bytes:
        """The body of an answer. Raises LogFailed, NotThere among it."""
        return self._exchange("GET", path + (f"?{urlencode(query)}" if query else ""), None)

    def get_json(self, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, object]:
        """An answer that is a JSON object. Raises LogFailed."""
        return _object(self.get(path, query))

    def post_json(self, path: str, content: object) -> dict[str, object]:
        """The answer to a JSON object. Raises LogFailed."""
        return _object(self._exchange("POST", path, msgspec.json.encode(content)))

    def _exchange(self, method: str, target: str, body: bytes | None) -> bytes:
        base = self._base
        assert base.hostname is not None
        if base.scheme == "https" and self._context is None:
            self._context = ssl.create_default_context()
            if self._ca_file is not None:
                self._context.load_verify_locations(self._ca_file)
        until = time.monotonic() + self._timeout
        try:
            # The operator named this host, so it may be anywhere.
            raw = dial(
                base.hostname,
                base.port or _PORTS[base.scheme],
                allowed=lambda _: True,
                timeout=self._timeout,
                resolver=self._resolve,
            )
        except NotReached as error:
            raise LogFailed(str(error)) from None
        headers = {"User-Agent": "greatseal", "Accept-Encoding": "gzip, identity"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with cut_at(until, raw):
                connection = http_over(raw, base.hostname, base.port, self._context if base.scheme == "https" else None)
                try:
                    connection.request(method, f"{base.path}/{target}", body, headers)
                    return self._answer(connection.getresponse(), until)
                finally:
                    connection.close()
        except (OSError, http.client.HTTPException, ValueError, EOFError) as error:
            raise LogFailed("it took too long" if time.monotonic() >= until else said(error)) from None
        finally:
            raw.close()

    def _answer(self, answer: http.client.HTTPResponse, until: float) -> bytes:
        if answer.status == 404:
            raise NotThere("it answered 404")
        if answer.status != 200:
            raise LogFailed(f"it answered {answer.status}")
        pieces, size = [], 0
        while piece := answer.read1(_PIECE):
            size += len(piece)
            if size > self._largest:
                raise LogFailed(f"it answered with more than {self._largest} octets")
            pieces.append(piece)
        # When the watch cuts the connection, what came before looks like a short answer.
        if answer.length or time.monotonic() >= until:
            raise LogFailed("its answer broke off")
        body = b"".join(pieces)
        if answer.getheader("Content-Encoding") != "gzip":
            return body
        inflated = gzip.GzipFile(fileobj=io.BytesIO(body)).read(self._largest + 1)
        if len(inflated) > self._largest:
            raise LogFailed(f"it answered with more than {self._largest} octets")
        return inflated


def _object(body: bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise LogFailed("its answer is not a JSON object") from None
