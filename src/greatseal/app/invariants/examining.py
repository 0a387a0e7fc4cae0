"""The table of invariants, in the order in which they are examined."""

from collections.abc import Callable

from greatseal.app.invariants import issued, lists, logs, references, secrets
from greatseal.app.invariants.model import Case, Examined, Invariant, Report

INVARIANTS = (
    Invariant(
        "issued-certificates",
        "Every certificate and precertificate is the one of its journal row, octet for octet, and its signature "
        "verifies with the certificate of its CA. No CA gave a serial number twice.",
        issued.certificates,
    ),
    Invariant(
        "revocations",
        "Every revocation is of a certificate that was issued, says the same as its journal row and its entry for "
        "lists, and has left its mark for OCSP.",
        issued.revocations,
    ),
    Invariant(
        "certificate-status",
        "A certificate has one status: that of the inventory, of the journal and of the revocations agree.",
        issued.statuses,
    ),
    Invariant(
        "revocation-lists",
        "A published list carries its number and the signature of its CA, lists what was revoked before it was made, "
        "and nothing else; its number is not above the last one that was taken.",
        lists.published,
    ),
    Invariant(
        "list-numbers",
        "No number of a list was used twice, and none is above the last one that was taken.",
        lists.numbers,
    ),
    Invariant(
        "audit-log",
        "Every audit record, tile, root and checkpoint belongs to the others (as greatseal audit verify).",
        logs.audit,
    ),
    Invariant(
        "transparency-logs",
        "Every entry of our transparency logs has its place and its signature, and the tree of all of them is the one "
        "that the newest checkpoint signs.",
        logs.transparency,
    ),
    Invariant(
        "secrets",
        "Every sealed value opens under the key-encryption key, and every private key is that of its public key.",
        secrets.open_all,
        needs_keys=True,
    ),
    Invariant(
        "references",
        "What a row names exists: CAs, certificates, keys.",
        references.dangling,
    ),
    Invariant(
        "keys-are-needed",
        "Every key belongs to something.",
        references.unneeded_keys,
    ),
    Invariant(
        "object-contents",
        "Every object has its content with its length, and every content its object.",
        references.contents,
    ),
)


def examine(case: Case, progress: Callable[[str, int], None] = lambda name, looked: None) -> Report:
    """Examines everything. `progress` hears of each invariant, and how much was looked at so far.

    Raises StorageError when the database cannot be read.
    """
    results = []
    for invariant in INVARIANTS:
        result = Examined(invariant)
        results.append(result)
        progress(invariant.name, 0)
        if invariant.needs_keys and case.keyring is None:
            result.skipped = "the key-encryption key is not at hand"
            continue

        def looked(count: int, result: Examined = result) -> None:
            result.looked_at += count
            progress(result.invariant.name, result.looked_at)

        case.looked = looked
        for violation in invariant.check(case):
            result.add(violation)
    return Report(results)
