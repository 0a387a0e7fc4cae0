"""The pattern language: the service's documented examples, what it refuses, and a slow reference (workflows.md 15)."""

import itertools
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greatseal.domain.events.patterns import InvalidPattern, compile_pattern, nested
from greatseal.domain.events.tokens import read_event


def matches(pattern, event):
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    given_event = event if isinstance(event, str) else json.dumps(event)
    return compile_pattern(text)(nested(read_event(given_event)))


# Each: pattern, events that match, events that do not. The examples of the user guide, page by page.
DOCUMENTED = [
    ({"detail": {"state": ["terminated"]}}, [{"detail": {"state": "terminated"}}], [{"detail": {"state": "x"}}, {}]),
    ({"region": [{"prefix": "us-"}]}, [{"region": "us-east-1"}], [{"region": "eu-us-1"}, {"region": None}]),
    ({"time": [{"prefix": "2017-10-02"}]}, [{"time": "2017-10-02T18:43:48Z"}], [{"time": "2017-10-03"}]),
    ({"service": [{"prefix": {"equals-ignore-case": "EventB"}}]}, [{"service": "EVENTBRIDGE"}], [{"service": "x"}]),
    ({"FileName": [{"suffix": ".png"}]}, [{"FileName": "a.png"}], [{"FileName": "a.PNG"}, {"FileName": 1}]),
    ({"FileName": [{"suffix": {"equals-ignore-case": ".png"}}]}, [{"FileName": "a.PNG"}], [{"FileName": "a.jpg"}]),
    ({"a": [{"anything-but": "initializing"}]}, [{"a": "x"}, {"a": 1}, {"a": None}], [{"a": "initializing"}, {}]),
    ({"a": [{"anything-but": ["stopped", "overloaded"]}]}, [{"a": "x"}], [{"a": "stopped"}, {"a": "overloaded"}]),
    ({"a": [{"anything-but": [100, 200]}]}, [{"a": 300}, {"a": "100"}], [{"a": 100}, {"a": 200.0}]),
    ({"a": [{"anything-but": {"prefix": "init"}}]}, [{"a": "x"}, {"a": 12}, {"a": None}], [{"a": "initial"}]),
    ({"a": [{"anything-but": {"prefix": ["a", "b"]}}]}, [{"a": "c"}], [{"a": "ax"}, {"a": "bx"}]),
    ({"a": [{"anything-but": {"suffix": [".txt", ".rtf"]}}]}, [{"a": "f.png"}], [{"a": "f.txt"}]),
    ({"a": [{"anything-but": {"equals-ignore-case": ["Stop", "x"]}}]}, [{"a": "go"}], [{"a": "STOP"}]),
    ({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}, [{"a": "/etc/x"}, {"a": None}], [{"a": "/usr/lib/x"}]),
    (
        {"detail": {"c-count": [{"numeric": [">", 0, "<=", 5]}], "x-limit": [{"numeric": ["=", 3.018e2]}]}},
        [{"detail": {"c-count": 5, "x-limit": 301.8}}],
        [{"detail": {"c-count": 0, "x-limit": 301.8}}, {"detail": {"c-count": "5", "x-limit": 301.8}}],
    ),
    (
        {"sourceIPAddress": [{"cidr": "10.0.0.0/24"}]},
        [{"sourceIPAddress": "10.0.0.255"}],
        [{"sourceIPAddress": "10.0.1.0"}, {"sourceIPAddress": "x"}, {"sourceIPAddress": 10}],
    ),
    ({"ip": [{"cidr": "2001:db8:1234:1a00::/56"}]}, [{"ip": "2001:db8:1234:1a01::1"}], [{"ip": "2001:db9::1"}]),
    ({"detail": {"state": [{"exists": True}]}}, [{"detail": {"state": None}}], [{"detail": {}}, {}]),
    ({"detail": {"c-count": [{"exists": False}]}}, [{"detail": {"x": 1}}, {}], [{"detail": {"c-count": 0}}]),
    ({"resources": [{"exists": True}]}, [{"resources": ["a"]}], [{"resources": []}]),
    ({"a": [{"exists": False}]}, [{"a": []}, {"a": {"b": 1}}], [{"a": 1}]),
    ({"n": [{"equals-ignore-case": "Alice"}]}, [{"n": "aLICE"}], [{"n": "bob"}]),
    ({"p": [{"wildcard": "dir/*.png"}]}, [{"p": "dir/a/b.png"}], [{"p": "dir/.jpg"}]),
    ({"arn": [{"wildcard": "arn:*:bus/*"}]}, [{"arn": "arn:x:y:bus/"}], [{"arn": "arn:bus/x"}]),
    ({"a": [{"wildcard": "a\\*b\\\\*"}]}, [{"a": "a*b\\xyz"}], [{"a": "axb\\xyz"}]),
    (
        {"source": ["s"], "detail": {"$or": [{"c": [{"numeric": [">", 0]}]}, {"d": [1]}, {"e": ["x"]}]}},
        [{"source": "s", "detail": {"c": 1}}, {"source": "s", "detail": {"e": "x"}}],
        [{"source": "t", "detail": {"c": 1}}, {"source": "s", "detail": {"c": 0}}],
    ),
    ({"a": [None]}, [{"a": None}], [{"a": "null"}, {"a": []}, {}]),
    ({"a": [""]}, [{"a": ""}], [{"a": None}, {"a": " "}]),
    ({"resources": ["b"]}, [{"resources": ["a", "b"]}, {"resources": [["b"]]}], [{"resources": ["a"]}]),
    ({"a": [True]}, [{"a": True}], [{"a": "true"}, {"a": 1}]),
    ({"a": [1]}, [{"a": 1}, {"a": 1.0}], [{"a": True}, {"a": "1"}]),
    ({"detail": {"state.status": ["r"]}}, [{"detail": {"state": {"status": "r"}}}], [{"detail": {"state": "r"}}]),
    ({"detail": {"state": {"status": ["r"]}}}, [{"detail": {"state.status": "r"}}, {"detail.state.status": "r"}], []),
    (
        {"state": ["a", {"anything-but": "b"}]},
        [{"state": "a"}, {"state": "c"}, {"state": ["b", "c"]}],
        [{"state": "b"}],
    ),
    ({"u": {"a": [1], "b": [2]}}, [{"u": [{"a": 0}, {"a": 1, "b": 2}]}], [{"u": [{"a": 1, "b": 0}, {"a": 0, "b": 2}]}]),
    ({"u": {"a": [{"exists": False}]}}, [{"u": [{"b": 1}, {"b": 2}]}], [{"u": [{"b": 1}, {"a": 2}]}]),
]


