"""XML bodies of requests: parsed without entities, and the wire tree that they spell along a shape.

A document type is refused before anything in it could grow or fetch. Namespaces are looked past, as S3 does.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from greatseal.aws.protocol.models import Kind, Shape
from greatseal.aws.protocol.scalars import native
from greatseal.aws.protocol.shapes import MAX_DEPTH
from greatseal.aws.wire import WireError, serialization_error

# DeleteObjects names a thousand objects in three elements each.
_MOST_ELEMENTS = 20_000


@dataclass(slots=True)
class Element:
    """An element: its local name, its attributes, what is in it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: "list[Element]" = field(default_factory=list)
    text: str = ""


def parse(body: bytes) -> Element:
    """The root element. Raises WireError SerializationException."""
    top = Element("")
    open_elements = [top]
    seen = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal seen
        seen += 1
        if seen > _MOST_ELEMENTS or len(open_elements) > MAX_DEPTH:
            raise _malformed()
        made = Element(_local(name), attributes)
        open_elements[-1].children.append(made)
        open_elements.append(made)

    def text(data: str) -> None:
        open_elements[-1].text += data

    def refuse(*_: object) -> None:
        raise _malformed()

    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError):
        raise _malformed() from None
    return top.children[0]


def tree_of(shape: Shape, element: Element) -> object:
    """The wire tree of an element, for `shapes.read`. Elements that the model does not know are ignored."""
    match shape.kind:
        case Kind.STRUCTURE:
            return _structure(shape, element)
        case Kind.LIST:
            assert shape.element is not None
            return [tree_of(shape.element, each) for each in element.children if each.name == shape.element_name]
        case Kind.MAP:
            raise _malformed()
        case _:
            return native(shape, element.text)


def _structure(shape: Shape, element: Element) -> dict[str, object]:
    tree: dict[str, object] = {}
    for member in shape.members.values():
        if member.attribute:
            if member.wire_name in element.attributes:
                tree[member.wire_name] = element.attributes[member.wire_name]
            continue
        found = [each for each in element.children if each.name == member.wire_name]
        if not found:
            continue
        if member.shape.kind is Kind.LIST and member.shape.flattened:
            assert member.shape.element is not None
            tree[member.wire_name] = [tree_of(member.shape.element, each) for each in found]
        elif len(found) > 1:
            # Two readers that disagree about which one counts: refused, as everywhere.
            raise _malformed()
        else:
            tree[member.wire_name] = tree_of(member.shape, found[0])
    return tree


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _malformed() -> WireError:
    return serialization_error(
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
