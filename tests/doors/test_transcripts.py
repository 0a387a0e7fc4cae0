"""Every served operation has a transcript, and every transcript is true."""

import pytest

from doors.transcript import FOLDER, Player
from greatseal.aws.catalogue import SERVICES, implemented
from greatseal.testing import Installation

FILES = [path for service in SERVICES for path in sorted((FOLDER / service).glob("*.txt"))]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_transcript(storage, path):
    text = path.read_text()
    assert f"\n> {path.parent.name} {path.stem}\n" in f"\n{text}"
    Player(Installation(storage)).play(text)


@pytest.mark.parametrize("service", SERVICES)
def test_every_served_operation_has_one(service):
    assert {path.stem for path in FILES if path.parent.name == service} == implemented(service)


def test_an_answer_that_differs_is_noticed(storage):
    player = Player(Installation(storage))
    for text in (
        "> acm-pca ListCertificateAuthorities\n{}\n< 200\n{}\n",
        '> acm-pca ListCertificateAuthorities\n{}\n< 200\n{"CertificateAuthorities": ["<any>"]}\n',
        "> acm-pca ListCertificateAuthorities\n{}\n< 400 ValidationException\n<any>\n",
        '> acm-pca ListCertificateAuthorities\n{"NextToken": "x"}\n< 400 InvalidNextTokenException\nanother text\n',
    ):
        with pytest.raises(AssertionError):
            player.play(text)