@pytest.mark.parametrize(("pattern", "wanted", "unwanted"), DOCUMENTED, ids=lambda value: json.dumps(value)[:60])
def test_documented_examples(pattern, wanted, unwanted):
    assert [matches(pattern, event) for event in wanted] == [True] * len(wanted)
    assert [matches(pattern, event) for event in unwanted] == [False] * len(unwanted)


def test_numbers_are_compared_as_numbers():
    assert matches('{"n": [300]}', '{"n": 3.0e2}')
    assert matches('{"n": [123456789012]}', '{"n": 123456789012}')
    assert not matches('{"n": [123456789012345678901]}', '{"n": 123456789012345678902}')
    assert not matches('{"n": [1]}', '{"n": 1e999}')


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ('{"int": 42}', '"int" must be an object or an array'),
        ('{"string": "my-value"}', '"string" must be an object or an array'),
        ('{"resources": []}', "Empty arrays are not allowed"),
        ('{"a": {}}', "Empty objects are not allowed"),
        ("{}", "Empty objects are not allowed"),
        ('["a"]', "Filter is not an object"),
        ('{"a": [[1]]}', "Match value must be String, number, true, false, or null"),
        ('{"a": [{"EXISTS": true}]}', "Unrecognized match type EXISTS"),
        ('{"a": [{"NUMERIC": ["=", 5]}]}', "Unrecognized match type NUMERIC"),
        ('{"a": [{}]}', "Match expression name not found"),
        ('{"a": [{"prefix": "x", "suffix": "y"}]}', "Only one key allowed in match expression"),
        ('{"a": [{"exists": "yes"}]}', "exists match pattern must be either true or false."),
        ('{"a": [{"prefix": 123}]}', "prefix match pattern must be a string"),
        ('{"a": [{"suffix": [".png"]}]}', "suffix match pattern must be a string"),
        ('{"a": [{"equals-ignore-case": {"prefix": "x"}}]}', "equals-ignore-case match pattern must be a string"),
        ('{"a": [{"wildcard": 123}]}', "wildcard match pattern must be a string"),
        ('{"a": [{"wildcard": "x**y"}]}', "Consecutive wildcard characters at pos 2"),
        ('{"a": [{"wildcard": "x\\\\y"}]}', "Invalid escape character at pos 2"),
        ('{"a": [{"numeric": [">", 0, ">", 0]}]}', "Bad numeric range operator: >"),
        ('{"a": [{"numeric": [">", 0, "<"]}]}', "Value of < must be numeric"),
        ('{"a": [{"numeric": ["=", "1"]}]}', "Value of equals must be numeric"),
        ('{"a": [{"numeric": ["!", 1]}]}', "Unrecognized numeric range operator: !"),
        ('{"a": [{"numeric": [1]}]}', "Invalid member in numeric match: 1"),
        ('{"a": [{"numeric": []}]}', "Invalid member in numeric match: None"),
        ('{"a": [{"numeric": 1}]}', "Value of numeric must be an array."),
        ('{"a": [{"numeric": ["<", 1, ">", 0]}]}', "Too many elements in numeric expression"),
        ('{"a": [{"numeric": [">", 5, "<", 1]}]}', "Bottom must be less than top"),
        ('{"a": [{"numeric": [">", 5, "<", 9, "<", 9]}]}', "Too many terms in numeric range expression"),
        ('{"a": [{"numeric": [">", 5000000001]}]}', "Value must be between -5.0E9 and 5.0E9, inclusive"),
        ('{"a": [{"anything-but": true}]}', "Value of anything-but must be an array or single string/number value."),
        ('{"a": [{"anything-but": [null]}]}', "Inside anything but list, start|null|boolean is not supported."),
        (
            '{"a": [{"anything-but": ["a", 1]}]}',
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        ('{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', "Unsupported anything-but pattern: numeric"),
        ('{"a": [{"anything-but": {"prefix": ""}}]}', "Null prefix/suffix not allowed"),
        ('{"a": [{"anything-but": {"suffix": [1]}}]}', "prefix/suffix match pattern must be a string"),
        (
            '{"a": [{"anything-but": {"prefix": {"equals-ignore-case": "x"}}}]}',
            "Value of anything-but must be an array or single string/number value.",
        ),
        (
            '{"a": [{"anything-but": {"equals-ignore-case": 123}}]}',
            "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
        ),
        ('{"a": [{"cidr": "10.0.0.0"}]}', "Malformed CIDR, one '/' required"),
        ('{"a": [{"cidr": "10.0.0.0/x"}]}', "Malformed CIDR, mask bits must be an integer"),
        ('{"a": [{"cidr": "10.0.0.0/99"}]}', "Malformed CIDR, mask bits must not exceed 32"),
        ('{"a": [{"cidr": "xx.11.xx/8"}]}', "Nonstandard IP address: xx.11.xx"),
        ('{"a": [{"cidr": ["x"]}]}', "prefix match pattern must be a string"),
        ('{"$or": {"a": [1]}}', "It must be an Array followed with $or."),
        ('{"$or": [{"a": [1]}]}', "There must have at least 2 Objects in $or relationship."),
        ('{"$or": [{"a": [1]}, 2]}', "Only JSON object is allowed in array of $or relationship."),
        (
            '{"$or": [{"a": [1]}, {"prefix": [2]}]}',
            "prefix is Ruler reserved fieldName which cannot be used inside $or.",
        ),
        ('{"a": ' * 40 + "[1]" + "}" * 40, "the pattern nests too deeply"),
        ('{"a": [1], "a": [2]}', "a member is given twice"),
        ('{"a": [NaN]}', "NaN is not JSON"),
        ("{", "Expecting property name"),
        ("[" * 100_000, "the JSON nests too deeply"),
    ],
)
def test_what_is_no_pattern(pattern, reason):
    with pytest.raises(InvalidPattern) as caught:
        compile_pattern(pattern)
    assert reason in str(caught.value)


