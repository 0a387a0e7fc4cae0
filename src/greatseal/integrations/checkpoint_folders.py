"""Checkpoints of our logs as files, in one folder or in several of which each may outlive the others."""

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path


class CheckpointFolders:
    """Implements `domain.transparency.ports.Keeper`: `<folder>/<log>.checkpoint`, replaced as a whole."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def last(self, log: str) -> str | None:
        """The newest of the copies. Raises OSError: a folder that cannot be read may hold a newer one."""
        found = [text for folder in self._folders if (text := _read(folder / f"{log}.checkpoint")) is not None]
        return max(found, key=_size, default=None)

    def keep(self, log: str, checkpoint: str) -> None:
        """Returns when every copy, or a newer one, is on its disk. Raises OSError."""
        for folder in self._folders:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{log}.checkpoint"
            # Nodes may share a folder, and the threads of one do: whoever comes second sees what the first one wrote.
            with path.with_name(f"{path.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if _size(_read(path) or "") <= _size(checkpoint):
                    _write(path, checkpoint)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise OSError(f"{path} is not a checkpoint") from error


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.new")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(checkpoint: str) -> int:
    """How many entries it counts; what does not say comes last, and is refused by whoever verifies it."""
    lines = checkpoint.split("\n", 2)
    return int(lines[1]) if len(lines) > 1 and lines[1].isdigit() else -1
