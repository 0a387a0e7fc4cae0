"""What the service is made of, from uv.lock: a bill of materials, and whether any of it has a known vulnerability.

    .venv/bin/python tools/supply_chain.py sbom [FILE]      CycloneDX 1.5; default dist/greatseal-VERSION.cdx.json
    .venv/bin/python tools/supply_chain.py audit            asks the OSV database about every version

Both read the lock file only, with all extras and without development tools. `audit` ends with 0 when nothing is
known, 1 when something is, and 3 when the database could not be asked: then nothing was checked.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import greatseal

ROOT = Path(__file__).resolve().parent.parent
KNOWN, UNASKED = 1, 3
_LOCKED = ("--frozen", "--no-dev")


def uv() -> Path:
    """The uv that the Makefile installs. Raises FileNotFoundError."""
    found = sorted((ROOT / ".venv").glob("uv-*/bin/uv"))
    if not found:
        raise FileNotFoundError("uv is missing: make setup")
    return found[-1]


def bill() -> dict[str, Any]:
    """The bill of materials as CycloneDX has it."""
    words = ("export", *_LOCKED, "--all-extras", "--format", "cyclonedx1.5", "--preview-features", "sbom-export", "-q")
    made = subprocess.run([uv(), *words], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(made.stdout)
    # The version of the project is in the code, where the lock file does not see it.
    found["metadata"]["component"] |= {
        "version": greatseal.__version__,
        "type": "application",
        "purl": f"pkg:pypi/greatseal@{greatseal.__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    return found


def write(to: Path) -> int:
    """Writes the bill; how many components it has."""
    found = bill()
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return len(found["components"])


def audit(*more: str) -> int:
    """Asks, and says what came of it; `more` are options of `uv audit`. The exit code."""
    words = ("audit", *_LOCKED, "--preview-features", "audit-command", *more)
    asked = subprocess.run([uv(), *words], cwd=ROOT, capture_output=True, text=True, check=False)
    print(asked.stdout, end="")
    if asked.returncode == 0:
        print("no known vulnerability in the versions of uv.lock")
        return 0
    print(asked.stderr, end="", file=sys.stderr)
    if asked.returncode == KNOWN:
        return KNOWN
    print(
        "NOT CHECKED: the vulnerability database could not be asked (see above); this says nothing about uv.lock",
        file=sys.stderr,
    )
    return UNASKED


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    match list(arguments):
        case ["sbom", *rest] if len(rest) <= 1:
            to = Path(rest[0]) if rest else ROOT / "dist" / f"greatseal-{greatseal.__version__}.cdx.json"
            print(f"{to}: {write(to)} components")
            return 0
        case ["audit", *rest]:
            return audit(*rest)
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
