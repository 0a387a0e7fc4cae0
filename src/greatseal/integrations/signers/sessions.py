"""A pool of sessions with one token: bounded, with a deadline, and logged in again after the token was away.

Every session belongs to one thread of the pool, and callers wait for that thread. A token that does not answer holds
up a thread and not the service: when all threads are held up, callers are told so at the deadline, and no further
thread is started.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pkcs11 import Session, Token
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import (
    DeviceError,
    DeviceRemoved,
    FunctionFailed,
    GeneralError,
    NoSuchKey,
    ObjectHandleInvalid,
    PinIncorrect,
    PinLocked,
    PKCS11Error,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
    TokenNotRecognised,
    UserAlreadyLoggedIn,
    UserNotLoggedIn,
)

from greatseal.crypto.signature import SignerUnavailable
from greatseal.integrations.signers.module import Module, module_at, said
from greatseal.kernel.group import waits
from greatseal.kernel.secret import Secret

T = TypeVar("T")
# After these nothing that is known of the token's sessions is sure. A token that was pulled out may also say that
# it does not know its own keys.
_LOST = (
    DeviceError,
    DeviceRemoved,
    FunctionFailed,
    GeneralError,
    NoSuchKey,
    ObjectHandleInvalid,
    SessionClosed,
    SessionHandleInvalid,
    TokenNotPresent,
    TokenNotRecognised,
    UserNotLoggedIn,
)
# A token that is not there is not looked for more often than this, in seconds.
_PAUSE = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TokenAddress:
    """Which token, and how much of it."""

    store: str
    module: str
    label: str
    pin: Callable[[], Secret]
    """Reads the user PIN. Raises OSError."""
    max_sessions: int = 8
    timeout: float = 10.0
    """How long one call may take, waiting included, in seconds."""


@dataclass(slots=True)
class Held:
    """A session of one thread, with the keys that were found in it."""

    session: Session
    generation: tuple[int, int]
    keys: dict[str, Any] = field(default_factory=dict)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    work: Callable[[Held], Any]
    answer: "Future[Any]"


class SessionPool:
    """The sessions with one token."""

    def __init__(self, address: TokenAddress) -> None:
        self._address = address
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = self.threads = 0
        self._connecting = threading.Lock()
        self._anchor: Session | None = None
        self._token: Token | None = None
        self._anchored = self._losses = 0
        self._refused: str | None = None
        self._failed_at = self._lost_at = float("-inf")
        self._failure = ""

    def run(self, work: Callable[[Held], T]) -> T:
        """What `work` makes of a session. It may run twice, the second time on a new one, when the first was lost.

        Raises SignerUnavailable for whatever the token has to say, and what `work` raises of its own.
        """
        waits()
        task = _Task(work, Future())
        self._tasks.put(task)
        self._hire()
        try:
            result: T = task.answer.result(self._address.timeout)
            return result
        except TimeoutError:
            task.answer.cancel()
            raise SignerUnavailable(
                f"the key store {self._address.store} did not answer within {self._address.timeout:g} s"
            ) from None

    def token(self) -> Token:
        """The token as it describes itself now; no PIN is needed. From inside of `run` or for `doctor`."""
        return find_token(module_at(self._address.module), self._address.label)

    def close(self) -> None:
        """Ends the threads that are idle."""
        for _ in range(self.threads):
            self._tasks.put(None)

    def _hire(self) -> None:
        with self._lock:
            if self._tasks.qsize() <= self._idle or self.threads >= self._address.max_sessions:
                return
            self.threads += 1
            name = f"greatseal-{self._address.store}-{self.threads}"
        # Daemons: a token that never answers must not keep the process from ending.
        threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _serve(self) -> None:
        held: Held | None = None
        while True:
            with self._lock:
                self._idle += 1
            task = self._tasks.get()
            with self._lock:
                self._idle -= 1
            if task is None:
                return
            if task.answer.set_running_or_notify_cancel():
                held = self._do(task, held)

    def _do(self, task: _Task, held: Held | None) -> Held | None:
        """One task; the session that is good for the next one."""
        try:
            module = module_at(self._address.module)
            with module.call():
                held = self._ready(module, held)
                try:
                    result = task.work(held)
                except _LOST:
                    self._lose(held)
                    _end(module, held)
                    held = self._ready(module, None)
                    try:
                        result = task.work(held)
                    except _LOST:
                        _end(module, held)
                        raise
            task.answer.set_result(result)
        except PKCS11Error as error:
            task.answer.set_exception(SignerUnavailable(f"the key store {self._address.store} says {said(error)}"))
            if isinstance(error, _LOST) and held is not None:
                self._lose(held)
                held = None
        except BaseException as error:  # noqa: BLE001 - belongs to the caller; the thread outlives it
            task.answer.set_exception(error)
        return held

    def _lose(self, held: Held) -> None:
        with self._connecting:
            now = time.monotonic()
            if held.generation[1] == self._losses and now - self._lost_at >= _PAUSE:
                self._anchor = None
                self._losses += 1
                self._lost_at = now

    def _ready(self, module: Module, held: Held | None) -> Held:
        """A session that was good when it was looked at last."""
        with self._connecting:
            if self._anchor is None or self._anchored != module.generation:
                self._connect(module)
            generation = (module.generation, self._losses)
            if held is not None and held.generation == generation and not held.ended:
                return held
            if held is not None:
                _end(module, held)
            assert self._token is not None
            return Held(self._token.open(rw=True), generation)

    def _connect(self, module: Module) -> None:
        """Logs in. One session keeps the log-in for all others; a wrong PIN is never tried twice: tokens count."""
        if self._refused is not None:
            raise SignerUnavailable(self._refused)
        if time.monotonic() - self._failed_at < _PAUSE:
            raise SignerUnavailable(self._failure)
        try:
            self._log_in(module)
        except (PinIncorrect, PinLocked) as error:
            self._refused = (
                f"the PIN of the key store {self._address.store} is refused ({said(error)}); it is not tried again, "
                "because the token counts. Correct it and start the service anew."
            )
            log.error(self._refused)
            raise SignerUnavailable(self._refused) from error
        except (PKCS11Error, OSError, UnicodeError) as error:
            self._anchor = None
            self._failed_at = time.monotonic()
            self._failure = f"the key store {self._address.store} cannot be opened: {said(error)}"
            raise SignerUnavailable(self._failure) from error

    def _log_in(self, module: Module) -> None:
        if self._losses and self._anchor is None:
            module.start_again()
        try:
            self._open(module)
        except (PinIncorrect, PinLocked):
            raise
        except PKCS11Error:
            if not module.start_again():
                raise
            self._open(module)
        self._anchored = module.generation

    def _open(self, module: Module) -> None:
        token = find_token(module, self._address.label)
        if token.flags & (TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY):
            raise PinLocked("the token has one try left, or none: unlock it with the tools of its maker")
        try:
            self._anchor = token.open(rw=True, user_pin=self._address.pin().reveal().decode())
        except UserAlreadyLoggedIn:
            self._anchor = token.open(rw=True)  # another key store on the same token
        self._token = token


def _end(module: Module, held: Held) -> None:
    """Gives a session back to the token, once; from inside of a `call`, so that no other has its number by now."""
    if not held.ended and held.generation[0] == module.generation:
        with suppress(PKCS11Error):
            held.session.close()
    held.ended = True


def find_token(module: Module, label: str) -> Token:
    """The token with this label. Raises NoSuchToken, MultipleTokensReturned and their kin."""
    return module.lib.get_token(token_label=label)
