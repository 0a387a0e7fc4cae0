"""What an audit report costs: `PYTHONPATH=src:tests python bench/report.py [--rows N]`.

20 000 certificates unless told otherwise; the goal is set for 1 000 000. A CA's journal is filled (SQLite), each row
with a certificate of its own, and the report is written in both forms by the job that a service runs, each in a
process of its own. Then every line is compared with the database by a reader that shares no code with the writer.
Prints a line for people and one JSON object for programs.
"""

import argparse
import csv
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cryptography import x509
from sqlalchemy import insert, select

from doors.buckets import for_service
from doors.pki import Pki, serial_of
from greatseal.crypto.algorithms import SignatureAlgorithm
from greatseal.domain.authorities.report import FIELDS
from greatseal.domain.authorities.store.journal import issued_certificate
from greatseal.domain.revocation.model import Revocation, RevocationReason
from greatseal.domain.revocation.store.revocations import revocation
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import FakeEntropy
from greatseal.x509.certificate import Certificate, TbsCertificate, assemble, encode_tbs
from greatseal.x509.names import subject_from_attributes

GOAL_ROWS, GOAL_MEGABYTES = 1_000_000, 200
_RUN = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def fill(folder: Path, count: int) -> None:
    """A CA with `count` certificates, one in seven revoked."""
    storage = open_storage(f"sqlite:///{folder}/greatseal.db")
    migrate(storage)
    pki = Pki(storage)
    s3 = pki.installation.client("s3")
    s3.create_bucket(Bucket="reports")
    s3.put_bucket_policy(Bucket="reports", Policy=for_service("reports"))
    root = pki.root()
    issued = serial_of(pki.issue(root))
    sample = storage.read(lambda tx: tx.one(select(issued_certificate).where(issued_certificate.c.serial == issued)))
    model = Certificate.parse(sample.certificate)
    for start in range(0, count - 2, _RUN):
        numbers = range(start, min(start + _RUN, count - 2))
        rows = [_row(sample._mapping, model, number) for number in numbers]
        ended = [_revoked(row, number) for row, number in zip(rows, numbers, strict=True) if number % 7 == 0]

        def work(tx: Any, rows: Any = rows, ended: Any = ended) -> None:
            tx.execute(insert(issued_certificate), rows)
            tx.execute(insert(revocation), ended)

        storage.transact(work)
    storage.close()


def _row(sample: Any, model: Certificate, number: int) -> dict[str, Any]:
    serial = (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) % (1 << 128)
    issued_at = sample["issued_at"] + timedelta(seconds=number)
    names = {"Organization": f'Example, Inc. "{number % 1000}"', "CommonName": f"host-{number}.example.com"}
    tbs = encode_tbs(
        TbsCertificate(
            serial=serial,
            algorithm=SignatureAlgorithm[sample["signing_algorithm"]],
            issuer=model.issuer,
            not_before=model.not_before + timedelta(seconds=number),
            not_after=model.not_after + timedelta(seconds=number),
            subject=subject_from_attributes(names),
            spki=model.spki,
            extensions=model.extensions,
        )
    )
    text = f"{serial:032x}"
    return {
        **sample,
        "serial": text,
        "arn": sample["arn"].rpartition("/")[0] + f"/{text}",
        "tbs": tbs,
        "certificate": assemble(tbs, SignatureAlgorithm[sample["signing_algorithm"]], model.signature),
        "service_principal": "acm.amazonaws.com" if number % 3 == 0 else None,
        "issued_at": issued_at,
        "not_after": model.not_after + timedelta(seconds=number),
    }


def _revoked(row: dict[str, Any], number: int) -> dict[str, Any]:
    reason = list(RevocationReason)[number % 8]
    new = Revocation(row["authority_id"], row["serial"], row["issued_at"], reason, row["not_after"])
    return {
        "authority_id": new.authority_id,
        "serial": new.serial,
        "revoked_at": new.revoked_at,
        "reason": reason.name,
        "not_after": new.not_after,
        "partition": None,
        "entry": new.entry,
    }


