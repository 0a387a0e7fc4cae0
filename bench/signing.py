"""Signing and verifying many files: `PYTHONPATH=src:tests python bench/signing.py [--files N] [--megabytes N]`.

1,000 files of 1 MB unless told otherwise, each signed and verified for itself, by P-256 and by ML-DSA-65 with a key of
this process. Beside each run, in as many threads and in turns: the same files read and hashed, and the bare signature
made or verified over each digest (for ML-DSA: over as many octets as signed attributes have). The goal is 20 % more at
the most. Files are read once before, so that no disk is measured. Prints a line for people and one JSON object.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from greatseal.domain.signing import Author, Judge, Trust, author_of, chain_of, sign, wanted
from greatseal.domain.signing.files import digests_of, in_parallel
from greatseal.x509 import cms
from made_certificates import ROOT, SUBORDINATE
from made_signed import key, order, private_key

GOAL = 1.2
ROUNDS = 3
NOW = datetime.now(UTC).replace(microsecond=0)
SPAN = {"not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=1)}
Work = Callable[[Path], object]


def timed(paths: list[Path], works: list[Work]) -> list[float]:
    """The best seconds of each work over all files, in rounds that take turns."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for at, work in enumerate(works):
            start = time.perf_counter()
            for _ in in_parallel(paths, work):
                pass
            best[at] = min(best[at], time.perf_counter() - start)
    return best


def bare(label: str, name: str) -> tuple[Callable[[bytes], bytes], Callable[[bytes, bytes], object]]:
    """Signing and verifying with nothing but the library; the digest's name says what ECDSA is given."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    private: Any = private_key(label)
    public: Any = private.public_key()
    if label.startswith("mldsa"):
        return private.sign, lambda signature, data: public.verify(signature, data)
    ecdsa = ec.ECDSA(getattr(hashes, name.upper())())
    return lambda data: private.sign(data, ecdsa), lambda signature, data: public.verify(signature, data, ecdsa)


def measure(label: str, paths: list[Path]) -> dict[str, float]:
    """Seconds of signing and verifying all files, ours and the least that must be done."""
    subordinate = SUBORDINATE.but(**SPAN).sign()
    leaf = order(label).but(**SPAN).sign()
    author: Author = author_of(key(label), [leaf, subordinate], at=NOW)
    chain = chain_of([author], [leaf, subordinate])
    judge = Judge(Trust(anchors=(ROOT.but(**SPAN).sign(),), at=NOW))
    name = author.scheme.digest.value.name
    signing, verifying = bare(label, name)
    attributes = bytes(280)

    def ours_sign(path: Path) -> None:
        made = sign([author], chain, digests_of(path, wanted([author])), at=NOW)
        path.with_suffix(".p7s").write_bytes(made)

    def ours_verify(path: Path) -> None:
        found = cms.read(path.with_suffix(".p7s").read_bytes())
        report = judge.signed(found, digests_of(path, cms.wanted(found)))
        assert report.good, report.problem

    def hashed(path: Path) -> bytes:
        with path.open("rb", buffering=0) as file:
            return hashlib.file_digest(file, name).digest()

    def bare_sign(path: Path) -> None:
        path.with_suffix(".raw").write_bytes(signing(attributes + hashed(path)))

    def bare_verify(path: Path) -> None:
        verifying(path.with_suffix(".raw").read_bytes(), attributes + hashed(path))

    signed, least_signed = timed(paths, [ours_sign, bare_sign])
    verified, least_verified = timed(paths, [ours_verify, bare_verify])
    return {"sign": signed, "sign_least": least_signed, "verify": verified, "verify_least": least_verified}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--megabytes", type=int, default=1)
    given = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.bin") for number in range(given.files)]
        for path in paths:
            path.write_bytes(os.urandom(given.megabytes * 1_000_000))
        for label in ("p256", "mldsa65"):
            found = measure(label, paths)
            ratios = {f"{what}_ratio": found[what] / found[f"{what}_least"] for what in ("sign", "verify")}
            results[label] = {name: round(value, 3) for name, value in {**found, **ratios}.items()}
            print(
                f"{label}: signed in {found['sign']:.2f} s ({ratios['sign_ratio']:.2f} of the least, "
                f"goal {GOAL}), verified in {found['verify']:.2f} s ({ratios['verify_ratio']:.2f})"
            )
    print(json.dumps({"files": given.files, "megabytes": given.megabytes, "threads": os.cpu_count(), **results}))
    sys.exit(0)


if __name__ == "__main__":
    main()
