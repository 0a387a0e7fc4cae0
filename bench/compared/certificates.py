"""ACM beside `moto_server`: from RequestCertificate of a private certificate to ISSUED, and DescribeCertificate."""

import statistics
import time
from pathlib import Path

from compared import authorities, processes
from compared.plan import DURABLE, Plan
from compared.requests import CLIENTS, aws_request, client, loaded
from compared.results import Figure, Results, Row

PART = "certificates"
_WALKS = 20
_OF_MOTO = "plain HTTP; signature of the request not checked; in memory"
_PATIENCE = 300.0


def measure(plan: Plan, results: Results) -> None:
    """Certificates a second, the milliseconds of one, and descriptions a second."""
    with plan.room() as folder:
        with processes.greatseal(folder / "data", plan.workers) as server:
            ours = _figures(plan, "greatseal", server, folder, "")
        peer: dict[str, Figure] = {}
        with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder) as server:
            peer = _figures(plan, "moto_server", server, folder, _OF_MOTO)
    for name, unit, durable in (
        ("RequestCertificate, private, P-256, until ISSUED", "/s", DURABLE),
        ("RequestCertificate until ISSUED, one after the other", "ms", DURABLE),
        ("DescribeCertificate", "/s", "its audit record, " + DURABLE),
    ):
        peers = (peer[name],) if name in peer else ()
        results.rows.append(Row(PART, name, unit, "more" if unit == "/s" else "less", ours[name], peers, durable))


def _figures(plan: Plan, who: str, server: processes.Server, folder: Path, says: str) -> dict[str, Figure]:
    arn = authorities.authority(server, "EC_prime256v1")
    if who == "greatseal":  # moto_server knows no permissions of CAs, and asks for none
        authorities.permit_acm(server, arn)
    wanted = {
        "DomainName": "app.example.com",
        "CertificateAuthorityArn": arn,
        "KeyAlgorithm": "EC_prime256v1",
    }
    walked, certificate = _walk(server, wanted)
    described = aws_request(server, "acm", "DescribeCertificate", {"CertificateArn": certificate})
    return {
        "DescribeCertificate": loaded(who, server, described, folder, plan.seconds, says),
        "RequestCertificate until ISSUED, one after the other": Figure(who, round(walked, 2), says=says),
        "RequestCertificate, private, P-256, until ISSUED": _until_issued(plan, who, server, folder, wanted, says),
    }


def _walk(server: processes.Server, wanted: dict[str, str]) -> tuple[float, str]:
    """The median of milliseconds from the request to a description that says ISSUED; the ARN of the last one."""
    acm, taken = client(server, "acm"), []
    for _ in range(_WALKS):
        start = time.perf_counter()
        arn: str = acm.request_certificate(**wanted)["CertificateArn"]
        while acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] != "ISSUED":
            if time.perf_counter() - start > _PATIENCE:
                raise RuntimeError("the certificate is not issued")
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken), arn


def _until_issued(
    plan: Plan, who: str, server: processes.Server, folder: Path, wanted: dict[str, str], says: str
) -> Figure:
    """Requests are made for so many seconds; the clock stops when none of them is pending any more."""
    request = aws_request(server, "acm", "RequestCertificate", wanted)
    # moto_server makes a key for seconds: with as many clients as ours, it would answer none of them in time.
    clients = CLIENTS if who == "greatseal" else 2
    asked = loaded(who, server, request, folder, plan.seconds, says, clients=clients)
    acm, start = client(server, "acm"), time.perf_counter()
    pending = {
        "CertificateStatuses": ["PENDING_VALIDATION"],
        "Includes": {"keyTypes": ["EC_prime256v1"]},
        "MaxItems": 1,
    }
    while acm.list_certificates(**pending)["CertificateSummaryList"]:
        if time.perf_counter() - start > _PATIENCE:
            raise RuntimeError("certificates stay pending")
        time.sleep(0.02)
    waited = time.perf_counter() - start
    done = asked.value * plan.seconds / (plan.seconds + waited)
    return Figure(who, round(done, 1), asked.details | {"the last one pending for s": round(waited, 2)}, says)
