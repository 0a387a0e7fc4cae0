"""Logs of an installation, and chains to log."""

from dataclasses import replace
from functools import cache
from typing import Any

from greatseal.app.transparency import TransparencyWishes
from greatseal.domain.transparency.guard import ProcessKeeper
from greatseal.domain.transparency.ports import Keeper
from greatseal.domain.transparency.reading import LogReading
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.storage import Storage
from greatseal.testing import Installation
from greatseal.web import ct
from greatseal.x509 import sct
from greatseal.x509.extensions import subject_alternative_name
from greatseal.x509.general_names import dns
from made_certificates import LEAF, ROOT, Order

WISHES = TransparencyWishes(roots=(ROOT.sign().der,))


@cache
def above(order: Order) -> tuple[bytes, ...]:
    issuer = order.issuer
    return () if issuer is None else (issuer.sign().der, *above(issuer))


def chain(number: int, *, name: str | None = None, order: Order = LEAF, poisoned: bool = True) -> tuple[bytes, ...]:
    """A chain whose leaf is the number's own, a precertificate unless told otherwise."""
    san = subject_alternative_name([dns(name or f"h{number}.example.com")])
    extensions = (san, sct.POISON) if poisoned else (san,)
    leaf = order.but(serial=2**100 + number, add=extensions)
    return (leaf.sign().der, *above(leaf))


class Room:
    """An installation with logs; another one over the same storage is another node."""

    def __init__(self, storage: Storage, *, keeper: Keeper | None = None, **changes: Any) -> None:
        """`changes` are those of the wishes."""
        self.keeper = keeper or ProcessKeeper()
        self.installation = Installation(storage, logged=replace(WISHES, keeper=self.keeper, **changes))
        self.room = self.installation.rooms.transparency
        self.logs = self.room.logs
        self.door = ct.handler(self.logs, self.installation.clock)

    @property
    def log(self) -> Any:
        """The first log."""
        return self.logs.active()[0]

    @property
    def reading(self) -> LogReading:
        return self.logs.reading(self.log.record.id)

    def add(self, certificates: tuple[bytes, ...], *, precertificate: bool = True) -> sct.Sct:
        return self.log.add(self.logs.candidate(certificates, precertificate=precertificate))

    def get(
        self, path: str, *, method: str = "GET", body: bytes = b"", query: str = "", **headers: str
    ) -> HttpResponse:
        """One request below `/ct`."""
        given = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
        return self.door(HttpRequest(method, f"/ct/{path}".encode(), query.encode(), given, body, "request-1"))
