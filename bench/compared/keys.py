"""KMS Sign with a P-256 key beside `moto_server` and the bare signature."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from compared import processes
from compared.plan import DURABLE, Plan, rate
from compared.requests import aws_request, client, loaded
from compared.results import Figure, Results, Row

PART = "keys"
_MESSAGE = b"a message of thirty-two octets.."
_OF_MOTO = "plain HTTP; signature of the request not checked; no policy, no audit"


def measure(plan: Plan, results: Results) -> None:
    """One row."""
    key = ec.generate_private_key(ec.SECP256R1())
    peers = [Figure("signature alone", rate(lambda: key.sign(_MESSAGE, ec.ECDSA(hashes.SHA256()))))]
    with plan.room() as folder:
        with processes.greatseal(folder / "data", plan.workers) as server:
            ours = _sign(plan, "greatseal", server, folder, "")
        with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder) as server:
            peers.insert(0, _sign(plan, "moto_server", server, folder, _OF_MOTO))
    results.rows.append(Row(PART, "KMS Sign P-256", "/s", "more", ours, tuple(peers), "its audit record, " + DURABLE))


def _sign(plan: Plan, who: str, server: processes.Server, folder: Path, says: str) -> Figure:
    made = client(server, "kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    body = {
        "KeyId": made["KeyMetadata"]["KeyId"],
        "Message": base64.b64encode(_MESSAGE).decode(),
        "MessageType": "RAW",
        "SigningAlgorithm": "ECDSA_SHA_256",
    }
    return loaded(who, server, aws_request(server, "kms", "Sign", body), folder, plan.seconds, says)
