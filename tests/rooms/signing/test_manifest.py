"""Directories and their manifests: what `sha256sum` writes, and what is refused."""

import hashlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from greatseal.domain.signing import folders, manifest
from greatseal.domain.signing.files import digests_of, in_parallel
from greatseal.domain.signing.manifest import ManifestError
from greatseal.x509.cms import Digest

HEX = hashlib.sha256(b"").hexdigest().encode()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b", "a/z", "a/back\\slash", "a/new\nline", "a b", "ü"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def test_sha256sum_agrees(tree: Path) -> None:
    text, count = folders.make(tree)
    assert count == 6
    (tree / manifest.NAME).write_bytes(text)
    done = subprocess.run(["sha256sum", "--strict", "-c", manifest.NAME], cwd=tree, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert folders.compare(tree, text).problem is None
    assert manifest.write(manifest.read(text)) == text


def test_what_is_wrong_is_named(tree: Path) -> None:
    text, _ = folders.make(tree)
    (tree / "b").write_bytes(b"other")
    (tree / "a/z").unlink()
    (tree / "new").touch()
    report = folders.compare(tree, text)
    assert (report.changed, report.missing, report.unlisted) == (("b",), ("a/z",), ("new",))
    assert report.problem is not None
    assert report.problem.sentence == "b has changed"
    only = folders.FolderReport(1, unlisted=("x", "y"))
    assert only.problem is not None
    assert only.problem.sentence == "x is not in the manifest, and 1 more"


def test_links_are_refused(tree: Path) -> None:
    (tree / "link").symlink_to("b")
    with pytest.raises(ManifestError, match="link is neither"):
        folders.make(tree)


@pytest.mark.parametrize(
    "text",
    [
        HEX + b"  ../up\n",
        HEX + b"  /etc/passwd\n",
        HEX + b"  a//b\n",
        HEX + b"  ./a\n",
        HEX + b"  a\0b\n",
        HEX + b"  a",
        HEX + b" *a\n",
        HEX.upper() + b"  a\n",
        HEX + b"  b\n" + HEX + b"  a\n",
        HEX + b"  a\n" + HEX + b"  a\n",
        HEX + b"  back\\slash\n",
        b"\\" + HEX + b"  plain\n",
        b"\\" + HEX + b"  bad\\x\n",
        b"\n",
    ],
)
def test_text_that_is_no_manifest(text: bytes) -> None:
    with pytest.raises(ManifestError):
        manifest.read(text)


def test_an_empty_directory_has_a_manifest() -> None:
    assert manifest.write({}) == b""
    assert manifest.read(b"") == {}


def test_digests_of_one_reading(tmp_path: Path) -> None:
    path = tmp_path / "large"
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    assert digests_of(path, (Digest.SHA256, Digest.SHAKE256)) == {
        Digest.SHA256: hashlib.sha256(content).digest(),
        Digest.SHAKE256: hashlib.shake_256(content).digest(64),
    }


def test_results_come_in_order_and_errors_in_their_turn() -> None:
    assert list(in_parallel(range(100), lambda number: number * 2, workers=3)) == [2 * number for number in range(100)]

    def fails(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    found = in_parallel(range(10), fails, workers=2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)


def test_directories_deeper_than_the_stack(tmp_path: Path) -> None:
    depth = 300
    below = tmp_path.joinpath(*["d"] * depth)
    below.mkdir(parents=True)
    (below / "file").write_bytes(b"x")
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + depth // 2)
    try:
        found = manifest.listed(tmp_path)
    finally:
        sys.setrecursionlimit(before)
    # Whoever clears up old directories has a stack that ends, too.
    (below / "file").unlink()
    for folder in (below, *below.parents[: depth - 1]):
        folder.rmdir()
    assert found == [b"d/" * depth + b"file"]
