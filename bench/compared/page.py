"""docs/benchmarks.md with its plots, made of the results of one run and of nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compared import plots
from compared.results import Figure, Results, Row, read
from compared.table import number, times

FOLDER = "benchmarks"
RESULTS = "results.json"
_PARTS = {
    "issuing": "Issuing from a private CA",
    "certificates": "Certificates of ACM",
    "keys": "Keys of KMS",
    "handshakes": "Hybrid post-quantum key exchange",
    "sizes": "Start, memory, and one request after the other",
}
_INTRODUCTION = """\
<!-- Rendered by `make bench DOCS=1` from benchmarks/results.json; edit bench/compared. -->
# Benchmarks

`make bench` measures Greatseal and its peers on one machine, one after the other in the same run, prints one table and
writes one JSON file. `make bench FULL=1` measures longer, with up to a million certificates, and runs the benchmarks of
single rooms, too. `make bench DOCS=1` (or `FULL=1 DOCS=1`) also writes this page: what you read is the output of a run,
and [results.json](benchmarks/results.json) is all that it was made of.
"""
_HOW = """\
## How it is measured

- **Greatseal runs as its users run it**: `greatseal serve` with a worker for each core, its own TLS certificate, SQLite
  on a disk. Every request is signed (SigV4) and checked, authorized, written to the audit trail and committed before it
  is answered; certificates are linted before they are signed and verified afterwards. Only the pools of ready RSA keys
  are off, because filling them takes a core for the first seconds.
- **The load comes from the same machine**: wrk, 64 connections that stay open, one signed request sent again and again.
  What wrk needs, nobody else has. A service that sheds load is asked by half as many, until it refuses nothing: then
  the number of connections is told.
- **Peers run as they start by default**, and do less: `cfssl serve` (Debian) checks no caller and stores nothing;
  `moto_server` (PyPI) speaks plain HTTP here, checks no signature, keeps everything in memory, and signs with RSA-2048
  whatever was asked. A column says how many times better ours is: below 1, the peer is better.
- **"Signature alone"** is what one thread of `cryptography` signs in a second of processor time and nothing else: the
  limit of one core.
- **Growth** is measured with one client and one request after the other. The certificates are copies of a real one,
  with names, numbers and times of their own, put into the database while the service is stopped.
- **Processor time** (`processor µs`) is that of all processes of a server, divided by the requests: it says the same on
  a busy machine, where requests a second do not.
