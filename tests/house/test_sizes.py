"""Small files and small functions; the exceptions are listed with their reasons."""

import statistics

from house.tree import functions, named, python_files, reasons

FOLDERS = ("src", "tests", "tools", "bench")


def test_the_median_file_is_under_200_lines() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in python_files("src")]
    assert statistics.median(lengths) < 200


def test_files_over_500_lines_have_a_reason() -> None:
    long = {named(path) for path in python_files(*FOLDERS) if len(path.read_text(encoding="utf-8").splitlines()) > 500}
    assert long == set(reasons("files"))


def test_functions_over_60_lines_have_a_reason() -> None:
    long = {
        f"{named(path)}:{name}"
        for path in python_files("src", "tools", "bench")
        for name, node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > 60
    }
    assert long == set(reasons("functions"))


def test_every_reason_is_a_sentence() -> None:
    for kind in ("files", "functions"):
        for name, reason in reasons(kind).items():
            assert len(reason.split()) >= 4, name
