"""Domain control that a test writes down: a table of records and pages instead of the internet."""

from collections.abc import Sequence

from greatseal.domain.validation import caa
from greatseal.domain.validation.caa import CaaRecord, LookupFailed
from greatseal.domain.validation.ports import ControlFailure, Finding

_MOST_LINKS = 8


class FakeControl:
    """Implements `domain.validation.ports.ControlCheck` over tables that the test fills.

    control.cnames["_a.example.com"] = "_b.acm-validations.aws"
    control.pages["http://example.com/.well-known/x.txt"] = "content"
    control.caa_records["example.com"] = [(0, "issue", ";")]
    control.silent.add("example.com")            # servers of this name do not answer
    control.dissent["example.com"] = "from Osaka nothing is there"
    """

    def __init__(self, *, issuers: Sequence[str] = caa.ISSUERS) -> None:
        self.cnames: dict[str, str] = {}
        self.pages: dict[str, str] = {}
        self.caa_records: dict[str, list[tuple[int, str, str]]] = {}
        self.silent: set[str] = set()
        self.dissent: dict[str, str] = {}
        self.asked: list[tuple[str, ...]] = []
        """Every call: the verb and what it was about, in order."""
        self._issuers = tuple(issuers)

    def cname(self, name: str, value: str) -> Finding:
        """As in the port, over `cnames`."""
        self.asked.append(("cname", _folded(name), _folded(value)))
        at = _folded(name)
        table = {_folded(key): _folded(each) for key, each in self.cnames.items()}
        for _ in range(_MOST_LINKS):
            if self._under(at, self.silent):
                return Finding(False, ControlFailure.NO_ANSWER, f"the servers of {at} do not answer")
            if at not in table:
                break
            at = table[at]
            if at in (_folded(value), _folded(value).removeprefix("_")):
                return self._corroborated(name)
        if at == _folded(name):
            return Finding(False, ControlFailure.NOT_FOUND, f"there is no CNAME record at {at}")
        return Finding(False, ControlFailure.WRONG_VALUE, f"the CNAME record of {_folded(name)} leads to {at}")

    def http(self, url: str, content: str) -> Finding:
        """As in the port, over `pages`."""
        self.asked.append(("http", url, content))
        host = url.partition("://")[2].partition("/")[0]
        if self._under(host, self.silent):
            return Finding(False, ControlFailure.NO_ANSWER, f"{host} does not answer")
        if url not in self.pages:
            return Finding(False, ControlFailure.NOT_FOUND, f"{url} answered 404")
        if self.pages[url].strip() != content.strip():
            return Finding(False, ControlFailure.WRONG_VALUE, f"{url} has other content")
        return self._corroborated(host)

    def caa(self, domain: str, *, wildcard: bool, method: str, account_uri: str) -> Finding:
        """As in the port, by the real rules over `caa_records`."""
        self.asked.append(("caa", _folded(domain), str(wildcard), method, account_uri))
        return caa.check(
            domain, self._records, issuers=self._issuers, wildcard=wildcard, method=method, account_uri=account_uri
        )

    def _records(self, name: str) -> list[CaaRecord]:
        if self._under(name, self.silent):
            raise LookupFailed(ControlFailure.NO_ANSWER, f"the servers of {name} do not answer")
        return [CaaRecord(flags, tag, value.encode()) for flags, tag, value in self.caa_records.get(name, ())]

    def _corroborated(self, name: str) -> Finding:
        if found := self._under(_folded(name), self.dissent):
            told = self.dissent[found]
            return Finding(False, ControlFailure.DISAGREEMENT, told, (("elsewhere", False, told),))
        return Finding(True)

    @staticmethod
    def _under(name: str, table: set[str] | dict[str, str]) -> str | None:
        """The entry of a table that is this name or above it."""
        return next((each for each in table if name == each or name.endswith(f".{each}")), None)


def _folded(name: str) -> str:
    return name.rstrip(".").lower()
