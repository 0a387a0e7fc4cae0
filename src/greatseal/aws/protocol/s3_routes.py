"""Which operation of S3 a request asks for: by the method, by whether there is a bucket and a key, and by the query.

Keys are names and not paths: dots and empty segments in them mean nothing, and the path is signed as it is sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from greatseal.aws.protocol import encoded
from greatseal.aws.protocol.message import Message
from greatseal.aws.protocol.models import Operation, Service
from greatseal.aws.wire import method_not_allowed

# Pairs that look the same on the wire, of which the newer one is meant.
_SUPERSEDED = frozenset(
    {
        "GetBucketLifecycle",
        "PutBucketLifecycle",
        "GetBucketNotification",
        "PutBucketNotification",
        "ListDirectoryBuckets",
    }
)


@dataclass(frozen=True, slots=True)
class _Row:
    operation: Operation
    depth: int
    """0 for the service, 1 for a bucket, 2 for an object."""
    literals: frozenset[tuple[str, str]]
    needed: frozenset[str]
    """Names in the query and headers that the operation requires."""
    headers: frozenset[str]

    @property
    def weight(self) -> int:
        return len(self.literals) + len(self.needed) + len(self.headers)

    def fits(self, query: frozenset[tuple[str, str]], names: frozenset[str], request: Message) -> bool:
        return (
            self.literals <= query
            and self.needed <= names
            and all(request.header(name) is not None for name in self.headers)
        )


class S3Routes:
    """The operations of S3 by method, path and query."""

    def __init__(self, service: Service) -> None:
        self.service = service
        rows = [_row(each) for each in service.operations.values() if each.name not in _SUPERSEDED]
        self._rows = sorted(rows, key=lambda row: -row.weight)

    def find(self, request: Message) -> Operation:
        """The most particular operation that the request fits. Raises WireError."""
        labels = labels_of(request)
        pairs = encoded.pairs(request.raw_query, plus_is_blank=False)
        query, names = frozenset(pairs), frozenset(name for name, _ in pairs)
        at_this_path = [row for row in self._rows if row.depth == len(labels)]
        for row in at_this_path:
            if row.operation.method == request.method and row.fits(query, names, request):
                return row.operation
        raise method_not_allowed(*sorted({row.operation.method for row in at_this_path}))


def labels_of(request: Message) -> dict[str, str]:
    """`Bucket` and `Key` as far as the path has them. Raises WireError SerializationException."""
    bucket, _, key = request.raw_path[1:].partition(b"/")
    given: Iterable[tuple[str, bytes]] = (("Bucket", bucket), ("Key", key))
    return {name: encoded.decode(raw) for name, raw in given if raw}


def _row(operation: Operation) -> _Row:
    path, _, query = operation.uri.partition("?")
    literals = frozenset(encoded.pairs(query.encode("ascii"), plus_is_blank=False))
    shape = operation.input
    required = [shape.members[name] for name in shape.required] if shape else []
    return _Row(
        operation,
        # A path that begins with a word is no bucket: WriteGetObjectResponse, which nobody can ask for here.
        path.count("{") if path.startswith("/{") or path == "/" else 3,
        literals,
        frozenset(each.wire_name for each in required if each.location == "querystring"),
        frozenset(each.wire_name for each in required if each.location == "header"),
    )
