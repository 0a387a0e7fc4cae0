"""Signatures a second of keys in SoftHSM through the pool, beside the same keys in software: `python bench/signers.py`.

Both verify what they signed, as the service does. Prints lines for people and one JSON object for programs.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from greatseal.crypto import keypair
from greatseal.crypto.algorithms import KeyAlgorithm, default_signature_algorithm
from greatseal.crypto.signature import SoftwareSigner
from greatseal.domain.keys.verified import VerifiedSigner
from greatseal.kernel.secret import Secret

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
THREADS = 16


def rate(signer: VerifiedSigner, seconds: float) -> float:
    """Signatures a second of THREADS threads."""
    algorithm = default_signature_algorithm(signer.algorithm)
    until = time.perf_counter() + seconds

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < until:
            signer.sign(b"%d" % done, algorithm)
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        return sum(threads.map(work, range(THREADS))) / (time.perf_counter() - began)


def main() -> None:
    """Measures both kinds of three algorithms."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0)
    seconds = parser.parse_args().seconds
    if not MODULE.exists():
        print("SoftHSM is not installed (Debian: softhsm2); nothing to measure")
        return
    from greatseal.integrations.signers.pkcs11 import Pkcs11Store
    from greatseal.integrations.signers.sessions import TokenAddress

    results = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "softhsm2.conf").write_text(f"directories.tokendir = {folder}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = f"{folder}/softhsm2.conf"
        made = ["softhsm2-util", "--init-token", "--free", "--label", "bench", "--pin", "1234", "--so-pin", "5678"]
        subprocess.run(made, check=True, capture_output=True)
        store = Pkcs11Store(TokenAddress("bench", str(MODULE), "bench", lambda: Secret(b"1234")))
        for algorithm in (KeyAlgorithm.EC_prime256v1, KeyAlgorithm.EC_secp384r1, KeyAlgorithm.RSA_2048):
            spki = store.generate(algorithm.name, algorithm)
            token = rate(VerifiedSigner(store.signer(algorithm.name, spki), spki), seconds)
            software = SoftwareSigner.of(keypair.load_private(keypair.generate(algorithm)))
            here = rate(VerifiedSigner(software, software.spki), seconds)
            results[algorithm.name] = {"token": round(token), "software": round(here)}
            print(f"{algorithm.name:<15} token {token:8.0f}/s   software {here:8.0f}/s")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
