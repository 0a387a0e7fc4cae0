"""Wire trees as XML, the way the Query protocol writes them."""

import re
from collections.abc import Mapping
from typing import Any

from greatseal.aws.protocol.models import Kind, Shape
from greatseal.aws.protocol.scalars import as_text

# XML 1.0 section 2.2: these cannot be written at all, not even as references. (Lone surrogates included.)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A bare carriage return would be read as a line feed (XML 1.0 section 2.11).
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"})


def escape(text: str) -> str:
    """Character data. What XML cannot carry becomes U+FFFD, so that an answer can always be parsed."""
    return _ILLEGAL.sub("\ufffd", text).translate(_ESCAPES)


def element(name: str, content: str) -> str:
    """An element around content that is XML already."""
    return f"<{name}>{content}</{name}>"


def content_of(shape: Shape, tree: Any) -> str:
    """The inside of an element, of a wire tree that `shapes.write` has made of this shape."""
    match shape.kind:
        case Kind.STRUCTURE:
            return _members(shape, tree)
        case Kind.LIST:
            assert shape.element is not None
            return "".join(element(shape.element_name, content_of(shape.element, item)) for item in tree)
        case Kind.MAP:
            return "".join(element("entry", entry) for entry in _entries(shape, tree))
        case _:
            return escape(as_text(tree))


def _members(shape: Shape, tree: Mapping[str, Any]) -> str:
    parts = []
    for member in shape.members.values():
        name, target = member.wire_name, member.shape
        if name not in tree:
            continue
        value = tree[name]
        if not target.flattened:
            parts.append(element(name, content_of(target, value)))
        elif target.kind is Kind.MAP:
            parts += [element(name, entry) for entry in _entries(target, value)]
        else:
            assert target.element is not None
            parts += [element(name, content_of(target.element, item)) for item in value]
    return "".join(parts)


def _entries(shape: Shape, tree: Mapping[str, Any]) -> list[str]:
    assert shape.element is not None
    return [
        element(shape.key_name, escape(key)) + element(shape.element_name, content_of(shape.element, value))
        for key, value in tree.items()
    ]
