"""CAA against a second, naive reading of RFC 8659, and with values that nobody meant."""

from hypothesis import given
from hypothesis import strategies as st

from greatseal.domain.validation import caa
from greatseal.domain.validation.caa import CaaRecord, LookupFailed, parse_issuer
from greatseal.domain.validation.ports import ControlFailure

OURS = ("ca.example", "other-ca.example")
_LABEL = st.sampled_from(["a", "b", "www", "xn--bcher-kva"])
_ISSUER = st.sampled_from(["ca.example", "CA.example", "foreign.example", "", "other-ca.example"])
_FLAG = st.sampled_from([0, 128])
_RECORD = st.one_of(
    st.tuples(st.just(0), st.sampled_from(["issue", "ISSUE", "issuewild"]), _ISSUER),
    st.tuples(_FLAG, st.sampled_from(["issue", "issuewild", "iodef", "future"]), _ISSUER),
)


def _check(domain, records, *, wildcard=False, method="dns", account_uri=""):
    return caa.check(
        domain,
        lambda name: [CaaRecord(flags, tag, value.encode()) for flags, tag, value in records.get(name, ())],
        issuers=OURS,
        wildcard=wildcard,
        method=method,
        account_uri=account_uri,
    )


@given(
    labels=st.lists(_LABEL, min_size=1, max_size=4),
    sets=st.lists(st.lists(_RECORD, max_size=4), min_size=1, max_size=5),
    wildcard=st.booleans(),
)
def test_the_closest_set_decides(labels, sets, wildcard):
    domain = ".".join([*labels, "example"])
    parts = domain.split(".")
    names = [".".join(parts[at:]) for at in range(len(parts))]
    records = dict(zip(names, sets, strict=False))
    closest = next((records[name] for name in names if records.get(name)), [])
    naive = not any(flags == 128 and tag == "future" for flags, tag, _ in closest)
    issue = [value.lower() for _, tag, value in closest if tag.lower() == "issue"]
    wild = [value.lower() for _, tag, value in closest if tag.lower() == "issuewild"]
    relevant = (wild or issue) if wildcard else issue
    naive = naive and (not relevant or any(value in OURS for value in relevant))
    assert _check(domain + ".", records, wildcard=wildcard).ok == naive


@given(st.binary(max_size=60))
def test_any_value_is_read_or_refused(value):
    issuer = parse_issuer(value)
    assert issuer is None or issuer.name is None or issuer.name.isascii()
    records = {"a.example": [CaaRecord(0, "issue", value)]}
    found = caa.check(
        "a.example", lambda name: records.get(name, []), issuers=OURS, wildcard=False, method="dns", account_uri=""
    )
    assert found.ok == (issuer is not None and issuer.name in OURS and not issuer.parameters) or issuer.parameters


@given(
    name=st.sampled_from(["ca.example", "x"]),
    parameters=st.lists(st.tuples(st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,8}", fullmatch=True),
                                  st.from_regex(r"[!-:<-~]{0,12}", fullmatch=True)), max_size=4),
    space=st.sampled_from(["", " ", "\t "]),
)  # fmt: skip
def test_what_the_grammar_makes_is_read(name, parameters, space):
    text = f"{space}{name}{space}" + "".join(f";{space}{tag}{space}={space}{value}{space}" for tag, value in parameters)
    issuer = parse_issuer(text.encode())
    assert issuer is not None
    assert issuer.name == name
    assert list(issuer.parameters) == parameters


def test_values_outside_the_grammar():
    for value in (
        *(b"ca.example x", b"ca_example", b"-ca.example", b"ca..example", b"ca.example; x", b"ca.example; =1"),
        *(b"ca.example; a=b; ", b"ca.example;;", b"ca.example; a=b c", "cä.example".encode(), b"\x00", b"*"),
    ):
        assert parse_issuer(value) is None, value
    for value in (b"", b";", b" ; ", b"\t"):
        issuer = parse_issuer(value)
        assert issuer is not None
        assert issuer.name is None
    assert not _check("a.example", {"a.example": [(0, "issue", ";")]}).ok


def _with(value, **more):
    return _check("a.example", {"example": [(0, "issue", value)]}, **more).ok


def test_parameters_of_rfc_8657():
    mine = {"account_uri": "acct:111122223333@here.example"}
    assert _with("ca.example; accounturi=acct:111122223333@here.example", **mine)
    assert not _with("ca.example; accounturi=acct:999999999999@here.example", **mine)
    assert not _with("ca.example; accounturi=", **mine)
    assert not _with("ca.example; accounturi=acct:1", account_uri="")
    twice = "; accounturi=acct:111122223333@here.example" * 2
    assert not _with(f"ca.example{twice}", **mine)
    assert _with("ca.example; validationmethods=ca-tbr-7")
    assert _with("ca.example; validationmethods=http-01,ca-tbr-7")
    assert not _with("ca.example; validationmethods=ca-tbr-18")
    assert _with("ca.example; validationmethods=ca-tbr-18", method="http")
    assert _with("ca.example; validationmethods=ca-tbr-4", method="email")
    assert not _with("ca.example; validationmethods=")
    assert not _with("ca.example; validationmethods=ca-tbr-7,,x")
    assert not _with("ca.example; validationmethods=ca-tbr-7; validationmethods=ca-tbr-7")
    assert not _with("ca.example; validationmethods=CA-TBR-7")
    assert _with("ca.example; future=1; ValidationMethods=ca-tbr-7")
    both = {"a.example": [(0, "issue", "ca.example; validationmethods=ca-tbr-18"), (0, "issue", "other-ca.example")]}
    assert _check("a.example", both).ok


def test_a_failed_lookup_forbids():
    def fail(name):
        if name == "example":
            raise LookupFailed(ControlFailure.NO_ANSWER, "SERVFAIL")
        return []

    found = caa.check("a.example", fail, issuers=OURS, wildcard=False, method="dns", account_uri="")
    assert found.failure == ControlFailure.NO_ANSWER
    assert "SERVFAIL" in found.detail


def test_contacts_are_shown():
    records = {"a.example": [(0, "issue", ";"), (0, "iodef", "mailto:abuse@a.example"), (0, "iodef", "x\x1b[2J")]}
    found = _check("a.example", records)
    assert found.failure == ControlFailure.CAA
    assert "mailto:abuse@a.example" in found.detail
    assert "\x1b" not in found.detail


def test_too_many_records_forbid():
    assert not _check("a.example", {"a.example": [(0, "issue", "ca.example")] * 201}).ok
