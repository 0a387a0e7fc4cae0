"""Files that the service writes for its users, each replaced as a whole so that nobody reads half of one."""

import os
from pathlib import Path


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Replaces a file that others may read."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    temporary.replace(path)


def write_private(path: Path, content: str) -> None:
    """Replaces a file that only its owner may read."""
    write(path, content, 0o600)
