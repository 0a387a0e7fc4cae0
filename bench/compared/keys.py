"""Calls of KMS beside `moto_server` and what the library does alone."""

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compared import processes
from compared.plan import DURABLE, Plan, rate
from compared.requests import aws_request, client, loaded
from compared.results import Figure, Results, Row

PART = "keys"
_MESSAGE = b"a message of thirty-two octets.."
_DURABLE = "its audit record, " + DURABLE
_OF_MOTO = "plain HTTP; signature of the request not checked; no policy, no audit"


@dataclass(frozen=True)
class _Call:
    """One operation with a key of its own."""

    name: str
    operation: str
    key: Mapping[str, str]
    body: Mapping[str, Any]
    alone: Callable[[], object]
    """The cryptography of it; `made` says what that is."""
    made: str
    peer: bool = True
    """Whether `moto_server` has it."""


def measure(plan: Plan, results: Results) -> None:
    """A row for each call."""
    calls = _calls()
    peers: dict[str, list[Figure]] = {call.name: [] for call in calls}
    with plan.room() as folder:
        with processes.greatseal(folder / "data", plan.workers) as server:
            ours = {call.name: _asked(plan, "greatseal", server, folder, call) for call in calls}
        with processes.skipped(results.missing, f"{PART}: moto_server"), processes.moto(folder) as server:
            for call in calls:
                if call.peer:
                    peers[call.name].append(_asked(plan, "moto_server", server, folder, call, _OF_MOTO))
    for call in calls:
        alone = Figure(f"{call.made} alone", rate(call.alone))
        beside = (*peers[call.name], alone)
        results.rows.append(Row(PART, f"KMS {call.name}", "/s", "more", ours[call.name], beside, _DURABLE))


def _calls() -> list[_Call]:
    curve, lattice, cipher = (
        ec.generate_private_key(ec.SECP256R1()),
        mldsa.MLDSA65PrivateKey.generate(),
        AESGCM(bytes(32)),
    )
    signing = {"Message": base64.b64encode(_MESSAGE).decode(), "MessageType": "RAW"}
    return [
        _Call(
            "Sign P-256",
            "Sign",
            {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
            signing | {"SigningAlgorithm": "ECDSA_SHA_256"},
            lambda: curve.sign(_MESSAGE, ec.ECDSA(hashes.SHA256())),
            "signature",
        ),
        _Call(
            "Sign ML-DSA-65",
            "Sign",
            {"KeySpec": "ML_DSA_65", "KeyUsage": "SIGN_VERIFY"},
            signing | {"SigningAlgorithm": "ML_DSA_SHAKE_256"},
            lambda: lattice.sign(_MESSAGE),
            "signature",
            peer=False,
        ),
        _Call(
            "GenerateDataKey",
            "GenerateDataKey",
            {},
            {"KeySpec": "AES_256"},
            lambda: cipher.encrypt(os.urandom(12), os.urandom(32), b""),
            "encryption",
        ),
    ]


def _asked(plan: Plan, who: str, server: processes.Server, folder: Path, call: _Call, says: str = "") -> Figure:
    key = client(server, "kms").create_key(**call.key)["KeyMetadata"]["KeyId"]
    request = aws_request(server, "kms", call.operation, {"KeyId": key, **call.body})
    return loaded(who, server, request, folder, plan.seconds, says)
