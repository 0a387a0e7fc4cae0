"""ISO/IEC 18013-5 table 5: identifiers, types, and the JSON that they come from."""

import base64

import pytest

from greatseal.crypto.cbor import Tagged
from greatseal.mdoc import NAMESPACE, ElementRefused
from greatseal.mdoc.elements import check_licence, row_of
from greatseal.mdoc.notation import from_json, to_json
from made_mdl import PORTRAIT, full_date, licence


def test_a_licence():
    check_licence(licence())


@pytest.mark.parametrize(
    ("identifier", "hint"),
    [
        ("elementIdentifer", "a namespace of your own"),
        ("familly_name", "did you mean family_name?"),
        ("eye_color", "did you mean eye_colour?"),
        ("age_over_1", "did you mean age_over_"),
        ("birthdate", "did you mean birth_date?"),
    ],
)
def test_misspelt_identifiers_are_refused_with_a_hint(identifier, hint):
    with pytest.raises(ElementRefused) as refused:
        row_of(identifier)
    assert hint in str(refused.value)


REFUSED = [
    ("portrait", None, "mandatory elements are missing: portrait"),
    ("birth_date", "1990-01-31", "birth_date must be a full-date"),
    ("birth_date", full_date("1990-02-30"), "birth_date must be a full-date"),
    ("birth_date", Tagged(0, "1990-01-31T00:00:00Z"), "birth_date must be a full-date"),
    ("issue_date", Tagged(0, "2026-01-01T00:00:00.5Z"), "issue_date must be a full-date or a tdate"),
    ("issuing_country", "us", "issuing_country must be an upper-case country code"),
    ("issuing_country", "XX", "issuing_country must be an upper-case country code"),
    ("family_name", "", "family_name must be text"),
    ("family_name", "x" * 151, "at most 150 characters"),
    ("family_name", "Дое", "ISO/IEC 8859-1"),
    ("portrait", b"GIF89a", "JPEG"),
    ("sex", 3, "sex must be 0, 1, 2 or 9"),
    ("height", -1, "not negative"),
    ("height", True, "not negative"),
    ("age_over_18", 1, "true or false"),
    ("eye_colour", "purple", "a colour of eyes"),
    ("un_distinguishing_sign", "usa", "capital letters"),
    ("expiry_date", full_date("2025-12-31"), "expiry_date is before issue_date"),
    ("driving_privileges", {}, "a list of driving privileges"),
    ("driving_privileges", [{"issue_date": full_date("2010-01-01")}], "a list of driving privileges"),
    ("driving_privileges", [{"vehicle_category_code": "B", "issue_date": "2010-01-01"}], "a list of"),
    ("driving_privileges", [{"vehicle_category_code": "B", "code": "x"}], "a list of driving privileges"),
    ("driving_privileges", [{"vehicle_category_code": "B", "codes": [{"sign": "="}]}], "a list of driving"),
]


@pytest.mark.parametrize(("identifier", "value", "reason"), REFUSED)
def test_refused_values(identifier, value, reason):
    with pytest.raises(ElementRefused, match=reason):
        check_licence(licence(**{identifier: value}))


def test_further_elements_and_forms():
    codes = [{"code": "01", "sign": "=", "value": "glasses"}]
    check_licence(
        licence(
            issue_date=Tagged(0, "2026-01-01T12:00:00Z"),
            driving_privileges=[{"vehicle_category_code": "A", "codes": codes}],
            biometric_template_face=b"1",
            age_over_21=False,
            hair_colour="grey",
            sex=9,
            family_name_national_character="Дое",
            portrait_capture_date=Tagged(0, "2025-01-01T12:00:00Z"),
        )
    )


def no_file(name: str) -> bytes:
    raise AssertionError(name)


def test_json_of_the_licence():
    document = {
        "birth_date": "1990-01-31",
        "issue_date": "2026-01-01T00:00:00Z",
        "portrait": base64.b64encode(PORTRAIT).decode(),
        "driving_privileges": [{"vehicle_category_code": "B", "expiry_date": "2030-01-01"}],
        "height": 183,
    }
    expected = {
        "birth_date": full_date("1990-01-31"),
        "issue_date": Tagged(0, "2026-01-01T00:00:00Z"),
        "portrait": PORTRAIT,
        "driving_privileges": [{"vehicle_category_code": "B", "expiry_date": full_date("2030-01-01")}],
        "height": 183,
    }
    assert from_json(document, no_file) == {NAMESPACE: expected}
    assert from_json({NAMESPACE: document}, no_file) == {NAMESPACE: expected}


def test_json_of_other_namespaces_and_files():
    document = {
        "portrait": {"file": "face.jpg"},
        "com.example": {
            "since": {"date": "2020-01-01"},
            "at": {"time": "2020-01-01T00:00:00Z"},
            "n": [{"base64": "AQ=="}],
        },
    }
    found = from_json(document, lambda name: name.encode())
    assert found == {
        NAMESPACE: {"portrait": b"face.jpg"},
        "com.example": {"since": full_date("2020-01-01"), "at": Tagged(0, "2020-01-01T00:00:00Z"), "n": [b"\1"]},
    }
    assert to_json(found["com.example"]) == {"since": "2020-01-01", "at": "2020-01-01T00:00:00Z", "n": ["AQ=="]}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "not a JSON object"),
        ({"com.example": 5}, "namespace 'com.example' is not"),
        ({"portrait": "no base64!"}, "portrait is not base64"),
        ({"height": 1, NAMESPACE: {"height": 2}}, "height is given twice"),
        ({"heigth": 1}, "did you mean height?"),
    ],
)
def test_json_that_is_refused(document, reason):
    with pytest.raises(ElementRefused) as refused:
        from_json(document, no_file)
    assert reason in str(refused.value)


def test_deep_json_is_refused():
    value: object = 1
    for _ in range(30):
        value = [value]
    with pytest.raises(ElementRefused, match="nested too deep"):
        from_json({"com.example": {"x": value}}, no_file)
