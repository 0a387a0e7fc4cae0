"""A process that does what it is told and dies of it, as often as it is asked to."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


@contextmanager
def striker(program: ModuleType) -> Iterator[Callable[..., int]]:
    """Runs a `dying…` module, which forks for each line that it reads; the call gives the exit code of that child."""
    assert program.__file__ is not None
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    with subprocess.Popen(
        [sys.executable, program.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    ) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def strike(**what: Any) -> int:
            asks.write(json.dumps(what) + "\n")
            asks.flush()
            return int(answers.readline())

        yield strike
        asks.close()
        assert process.wait(timeout=30) == 0
