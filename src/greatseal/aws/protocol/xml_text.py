"""Wire trees as XML, the way the Query and REST-XML protocols write them."""

import re
from collections.abc import Mapping
from typing import Any

from greatseal.aws.protocol.models import Kind, Shape
from greatseal.aws.protocol.scalars import as_text

_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
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
        if name not in tree or member.attribute:
            continue
        value = tree[name]
        if not target.flattened:
            parts.append(f"<{name}{_attributes(target, value)}>{content_of(target, value)}</{name}>")
        elif target.kind is Kind.MAP:
            parts += [element(name, entry) for entry in _entries(target, value)]
        else:
            assert target.element is not None
            parts += [element(name, content_of(target.element, item)) for item in value]
    return "".join(parts)


def _attributes(shape: Shape, tree: Any) -> str:
    """Those of the element around a structure; the only ones that a served model has are in this namespace."""
    given = [each for each in shape.members.values() if each.attribute and each.wire_name in tree]
    declared = f' xmlns:xsi="{_INSTANCE}"' if given else ""
    return declared + "".join(f' {each.wire_name}="{escape(as_text(tree[each.wire_name]))}"' for each in given)


def _entries(shape: Shape, tree: Mapping[str, Any]) -> list[str]:
    assert shape.element is not None
    return [
        element(shape.key_name, escape(key)) + element(shape.element_name, content_of(shape.element, value))
        for key, value in tree.items()
    ]
