"""Which door answers which path."""

import re

import pytest

from greatseal.edge.messages import HttpResponse
from greatseal.edge.mounts import Mount, Mounts


def door(prefix, name, **more):
    return Mount(prefix, name, lambda _: HttpResponse(200), **more)


MOUNTS = Mounts(
    [
        door("/", "root"),
        door("/ocsp", "ocsp"),
        door("/ocsp/deep", "deep"),
        door("/ocsp", "lists", pattern=re.compile(rb"/(?:.*/)?x\.crl")),
    ]
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"/", "root"),
        (b"/ocspx", "root"),
        (b"/ocsp", "ocsp"),
        (b"/ocsp/", "ocsp"),
        (b"/ocsp/deep", "deep"),
        (b"/ocsp/deep/y.crl", "deep"),
        (b"/ocsp/deep/x.crl", "lists"),
        (b"/ocsp/x.crl", "lists"),
        (b"/ocsp/x.crl/y", "ocsp"),
        (b"/x.crl", "root"),
        (b"/ocspx/x.crl", "root"),
    ],
)
def test_a_pattern_comes_first_and_then_the_longest_prefix(path, expected):
    assert MOUNTS.find(path).door == expected


def test_what_nobody_takes():
    assert Mounts([door("/a", "a")]).find(b"/b") is None


def test_two_doors_on_one_prefix():
    with pytest.raises(ValueError, match="two doors"):
        Mounts([door("/a", "a"), door("/a", "b")])
