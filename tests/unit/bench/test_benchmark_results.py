"""Table, page and plots of `make bench` say what was measured; docs/benchmarks.md is that of its own results."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from house.tree import ROOT

# Only for these imports: the programs beside the package have names that modules of tests may have, too.
sys.path.append(str(ROOT / "bench"))

from compared import page, plots, processes, scripts, table
from compared.results import Figure, Growth, Handshakes, Results, Row, Share, Shares, read

sys.path.remove(str(ROOT / "bench"))

ISSUING = Row(
    "issuing",
    "IssueCertificate P-256",
    "/s",
    "more",
    Figure("greatseal", 1500.0, {"p99 ms": 40.5, "processor µs": 900.0}),
    (Figure("cfssl serve", 3000.0, says="stores nothing"), Figure("moto_server", 1.5)),
    "committed",
)
MEMORY = Row("sizes", "resident memory", "MB", "less", Figure("greatseal", 400.0), (Figure("cfssl serve", 10.0),))
FLAT = Growth("DescribeCertificate", "ms", "less", ((1_000, 2.0), (20_000, 2.0), (1_000_000, 2.0)))
STEEP = Growth("SearchCertificates | all", "ms", "less", ((1_000, 2.0), (20_000, 40.0), (1_000_000, 2_000.0)))


@pytest.fixture
def results() -> Results:
    """A run that measured a little of everything."""
    return Results(
        mode="short",
        machine={
            "processor": "A processor",
            "cores": 2,
            "memory_mb": 4096,
            "system": "Linux",
            "file_system": "ext4",
            "fsync_us": 250,
            "load_before": 0.1,
        },
        versions={"greatseal": "1.0", "moto": "5.2.5"},
        service={"storage": "SQLite", "durability": "synchronous=FULL", "workers": 2, "load": "wrk", "commits": "all"},
        began="2026-11-22T00:00+00:00",
        seconds=120.0,
        rows=[ISSUING, MEMORY, Row("keys", "KMS Sign P-256", "/s", "more", Figure("greatseal", 2000.0))],
        growth=[FLAT, STEEP, Growth("start", "s", "less", ((0, 2.5), (1_000, 2.6)))],
        handshakes=[Handshakes("P-256", False, 600, 150.0, {"p01": 140.0, "p99": 160.0})],
        handshake_facts={
            "samples": 4,
            "P-256": {"octets sent": 342, "octets received": 849, "handshake ms": 1.05},
        },
        shares=[Shares("IssueCertificate", 1000.0, (Share("policy", 100.0, 0.1), Share("else", 900.0, 0.9)))],
        scripts={"mdl": {"seconds": 3.0, "lines": ["issue: 300 a second"], "results": [{"issue": 300}]}},
        missing={"keys: moto_server": "moto_server is not installed"},
    )


def test_a_ratio_says_how_many_times_better_ours_is() -> None:
    assert [ISSUING.ratio(peer) for peer in ISSUING.peers] == [0.5, 1000.0]
    assert MEMORY.ratio(MEMORY.peers[0]) == 1 / 40
    assert [table.times(ISSUING, peer) for peer in ISSUING.peers] == ["0.50 x", "1 000 x"]


def test_results_are_read_as_they_were_written(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path / "made" / "results.json")
    assert read(tmp_path / "made" / "results.json") == results
    told = json.loads((tmp_path / "made" / "results.json").read_text(encoding="utf-8"))
    assert told["rows"][0]["ratios"] == {"cfssl serve": 0.5, "moto_server": 1000.0}
    (tmp_path / "old.json").write_text(json.dumps({**told, "format": 0}))
    with pytest.raises(ValueError, match="format"):
        read(tmp_path / "old.json")


def test_the_table_has_a_line_for_each_peer(results: Results) -> None:
    lines = list(table.lines(results))
    [first] = [line for line in lines if line.startswith("IssueCertificate P-256")]
    assert re.split(r"\s{2,}", first) == ["IssueCertificate P-256", "1 500 /s", "cfssl serve", "3 000 /s", "0.50 x"]
    second = lines[lines.index(first) + 1]
    assert re.split(r"\s{2,}", second.strip()) == ["moto_server", "1.50 /s", "1 000 x"]
    assert "not measured: keys: moto_server: moto_server is not installed" in lines
    assert "   issue: 300 a second" in lines


def test_the_page_tells_everything_of_a_run(results: Results) -> None:
    text = page.page(results)
    assert "| IssueCertificate P-256 | **1 500 /s** (p99 40.5 ms, processor 900 µs) | cfssl serve: 3 000 /s |" in text
    assert "cfssl serve: stores nothing." in text
    assert "| P-256 | no | 600 | 150.0 | 140.0 | 160.0 |" in text
    assert "Percentiles of so few samples are rough" in text
    assert "| SearchCertificates / all |  | 2 ms | 40 ms | 2 000 ms |" in text
    assert "| policy | 100 µs | 10.0% |" in text
    assert "issue: 300 a second" in text
    assert "| keys: moto_server | moto_server is not installed |" in text
    assert "fsync of 4 KiB takes 250 µs" in text


def test_a_run_of_one_part_makes_a_page_and_no_empty_plot(results: Results) -> None:
    nothing: dict[str, list[object]] = {"rows": [], "growth": [], "handshakes": [], "shares": []}
    bare = replace(results, **nothing, scripts={}, missing={})  # type: ignore[arg-type]
    assert page.drawings(bare) == {}
    assert "## The run" in page.page(bare)
    assert list(table.lines(bare))


def _numbers(element: ET.Element, *names: str) -> list[float]:
    return [float(element.attrib[name]) for name in names]


def test_plots_stay_within_their_frames(results: Results) -> None:
    for text in page.drawings(results).values():
        root = ET.fromstring(text)
        _, _, wide, high = map(float, root.attrib["viewBox"].split())
        for element in root.iter():
            kind = element.tag.rpartition("}")[2]
            if kind == "rect":
                x, y, width, height = _numbers(element, "x", "y", "width", "height")
                assert x >= 0
                assert x + width <= wide
                assert y + height <= high
            if kind == "text":
                x, y = _numbers(element, "x", "y")
                length = len(element.text or "") * 7
                left = x - {"start": 0, "middle": length / 2, "end": length}[element.attrib["text-anchor"]]
                assert left >= 0, element.text
                assert left + length <= wide, element.text
                assert y <= high


def test_a_line_that_does_not_grow_is_level_and_the_other_one_rises() -> None:
    root = ET.fromstring(plots.growth("growth", [FLAT, STEEP]))
    lines = [element.attrib["points"].split() for element in root.iter() if element.tag.endswith("polyline")]
    flat, steep = ([float(point.split(",")[1]) for point in points] for points in lines)
    assert len(set(flat)) == 1
    assert steep == sorted(steep, reverse=True)
    assert steep[0] == flat[0]


def test_a_bar_goes_to_the_side_of_the_better_one() -> None:
    root = ET.fromstring(plots.ratios("ratios", [ISSUING]))
    worse, better = (_numbers(each, "x", "width") for each in root.iter() if each.tag.endswith("rect"))
    assert worse[0] + worse[1] == pytest.approx(better[0], abs=0.2)
    assert better[1] > 9 * worse[1]


def test_other_programs_are_run_and_their_failure_is_told(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("import doors.pki, sys\nprint('so many', *sys.argv[1:])\nprint('{\"rate\": 3}')\n")
    bad.write_text("print('began')\nraise ValueError('no wrk')\n")
    told = scripts.one(good, "200")
    assert (told["lines"], told["results"], "failed" in told) == (["so many 200"], [{"rate": 3}], False)
    told = scripts.one(bad)
    assert (told["lines"], told["results"], told["failed"]) == (["began"], [], "ValueError: no wrk")
    assert {"events", "crl"} <= set(scripts.names())


def test_a_peer_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(processes, "PEERS", tmp_path)
    missing: dict[str, str] = {}
    with processes.skipped(missing, "cfssl"), processes.cfssl(tmp_path, "ca.pem", "ca.key"):
        raise AssertionError("it is not there")
    with processes.skipped(missing, "moto"), processes.moto(tmp_path):
        raise AssertionError("it is not there")
    assert missing == {"cfssl": "cfssl is not installed", "moto": "moto_server is not installed: make bench"}


def test_the_page_in_docs_is_that_of_its_results() -> None:
    docs = ROOT / "docs"
    results = read(docs / page.FOLDER / page.RESULTS)
    assert (docs / "benchmarks.md").read_text(encoding="utf-8") == page.page(results), "run `make bench DOCS=1`"
    drawn = {path.name: path.read_text(encoding="utf-8") for path in (docs / page.FOLDER).glob("*.svg")}
    assert drawn == page.drawings(results)
