"""Programs of other people, run in a directory, and servers that are up before anybody asks them something."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def environment() -> dict[str, str]:
    """The environment without what would lead a program to another service, configuration or proxy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS", "GREATSEAL_", "OPENSSL_"))}
    return kept | {"NO_PROXY": "*", "no_proxy": "*", "LC_ALL": "C.UTF-8"}


class Workbench:
    """A directory with files, and programs that work on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, **files: str | bytes) -> None:
        """Writes `name=content` to `name.pem`."""
        for name, content in files.items():
            raw = content.encode() if isinstance(content, str) else content
            (self.folder / f"{name}.pem").write_bytes(raw if raw.endswith(b"\n") else raw + b"\n")

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def run(self, *command: str, stdin: str = "") -> str:
        """What the program printed, output and errors; it must end well."""
        done = self._run(command, stdin)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def fail(self, *command: str, stdin: str = "") -> str:
        """What the program printed; it must end badly."""
        done = self._run(command, stdin)
        assert done.returncode != 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def _run(self, command: Sequence[str], stdin: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )


@contextmanager
def running(*command: str | Path, folder: Path, ready: str) -> Iterator[re.Match[str]]:
    """A server, from the line on its standard output that matches `ready` until the end of the block."""
    with (
        (folder / "server.log").open("wb") as log,
        subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:  # ends with the process, so that a server that dies is not waited for
                if found := re.match(ready, line):
                    yield found
                    break
            else:
                raise AssertionError(f"{command[0]} ended: {(folder / 'server.log').read_text()}")
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    assert process.returncode in (0, -15), (folder / "server.log").read_text()


def openssl_version(bench: Workbench) -> tuple[int, int]:
    """Major and minor."""
    found = re.match(r"OpenSSL (\d+)\.(\d+)", bench.run("openssl", "version"))
    assert found
    return int(found[1]), int(found[2])
