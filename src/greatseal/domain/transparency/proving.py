"""Proofs that a certificate is in our logs, complete in themselves."""

import base64
from collections.abc import Sequence

from greatseal.crypto.merkle import leaf_hash, verify_inclusion
from greatseal.domain.transparency.logs import Logs
from greatseal.domain.transparency.model import LogRecord
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509 import sct
from greatseal.x509.certificate import Certificate
from greatseal.x509.der import DerError
from greatseal.x509.extensions import OID
from greatseal.x509.sct import Sct
from greatseal.x509.tls_encoding import EncodingError


def prove(logs: Logs, chain: Sequence[bytes]) -> list[dict[str, object]]:
    """For each SCT by a log of ours: leaf, place, path and checkpoint. `chain` is DER, the issuer second.

    Raises InvalidArgument for what is no certificate with its issuer, and without any SCT of ours; NoSuchEntry when a
    log does not have what it promised.
    """
    try:
        leaf, issuer = (Certificate.parse(each) for each in chain[:2])
        entry = sct.precertificate_entry_of(issuer.spki, leaf)
        extension = leaf.extension(OID.CT_SCTS)
        stamps = sct.read_sct_list(extension) if extension is not None else ()
    except (DerError, EncodingError, ValueError) as error:
        raise InvalidArgument(f"The certificate and its issuer cannot be read: {error}.") from None
    ours = {each.log_id: each for each in logs.begun()}
    found = [_proof(logs, ours[each.log_id], each, entry) for each in stamps if each.log_id in ours]
    if not found:
        raise InvalidArgument("The certificate carries no timestamp of a log of this installation.")
    return found


def _proof(logs: Logs, record: LogRecord, stamp: Sct, entry: bytes) -> dict[str, object]:
    if not sct.verify(stamp, record.spki, entry):
        raise InvalidArgument(f"The timestamp of the log {record.id} is not for this certificate.")
    reading = logs.reading(record.id)
    leaf = sct.tree_leaf(stamp.timestamp, entry, stamp.extensions)
    checkpoint = reading.checkpoint()
    head = reading.head_of(checkpoint)
    index, path = reading.inclusion(leaf_hash(leaf), head.size)
    assert verify_inclusion(leaf_hash(leaf), index, head.size, path, head.root)
    return {
        "log": record.id,
        "operator": record.operator,
        "key": _text(record.spki),
        "sct": _text(stamp.encode()),
        "leaf": _text(leaf),
        "index": index,
        "size": head.size,
        "path": [_text(each) for each in path],
        "checkpoint": checkpoint,
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
