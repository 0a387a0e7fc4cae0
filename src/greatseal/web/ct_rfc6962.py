"""The messages of RFC 6962 section 4: JSON over the verbs of our logs. Refusals become answers in `ct.py`."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

import msgspec

from greatseal.domain.transparency import Logs
from greatseal.domain.transparency.heads import head_members
from greatseal.domain.transparency.model import NoSuchEntry
from greatseal.domain.transparency.reading import Entry
from greatseal.edge.messages import HttpRequest, HttpResponse, json_response
from greatseal.kernel.errors import InvalidArgument
from greatseal.x509.sct import Sct
from greatseal.x509.tls_encoding import vector

_ANYBODY = ((b"access-control-allow-origin", b"*"), (b"x-content-type-options", b"nosniff"))
_MAX_DIGITS = 18


class _Submission(msgspec.Struct):
    """The body of add-chain and add-pre-chain; whatever else it holds is passed over."""

    chain: list[str]


def answer(logs: Logs, log: str, operation: str, request: HttpRequest) -> HttpResponse:
    """The answer of one operation. Raises the refusals of the room, NoSuchEntry for an unknown operation among them."""
    if operation in _SUBMISSIONS:
        if request.method != "POST":
            return _not_allowed(b"POST")
        found = _add(logs, log, request.body, precertificate=_SUBMISSIONS[operation])
        return json_response(200, _sct(found), _ANYBODY)
    ask = _QUERIES.get(operation)
    if ask is None:
        raise NoSuchEntry(f"RFC 6962 has no operation {operation}.")
    if request.method not in ("GET", "HEAD"):
        return _not_allowed(b"GET, HEAD")
    query = dict(parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True, max_num_fields=16))
    made = json_response(200, ask(logs, log, query), _ANYBODY)
    return HttpResponse(200, made.headers, made.body, operation="QueryLog")


def _add(logs: Logs, log: str, body: bytes, *, precertificate: bool) -> Sct:
    own = logs.find(log)
    try:
        sent = msgspec.json.decode(body, type=_Submission).chain
        chain = [base64.b64decode(each, validate=True) for each in sent]
    except (msgspec.MsgspecError, UnicodeDecodeError, binascii.Error, ValueError, RecursionError):
        raise InvalidArgument("The body must be a JSON object with a `chain` of certificates in base64.") from None
    return own.add(logs.candidate(chain, precertificate=precertificate))


def _sct(found: Sct) -> dict[str, object]:
    return {
        "sct_version": 0,
        "id": _text(found.log_id),
        "timestamp": found.timestamp,
        "extensions": _text(found.extensions),
        "signature": _text(found.algorithm + vector(found.signature, 2)),
    }


_Query = Mapping[str, str]


def _get_sth(logs: Logs, log: str, query: _Query) -> object:
    return head_members(logs.reading(log).signed_head())


def _get_consistency(logs: Logs, log: str, query: _Query) -> object:
    proof = logs.reading(log).consistency(_number(query, "first"), _number(query, "second"))
    return {"consistency": _texts(proof)}


def _get_proof(logs: Logs, log: str, query: _Query) -> object:
    try:
        leaf = base64.b64decode(query.get("hash", "").replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        leaf = b""
    if len(leaf) != 32:
        raise InvalidArgument("hash must be the SHA-256 of a leaf in base64.")
    index, path = logs.reading(log).inclusion(leaf, _number(query, "tree_size"))
    return {"leaf_index": index, "audit_path": _texts(path)}


def _get_entries(logs: Logs, log: str, query: _Query) -> object:
    found = logs.reading(log).entries(_number(query, "start"), _number(query, "end"))
    return {"entries": [_entry(each) for each in found]}


def _get_roots(logs: Logs, log: str, query: _Query) -> object:
    logs.find(log)
    return {"certificates": [_text(root.der) for root in logs.accepted().values()]}


def _get_entry_and_proof(logs: Logs, log: str, query: _Query) -> object:
    reading = logs.reading(log)
    found, path = reading.entry_and_proof(_number(query, "leaf_index"), _number(query, "tree_size"))
    return {**_entry(found), "audit_path": _texts(path)}


_SUBMISSIONS = {"add-chain": False, "add-pre-chain": True}
_QUERIES: Mapping[str, Callable[[Logs, str, _Query], object]] = {
    "get-sth": _get_sth,
    "get-sth-consistency": _get_consistency,
    "get-proof-by-hash": _get_proof,
    "get-entries": _get_entries,
    "get-roots": _get_roots,
    "get-entry-and-proof": _get_entry_and_proof,
}


def _entry(found: Entry) -> dict[str, str]:
    return {"leaf_input": _text(found.leaf.leaf_input), "extra_data": _text(found.extra_data)}


def _number(query: _Query, name: str) -> int:
    value = query.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
        raise InvalidArgument(f"{name} must be a decimal number.")
    return int(value)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [_text(each) for each in hashes]


def _not_allowed(methods: bytes) -> HttpResponse:
    refusal = {"error_message": "This operation has another method.", "success": False}
    return json_response(405, refusal, ((b"allow", methods), *_ANYBODY))
