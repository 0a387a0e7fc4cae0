"""One `/metrics` for all workers of a machine: each writes what it has counted to a file, and whoever is asked adds up.

Counters and histograms are sums. Gauges are said by the worker that is asked; those of requests in flight are sums too.
A worker that ends takes its counts along, which readers see as the restart that it is.
"""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from greatseal.app import places

_SUMS = frozenset({"greatseal_http_in_flight"})


class WorkerMetrics:
    """The metrics of one worker, and of all."""

    def __init__(self, registry: CollectorRegistry, folder: Path | None = None, number: int = 0) -> None:
        """Without a folder there are no others."""
        self.registry = registry
        self._folder = folder
        self._number = number

    def write(self) -> None:
        """Leaves what this worker has counted where the others find it."""
        if self._folder is not None:
            places.write(_file(self._folder, self._number), generate_latest(self.registry).decode())

    def text(self) -> bytes:
        """What all workers have counted, in the text format of Prometheus."""
        return generate_latest(_Added(self.registry, list(self._others())))

    def _others(self) -> Iterator[str]:
        if self._folder is None:
            return
        own = _file(self._folder, self._number)
        for path in sorted(self._folder.glob(_file(self._folder, "*").name)):
            if path != own:
                yield path.read_text(encoding="utf-8")


class _Added:
    """Looks to the library like a registry."""

    def __init__(self, own: CollectorRegistry, others: list[str]) -> None:
        self._own = own
        self._others = others

    def collect(self) -> Iterator[Metric]:
        """The families of the own registry, with the others' counts in them."""
        counts: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        labels: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], None]] = {}
        for text in self._others:
            for family in text_string_to_metric_families(text):
                if family.type == "gauge" and family.name not in _SUMS:
                    continue
                for sample in family.samples:
                    key = (sample.name, tuple(sorted(sample.labels.items())))
                    counts[key] = counts.get(key, 0.0) + sample.value
                    labels.setdefault(family.name, {})[key] = None
        for family in self._own.collect():
            yield _plus(family, counts, labels.get(family.name, {}))


def forget_all(folder: Path) -> None:
    """Removes what workers of an earlier run have left."""
    for path in folder.glob(_file(folder, "*").name):
        path.unlink(missing_ok=True)


def _file(folder: Path, number: int | str) -> Path:
    return folder / f"metrics-{number}.prom"


def _plus(
    family: Metric,
    counts: dict[tuple[str, tuple[tuple[str, str], ...]], float],
    theirs: dict[tuple[str, tuple[tuple[str, str], ...]], None],
) -> Metric:
    if family.type == "gauge" and family.name not in _SUMS:
        return family
    added = Metric(family.name, family.documentation, family.type)
    seen = set()
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        seen.add(key)
        # When a series was made is of no use for a sum of several.
        value = sample.value if sample.name.endswith("_created") else sample.value + counts.get(key, 0.0)
        added.add_sample(sample.name, sample.labels, value)
    for key in theirs:
        if key not in seen:
            added.add_sample(key[0], dict(key[1]), counts[key])
    return added
