"""The manifest of a directory: one line a file, as `sha256sum` writes and checks them (docs/signing.md).

    <64 hexadecimal digits><two blanks><path below the directory, with />

Lines are ordered by the octets of the path. A path with a line feed, a carriage return or a backslash is escaped and
its line begins with a backslash, as in GNU coreutils. Links and special files are refused: a manifest cannot vouch for
them.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "MANIFEST.sha256"
SIGNATURE = NAME + ".p7s"
LARGEST = 256 * 1024 * 1024

_LINE = re.compile(rb"(\\?)([0-9a-f]{64})  (.+)")
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
_BACK = {escaped: plain for plain, escaped in _ESCAPES.items()}


class ManifestError(ValueError):
    """A directory that has no manifest, or text that is none. The message is a sentence without a full stop."""


def listed(directory: Path) -> list[bytes]:
    """The paths of all files below, ordered, without manifest and signature. Raises ManifestError, OSError."""
    root = os.fsencode(directory)
    own = {NAME.encode(), SIGNATURE.encode()}
    return sorted(path for path in _walk(root) if path not in own)


def _walk(root: bytes) -> Iterator[bytes]:
    """Every file, in no order; however deep the directories are, with one of them open at a time."""
    pending = [b""]
    while pending:
        below = pending.pop()
        with os.scandir(os.path.join(root, below) if below else root) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            path = below + b"/" + entry.name if below else entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                pending.append(path)
            elif stat.S_ISREG(mode):
                yield path
            else:
                raise ManifestError(f"{os.fsdecode(path)} is neither a file nor a directory")


def write(digests: Mapping[bytes, bytes]) -> bytes:
    """The manifest of paths and their SHA-256."""
    return b"".join(_line(path, digests[path]) for path in sorted(digests))


def _line(path: bytes, digest: bytes) -> bytes:
    escaped = re.sub(rb"[\\\n\r]", lambda found: _ESCAPES[found[0]], path)
    mark = b"\\" if escaped != path else b""
    return mark + digest.hex().encode() + b"  " + escaped + b"\n"


def read(data: bytes) -> dict[bytes, bytes]:
    """Paths and their SHA-256. Raises ManifestError, also for a path that leads out of the directory."""
    found: dict[bytes, bytes] = {}
    last = b""
    if data and not data.endswith(b"\n"):
        raise ManifestError("the manifest does not end with a line feed")
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ManifestError(f"line {number} of the manifest is not a digest and a path")
        path = re.sub(rb"\\.", lambda each: _BACK.get(each[0], each[0]), parts[3]) if parts[1] else parts[3]
        if _line(path, bytes.fromhex(parts[2].decode())) != line + b"\n":
            raise ManifestError(f"line {number} of the manifest is escaped wrongly")
        if any(part in (b"", b".", b"..") for part in path.split(b"/")) or b"\0" in path:
            raise ManifestError(f"line {number} of the manifest leads out of the directory")
        if found and path <= last:
            raise ManifestError(f"line {number} of the manifest is out of order or occurs twice")
        last = path
        found[path] = bytes.fromhex(parts[2].decode())
    return found
