"""Which CAs of this installation are below which, by the certificates that were installed for them."""

from collections import defaultdict
from hashlib import sha256

from sqlalchemy import select

from greatseal.domain.authorities.store.authorities import ca_certificate
from greatseal.storage import Tx


def below(tx: Tx, authority_id: str) -> list[str]:
    """The ids of the subordinate CAs of a CA at any depth, each once and its parents first.

    A CA that has changed its parent counts as below both: certificates of either time may be in use.
    """
    owners: dict[bytes, str] = {}
    issuers: list[tuple[str, bytes]] = []
    rows = ca_certificate.c
    for row in tx.all(select(rows.authority_id, rows.der, rows.chain).order_by(rows.installed_at, rows.id)):
        owners[sha256(row.der).digest()] = row.authority_id
        if row.chain:
            issuers.append((row.authority_id, sha256(bytes.fromhex(row.chain[0])).digest()))
    children: dict[str, dict[str, None]] = defaultdict(dict)
    for child, issuer in issuers:
        if issuer in owners:
            children[owners[issuer]][child] = None
    found = {authority_id: None}
    for parent in (queue := [authority_id]):
        fresh = [child for child in children[parent] if child not in found]
        found |= dict.fromkeys(fresh)
        queue += fresh
    return list(found)[1:]