def test_or_relationships_do_not_multiply_without_end():
    pair = [{f"m{number}": [1]} for number in range(10)]
    pattern = {f"k{level}": {"$or": pair} for level in range(4)}
    with pytest.raises(InvalidPattern, match="more than 1000 combinations"):
        compile_pattern(json.dumps(pattern))


def test_no_wildcard_is_catastrophic():
    pattern = compile_pattern(json.dumps({"a": [{"wildcard": "*a" * 500 + "*b"}]}))
    event = read_event(json.dumps({"a": "a" * 200_000}))
    started = time.perf_counter()
    assert not pattern(event)
    assert time.perf_counter() - started < 1


def test_what_routers_ask_before_they_match():
    pattern = compile_pattern('{"source": ["a", "b"], "detail-type": [{"prefix": "AWS API"}]}')
    assert pattern.literals("source") == {"a", "b"}
    assert pattern.literals("detail-type") is None
    assert pattern.may_want("detail-type", "AWS API Call")
    assert not pattern.may_want("detail-type", "x")
    assert pattern.may_want("account", "1")
    either = compile_pattern('{"$or": [{"source": ["a"]}, {"source": ["c"]}]}')
    assert either.literals("source") == {"a", "c"}
    assert compile_pattern('{"$or": [{"source": ["a"]}, {"x": ["c"]}]}').literals("source") is None
    assert compile_pattern('{"source": ["a", 1]}').literals("source") is None


