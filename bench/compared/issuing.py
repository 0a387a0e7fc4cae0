"""IssueCertificate of a private CA beside `cfssl serve`, `moto_server` and the bare signature."""

from base64 import b64encode
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from compared import authorities, processes
from compared.plan import DURABLE, Plan, rate
from compared.processes import Server
from compared.requests import Request, aws_request, loaded, plain_request
from compared.results import Figure, Results, Row

PART = "issuing"
KINDS = {"P-256": "EC_prime256v1", "RSA-2048": "RSA_2048"}
_MESSAGE = bytes(600)
_OF_CFSSL = "TLS; no account, no policy, no lint, no audit; nothing is stored"
_OF_MOTO = "plain HTTP; signature of the request not checked; signs with RSA-2048 whatever is asked; in memory"
# It answers one or two a second: of more connections than these, some would never hear of it.
_CLIENTS_OF_MOTO = 4


def measure(plan: Plan, results: Results) -> None:
    """A row for each kind of CA key."""
    with plan.room() as folder:
        with processes.greatseal(folder / "data", plan.workers) as server:
            ours = {
                name: loaded("greatseal", server, _wanted(server, kind), folder, plan.seconds)
                for name, kind in KINDS.items()
            }
        peers: dict[str, list[Figure]] = {name: [] for name in KINDS}
        with processes.skipped(results.missing, f"{PART}: cfssl"):
            for name, kind in KINDS.items():
                peers[name].append(_cfssl(plan, folder, kind))
        with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder) as server:
            for name, kind in KINDS.items():
                peers[name].append(
                    loaded(
                        "moto_server",
                        server,
                        _wanted(server, kind),
                        folder,
                        plan.seconds,
                        _OF_MOTO,
                        clients=_CLIENTS_OF_MOTO,
                    )
                )
    for name, kind in KINDS.items():
        raw = Figure("signature alone", _signatures(kind), says="one thread of `cryptography`: the limit of a core")
        row = Row(PART, f"IssueCertificate {name}", "/s", "more", ours[name], (*peers[name], raw), DURABLE)
        results.rows.append(row)


def _wanted(server: Server, kind: str) -> Request:
    """IssueCertificate of a new CA with such a key, for a key of the same kind."""
    body = {
        "CertificateAuthorityArn": authorities.authority(server, kind),
        "Csr": b64encode(authorities.csr(authorities.private_key(kind)).encode()).decode(),
        "SigningAlgorithm": authorities.SIGNING[kind],
        "Validity": {"Type": "DAYS", "Value": 30},
    }
    return aws_request(server, "acm-pca", "IssueCertificate", body)


def _cfssl(plan: Plan, folder: Path, kind: str) -> Figure:
    authorities.files(folder, "ca", authorities.private_key(kind))
    authorities.files(folder, "tls", authorities.private_key("EC_prime256v1"))
    body = {"certificate_request": authorities.csr(authorities.private_key(kind))}
    with processes.cfssl(folder, "ca.pem", "ca.key") as server:
        request = plain_request(server, "/api/v1/cfssl/sign", body)
        return loaded("cfssl serve", server, request, folder, plan.seconds, _OF_CFSSL)


def _signatures(algorithm: str) -> float:
    key = authorities.private_key(algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return rate(lambda: key.sign(_MESSAGE, ec.ECDSA(hashes.SHA256())))
    return rate(lambda: key.sign(_MESSAGE, padding.PKCS1v15(), hashes.SHA256()))
