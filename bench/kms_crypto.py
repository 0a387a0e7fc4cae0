"""What the cryptography of KMS keys does in a second, beside the bare library: `python bench/kms_crypto.py`.

One thread, opened keys, a message of 1 KiB. Ours and the library's rounds take turns, so that both see the same
machine. ML-DSA tries again a random number of times for each signature, so it is measured longer.
Prints lines for people and one JSON object for programs.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from greatseal.crypto import envelope, key_agreement, mac
from greatseal.crypto.key_specs import KeySpec, Kind
from greatseal.crypto.material import generate
from greatseal.crypto.message_signature import MessageType, sign_with, verify_with
from greatseal.crypto.opened import PrivateKeyHandle, PublicKeyHandle, open_key, open_public

MESSAGE = bytes(range(256)) * 4
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
MATERIAL = "0f" * 32
CONTEXT = {"aws:secretsmanager": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:bench"}
TARGET = 0.8
"""What ML-DSA-65 through our function should reach of the library's rate."""

Call = Callable[[], object]


def rates(calls: list[Call], seconds: float, rounds: int = 20) -> list[int]:
    """The rate of each call over rounds that take turns and last `seconds` together."""
    done, taken = [0] * len(calls), [0.0] * len(calls)
    for _ in range(rounds):
        for at, call in enumerate(calls):
            start = time.perf_counter()
            until = start + seconds / rounds / len(calls)
            while (now := time.perf_counter()) < until:
                call()
                done[at] += 1
            taken[at] += now - start
    return [round(count / time_taken) for count, time_taken in zip(done, taken, strict=True)]


def bare(spec: KeySpec, private: PrivateKeyHandle, public: PublicKeyHandle, algorithm: str) -> tuple[Call, Call]:
    """Signing and verifying with nothing but the library."""
    key: Any = private.key
    peer: Any = public.key
    arguments: tuple[Any, ...] = ()
    if spec.kind in (Kind.RSA, Kind.EC):
        digest = getattr(hashes, f"SHA{algorithm.rpartition('_')[2]}")()
        pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        arguments = (pss, digest) if spec.kind is Kind.RSA else (ec.ECDSA(digest),)
    signature = key.sign(MESSAGE, *arguments)
    return lambda: key.sign(MESSAGE, *arguments), lambda: peer.verify(signature, MESSAGE, *arguments)


def signing(spec: KeySpec, seconds: float) -> dict[str, int]:
    """Signing and verifying, ours and the library's."""
    material = generate(spec, os.urandom)
    assert material.spki is not None
    private, public = open_key(spec, material.secret), open_public(spec, material.spki)
    algorithm = next((name for name in spec.signing_algorithms if "PSS" in name), spec.signing_algorithms[0])
    signature = sign_with(private, algorithm, MESSAGE, MessageType.RAW)
    library_sign, library_verify = bare(spec, private, public, algorithm)
    ours, theirs = rates([lambda: sign_with(private, algorithm, MESSAGE, MessageType.RAW), library_sign], seconds)
    verified, checked = rates(
        [lambda: verify_with(public, algorithm, MESSAGE, MessageType.RAW, signature), library_verify], seconds
    )
    return {"sign": ours, "library_sign": theirs, "verify": verified, "library_verify": checked}


def data_keys(seconds: float) -> dict[str, int]:
    """GenerateDataKey and Decrypt, beside one AES-GCM encryption under a key that is ready."""
    key, gcm = generate(KeySpec.SYMMETRIC_DEFAULT, os.urandom).secret, AESGCM(bytes(32))

    def made() -> bytes:
        return envelope.encrypt(
            key,
            key_id=KEY_ID,
            material_id=MATERIAL,
            context=CONTEXT,
            plaintext=os.urandom(32),
            nonce=os.urandom(envelope.NONCE_SIZE),
        )

    blob = made()
    encrypted, decrypted, bare_gcm = rates(
        [made, lambda: envelope.decrypt(key, blob, CONTEXT), lambda: gcm.encrypt(os.urandom(12), bytes(32), b"")],
        seconds,
    )
    return {"generate_data_key": encrypted, "decrypt": decrypted, "library_gcm": bare_gcm}


def others(seconds: float) -> dict[str, int]:
    """HMAC, ECDH and ML-KEM."""
    secret = generate(KeySpec.HMAC_256, os.urandom).secret
    peers = [generate(KeySpec.ECC_NIST_P256, os.urandom) for _ in range(2)]
    ours = open_key(KeySpec.ECC_NIST_P256, peers[0].secret)
    kem = generate(KeySpec.ML_KEM_768, os.urandom)
    assert kem.spki is not None
    private, public = open_key(KeySpec.ML_KEM_768, kem.secret), open_public(KeySpec.ML_KEM_768, kem.spki)
    _, ciphertext = key_agreement.encapsulate(public)
    calls: dict[str, Call] = {
        "hmac_256": lambda: mac.generate_mac(secret, "HMAC_SHA_256", MESSAGE),
        "ecdh_p256": lambda: key_agreement.derive_shared_secret(ours, peers[1].spki or b""),
        "ml_kem_768_encapsulate": lambda: key_agreement.encapsulate(public),
        "ml_kem_768_decapsulate": lambda: key_agreement.decapsulate(private, ciphertext),
    }
    return dict(zip(calls, rates(list(calls.values()), seconds), strict=True))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each comparison")
    seconds = parser.parse_args().seconds
    print(f"{'a second':>24} {'sign':>8} {'library':>8} {'verify':>8} {'library':>8}")
    signed: dict[str, dict[str, int]] = {}
    for spec in KeySpec:
        if spec.signing_algorithms:
            signed[spec.name] = row = signing(spec, seconds * (3 if spec.kind is Kind.ML_DSA else 1))
            print(f"{spec.name:>24}" + "".join(f" {rate:>8}" for rate in row.values()))
    symmetric, rest = data_keys(seconds), others(seconds)
    for name, rate in (symmetric | rest).items():
        print(f"{name:>24} {rate:>8}")
    share = round(signed["ML_DSA_65"]["sign"] / signed["ML_DSA_65"]["library_sign"], 2)
    print(f"ML-DSA-65 signs at {share:.0%} of the library's rate (target {TARGET:.0%})")
    result = {"name": "kms_crypto", "signatures": signed, "symmetric": symmetric, "others": rest}
    print(json.dumps(result | {"ml_dsa_65_share": share, "target_share": TARGET}))


if __name__ == "__main__":
    main()
