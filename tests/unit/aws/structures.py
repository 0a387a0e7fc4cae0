"""Values that a shape of a model allows, made by hypothesis; used in both directions."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from greatseal.aws.protocol.models import Kind, Shape

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# What XML can carry, with what it escapes and what it would fold.
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("<>&\"'\r\n\t "),
    max_size=12,
)
SECONDS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda at: at.replace(microsecond=0)
)
_SCALARS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1),
    Kind.LONG: st.integers(-(2**63), 2**63 - 1),
    Kind.FLOAT: st.floats(allow_nan=False, allow_infinity=False),
    Kind.DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    Kind.BOOLEAN: st.booleans(),
    Kind.BLOB: st.binary(max_size=20),
    Kind.TIMESTAMP: SECONDS,
}


def values_of(shape: Shape, text: st.SearchStrategy[str], *, empty: bool, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values of a shape. `empty`: whether structures and maps may be empty, which a form cannot say."""
    match shape.kind:
        case Kind.STRUCTURE:
            return _structure(shape, text, empty=empty, depth=depth)
        case Kind.LIST:
            assert shape.element is not None
            items = values_of(shape.element, text, empty=empty, depth=depth - 1)
            # A flattened list without items leaves no trace.
            return st.lists(items, min_size=int(shape.flattened), max_size=3)
        case Kind.MAP:
            assert shape.element is not None
            items = values_of(shape.element, text, empty=empty, depth=depth - 1)
            return st.dictionaries(text, items, min_size=int(shape.flattened or not empty), max_size=3)
        case Kind.STRING:
            return text
        case kind:
            return _SCALARS[kind]


def _structure(shape: Shape, text: st.SearchStrategy[str], *, empty: bool, depth: int) -> st.SearchStrategy[Any]:
    nested = (Kind.STRUCTURE, Kind.LIST, Kind.MAP)
    members = {
        name: values_of(member.shape, text, empty=empty, depth=depth - 1)
        for name, member in shape.members.items()
        if depth > 0 or member.shape.kind not in nested
    }
    if shape.union:
        return st.one_of([strategy.map(lambda value, name=name: {name: value}) for name, strategy in members.items()])
    made: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=members)
    return made if empty else made.filter(bool)
