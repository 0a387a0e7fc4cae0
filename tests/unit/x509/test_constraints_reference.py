"""Our matcher beside a slow and obvious one, for names and bases that hypothesis invents."""

import ipaddress
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from greatseal.kernel.errors import NameConstraintViolation
from greatseal.x509.constraints import check_names
from greatseal.x509.extensions import NameConstraints
from greatseal.x509.general_names import GeneralName, dns
from made_certificates import named

LABELS = ["a", "b", "com"]
# Every host of up to four labels over this alphabet: the world in which the reference lives.
WORLD = [".".join(labels) for size in range(1, 5) for labels in product(LABELS, repeat=size)]

hosts = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3).map(".".join)
wildcards = st.lists(st.sampled_from(LABELS), min_size=1, max_size=2).map(lambda labels: "*." + ".".join(labels))
bases = st.builds(str.__add__, st.sampled_from(["", "."]), hosts) | st.just("")
base_lists = st.lists(bases, max_size=3)


def members(base: str) -> set[str]:
    """Every host of the world inside a base, straight from the words of the RFC."""
    if base.startswith("."):
        return {host for host in WORLD if host.endswith(base)}
    return {host for host in WORLD if base == "" or host == base or host.endswith("." + base)}


def covered(name: str) -> set[str]:
    """The hosts for which a certificate with this name is good."""
    if not name.startswith("*."):
        return {name}
    return {f"{label}{name[1:]}" for label in LABELS}


def verdict(levels: list[tuple[list[str], list[str]]], name: str) -> bool:
    try:
        check_names(
            [NameConstraints(tuple(map(dns, permitted)), tuple(map(dns, excluded))) for permitted, excluded in levels],
            subject=named(),
            san=[dns(name)],
        )
    except NameConstraintViolation:
        return False
    return True


@given(st.lists(st.tuples(base_lists, base_lists), max_size=3), hosts | wildcards)
def test_dns_agrees_with_sets_of_hosts(levels, name):
    """All that the name covers is permitted at every level, and nothing of it is excluded at any."""
    expected = True
    for permitted, excluded in levels:
        if permitted:
            # One base must hold the whole name: that is how RFC 5280 has it, and how clients do it.
            expected &= any(covered(name) <= members(base) for base in permitted if base.count(".") < 4)
        expected &= not any(covered(name) & members(base) for base in excluded)
    assert verdict(levels, name) == expected


@given(st.lists(st.tuples(base_lists, base_lists), max_size=3), st.tuples(base_lists, base_lists), hosts | wildcards)
def test_one_more_level_never_allows_more(levels, another, name):
    assert not verdict([*levels, another], name) or verdict(levels, name)


@given(st.lists(st.tuples(base_lists, base_lists), max_size=3), hosts | wildcards)
def test_letters_and_a_final_dot_make_no_difference(levels, name):
    assert verdict(levels, name) == verdict(levels, name.upper()) == verdict(levels, name + ".")


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_addresses_agree_with_the_standard_library(address, prefix, base):
    network = ipaddress.ip_network((base, prefix), strict=False)
    octets = network.network_address.packed + network.netmask.packed
    constraint = NameConstraints((GeneralName("ip", octets),), ())
    try:
        check_names([constraint], subject=named(), san=[GeneralName("ip", address.to_bytes(4, "big"))])
        inside = True
    except NameConstraintViolation:
        inside = False
    assert inside == (ipaddress.ip_address(address) in network)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**32 - 1))
def test_a_mask_with_holes_permits_nothing_and_excludes_everything(octets, address):
    mask = f"{int.from_bytes(octets[4:], 'big'):032b}"
    name, base = GeneralName("ip", address.to_bytes(4, "big")), GeneralName("ip", octets)
    if "01" not in mask:
        return
    for constraint in (NameConstraints((base,), ()), NameConstraints((), (base,))):
        try:
            check_names([constraint], subject=named(), san=[name])
            raise AssertionError("not refused")
        except NameConstraintViolation:
            pass


texts = st.text(st.characters(max_codepoint=126, min_codepoint=1), max_size=30)


@given(st.sampled_from(["dns", "email", "uri"]), texts, texts)
def test_any_text_gets_an_answer_and_is_never_both_permitted_and_excluded(kind, base, name):
    """What cannot be compared is refused by both; what is certainly inside is refused by the exclusion."""
    answers = []
    for constraint in (
        NameConstraints((GeneralName(kind, base),), ()),
        NameConstraints((), (GeneralName(kind, base),)),
    ):
        try:
            check_names([constraint], subject=named(), san=[GeneralName(kind, name)])
            answers.append(True)
        except NameConstraintViolation:
            answers.append(False)
    assert answers != [True, True]