# -- a slow reference: every way to pick one element of each array -------------------------------------------


def fields(value, path=(), picked=()):
    """(path, leaf, choice of elements) of an event."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, (*path, name), picked)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            # Elements that are no objects are alternatives of their own: nothing else hangs on which one is picked.
            choice = (*picked, (path, len(picked), number)) if isinstance(inner, dict | list) else picked
            yield from fields(inner, path, choice)
    else:
        yield path, value, frozenset(picked)


def leaf_accepts(wanted, found):
    for each in wanted:
        if isinstance(each, dict):
            ((name, operand),) = each.items()
            if name == "exists" and operand:
                return True
            if name == "prefix" and isinstance(found, str) and found.startswith(operand):
                return True
            if name == "anything-but" and found != operand:
                return True
            if name == "numeric" and isinstance(found, int) and not isinstance(found, bool) and found > operand[1]:
                return True
        elif type(each) is type(found) and each == found:
            return True
    return False


def expand(pattern, path=()):
    """The alternatives of a pattern, each as {path: leaf}."""
    found = [{}]
    for name, wanted in pattern.items():
        if name == "$or":
            inner = [rule for each in wanted for rule in expand(each, path)]
        elif isinstance(wanted, dict):
            inner = expand(wanted, (*path, name))
        else:
            inner = [{(*path, name): wanted}]
        found = [{**one, **other} for one in found for other in inner]
    return found


def consistent(choices):
    picked = {}
    for choice in choices:
        for place, depth, number in choice:
            if picked.setdefault((place, depth), number) != number:
                return False
    return True


def reference(pattern, event):
    everything = list(fields(event))
    for rule in expand(pattern):
        options = []
        for path, wanted in rule.items():
            here = [(value, choice) for at, value, choice in everything if at == path]
            fitting = [choice for value, choice in here if leaf_accepts(wanted, value)]
            if {"exists": False} in wanted and not here:
                fitting = [frozenset()]
            options.append(fitting)
        if any(consistent(choices) for choices in itertools.product(*options)):
            return True
    return False


NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.sampled_from([None, True, 1, 2, "", "x", "xy"])
EVENTS = st.recursive(
    st.dictionaries(NAMES, SCALARS | st.lists(SCALARS, max_size=3), max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | st.lists(inner, max_size=3) | SCALARS, max_size=3),
    max_leaves=12,
)
LEAVES = st.lists(
    SCALARS
    | st.sampled_from(
        [{"exists": True}, {"exists": False}, {"prefix": "x"}, {"anything-but": "x"}, {"numeric": [">", 1]}]
    ),
    min_size=1,
    max_size=2,
)


def objects(inner):
    plain = st.dictionaries(NAMES, inner, min_size=1, max_size=2)
    either = st.lists(plain, min_size=2, max_size=3).map(lambda each: {"$or": each})
    return plain | either | st.tuples(plain, either).map(lambda pair: {**pair[0], **pair[1]})


PATTERNS = objects(st.recursive(LEAVES, objects, max_leaves=5))


@settings(max_examples=400, deadline=None)
@given(PATTERNS, EVENTS)
def test_as_a_slow_reference_says(pattern, event):
    assert matches(pattern, event) == reference(pattern, event)