"""


def write(results_file: Path, docs: Path) -> None:
    """The page, its plots and the results that they are made of, in `docs`."""
    results = read(results_file)
    folder = docs / FOLDER
    folder.mkdir(exist_ok=True)
    results.write(folder / RESULTS)
    drawn = drawings(results)
    for path in folder.glob("*.svg"):
        if path.name not in drawn:
            path.unlink()
    for name, text in drawn.items():
        (folder / name).write_text(text, encoding="utf-8")
    (docs / "benchmarks.md").write_text(page(results), encoding="utf-8")


def drawings(results: Results) -> dict[str, str]:
    """The plots by file name; those of which nothing was measured are absent."""
    found = {}
    beside = [row for row in results.rows if row.peers]
    if beside:
        found["ratios.svg"] = plots.ratios("Greatseal beside its peers", beside)
    grown = [each for each in results.growth if each.unit == "ms"]
    if grown:
        found["growth.svg"] = plots.growth("One request, as certificates become more", grown)
    for at, whole in enumerate(results.shares, 1):
        stages = [(stage.stage, stage.share) for stage in whole.stages]
        found[f"shares-{at}.svg"] = plots.shares(whole.name, stages)
    return found


def page(results: Results) -> str:
    """The whole page."""
    return "\n".join(_page(results)).rstrip() + "\n"


def _page(results: Results) -> Iterator[str]:
    drawn = drawings(results)
    yield _INTRODUCTION
    yield from _ground(results)
    yield "## Beside the peers"
    if "ratios.svg" in drawn:
        yield ""
        yield f"![how many times better than each peer]({FOLDER}/ratios.svg)"
    yield ""
    for part, title in _PARTS.items():
        rows = [row for row in results.rows if row.part == part]
        if rows:
            yield from _rows(title, rows)
        if part == "handshakes" and results.handshakes:
            yield from _handshakes(results)
    if results.growth:
        yield from _growth(results, "growth.svg" in drawn)
    for at, whole in enumerate(results.shares, 1):
        yield f"## Where the time of an issuance goes\n\n![shares]({FOLDER}/shares-{at}.svg)\n"
        yield f"{whole.name}: {whole.whole_micros:.0f} µs of processor time.\n"
        lines = [[stage.stage, f"{stage.micros:.0f} µs", f"{stage.share:.1%}"] for stage in whole.stages]
        yield from _table(["stage", "processor time", "share"], lines)
    if results.scripts:
        yield from _scripts(results.scripts)
    if results.missing:
        yield "## Not measured in this run\n"
        yield from _table(["what", "why"], [[what, why] for what, why in results.missing.items()])
    yield _HOW


def _ground(results: Results) -> Iterator[str]:
    machine, service = results.machine, results.service
    yield "## The run\n"
    facts = {
        "mode": f"{results.mode}, {results.began}, {results.seconds:.0f} s",
        "processor": f"{machine['processor']}, {machine['cores']} cores",
        "memory": f"{number(machine['memory_mb'])} MB",
        "system": machine["system"],
        "disk": f"{machine['file_system']}; fsync of 4 KiB takes {number(machine['fsync_us'])} µs",
        "busy with something else": f"load average of {machine['load_before']} before the run",
        "storage": service["storage"],
        "durability": service["durability"],
        "workers": str(service["workers"]),
        "load": service["load"],
        "versions": ", ".join(f"{name} {version}" for name, version in results.versions.items()),
    }
    yield from _table(["", ""], [[name, str(value)] for name, value in facts.items()])


def _rows(title: str, rows: list[Row]) -> Iterator[str]:
    yield f"### {title}\n"
    lines = []
    for row in rows:
        ours = f"**{number(row.ours.value)} {row.unit}**{_details(row.ours)}"
        for at, peer in enumerate(row.peers or (None,)):
            first = [row.name, ours] if at == 0 else ["", ""]
            last = row.durable if at == 0 else ""
            if peer is None:
                lines.append([*first, "", "", last])
            else:
                lines.append(
                    [*first, f"{peer.who}: {number(peer.value)} {row.unit}{_details(peer)}", times(row, peer), last]
                )
    yield from _table(["", "greatseal", "peer", "better by", "on the disk before the answer"], lines)
    said = {f"{figure.who}: {figure.says}." for row in rows for figure in (row.ours, *row.peers) if figure.says}
    if said:
        yield " ".join(sorted(said)) + "\n"


def _details(figure: Figure) -> str:
    words = [(*name.rpartition(" ")[::2], value) for name, value in figure.details.items()]
    told = [f"{name} {number(value)} {unit}".strip() for name, unit, value in words]
    return f" ({', '.join(told)})" if told else ""


def _handshakes(results: Results) -> Iterator[str]:
    facts = dict(results.handshake_facts)
    samples = facts.pop("samples")
    yield f"One thread, {samples} samples of one second for each case, the cases in turns; answers a second:\n"
    head = ["key agreement", "reuse", "total", "average", *results.handshakes[0].percentiles]
    lines = [
        [
            each.group,
            "yes" if each.reuse else "no",
            str(each.total),
            str(each.average),
            *map(str, each.percentiles.values()),
        ]
        for each in results.handshakes
    ]
    yield from _table(head, lines)
    if samples < 100:
        yield "Percentiles of so few samples are rough; `--samples 500` takes half an hour.\n"
    told = [
        f"{group}: {fact['octets sent']:.0f} octets to the service and {fact['octets received']:.0f} back, "
        f"{fact['handshake ms']} ms with the connection"
        for group, fact in facts.items()
    ]
    yield f"A handshake alone: {'; '.join(told)}.\n"


def _growth(results: Results, drawn: bool) -> Iterator[str]:
    yield "## How it grows with the number of certificates\n"
    if drawn:
        yield f"![milliseconds of one request over the number of certificates]({FOLDER}/growth.svg)\n"
    sizes = sorted({size for each in results.growth for size, _ in each.points})
    lines = []
    for each in results.growth:
        values = dict(each.points)
        lines.append([each.name, *(f"{number(values[s])} {each.unit}" if s in values else "" for s in sizes)])
    yield from _table(["certificates", *(f"{size:,}".replace(",", " ") for size in sizes)], lines)


def _scripts(scripts: dict[str, Any]) -> Iterator[str]:
    yield "## Single rooms\n\nThe other programs of `bench/`, as they print; each can be run alone.\n"
    for name, told in scripts.items():
        yield f"### {name}.py\n\n```text"
        yield from told["lines"]
        if "failed" in told:
            yield f"failed: {told['failed']}"
        yield "```\n"


def _table(head: list[str], lines: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
    yield ""
