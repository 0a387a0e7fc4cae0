"""Mobile driver's licences issued and verified a second: `PYTHONPATH=src:tests python bench/mdl.py [--seconds N]`.

A licence has 14 elements, among them a portrait of 12 KiB, and a P-256 signature. Measured in two processes unless told
otherwise, each working for itself, as a batch would be shared out:

- issue: items, digests, security object, the signature by a key in memory (the key work that KMS does), the check of
  that signature, and the octets of the document;
- kms: the same with the signature by the AWS wire of an installation in the process: request signed by a client,
  verified, authorized, recorded, answered (SQLite, no network);
- verify: everything that a reader checks, from the octets of the file, the signer's path and profile included.

Prints lines for people and one JSON object for programs.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from greatseal.cli.mdl.ceremony import sign_in_kms
from greatseal.mdoc import NAMESPACE, Accepted, prepare, read_documents, verify
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from greatseal.testing import Installation
from made_certificates import ALGORITHM, NOW, signer
from made_mdl import PORTRAIT, SIGNER, issued, licence, order, question

TARGET = 500
CHAIN = (SIGNER.sign(),)
ORDER = order({NAMESPACE: licence(portrait=PORTRAIT * 6)})


def issuing() -> Callable[[], object]:
    """One document after the other, signed here."""
    key = signer(SIGNER.label)

    def work() -> bytes:
        prepared = prepare(ORDER, CHAIN, os.urandom)
        return prepared.finish(key.sign(prepared.to_be_signed, ALGORITHM))

    return work


def through_kms() -> Callable[[], object]:
    """The same, signed by KMS over the wire; the signer's certificate is for the KMS key."""
    folder = Path(tempfile.mkdtemp(prefix="greatseal-bench-"))
    storage = open_storage(f"sqlite:///{folder}/greatseal.db")
    migrate(storage)
    kms = Installation(storage).client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    chain = (SIGNER.but(spki=kms.get_public_key(KeyId=key)["PublicKey"]).sign(),)

    def call(_: str, operation: str, **parameters: object) -> object:
        return getattr(kms, operation)(**parameters)

    def work() -> bytes:
        prepared = prepare(ORDER, chain, os.urandom)
        return prepared.finish(sign_in_kms(call, key, prepared.algorithm, prepared.to_be_signed))

    return work


def verifying() -> Callable[[], object]:
    """A reader, from the octets to the verdict."""
    data, asked = issued(ORDER), question(at=NOW + timedelta(hours=1))

    def work() -> None:
        [document] = read_documents(data)
        assert isinstance(verify(document, asked), Accepted)

    return work


def library() -> Callable[[], object]:
    """The peer: nothing but the signature and its check by the bare library."""
    key, data = ec.generate_private_key(ec.SECP256R1()), bytes(900)

    def work() -> None:
        key.public_key().verify(key.sign(data, ec.ECDSA(hashes.SHA256())), data, ec.ECDSA(hashes.SHA256()))

    return work


WORKS = {"issue": issuing, "kms": through_kms, "verify": verifying, "library": library}


def rate(name: str, seconds: float) -> tuple[float, float]:
    """How often one process does it: in a second of the clock, and in a second of its processor."""
    work = WORKS[name]()
    work()
    done, start, used = 0, time.perf_counter(), time.process_time()
    while (now := time.perf_counter()) - start < seconds:
        work()
        done += 1
    return done / (now - start), done / (time.process_time() - used)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each measurement")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    rates: dict[str, int] = {}
    alone: dict[str, int] = {}
    with ProcessPoolExecutor(given.processes) as pool:
        for name in WORKS:
            found = list(pool.map(rate, [name] * given.processes, [given.seconds] * given.processes))
            rates[name], alone[name] = (round(sum(column)) for column in zip(*found, strict=True))
            print(f"{name:>10} {rates[name]:>8} a second, {alone[name]:>8} if nobody else used the cores")
    print(f"issued: {rates['issue']} a second, {alone['issue']} if nobody else used the cores (target {TARGET})")
    print(
        json.dumps({"name": "mdl", "processes": given.processes, "rates": rates, "unshared": alone, "target": TARGET})
    )


if __name__ == "__main__":
    main()
