"""Logs of others: by RFC 6962, to submit and to follow, and by c2sp.org/static-ct-api, to follow."""

import base64
import binascii
from collections.abc import Sequence
from functools import lru_cache

from greatseal.crypto import merkle
from greatseal.crypto.merkle import HASH_SIZE, leaf_hash
from greatseal.crypto.tiles import TILE_BITS, TILE_WIDTH, ReadTile, frontier_at, subtrees
from greatseal.domain.transparency.entries import read_tile
from greatseal.domain.transparency.heads import SignedHead, TreeHead, read_checkpoint
from greatseal.domain.transparency.paths import tile_number
from greatseal.domain.transparency.ports import LogFailed, SeenEntry
from greatseal.integrations.log_http import LogHttp, NotThere
from greatseal.x509.sct import Sct
from greatseal.x509.tls_encoding import EncodingError, TlsReader

_LARGEST_NUMBER = 1 << 63


class Rfc6962Log:
    """Implements `ports.SubmissionClient` and `ports.LogReader` (RFC 6962 section 4)."""

    def __init__(self, http: LogHttp) -> None:
        self._http = http

    def add_pre_chain(self, chain: Sequence[bytes]) -> Sct:
        """Section 4.2. Raises LogFailed."""
        answer = self._http.post_json("ct/v1/add-pre-chain", {"chain": [_text(each) for each in chain]})
        if answer.get("sct_version") != 0:
            raise LogFailed("its timestamp is of an unknown version")
        reader = TlsReader(_octets(answer, "signature"))
        try:
            found = Sct(
                log_id=_octets(answer, "id", HASH_SIZE),
                timestamp=_number(answer, "timestamp"),
                extensions=_octets(answer, "extensions"),
                algorithm=reader.octets(2),
                signature=reader.vector(2),
            )
            reader.end()
        except EncodingError as error:
            raise LogFailed(f"its signature is {error}") from None
        return found

    def head(self) -> SignedHead:
        """Section 4.3. Raises LogFailed."""
        answer = self._http.get_json("ct/v1/get-sth")
        root = _octets(answer, "sha256_root_hash", HASH_SIZE)
        head = TreeHead(_number(answer, "tree_size"), root, _number(answer, "timestamp"))
        try:
            return SignedHead.of(head, _octets(answer, "tree_head_signature"))
        except EncodingError as error:
            raise LogFailed(f"its signature is {error}") from None

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """Section 4.4. Raises LogFailed."""
        return _hashes(
            self._http.get_json("ct/v1/get-sth-consistency", {"first": first, "second": second}), "consistency"
        )

    def entries(self, start: int, end: int) -> Sequence[SeenEntry]:
        """Section 4.6. Raises LogFailed."""
        answer = self._http.get_json("ct/v1/get-entries", {"start": start, "end": end - 1}).get("entries")
        if not isinstance(answer, list) or not 1 <= len(answer) <= end - start:
            raise LogFailed("it answers with no entries, or with more than it was asked for")
        if not all(isinstance(each, dict) for each in answer):
            raise LogFailed("its entries are not objects")
        return [SeenEntry(start + number, _octets(each, "leaf_input")) for number, each in enumerate(answer)]

    def frontier(self, size: int) -> Sequence[bytes]:
        """From the last leaf and its path (sections 4.6 and 4.5). Raises LogFailed."""
        last = leaf_hash(self.entries(size - 1, size)[0].leaf_input)
        answer = self._http.get_json("ct/v1/get-proof-by-hash", {"hash": _text(last), "tree_size": size})
        if answer.get("leaf_index") != size - 1:
            raise LogFailed("it has its last entry twice")
        try:
            return merkle.frontier_of_last(size, last, _hashes(answer, "audit_path")).roots
        except ValueError as error:
            raise LogFailed(str(error)) from None


class StaticLog:
    """Implements `ports.LogReader` over tiles."""

    def __init__(self, http: LogHttp, *, origin: str, spki: bytes) -> None:
        self._http = http
        self._origin = origin
        self._spki = spki
        self._size = 0

    def head(self) -> SignedHead:
        """The checkpoint. Raises LogFailed, also when it is not signed by the log."""
        try:
            signed = read_checkpoint(self._http.get("checkpoint").decode(), self._origin, self._spki)
        except ValueError as error:
            raise LogFailed(str(error)) from None
        self._size = signed.head.size
        return signed

    def consistency(self, first: int, second: int) -> Sequence[bytes]:
        """Computed from tiles. Raises LogFailed."""
        try:
            return merkle.consistency_proof(first, second, subtrees(self._tiles(second)))
        except ValueError as error:
            raise LogFailed(str(error)) from None

    def entries(self, start: int, end: int) -> Sequence[SeenEntry]:
        """Those of one tile. Raises LogFailed."""
        number, offset = divmod(start, TILE_WIDTH)
        width = min(TILE_WIDTH, max(self._size, end) - number * TILE_WIDTH)
        data = self._get(f"tile/data/{tile_number(number)}", width)
        try:
            leaves = list(read_tile(data))[offset : end - number * TILE_WIDTH]
        except EncodingError as error:
            raise LogFailed(f"its tile is {error}") from None
        return [SeenEntry(start + place, each.leaf_input) for place, each in enumerate(leaves)]

    def frontier(self, size: int) -> Sequence[bytes]:
        """Computed from tiles. Raises LogFailed."""
        try:
            return frontier_at(size, subtrees(self._tiles(size))).roots
        except ValueError as error:
            raise LogFailed(str(error)) from None

    def _tiles(self, size: int) -> ReadTile:
        @lru_cache
        def tile(height: int, number: int) -> bytes:
            width = min(TILE_WIDTH, (size >> TILE_BITS * height) - TILE_WIDTH * number)
            found = self._get(f"tile/{height}/{tile_number(number)}", width)
            return found[: width * HASH_SIZE]

        return tile

    def _get(self, path: str, width: int) -> bytes:
        if width == TILE_WIDTH:
            return self._http.get(path)
        try:
            return self._http.get(f"{path}.p/{width}")
        except NotThere:
            # A log may drop partial tiles once the full one is there.
            return self._http.get(path)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _octets(answer: dict[str, object], name: str, size: int | None = None) -> bytes:
    value = answer.get(name)
    try:
        found = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        found = None
    if found is None or (size is not None and len(found) != size):
        raise LogFailed(f"its answer has no {name} that can be read")
    return found


def _number(answer: dict[str, object], name: str) -> int:
    value = answer.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _LARGEST_NUMBER:
        raise LogFailed(f"its answer has no {name} that can be read")
    return value


def _hashes(answer: dict[str, object], name: str) -> list[bytes]:
    values = answer.get(name)
    if not isinstance(values, list) or len(values) > 2 * 64:
        raise LogFailed(f"its answer has no {name} that can be read")
    return [_octets({name: each}, name, HASH_SIZE) for each in values]
