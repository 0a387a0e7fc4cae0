"""Names as people write them (RFC 4514)."""

import pytest

from greatseal.x509 import der
from greatseal.x509.name_text import parse_name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CN=App,O=Example,C=NL", "C=NL,O=Example,CN=App"),
        ("cn = App , o=Example Inc", "O=Example Inc,CN=App"),
        (r"CN=Smith\, John,O=A\+B", r"O=A\+B,CN=Smith\, John"),
        (r"CN=\E2\82\AC,2.5.4.12=Dr", "title=Dr,CN=€"),
        ("CN=a+UID=b,DC=example,DC=com", "DC=com,DC=example,CN=a+UID=b"),
        (r"CN=ends\ ", r"CN=ends\ "),
    ],
)
def test_names_are_read(text: str, shown: str) -> None:
    assert parse_name(text).display() == shown


@pytest.mark.parametrize(
    "text", ["", " ", "App", "=App", "CN=", "XX=1", "C=ü", "CN=a,,O=b", "CN=a\\", "CN=\\ff", "CN=\ud800"]
)
def test_texts_that_are_no_names(text: str) -> None:
    with pytest.raises(der.DerError):
        parse_name(text)
