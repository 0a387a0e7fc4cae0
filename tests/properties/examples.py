"""How many cases the properties try, and an installation whose committed writes are counted."""

import os
import re
from pathlib import Path

from hypothesis import HealthCheck, settings
from sqlalchemy import event

from doors.pki import Pki
from faults.recovery import caller
from greatseal.domain.authorities.order import Order
from greatseal.kernel.errors import Refusal
from greatseal.storage.migrate import migrate
from greatseal.testing.faults import FaultyStorage
from greatseal.x509.certificate import Certificate

_WRITTEN = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)")


def examples(default: int) -> settings:
    """`default` cases, or as many as GREATSEAL_EXAMPLES says."""
    return settings(
        max_examples=int(os.environ.get("GREATSEAL_EXAMPLES", default)),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Counted:
    """An installation with one active CA; `commits` counts the transactions that wrote anything but the trail."""

    def __init__(self, folder: Path) -> None:
        self.commits = 0
        self._wrote = False
        self.storage = FaultyStorage(f"sqlite:///{folder}/greatseal.db", observe=self._observe)
        event.listen(self.storage._engines.writer, "before_cursor_execute", self._statement)
        migrate(self.storage)
        self.pki = Pki(self.storage)
        self.authority = self.pki.root()

    def _observe(self, point: str) -> None:
        if point == "after-write":
            self.commits += self._wrote
        self._wrote = False

    def _statement(self, connection: object, cursor: object, statement: str, *_: object) -> None:
        written = _WRITTEN.match(statement)
        if written is not None and not written[1].startswith("audit_"):
            self._wrote = True

    def issued(self, wanted: Order) -> Certificate | None:
        """The certificate for an order, or None when it was refused, and then nothing was stored."""
        issuance = self.pki.installation.rooms.issuance
        before = self.commits
        try:
            arn = issuance.issue(caller(), self.authority, wanted)
        except Refusal:
            assert self.commits == before, "a refusal left something in the database"
            return None
        return Certificate.parse(issuance.certificate(self.authority, arn).certificate)