def write(folder: Path, form: str) -> dict[str, Any]:
    """Asks for a report and has it written; seconds, and megabytes at the highest."""
    storage = open_storage(f"sqlite:///{folder}/greatseal.db")
    pki = Pki(storage, entropy=FakeEntropy(form))
    pki.clock.advance(timedelta(hours=1 if form == "CSV" else 2))
    [found] = pki.pca.list_certificate_authorities()["CertificateAuthorities"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    started, worked = time.perf_counter(), time.process_time()
    asked = pki.pca.create_certificate_authority_audit_report(
        CertificateAuthorityArn=found["Arn"], S3BucketName="reports", AuditReportResponseFormat=form
    )
    pki.installation.rooms.reports.carry_out(asked["AuditReportId"])
    measured = {
        "seconds": round(time.perf_counter() - started, 1),
        "work": round(time.process_time() - worked, 1),
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "megabytes_before": before,
    }
    objects = pki.installation.rooms.objects.objects
    version = objects.find("reports", asked["S3Key"])
    with (folder / f"report.{form.lower()}").open("wb") as file:
        for part in objects._blobs.parts(version.blob):
            file.write(part)
    return measured | {"octets": version.size}


def compare(folder: Path) -> int:
    """Reads both reports beside the database; how many rows. Raises AssertionError at the first that differs."""
    with (
        (folder / "report.csv").open(encoding="utf-8", newline="") as table,
        (folder / "report.json").open(encoding="utf-8") as lines,
    ):
        reader = csv.DictReader(table)
        assert tuple(reader.fieldnames or ()) == FIELDS
        count = 0
        for expected, row, line in zip_longest(_expected(folder), reader, lines):
            assert row == expected, (row, expected)
            told = json.loads(line.strip().lstrip("[").rstrip(",]"))
            assert told == {name: value for name, value in expected.items() if value}, (told, expected)
            count += 1
    return count


def _expected(folder: Path) -> Iterator[dict[str, str]]:
    database = sqlite3.connect(f"file:{folder}/greatseal.db?mode=ro", uri=True)
    query = """
        SELECT i.arn, i.account, i.service_principal, i.certificate, i.issued_at, i.template_arn, r.revoked_at, r.reason
        FROM issued_certificate AS i
        LEFT JOIN revocation AS r ON r.authority_id = i.authority_id AND r.serial = i.serial
        WHERE i.state = 'ISSUED' ORDER BY i.serial
    """
    for arn, account, principal, der, issued_at, template, revoked_at, reason in database.execute(query):
        certificate = x509.load_der_x509_certificate(der)
        digits = f"{certificate.serial_number:032x}"
        yield {
            "awsAccountId": account,
            "requestedByServicePrincipal": principal or "",
            "certificateArn": arn,
            "serial": ":".join(digits[at : at + 2] for at in range(0, 32, 2)),
            "subject": certificate.subject.rfc4514_string(),
            "notBefore": _instant(certificate.not_valid_before_utc),
            "notAfter": _instant(certificate.not_valid_after_utc),
            "issuedAt": _instant(_EPOCH + timedelta(microseconds=issued_at)),
            "revokedAt": "" if revoked_at is None else _instant(_EPOCH + timedelta(microseconds=revoked_at)),
            "revocationReason": reason or "",
            "templateArn": template,
        }


def _instant(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "+0000")


def main() -> None:
    """Fills and writes in processes of their own, because memory is measured at its highest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("part", nargs="*", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        what, folder, *form = given.part
        print(json.dumps(fill(Path(folder), given.rows) if what == "fill" else write(Path(folder), *form)))
        return
    with tempfile.TemporaryDirectory() as folder:

        def run(*part: str) -> Any:
            arguments = [sys.executable, __file__, "--rows", str(given.rows), *part]
            return json.loads(subprocess.check_output(arguments, text=True).splitlines()[-1])

        run("fill", folder)
        found = {form: run("write", folder, form) for form in ("CSV", "JSON")}
        compared = compare(Path(folder))
    assert compared == given.rows, compared
    mine = found["CSV"]
    print(
        f"report of {compared} certificates, each row as in the database: CSV {mine['seconds']} s, "
        f"{mine['megabytes']} MB; JSON {found['JSON']['seconds']} s, {found['JSON']['megabytes']} MB"
    )
    reached = max(each["megabytes"] for each in found.values()) < GOAL_MEGABYTES
    print(json.dumps({"rows": compared, **found, "goal_reached": reached if compared >= GOAL_ROWS else None}))


if __name__ == "__main__":
    main()
