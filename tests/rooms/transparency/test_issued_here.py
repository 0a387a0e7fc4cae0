"""A certificate of our own trust services from the precertificate to the proof, and what the monitor thinks of it."""

from dataclasses import dataclass
from typing import Any

import ct_checker as checker
import pytest
from ct_room import Room, chain
from sqlalchemy import select

from doors.pki import csr
from greatseal.domain.transparency.proving import prove
from greatseal.kernel.errors import InvalidArgument
from greatseal.storage.schema import outbox
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Ordered:
    names: tuple[str, ...] = ("www.example.com",)
    key_algorithm: str = "EC_prime256v1"
    csr: bytes = b""
    logged: bool = True
    token: str = "certificate/0"
    account: str = "111122223333"
    region: str = "us-east-1"
    principal_arn: str = "arn:aws:iam::111122223333:root"
    request_id: str = "request-1"
    key_id: str = ""


def test_logged_proven_and_known(storage):
    room = Room(storage, watched_domains=("example.com",), account="111122223333")
    trusting: Any = room.installation.rooms.trusting
    issued = trusting.services.issue(Ordered(csr=csr("www.example.com", "www.example.com")))
    certificate = Certificate.parse(issued.certificate)
    extension = certificate.extension(OID.CT_SCTS)
    assert extension is not None
    entry = checker.precert_entry(issued.chain[0], issued.certificate)
    logs = {each.record.log_id: each.record for each in room.logs.active()}
    stamps = sct.read_sct_list(extension)
    assert {each.log_id for each in stamps} == set(logs)
    proofs = prove(room.logs, [issued.certificate, *issued.chain])
    for stamp, proof in zip(stamps, proofs, strict=True):
        record = logs[stamp.log_id]
        timestamp, extensions, index = checker.check_sct(record.spki, stamp.encode(), entry)
        size, root, _ = checker.check_checkpoint(str(proof["checkpoint"]), record.origin, record.spki)
        leaf = checker.h_leaf(checker.leaf_input(timestamp, entry, extensions))
        path = [checker.base64.b64decode(each) for each in proof["path"]]  # type: ignore[attr-defined]
        assert checker.root_from_path(index, size, leaf, path) == root
    room.add(chain(1, name="shop.example.com"))
    room.room.follow()
    room.installation.work()
    rows = storage.read(lambda tx: tx.all(select(outbox.c.payload)))
    seen = [row.payload for row in rows if row.payload.get("detail-type") == "Greatseal Certificate Seen In Log"]
    assert [each["detail"]["Names"] for each in seen] == [["shop.example.com"]]
    with pytest.raises(InvalidArgument, match="no timestamp"):
        prove(room.logs, chain(2))
    with pytest.raises(InvalidArgument, match="cannot be read"):
        prove(room.logs, [issued.certificate])


def test_without_logging_nothing_is_logged(storage):
    room = Room(storage)
    issued = room.installation.rooms.trusting.services.issue(
        Ordered(csr=csr("www.example.com", "www.example.com"), logged=False)
    )
    assert Certificate.parse(issued.certificate).extension(OID.CT_SCTS) is None
    assert room.logs.begun() == []
