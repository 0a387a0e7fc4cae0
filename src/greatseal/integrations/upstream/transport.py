"""HTTPS to a CA: nothing but https, no redirects, no more octets and no more seconds than it should take."""

import http.client
import ssl
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import greatseal
from greatseal.domain.upstream.ports import Problem
from greatseal.integrations.pinned import NotReached, cut_at, dial, http_over, said
from greatseal.kernel.clock import Clock

_MOST_OCTETS = 1 << 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """One request, one connection; threads may share it."""

    def __init__(self, *, ca_file: Path | None, timeout: float) -> None:
        """Trusts the system's CAs, or those of a file (PEM). Raises OSError for an unusable file."""
        try:
            self._context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        except ssl.SSLError as error:
            raise OSError(f"{ca_file} has no certificates: {error.reason}") from None
        self._timeout = timeout

    def send(self, method: str, url: str, body: bytes | None = None, accept: str = "application/json") -> Reply:
        """The answer, whatever its status. Raises Problem (without a kind) when there is none."""
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.hostname is None or parts.username is not None:
            raise Problem("malformed", f"the CA names a resource that is not at https: {url[:200]!r}")
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        headers = {"user-agent": f"greatseal/{greatseal.__version__}", "accept": accept, "accept-language": "en"}
        if body is not None:
            headers["content-type"] = "application/jose+json"
        host, port = parts.hostname, parts.port or 443
        until = time.monotonic() + self._timeout
        try:
            # The operator names the CA, and private ones are most often at private addresses.
            raw = dial(host, port, allowed=lambda address: True, timeout=self._timeout)
            with cut_at(until, raw), closing(http_over(raw, host, port, self._context)) as connection:
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                content = answer.read(_MOST_OCTETS + 1)
        except NotReached as error:
            raise Problem("", str(error)) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Problem("", f"{host} does not answer: {said(error)}") from None
        if len(content) > _MOST_OCTETS:
            raise Problem("", f"{host} sent more than {_MOST_OCTETS} octets")
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)


def retry_after(reply: Reply, clock: Clock) -> timedelta | None:
    """What the CA says about asking again: seconds, or a date (RFC 9110 section 10.2.3)."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 10**7))
    try:
        at: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - clock.now(), timedelta(0))
