"""Directories against their manifests: what is missing, changed or not listed."""

import os
from dataclasses import dataclass
from pathlib import Path

from greatseal.domain.signing import manifest
from greatseal.domain.signing.files import digests_of, in_parallel
from greatseal.domain.signing.model import Reason
from greatseal.x509.cms import Digest


@dataclass(frozen=True, slots=True)
class FolderReport:
    """Paths below a directory, by what is wrong with them; `files` is how many the manifest lists."""

    files: int
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def problem(self) -> Reason | None:
        """The first thing that is wrong."""
        for what, paths in (("has changed", self.changed), ("is missing", self.missing)):
            if paths:
                return Reason("directory-changed", f"{paths[0]} {what}{_more(paths)}")
        if self.unlisted:
            return Reason("directory-changed", f"{self.unlisted[0]} is not in the manifest{_more(self.unlisted)}")
        return None


def _more(paths: tuple[str, ...]) -> str:
    return f", and {len(paths) - 1} more" if len(paths) > 1 else ""


def make(directory: Path, workers: int | None = None) -> tuple[bytes, int]:
    """The manifest of a directory, and how many files it lists. Raises ManifestError, OSError."""
    paths = manifest.listed(directory)
    found = dict(zip(paths, _digests(directory, paths, workers), strict=True))
    return manifest.write(found), len(found)


def compare(directory: Path, text: bytes, workers: int | None = None) -> FolderReport:
    """A directory against its manifest. Raises ManifestError, OSError."""
    expected = manifest.read(text)
    present = manifest.listed(directory)
    both = [path for path in present if path in expected]
    found = zip(both, _digests(directory, both, workers), strict=True)
    return FolderReport(
        len(expected),
        tuple(os.fsdecode(path) for path, digest in found if digest != expected[path]),
        tuple(os.fsdecode(path) for path in sorted(expected.keys() - set(present))),
        tuple(os.fsdecode(path) for path in present if path not in expected),
    )


def _digests(directory: Path, paths: list[bytes], workers: int | None) -> list[bytes]:
    def one(path: bytes) -> bytes:
        return digests_of(directory / os.fsdecode(path), (Digest.SHA256,))[Digest.SHA256]

    return list(in_parallel(paths, one, workers=workers))


def sums(text: bytes, wanted: tuple[Digest, ...]) -> dict[Digest, bytes]:
    """The digests of a manifest itself."""
    return {digest: digest.of(text) for digest in wanted}
