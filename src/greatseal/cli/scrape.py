"""What a running service says at `/readyz` and `/metrics` of its plain listener."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT_SECONDS = 10


class Silent(Exception):
    """The service does not answer, or something else does."""


class _Ready(msgspec.Struct, frozen=True):
    version: str
    checks: dict[str, str]


@dataclass(frozen=True, slots=True)
class Scraped:
    """The answers of one service."""

    url: str
    ready: bool
    version: str
    checks: Mapping[str, str]
    families: Mapping[str, Metric]

    def number(self, name: str) -> float | None:
        """The value of a gauge without labels; None when it does not exist."""
        family = self.families.get(name)
        return family.samples[0].value if family is not None and family.samples else None

    def by(self, name: str, *labels: str) -> dict[str, float]:
        """The values of a gauge by its labels, several joined by a space."""
        family = self.families.get(name)
        samples = family.samples if family is not None else []
        return {" ".join(each.labels[label] for label in labels): each.value for each in samples}

    def labels(self, name: str) -> Mapping[str, str]:
        """The labels of the only series of a gauge; empty when it does not exist."""
        family = self.families.get(name)
        return family.samples[0].labels if family is not None and family.samples else {}


def scrape(url: str) -> Scraped:
    """Asks the plain listener at `url`. Raises Silent."""
    place = urlsplit(url)
    if place.scheme != "http" or not place.hostname:
        raise Silent(f"{url} is not the URL of a plain listener (http://HOST:PORT)")
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=_TIMEOUT_SECONDS)
    try:
        status, body = _get(connection, "/readyz")
        ready = msgspec.json.decode(body, type=_Ready)
        _, text = _get(connection, "/metrics")
        families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    except (OSError, http.client.HTTPException) as error:
        raise Silent(f"{url} does not answer: {error}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise Silent(f"{url} answers, but not as Greatseal does: {error}") from error
    finally:
        connection.close()
    return Scraped(url, status == 200, ready.version, ready.checks, families)


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()
