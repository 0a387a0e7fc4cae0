"""Two services on one data directory: the second one is refused, and a killed one leaves the way free."""

import signal
import urllib.request
from pathlib import Path

from faults.services import refused, running


def answers(url: str) -> bool:
    with urllib.request.urlopen(f"{url}/healthz", timeout=10) as response:
        return bool(response.status == 200)


def test_the_second_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as (first, url):
        said = refused(data)
        assert f"is in use by process {first.pid}" in said
        assert "name another directory" in said
        assert answers(url)
    with running(data) as (_, url):
        assert answers(url)


def test_kill_9_frees_the_directory_and_the_next_start_finds_everything(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as (process, _):
        bundle = (data / "ca-bundle.pem").read_text()
        credential = (data / "root-credential.json").read_text()
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    with running(data) as (_, url):
        assert answers(url)
        assert (data / "ca-bundle.pem").read_text() == bundle
        assert (data / "root-credential.json").read_text() == credential
