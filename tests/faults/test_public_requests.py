"""The life of a public request with a fault at each call of the database (docs/validation.md; faults.md 63).

The process ends at that call, before or after its commit, and another one goes on. There is one certificate in the end,
one journal row, one key and one event; or, where the call itself failed, nothing at all.
"""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import func, select

from doors.publics import Publics
from faults.recovery import check
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.storage import Storage, open_storage
from greatseal.storage.errors import StorageError
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeEntropy
from greatseal.testing.faults import FaultyStorage

NAMES = ("a.example.com", "b.example.com")
# More than the calls of a whole life; those beyond its end change nothing.
CALLS = 40


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A database with a root."""
    path = tmp_path_factory.mktemp("prepared") / "greatseal.db"
    storage = open_storage(f"sqlite:///{path}")
    migrate(storage)
    acm = Publics(storage, entropy=FakeEntropy("prepared"))
    storage.close()
    return path, acm.issuer.authority


def living(storage: Storage, authority: str, entropy: str, method: str) -> Publics:
    acm = Publics(storage, entropy=FakeEntropy(entropy), authority=authority)
    tokens = acm.installation.rooms.publics.validating.validation.tokens
    for name in NAMES:
        record = tokens.record("111122223333", name)
        acm.control.cnames[record.name] = record.value
        page = tokens.page("111122223333", name)
        acm.control.pages[page.redirect_from] = page.content
    return acm


def live(acm: Publics, method: str) -> None:
    more = {"ManagedBy": "CLOUDFRONT"} if method == "HTTP" else {}
    acm.ask(*NAMES, method=method, IdempotencyToken="t", **more)
    go_on(acm, method)


def go_on(acm: Publics, method: str) -> None:
    acm.work()
    if method == "EMAIL":
        for name in NAMES:
            for code in acm.mail.codes(f"admin@{name}"):
                acm.answer(code)
        acm.work()


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("method", "call"),
    [*(("DNS", call) for call in range(1, CALLS)), *(("EMAIL", call) for call in range(2, CALLS, 3))],
)
def test_the_process_ends_at_a_call(prepared, tmp_path: Path, method, call, applied):
    source, authority = prepared
    shutil.copy(source, tmp_path / "greatseal.db")
    url = f"sqlite:///{tmp_path / 'greatseal.db'}"
    faulty = FaultyStorage(url)
    first = living(faulty, authority, "first", method)
    faulty.fail(at=call, applied=applied)
    mails = first.mail
    with suppress(StorageError, ClientError):
        live(first, method)
    faulty.close()

    storage = open_storage(url)
    second = living(storage, authority, "second", method)
    second.mail = mails
    second.installation.rooms.bus.deliveries.employ("email", mails)
    # Whoever had no answer asks again with the same token; leases of the dead run out.
    arn = second.ask(*NAMES, method=method, IdempotencyToken="t")
    for _ in range(3):
        # As on every start, and every minute.
        second.installation.rooms.issuance.finish_open()
        go_on(second, method)
        second.advance(minutes=6)
    assert second.detail(arn)["Status"] == "ISSUED"
    assert second.key_count() == 1
    rows = storage.read(
        lambda tx: tx.scalar(
            select(func.count())
            .select_from(issued_certificate)
            .where(issued_certificate.c.template_arn.contains("EndEntityServerAuth"))
        )
    )
    assert rows == 1
    assert len(second.events("ACM Certificate Available")) == 1
    assert len(second.arns()) == 1
    check(storage)
    storage.close()
