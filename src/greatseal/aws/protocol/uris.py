"""Paths of REST services: the templates of the models, and which of them a path fits.

A path is compared as sent. Empty segments and dot segments fit nothing: SigV4 removes them before it signs
(iam.md 7), so they could be put into a signed request without breaking its signature.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from greatseal.aws.protocol import encoded
from greatseal.aws.protocol.models import Operation, Service

_LABEL = re.compile(r"\{(\w+)(\+?)\}", re.ASCII)
_REMOVED = re.compile(rb"(?:^|/)\.{0,2}(?:/|$)")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled `requestUri`."""

    pattern: re.Pattern[bytes]
    order: tuple[int, ...]
    """For each segment: 0 literal, 1 label, 2 greedy label. Of several templates that fit, the lowest one counts."""

    def labels(self, raw_path: bytes) -> dict[str, str] | None:
        """The decoded labels, or None when the path does not fit. Raises WireError SerializationException."""
        found = self.pattern.fullmatch(raw_path)
        if found is None or _REMOVED.search(raw_path[1:]):
            return None
        return {name: encoded.decode(value) for name, value in found.groupdict().items()}

    def fits(self, raw_path: bytes) -> bool:
        """Whether the path has this form; its labels are not decoded."""
        return self.pattern.fullmatch(raw_path) is not None and not _REMOVED.search(raw_path[1:])


@functools.cache
def compile_template(uri: str) -> Template:
    """Raises ValueError for templates with a query, which no served model has."""
    if "?" in uri or not uri.startswith("/"):
        raise ValueError(f"unsupported requestUri: {uri}")
    parts, order = [], []
    for segment in uri[1:].split("/"):
        label = _LABEL.fullmatch(segment)
        if label is None:
            parts.append(re.escape(segment))
            order.append(0)
        else:
            greedy = bool(label.group(2))
            parts.append(f"(?P<{label.group(1)}>{'.+' if greedy else '[^/]+'})")
            order.append(2 if greedy else 1)
    return Template(re.compile(("/" + "/".join(parts)).encode("ascii"), re.DOTALL), tuple(order))


class Paths:
    """The operations of REST services by method and path."""

    def __init__(self, services: Iterable[Service]) -> None:
        """Compiles every template. Raises ValueError as `compile_template`."""
        rows = [
            (compile_template(operation.uri), service, operation)
            for service in services
            for operation in service.operations.values()
        ]
        self._rows = sorted(rows, key=lambda row: row[0].order)

    def fit(self, raw_path: bytes) -> list[tuple[Service, Operation]]:
        """Every operation that has this path, whatever its method; the most literal first."""
        return [(service, operation) for template, service, operation in self._rows if template.fits(raw_path)]
