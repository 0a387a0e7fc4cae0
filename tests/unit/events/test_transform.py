"""What targets are sent: paths and templates, with the examples of the user guide."""

import json

import pytest

from greatseal.domain.events.tokens import read_event
from greatseal.domain.events.transform import (
    InvalidPath,
    InvalidTemplate,
    Source,
    Transformer,
    UnknownVariable,
    check_template,
    compile_path,
    filled,
    part_of,
)

EVENT = {
    "version": "0",
    "id": "7bf73129",
    "detail-type": "EC2 Instance State-change Notification",
    "time": "2015-11-11T21:29:54Z",
    "detail": {"instance-id": "i-0123456789", "state": "RUNNING", "list": [{"n": 1}, {"n": 2}], "big": 0},
}
TEXT = json.dumps(EVENT).replace('"big": 0', '"big": 12345678901234567890.10')
SOURCE = Source(TEXT, read_event(TEXT), "arn:rule", "example", "2015-11-11T21:29:55Z")
PATHS = {
    "timestamp": "$.time",
    "instance": "$.detail.instance-id",
    "state": "$.detail.state",
    "list": "$.detail.list[*].n",
    "object": "$.detail.list[0]",
    "big": "$.detail.big",
    "none": "$.detail.none.deeper",
}


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ('"instance <instance> is in <state>"', '"instance i-0123456789 is in RUNNING"'),
        ('"instance \\"<instance>\\" is in <state>"', '"instance \\"i-0123456789\\" is in RUNNING"'),
        ('{"instance" : <instance>, "state": <state>}', '{"instance" : "i-0123456789", "state": "RUNNING"}'),
        ('{"state": "<state>"}', '{"state": "RUNNING"}'),
        ('{"state": [9, <state>, true]}', '{"state": [9, "RUNNING", true]}'),
        ('{"a": <list>, "o": <object>, "b": <big>}', '{"a": [1,2], "o": {"n":1}, "b": 12345678901234567890.10}'),
        ('"<aws.events.rule-name> triggered"', '"example triggered"'),
        ('{"r": <aws.events.rule-arn>}', '{"r": "arn:rule"}'),
        ('{"t": <aws.events.event.ingestion-time>}', '{"t": "2015-11-11T21:29:55Z"}'),
        ('"payload <object> <none>."', '"payload {\\"n\\":1} ."'),
        ('{"x": <none>}', '{"x": ""}'),
        ('"line <state>"\n"line <big>"', '"line RUNNING"\n"line 12345678901234567890.10"'),
    ],
)
def test_templates(template, output):
    transformer = Transformer(template, PATHS)
    check_template(transformer)
    assert filled(SOURCE, transformer) == output


def test_the_event_itself_in_a_template():
    whole = json.loads(filled(SOURCE, Transformer('{"e": <aws.events.event.json>}')))
    assert whole["e"] == json.loads(TEXT)
    without = json.loads(filled(SOURCE, Transformer('{"e": <aws.events.event>}')))["e"]
    assert "detail" not in without
    assert without["detailType"] == EVENT["detail-type"]


def test_values_cannot_break_out_of_their_quotes():
    text = json.dumps({"id": "1", "detail": {"who": '"}, {"admin": "\n\ud800\\'}})
    source = Source(text, read_event(text), "a", "b", "c")
    made = filled(source, Transformer('{"who": "<who>"}', {"who": "$.detail.who"}))
    assert json.loads(made) == {"who": '"}, {"admin": "\n\ud800\\'}


@pytest.mark.parametrize(
    "template", ["plain", "<state>x", '{"a": }', '{"a": "<state>}', "", "  ", '"a" b', "[" * 99999]
)
def test_what_is_no_template(template):
    with pytest.raises(InvalidTemplate):
        check_template(Transformer(template, PATHS))


def test_unknown_variables_and_bad_paths():
    with pytest.raises(UnknownVariable, match="who"):
        check_template(Transformer('"<who>"', PATHS))
    for path in ("", "detail", "$detail", "$.", "$..a", "$.a[", "$.a[x]", "$.a[-1]", "$.a b"):
        with pytest.raises(InvalidPath):
            compile_path(path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", TEXT),
        ("$.detail.list[1].n", "2"),
        ("$.detail.list[9]", "null"),
        ("$.detail['instance-id']", '"i-0123456789"'),
        ("$.detail.list.n", "null"),
        ("$.detail.list[*]", '[{"n":1},{"n":2}]'),
        ("$.id.x", "null"),
    ],
)
def test_paths(path, found):
    assert json.loads(part_of(SOURCE, path)) == json.loads(found)
