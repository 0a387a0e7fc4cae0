"""Verifies a chain of PEM files, root first, with Python's cryptography: for OpenSSL programs that are too old.

usage: verify_chain.py ROOT [SUBORDINATE …] LEAF
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509


def main(paths: list[str]) -> int:
    """Checks signatures, names, dates and the right to issue, link by link."""
    chain = [x509.load_pem_x509_certificate(Path(path).read_bytes()) for path in paths]
    now = datetime.now(UTC)
    for number, certificate in enumerate(chain):
        issuer = chain[max(number - 1, 0)]
        # Raises when the issuer's name or the signature is wrong.
        certificate.verify_directly_issued_by(issuer)
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        below = len(chain) - 1 - max(number, 1)  # further authorities between this issuer and the leaf
        if not constraints.ca or (constraints.path_length is not None and constraints.path_length < below):
            print(f"{issuer.subject.rfc4514_string()} may not issue this", file=sys.stderr)
            return 1
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            print(f"{certificate.subject.rfc4514_string()} is not valid now", file=sys.stderr)
            return 1
    algorithm = chain[0].signature_algorithm_oid._name
    print(f"{paths[-1]}: OK ({len(chain)} certificates, the root signs with {algorithm})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
