"""A PKCS#11 module, loaded once a process and made ready for threads."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pkcs11
from pkcs11.exceptions import PKCS11Error

from greatseal.crypto.signature import SignerUnavailable

_OS_LOCKING_OK = 2
_ALREADY_INITIALIZED = 0x191


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (PKCS#11 3.1 section 3.7)."""

    _fields_ = (
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    )


class Module:
    """A loaded module. `generation` changes whenever all of its sessions ended."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._calls = 0
        self.generation = 0
        try:
            self.lib = pkcs11.lib(path)
            self._initialize()
        except (PKCS11Error, RuntimeError, OSError) as error:
            raise SignerUnavailable(f"the PKCS#11 module {path} cannot be used: {said(error)}") from error

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around everything that runs inside of the module."""
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1

    def start_again(self) -> bool:
        """Lets the module look at its slots anew; from inside of a `call`. False while other calls are running.

        Many modules learn only in this way that a token was put back. It ends every session of the process.
        """
        with self._lock:
            if self._calls > 1:
                return False
            self.generation += 1
            self._initialize()
            return True

    def _initialize(self) -> None:
        # python-pkcs11 initialises for one thread only, and a module then takes no locks.
        library = ctypes.CDLL(self._path)
        library.C_Finalize(None)
        arguments = _InitializeArguments(flags=_OS_LOCKING_OK)
        answer = library.C_Initialize(ctypes.byref(arguments))
        if answer not in (0, _ALREADY_INITIALIZED):
            raise OSError(f"C_Initialize for several threads answers 0x{answer & 0xFFFFFFFF:x}")


_loaded: dict[str, Module] = {}
_loading = threading.Lock()


def module_at(path: str) -> Module:
    """The module at a path. Raises SignerUnavailable."""
    with _loading:
        if path not in _loaded:
            _loaded[path] = Module(path)
        return _loaded[path]


def said(error: BaseException) -> str:
    """An error of PKCS#11 in words; most have no text of their own."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
