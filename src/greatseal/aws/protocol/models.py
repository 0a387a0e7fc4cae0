"""Service models: botocore's JSON files, read once at start into small frozen values.

Documentation, examples and client-side traits are dropped; what remains is what a server needs to route,
parse, check and answer. Structures may contain themselves (acm CertificateFilterStatement): a structure is
entered in the memo before its members are filled in.
"""

import dataclasses
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypedDict

import msgspec

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
    """Wire protocols, as the models name them."""

    JSON = "json"
    CBOR = "smithy-rpc-v2-cbor"
    QUERY = "query"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"


_GLOBAL = frozenset({"us-east-1", "cn-north-1", "us-gov-west-1"})
GLOBAL_REGIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "iam": _GLOBAL,
        "organizations": _GLOBAL | {"cn-northwest-1"},
        "route53": _GLOBAL | {"cn-northwest-1"},
        # The old endpoint without a region, which clients may still be set to.
        "sts": _GLOBAL,
    }
)
"""By signing name: the regions that clients of a global service sign for, wherever they are (iam.md 7)."""


_OPEN_ENUMERATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # ReceiveMessage takes names of message attributes in a list that is modelled for those of queues.
        "sqs": frozenset({"MessageSystemAttributeName", "QueueAttributeName"}),
    }
)
"""By service: shapes whose values the service itself checks, in its own words, and not as the model has it."""


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
    timestamp_format: str | None = None
    """`iso8601`, `rfc822` or `unixTimestamp`; None means the default of the protocol and the place."""
    payload: str | None = None
    """The member that is the whole body in REST protocols."""
    flattened: bool = False
    """Query: items follow the name without a name of their own in between."""
    element_name: str = "member"
    """Query: what an item of a list or a value of a map is called."""
    key_name: str = "key"
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
    """`uri`, `querystring`, `header`, `headers` or `statusCode` for REST protocols; None means the body."""
    attribute: bool = False
    """REST-XML: an attribute of the element and not an element inside it."""
    streaming: bool = False
    """A body of any kind and size, which no log keeps."""


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
    errors: Mapping[str, ErrorShape] = field(repr=False)
    status: int = 200
    """The status of a good answer in REST protocols."""
    result_wrapper: str | None = None
    """The element around the result in Query answers."""
    unsigned: bool = False
    """Whether the operation is called without a signature, as sts AssumeRoleWithWebIdentity."""


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """A service as clients know it."""

    name: str
    """The name of the model and of the endpoint: `acm-pca`."""
    signing_name: str
    target_prefix: str
    json_version: str
    protocols: tuple[str, ...]
    operations: Mapping[str, Operation] = field(repr=False)
    errors: Mapping[str, ErrorShape] = field(repr=False)
    """Every modelled exception of the service, also of operations that do not declare it."""
    version: str = ""
    """The API version, which Query requests name."""
    xml_namespace: str = ""
    global_regions: frozenset[str] = frozenset()
    """Regions that are accepted in a signature even when they are not enabled."""


def lower_camel(name: str) -> str:
    """`IdempotencyToken` -> `idempotencyToken`, `DNSName` -> `dnsName`: the spelling of messages and CloudTrail."""
    run = next((index for index, letter in enumerate(name) if not letter.isupper()), len(name))
    if run <= 1 or not name[run : run + 1].islower():
        return name[:run].lower() + name[run:]
    return name[: run - 1].lower() + name[run - 1 :]


class _Reference(TypedDict, total=False):
    """How a member, an item or an operation names a shape, and what we read of it."""

    shape: str
    location: str
    locationName: str
    timestampFormat: str
    resultWrapper: str
    flattened: bool
    streaming: bool
    xmlAttribute: bool


class _Definition(TypedDict, total=False):
    """What we read of a shape: nearly all of a model is documentation, which is never decoded."""

    type: str
    enum: list[str]
    error: dict[str, Any]
    exception: bool
    fault: bool
    flattened: bool
    key: _Reference
    max: Any
    member: _Reference
    members: dict[str, _Reference]
    min: Any
    pattern: str
    payload: str
    required: list[str]
    sensitive: bool
    timestampFormat: str
    union: bool
    value: _Reference


class _Call(TypedDict, total=False):
    """What we read of an operation."""

    auth: list[str]
    authtype: str
    errors: list[_Reference]
    http: dict[str, Any]
    input: _Reference
    output: _Reference


class _Model(TypedDict):
    """What we read of the file of a service."""

    metadata: dict[str, Any]
    operations: dict[str, _Call]
    shapes: dict[str, _Definition]


@cache
def load_service(name: str) -> Service:
    """The newest model that the installed botocore carries, read once. Raises LookupError for an unknown name.

    Only botocore's own data directory is searched: files in ~/.aws/models are for clients and must not be
    able to loosen what a server checks. botocore itself is a client with connections and credentials, which a
    server has no use for; to import it takes longer than to read all of its models that we serve.
    """
    newest = max((_data() / name).glob("*/service-2.json*"), default=None)
    if newest is None:
        raise LookupError(f"botocore has no model of the service {name}")
    content = newest.read_bytes()
    model = msgspec.json.decode(gzip.decompress(content) if newest.suffix == ".gz" else content, type=_Model)
    amended = newest.with_name("service-2.sdk-extras.json")
    if amended.exists():
        for shape, definition in msgspec.json.decode(amended.read_bytes())["merge"].get("shapes", {}).items():
            model["shapes"][shape] = {**model["shapes"].get(shape, {}), **definition}
    return compile_service(name, model)


