"""What the demo stands on: it runs a command, shows it as one would type it, and keeps the time."""

import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_FOLD_AT = 110  # columns
_LONGEST_OUTPUT = 12  # lines shown of what a command printed


class StepFailed(Exception):
    """A command did not do what the demo promised; the message is for the reader."""


class Stage:
    """A directory to work in, an environment, and a reader who watches.

    Long values get a name (`remember`), and later commands are shown with `$NAME`, as one would type them.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.directory = directory
        self.environment = dict(environment)
        self._started = time.monotonic()
        self._steps = 0
        self._names: dict[str, str] = {}
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def step(self, title: str) -> None:
        """Announces the next step."""
        self._steps += 1
        elapsed = self._paint("2", f"{time.monotonic() - self._started:5.1f} s")
        print(f"\n{self._paint('1;36', f'{self._steps:2}. {title}')}  {elapsed}", flush=True)

    def say(self, text: str) -> None:
        """A line between commands."""
        print(f"    {text}", flush=True)

    def good(self, text: str) -> None:
        """A result that the reader was promised."""
        print(f"    {self._paint('32', '✓')} {text}", flush=True)

    def remember(self, name: str, value: str) -> str:
        """Shows `value` once and calls it `$name` from now on."""
        self._names[value] = name
        print(f"    {self._paint('2', f'{name}={value}')}", flush=True)
        return value

    def run(self, *command: str | Path, to: str | None = None, show: bool = False) -> str:
        """Runs a command in the directory and returns what it printed. Raises StepFailed.

        `to` also writes it to a file, as `>` does; `show` lets the reader see it.
        """
        words = [str(word) for word in command]
        redirect = f" > {to}" if to else ""
        print(f"  {self._paint('2', '$')} {self.spelled(words)}{redirect}", flush=True)
        done = subprocess.run(
            words,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise StepFailed(f"exit code {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
        if to:
            (self.directory / to).write_text(done.stdout, encoding="utf-8")
        if show:
            self._print(done.stdout or done.stderr)
        return done.stdout.strip()

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def _print(self, output: str) -> None:
        lines = output.strip().splitlines()
        for line in lines[:_LONGEST_OUTPUT]:
            print(f"    {line[:110]}")
        if len(lines) > _LONGEST_OUTPUT:
            print(f"    … {len(lines) - _LONGEST_OUTPUT} more lines")

    def spelled(self, words: Sequence[str]) -> str:
        """The command as one would type it, folded before an option where it gets long."""
        groups: list[str] = []  # an option together with its values
        for word in words[1:]:
            name = self._names.get(word)
            typed = f'"${name}"' if name else shlex.quote(word)
            if word.startswith("-") or not groups:
                groups.append(typed)
            else:
                groups[-1] += " " + typed
        lines = [Path(words[0]).name]
        for group in groups:
            if len(lines[-1]) + len(group) > _FOLD_AT:
                lines.append("  " + group)
            else:
                lines[-1] += " " + group
        return " \\\n    ".join(lines)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text


class Child:
    """A program that runs beside the demo and is stopped with it."""

    def __init__(self, stage: Stage, *command: str | Path, log: str, show: bool = True) -> None:
        words = [str(word) for word in command]
        if show:
            print(f"  $ {stage.spelled(words)} &", flush=True)
        self.log = stage.directory / log
        with self.log.open("wb") as errors:
            self._process = subprocess.Popen(
                words,
                cwd=stage.directory,
                env=stage.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # A Ctrl-C of the terminal is for the demo, which then stops its children itself.
                start_new_session=True,
            )

    def read_line(self, seconds: float) -> str:
        """The first line that it prints; empty when it ended, or said nothing in time."""
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], seconds)
        return self._process.stdout.readline().strip() if readable else ""

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends it politely, then firmly."""
        if self.alive():
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def tail(self, lines: int = 30) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
