"""Files that the service writes for its users, each replaced as a whole so that nobody reads half of one."""

import os
import socket
from pathlib import Path

from greatseal.kernel.entropy import Entropy
from greatseal.kernel.ids import new_uuid


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Replaces a file that others may read."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)


def name_of(folder: Path, entropy: Entropy) -> str:
    """What the node on a data directory is called among those over the same database, made up by its first start."""
    path = folder / "node"
    if not path.exists():
        write(path, new_uuid(entropy))
    return f"{socket.gethostname()}/{path.read_text(encoding='utf-8')}"


def write_private(path: Path, content: str) -> None:
    """Replaces a file that only its owner may read."""
    write(path, content, 0o600)
