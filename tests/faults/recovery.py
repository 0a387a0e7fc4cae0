"""What must hold of issuance after any fault and a restart, read from the tables and not through the rooms."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.order import Order
from greatseal.domain.authorities.store.authorities import ca_certificate
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.kernel.caller import Caller
from greatseal.storage import Storage, Tx
from greatseal.storage.schema import metadata, outbox
from greatseal.testing.clock import START
from greatseal.testing.installation import ACCOUNT, REGION
from greatseal.x509.certificate import Certificate, verify_signature
from greatseal.x509.extensions import OID
from greatseal.x509.sct import POISON, without
from greatseal.x509.templates import find_template, template_arn
from greatseal.x509.validity import Validity, ValidityType

_ISSUANCE = "ACM Private CA Certificate Issuance"


def caller() -> Caller:
    """The root principal, as the door makes it."""
    return Caller(
        account=ACCOUNT,
        region=REGION,
        principal_arn=f"arn:aws:iam::{ACCOUNT}:root",
        access_key_id="AKIA",
        request_id="11111111-2222-3333-4444-555555555555",
        operation="acm-pca:IssueCertificate",
        at=START,
    )


def order(
    csr: bytes, token: str | None = None, algorithm: SignatureAlgorithm = SignatureAlgorithm.SHA256WITHECDSA
) -> Order:
    """A certificate of an end entity for 30 days."""
    template = template_arn("aws", "EndEntityCertificate")
    return Order(
        csr=csr,
        signing_algorithm=algorithm,
        validity=Validity(30, ValidityType.DAYS),
        template=find_template(template),
        template_arn=template,
        idempotency_token=token,
    )


@dataclass(frozen=True)
class Tables:
    """Everything that issuance writes."""

    journal: list[dict[str, Any]]
    audited: Counter[str]
    """How many audit records of IssueCertificate name each certificate ARN."""
    events: dict[str, list[str]] = field(default_factory=dict)
    """The results of the issuance events of each certificate ARN."""
    issuers: dict[str, bytes] = field(default_factory=dict)


def tables(storage: Storage) -> Tables:
    """What the tables hold now."""
    audit_record = metadata.tables["audit_record"]

    def work(tx: Tx) -> Tables:
        audited: Counter[str] = Counter()
        for record in tx.all(select(audit_record).where(audit_record.c.operation == "acm-pca:IssueCertificate")):
            audited.update(arn for arn in record.resources if "/certificate/" in arn)
        events: dict[str, list[str]] = {}
        for message in tx.all(select(outbox.c.payload)):
            if message.payload["detail-type"] == _ISSUANCE:
                events.setdefault(message.payload["resources"][1], []).append(message.payload["detail"]["result"])
        rows = [dict(row._mapping) for row in tx.all(select(issued_certificate).order_by(issued_certificate.c.arn))]
        return Tables(rows, audited, events, {row.id: row.der for row in tx.all(select(ca_certificate))})

    return storage.read(work)


def check(storage: Storage, *, signed: list[bytes] = (), awaiting: bool = False) -> Tables:  # type: ignore[assignment]
    """Checks everything; `signed` are the to-be-signed octets of every signature that anybody made.

    With `awaiting` a precertificate may still lack its certificate.
    """
    found = tables(storage)
    journal = {row["tbs"] for row in found.journal} | {
        Certificate.parse(row["precertificate"]).tbs for row in found.journal if row["precertificate"]
    }
    assert journal.issuperset(signed), "something was signed that the database does not know"
    assert len({(row["authority_id"], row["serial"]) for row in found.journal}) == len(found.journal)
    arns = {row["arn"] for row in found.journal}
    assert found.audited == Counter(arns), "each row of the journal has one audit record, and no record is without"
    assert found.events.keys() == arns - {row["arn"] for row in found.journal if row["state"] == "PRECERTIFICATE"}
    for row in found.journal:
        if row["precertificate"]:
            _check_precertificate(found, row)
        if row["state"] == "PRECERTIFICATE" and awaiting:
            assert row["certificate"] is None
            continue
        assert row["state"] in ("ISSUED", "FAILED"), "recovery left an open row"
        expected = "success" if row["state"] == "ISSUED" else "failure"
        assert found.events[row["arn"]] == [expected], "one event for each closed row"
        if row["state"] == "FAILED":
            assert row["certificate"] is None
            continue
        certificate = Certificate.parse(row["certificate"])
        assert certificate.tbs == row["tbs"]
        issuer = row["issuer_certificate_id"]
        spki = Certificate.parse(found.issuers[issuer]).spki if issuer else certificate.spki
        assert verify_signature(certificate, spki)
    return found


def _check_precertificate(found: Tables, row: dict[str, Any]) -> None:
    """It is signed by the CA, and the certificate differs from it in the last extension only (RFC 6962 section 3.1)."""
    precertificate = Certificate.parse(row["precertificate"])
    assert verify_signature(precertificate, Certificate.parse(found.issuers[row["issuer_certificate_id"]]).spki)
    assert precertificate.extensions[-1] == POISON
    if row["certificate"] is not None:
        assert without(row["tbs"], OID.CT_SCTS) == without(precertificate.tbs, OID.CT_POISON)
        assert Certificate.parse(row["certificate"]).extensions[-1].oid == OID.CT_SCTS
