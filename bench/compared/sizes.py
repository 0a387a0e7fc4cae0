"""The same requests with more and more certificates: start-up, memory, listing, searching, describing, issuing.

Times are medians of one request after the other on an open connection of an otherwise idle service. The peers stand
beside the smallest size: `moto_server` keeps everything in memory, `cfssl serve` keeps nothing.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compared import authorities, processes
from compared.filling import fill
from compared.plan import DURABLE, Plan
from compared.processes import Server
from compared.requests import aws_request, client, milliseconds
from compared.results import Figure, Growth, Results, Row

PART = "sizes"
_ALL_KEYS = {"keyTypes": ["EC_prime256v1", "RSA_2048"]}
_PAGE = 100
_LISTING = {"Includes": _ALL_KEYS, "MaxItems": _PAGE}
_FAR = 50_000
_SECONDS = 1.0
_START, _MEMORY = "start to the first answer", "resident memory"
_AFTER = "resident memory after these requests"
_UNITS = {_START: "s", _MEMORY: "MB", _AFTER: "MB"}


def measure(plan: Plan, results: Results) -> None:
    """Growth of each measurement; rows where there is a peer."""
    growth: dict[tuple[str, str], list[tuple[int, float]]] = {}
    with plan.room() as folder:
        # Twice: the first time, Python compiles modules that an installation has compiled.
        with processes.greatseal(folder / "once", plan.workers):
            pass
        data = folder / "data"
        with processes.greatseal(data, plan.workers) as server:
            made = Figure("greatseal", round(server.start_seconds, 2), says="with a new database, CA and credential")
            authority = authorities.authority(server, "EC_prime256v1")
            authorities.permit_acm(server, authority)
            pattern, there = _pattern(server, authority), 0
        for size in plan.sizes:
            if size:
                fill(data / "greatseal.db", pattern.rpartition("/")[2], authority.rpartition("/")[2], there + 1, size)
                there = size
            with processes.greatseal(data, plan.workers) as server:
                found = {(_START, "s"): server.start_seconds, (_MEMORY, "MB"): server.memory_mb()["rss"]}
                if size:
                    found |= {(name, "ms"): value for name, value in _times(server, size, pattern, authority)}
                    found[_AFTER, "MB"] = server.memory_mb()["rss"]
            for key, value in found.items():
                growth.setdefault(key, []).append((size, round(value, 2)))
        results.growth += [Growth(name, unit, "less", tuple(points)) for (name, unit), points in growth.items()]
        results.rows += _rows(plan, results, folder, made, {name: points for (name, _), points in growth.items()})


def _pattern(server: Server, authority: str) -> str:
    """One certificate of ACM, asked for as anybody would; its ARN."""
    acm = client(server, "acm")
    arn: str = acm.request_certificate(
        DomainName="host-0.example.com", CertificateAuthorityArn=authority, KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    acm.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"Delay": 1})
    return arn


def _times(server: Server, size: int, arn: str, authority: str) -> Iterator[tuple[str, float]]:
    """Milliseconds of each kind of request."""

    def taken(service: str, operation: str, body: Mapping[str, Any]) -> float:
        return milliseconds(server, aws_request(server, service, operation, body), _SECONDS)

    acm = client(server, "acm")
    assert len(acm.list_certificates(**_LISTING)["CertificateSummaryList"]) == _PAGE
    yield "DescribeCertificate", taken("acm", "DescribeCertificate", {"CertificateArn": arn})
    yield "ListCertificates, first page of 100", taken("acm", "ListCertificates", _LISTING)
    deep = {**_LISTING, "NextToken": _far_down(acm, size)}
    yield "ListCertificates, a page far down", taken("acm", "ListCertificates", deep)
    exact = _named(f"host-{size // 2}.example.com", "EQUALS")
    assert len(acm.search_certificates(**exact)["Results"]) == 1
    yield "SearchCertificates, exact name", taken("acm", "SearchCertificates", exact)
    part = _named(f"st-{size // 2}.exam", "CONTAINS")
    yield "SearchCertificates, part of a name", taken("acm", "SearchCertificates", part)
    issued = {"Filter": {"AcmCertificateMetadataFilter": {"Status": "ISSUED"}}}
    ends = {"FilterStatement": issued, "SortBy": "NOT_AFTER", "SortOrder": "ASCENDING", "MaxResults": _PAGE}
    yield "SearchCertificates, 100 that end next", taken("acm", "SearchCertificates", ends)
    csr = authorities.csr(authorities.private_key("EC_prime256v1"))
    wanted = {
        "CertificateAuthorityArn": authority,
        "Csr": b64encode(csr.encode()).decode(),
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Validity": {"Type": "DAYS", "Value": 30},
    }
    yield "IssueCertificate P-256", taken("acm-pca", "IssueCertificate", wanted)


def _named(value: str, how: str) -> dict[str, Any]:
    name = {"DnsName": {"Value": value, "ComparisonOperator": how}}
    return {"FilterStatement": {"Filter": {"X509AttributeFilter": {"SubjectAlternativeName": name}}}}


def _far_down(acm: Any, size: int) -> str:
    """The token of a page in the middle, or as far down as it is worth the walk."""
    token: dict[str, str] = {}
    most = min(1000, size // 2)
    for _ in range(min(size // 2, _FAR) // most):
        token = {"NextToken": acm.list_certificates(Includes=_ALL_KEYS, MaxItems=most, **token)["NextToken"]}
    return token["NextToken"]


def _rows(
    plan: Plan, results: Results, folder: Path, made: Figure, growth: dict[str, list[tuple[int, float]]]
) -> Iterator[Row]:
    """What a peer does, too: start and memory of an empty service, requests beside as many certificates."""
    peers: dict[str, list[Figure]] = {}
    for figures in (_moto(plan, results, folder), _cfssl(results, folder)):
        for name, figure in figures.items():
            peers.setdefault(name, []).append(figure)
    yield Row(PART, "first start", "s", "less", made, durable=DURABLE)
    for name, found in peers.items():
        unit = _UNITS.get(name, "ms")
        size = _smallest(plan) if unit == "ms" else 0
        ours = Figure("greatseal", dict(growth[name])[size], says=f"{plan.workers} workers" if unit == "MB" else "")
        durable = "its audit record, " + DURABLE if unit == "ms" else ""
        yield Row(PART, f"{name}, {size} certificates", unit, "less", ours, tuple(found), durable)


def _smallest(plan: Plan) -> int:
    return next(size for size in plan.sizes if size)


def _moto(plan: Plan, results: Results, folder: Path) -> dict[str, Figure]:
    says = "plain HTTP; signature of the request not checked; in memory"

    def figure(value: float, says: str = says) -> Figure:
        return Figure("moto_server", round(value, 2), says=says)

    with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder):
        pass
    with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder) as server:
        found = {_START: figure(server.start_seconds, ""), _MEMORY: figure(server.memory_mb()["rss"], "")}
        acm = client(server, "acm")
        key = authorities.private_key("EC_prime256v1")
        authorities.files(folder, "peer", key)
        parcel = {
            part: (folder / f"peer.{end}").read_bytes() for part, end in (("Certificate", "pem"), ("PrivateKey", "key"))
        }
        arn = [acm.import_certificate(**parcel)["CertificateArn"] for _ in range(_smallest(plan))][-1]
        for name, operation, body in (
            ("DescribeCertificate", "DescribeCertificate", {"CertificateArn": arn}),
            ("ListCertificates, first page of 100", "ListCertificates", _LISTING),
        ):
            found[name] = figure(milliseconds(server, aws_request(server, "acm", operation, body), _SECONDS))
        return found
    return {}


def _cfssl(results: Results, folder: Path) -> dict[str, Figure]:
    for stem in ("ca", "tls"):
        authorities.files(folder, stem, authorities.private_key("EC_prime256v1"))
    with processes.skipped(results.missing, f"{PART}: cfssl"), processes.cfssl(folder, "ca.pem", "ca.key") as server:
        return {
            _START: Figure("cfssl serve", round(server.start_seconds, 2)),
            _MEMORY: Figure("cfssl serve", server.memory_mb()["rss"]),
        }
    return {}