@cache
def _data() -> Path:
    """The folder of the models. Raises LookupError without botocore."""
    found = find_spec("botocore")
    if found is None or found.origin is None:
        raise LookupError("botocore is not installed")
    return Path(found.origin).parent / "data"


def load_services(names: Sequence[str]) -> tuple[Service, ...]:
    """The models of several services, in the given order."""
    return tuple(load_service(name) for name in names)


def compile_service(name: str, model: Mapping[str, Any]) -> Service:
    """The frozen form of a service model given as JSON data."""
    metadata = model["metadata"]
    protocols = tuple(metadata.get("protocols", (metadata["protocol"],)))
    shapes = _Shapes(_opened(name, model["shapes"]), items_name_lists=bool({"query", "rest-xml"} & set(protocols)))
    errors = {
        shape: _error(shape, definition) for shape, definition in model["shapes"].items() if definition.get("exception")
    }
    signing_name = metadata.get("signingName", metadata["endpointPrefix"])
    return Service(
        name=name,
        signing_name=signing_name,
        target_prefix=metadata.get("targetPrefix", ""),
        json_version=metadata.get("jsonVersion", ""),
        protocols=protocols,
        operations=MappingProxyType(
            {key: _operation(key, definition, shapes, errors) for key, definition in model["operations"].items()}
        ),
        errors=MappingProxyType({error.code: error for error in errors.values()}),
        version=metadata.get("apiVersion", ""),
        xml_namespace=metadata.get("xmlNamespace", ""),
        global_regions=GLOBAL_REGIONS.get(signing_name, frozenset()),
    )


def _opened(name: str, shapes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shapes of a model without the enumerations that do not hold."""
    opened = _OPEN_ENUMERATIONS.get(name, frozenset())
    return {each: {**found, "enum": ()} if each in opened else found for each, found in shapes.items()}


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
        status=definition["http"].get("responseCode", 200),
        result_wrapper=definition.get("output", {}).get("resultWrapper"),
        unsigned=definition.get("authtype") == "none" or "smithy.api#noAuth" in definition.get("auth", ()),
    )


def _error(name: str, definition: Mapping[str, Any]) -> ErrorShape:
    trait = definition.get("error", {})
    status = trait.get("httpStatusCode", 500 if definition.get("fault") else 400)
    member = next((member for member in definition.get("members", {}) if member.lower() == "message"), "message")
    return ErrorShape(code=trait.get("code", name), status=status, message_member=member)


class _Shapes:
    """Builds shapes on demand, one of each name."""

    def __init__(self, definitions: Mapping[str, Any], *, items_name_lists: bool) -> None:
        """`items_name_lists`: in Query and XML a flattened list is called as its items are, if they are named."""
        self._definitions = definitions
        self._items_name_lists = items_name_lists
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
            payload=definition.get("payload"),
            required=frozenset(definition.get("required", ())),
            members=MappingProxyType(members),
        )
        self._built[name] = shape
        for member, reference in definition.get("members", {}).items():
            target = self._referred(reference)
            wire_name = reference.get("locationName", member)
            if target.flattened and self._items_name_lists:
                wire_name = self._definitions[target.name].get("member", {}).get("locationName", wire_name)
            members[member] = Member(
                name=member,
                wire_name=wire_name,
                path=lower_camel(member),
                shape=target,
                location=reference.get("location"),
                attribute=reference.get("xmlAttribute", False),
                streaming=reference.get("streaming", False),
            )
        return shape

    def _referred(self, reference: Mapping[str, Any]) -> Shape:
        """The shape that a member refers to, with the traits that the reference itself carries."""
        shape = self.get(reference["shape"])
        if "timestampFormat" in reference:
            shape = dataclasses.replace(shape, timestamp_format=reference["timestampFormat"])
        return dataclasses.replace(shape, flattened=True) if reference.get("flattened") else shape

    def _plain(self, name: str, definition: Mapping[str, Any]) -> Shape:
        reference = definition.get("member") or definition.get("value") or {}
        key = definition.get("key", {})
        return Shape(
            name=name,
            kind=Kind(definition["type"]),
            sensitive=definition.get("sensitive", False),
            minimum=definition.get("min"),
            maximum=definition.get("max"),
            pattern=definition.get("pattern"),
            enum=tuple(definition.get("enum", ())),
            timestamp_format=definition.get("timestampFormat"),
            flattened=definition.get("flattened", False),
            element_name=reference.get("locationName", "value" if key else "member"),
            key_name=key.get("locationName", "key"),
            element=self._referred(reference) if reference else None,
            key=self.get(key["shape"]) if key else None,
        )
