"""Service models: botocore's JSON files, read once at start into small frozen values.

Documentation, examples and client-side traits are dropped; what remains is what a server needs to route,
parse, check and answer. Structures may contain themselves (acm CertificateFilterStatement): a structure is
entered in the memo before its members are filled in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from botocore.loaders import Loader

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class Kind(StrEnum):
    """The types of the model language."""

    STRUCTURE = "structure"
    LIST = "list"
    MAP = "map"
    STRING = "string"
    INTEGER = "integer"
    LONG = "long"
    FLOAT = "float"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    BLOB = "blob"
    TIMESTAMP = "timestamp"


class Protocol(StrEnum):
    """Wire protocols, as the models name them. Query and REST-JSON services will add theirs."""

    JSON = "json"
    CBOR = "smithy-rpc-v2-cbor"


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A type of a service model with its constraints. Compared by identity: there is one of each name."""

    name: str
    kind: Kind
    sensitive: bool = False
    """Values never appear in messages or in the audit trail."""
    minimum: int | None = None
    """Smallest number, or shortest length (characters, bytes or items)."""
    maximum: int | None = None
    pattern: str | None = None
    """A Java regular expression that the whole string must match."""
    enum: tuple[str, ...] = ()
    union: bool = False
    """Exactly one member must be set."""
    flattened: bool = False
    required: frozenset[str] = frozenset()
    members: Mapping[str, "Member"] = field(default_factory=lambda: _EMPTY, repr=False)
    element: "Shape | None" = field(default=None, repr=False)
    """Of a list: its items. Of a map: its values."""
    key: "Shape | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A member of a structure: its place in the parameters, its name on the wire, its type."""

    name: str
    wire_name: str
    path: str
    """The name in validation messages and in the audit trail: lower camel case."""
    shape: Shape
    location: str | None = None
    """`uri`, `querystring`, `header`, ... for REST protocols; None means the body."""


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """A modelled exception."""

    code: str
    status: int
    message_member: str
    """`message`, or `Message` where the model says so (acm.md 1: AccessDeniedException)."""


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation of a service. `input` and `output` are None where the model has none."""

    name: str
    method: str
    uri: str
    input: Shape | None
    output: Shape | None
    errors: Mapping[str, ErrorShape]


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A service as clients know it."""

    name: str
    """The name of the model and of the endpoint: `acm-pca`."""
    signing_name: str
    target_prefix: str
    json_version: str
    protocols: tuple[str, ...]
    operations: Mapping[str, Operation]
    errors: Mapping[str, ErrorShape]
    """Every modelled exception of the service, also of operations that do not declare it."""


def lower_camel(name: str) -> str:
    """`IdempotencyToken` -> `idempotencyToken`, `DNSName` -> `dnsName`: the spelling of messages and CloudTrail."""
    run = next((index for index, letter in enumerate(name) if not letter.isupper()), len(name))
    if run <= 1 or not name[run : run + 1].islower():
        return name[:run].lower() + name[run:]
    return name[: run - 1].lower() + name[run - 1 :]


def load_service(name: str) -> Service:
    """Reads the newest model that the installed botocore carries. Raises botocore's error for an unknown name.

    Only botocore's own data directory is searched: files in ~/.aws/models are for clients and must not be
    able to loosen what a server checks.
    """
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    return compile_service(name, loader.load_service_model(name, "service-2"))


def load_services(names: Sequence[str]) -> tuple[Service, ...]:
    """The models of several services, in the given order."""
    return tuple(load_service(name) for name in names)


def compile_service(name: str, model: Mapping[str, Any]) -> Service:
    """The frozen form of a service model given as JSON data."""
    metadata = model["metadata"]
    shapes = _Shapes(model["shapes"])
    errors = {
        shape: _error(shape, definition) for shape, definition in model["shapes"].items() if definition.get("exception")
    }
    return Service(
        name=name,
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        target_prefix=metadata.get("targetPrefix", ""),
        json_version=metadata.get("jsonVersion", ""),
        protocols=tuple(metadata.get("protocols", (metadata["protocol"],))),
        operations=MappingProxyType(
            {key: _operation(key, definition, shapes, errors) for key, definition in model["operations"].items()}
        ),
        errors=MappingProxyType({error.code: error for error in errors.values()}),
    )


def _operation(
    name: str, definition: Mapping[str, Any], shapes: "_Shapes", errors: Mapping[str, ErrorShape]
) -> Operation:
    declared = [errors[reference["shape"]] for reference in definition.get("errors", ())]
    return Operation(
        name=name,
        method=definition["http"]["method"],
        uri=definition["http"]["requestUri"],
        input=shapes.get(definition["input"]["shape"]) if "input" in definition else None,
        output=shapes.get(definition["output"]["shape"]) if "output" in definition else None,
        errors=MappingProxyType({error.code: error for error in declared}),
    )


def _error(name: str, definition: Mapping[str, Any]) -> ErrorShape:
    trait = definition.get("error", {})
    status = trait.get("httpStatusCode", 500 if definition.get("fault") else 400)
    member = next((member for member in definition.get("members", {}) if member.lower() == "message"), "message")
    return ErrorShape(code=trait.get("code", name), status=status, message_member=member)


class _Shapes:
    """Builds shapes on demand, one of each name."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._built: dict[str, Shape] = {}

    def get(self, name: str) -> Shape:
        if name not in self._built:
            definition = self._definitions[name]
            if definition["type"] == "structure":
                return self._structure(name, definition)
            # Only structures can close a circle, so lists and maps may be built after their parts.
            self._built[name] = self._plain(name, definition)
        return self._built[name]

    def _structure(self, name: str, definition: Mapping[str, Any]) -> Shape:
        members: dict[str, Member] = {}
        shape = Shape(
            name=name,
            kind=Kind.STRUCTURE,
            sensitive=definition.get("sensitive", False),
            union=definition.get("union", False),
            required=frozenset(definition.get("required", ())),
            members=MappingProxyType(members),
        )
        self._built[name] = shape
        for member, reference in definition.get("members", {}).items():
            members[member] = Member(
                name=member,
                wire_name=reference.get("locationName", member),
                path=lower_camel(member),
                shape=self.get(reference["shape"]),
                location=reference.get("location"),
            )
        return shape

    def _plain(self, name: str, definition: Mapping[str, Any]) -> Shape:
        reference = definition.get("member") or definition.get("value")
        return Shape(
            name=name,
            kind=Kind(definition["type"]),
            sensitive=definition.get("sensitive", False),
            minimum=definition.get("min"),
            maximum=definition.get("max"),
            pattern=definition.get("pattern"),
            enum=tuple(definition.get("enum", ())),
            flattened=definition.get("flattened", False),
            element=self.get(reference["shape"]) if reference else None,
            key=self.get(definition["key"]["shape"]) if "key" in definition else None,
        )
