"""Repository pages for programs. The members are described in docs/repository.md."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from greatseal.domain.revocation.repository import Entry, PublishedList


def entry(found: Entry) -> dict[str, Any]:
    """Everything that the page of a CA says."""
    links = {kind: f"/ca/{found.id}.{kind}" for kind in ("cer", "pem", "p7c", "chain.pem", "chain.p7c")}
    return {**_certificate(found), "links": links, "ocspUrl": found.ocsp_url, "crls": [_list(x) for x in found.lists]}


def index(entries: Sequence[Entry], more: str | None) -> dict[str, Any]:
    """A page of the index; `next` is the id to go on after, or null."""
    return {"authorities": [_certificate(each) for each in entries], "next": more}


def _certificate(found: Entry) -> dict[str, Any]:
    certificate = found.certificate
    key = hashlib.sha256(certificate.spki).digest()
    return {
        "id": found.id,
        "subject": certificate.subject.display(),
        "issuer": certificate.issuer.display(),
        "serialNumber": f"{certificate.serial:x}",
        "notBefore": _time(certificate.not_before),
        "notAfter": _time(certificate.not_after),
        "keyAlgorithm": found.key_algorithm,
        "spkiSha256": key.hex(),
        "spkiSha256Base64": base64.b64encode(key).decode("ascii"),
        "certificateSha256": certificate.fingerprint_sha256.hex(),
        "certificateSha1": hashlib.sha1(certificate.der, usedforsecurity=False).hexdigest(),
        "page": f"/ca/{found.id}",
    }


def _list(found: PublishedList) -> dict[str, Any]:
    return {
        "url": found.url,
        "partition": found.is_part,
        "number": str(found.number),
        "nextUpdate": _time(found.next_update),
        "deltaUrl": found.delta_url,
    }


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
