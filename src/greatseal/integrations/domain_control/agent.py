"""The other end: a small server that looks at domains from where it stands, for those with a certificate of its CA."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from greatseal.domain.validation.ports import Finding
from greatseal.integrations.domain_control.local import LocalControl
from greatseal.integrations.domain_control.questions import LARGEST, PATH, read_question, write_answer

_Message = MutableMapping[str, Any]
_THREADS = 16
_MOST_WAITING = 64


class PerspectiveApp:
    """An ASGI application. Who may ask is decided by TLS alone, before anything arrives here."""

    def __init__(self, control: LocalControl) -> None:
        self._control = control
        self._crew = ThreadPoolExecutor(_THREADS, thread_name_prefix="look")
        self._running = 0

    async def __call__(
        self, scope: _Message, receive: Callable[[], Awaitable[_Message]], send: Callable[[_Message], Awaitable[None]]
    ) -> None:
        """One request."""
        assert scope["type"] == "http"
        if scope["path"] != PATH or scope["method"] != "POST":
            await _send(send, 404, b"{}")
            return
        body = await _read(receive)
        if body is None:
            await _send(send, 413, b"{}")
            return
        if self._running >= _MOST_WAITING:
            await _send(send, 503, b"{}")
            return
        self._running += 1
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._crew, self._look, body)
        finally:
            self._running -= 1
        if found is None:
            await _send(send, 400, b"{}")
        else:
            await _send(send, 200, write_answer(found))

    def _look(self, body: bytes) -> Finding | None:
        """What is found; None for a question that is none."""
        try:
            question = read_question(body)
        except (msgspec.DecodeError, UnicodeError):
            return None
        return question.put(self._control)


async def _read(receive: Callable[[], Awaitable[_Message]]) -> bytes | None:
    """The body; None for one that is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Callable[[_Message], Awaitable[None]], status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
