"""Writes the answers of transcripts anew: `PYTHONPATH=src:tests python tests/doors/record_transcripts.py [FILE…]`.

Requests, comments and variables stay as they are; a new transcript needs only its requests, each with `< 200` or
`< 400` below. Review the difference as you would review code: what is recorded becomes the reference.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from doors.transcript import FOLDER, OCTETS, Exchange, Player, parse
from greatseal.storage.migrate import migrate
from greatseal.storage.tx import open_storage
from greatseal.testing import Installation


def shown(player: Player, found: Any, written: Any, member: str = "") -> Any:
    """An answer with variables and placeholders; texts that were written already stay."""
    if isinstance(found, dict):
        known = written if isinstance(written, dict) else {}
        return {key: shown(player, value, known.get(key), key) for key, value in found.items()}
    if isinstance(found, list):
        known = written if isinstance(written, list) else []
        return [shown(player, each, known[n] if n < len(known) else None, member) for n, each in enumerate(found)]
    if not isinstance(found, str):
        return found
    if isinstance(written, str) and "$" in written:
        return written
    for name, value in player.variables.items():
        if value == found:
            return f"${name}"
    for name, value in sorted(player.variables.items(), key=lambda item: -len(item[1])):
        if len(value) > 8:
            found = found.replace(value, f"${{{name}}}")
    if found.startswith(OCTETS):
        return "<any>"
    if member in ("NextToken", "NextMarker", "GrantToken", "ImportToken"):
        return "<token>"
    # A packed token depends on the version of zlib, a record on the machine; secrets are nobody's example.
    if member in ("SessionToken", "SecretAccessKey", "CloudTrailEvent", "VersionId", "DeleteMarkerVersionId"):
        return "<any>"
    found = re.sub(r"-----BEGIN [A-Z ]+-----.*-----END [A-Z ]+-----\n?", "<pem>", found, flags=re.DOTALL)
    found = re.sub(r"\b(?:mrk-)?[0-9a-f]{32,64}\b", "<hex>", found)
    found = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", found)
    return re.sub(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){15,16}\b", "<serial>", found)


def recorded(player: Player, item: Exchange) -> str:
    """A request with the answer that it gets now."""
    status, answer = player.call(item)
    if item.status.split()[0] != status.split()[0]:
        raise SystemExit(f"{item.head}: {item.status} is written, {status} {answer} was answered")
    item.status = status
    if status == "200":
        text = shown(player, answer, json.loads(item.answer or "{}"))
        item.answer = json.dumps(text, indent=1, ensure_ascii=False) if text else ""
    else:
        item.answer = shown(player, answer, None)
    player.check(item, status, answer)
    return f"> {item.head}\n{item.body.strip()}\n< {item.status}\n{item.answer}".rstrip()


def record(path: Path) -> None:
    """Plays a transcript against a fresh installation and writes it back."""
    with tempfile.TemporaryDirectory() as folder:
        storage = open_storage(f"sqlite:///{folder}/greatseal.db")
        migrate(storage)
        player = Player(Installation(storage))
        lines = []
        for item in parse(path.read_text()):
            if isinstance(item, str):
                lines.append(item)
            elif item.head.startswith("@"):
                player.step(item)
                lines.append(item.head)
            else:
                lines.append(recorded(player, item))
        storage.close()
    path.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:] or sorted(map(str, FOLDER.glob("*/*.txt")))):
        record(each)
