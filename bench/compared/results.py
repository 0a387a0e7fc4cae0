"""Results of a run as plain values: the only thing that the parts hand over and that tables and plots read."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

FORMAT = 1

Better = Literal["more", "less"]


@dataclass(frozen=True)
class Figure:
    """What one participant reached; `details` are further numbers of the same measurement, by name with unit."""

    who: str
    value: float
    details: dict[str, float] = field(default_factory=dict)
    says: str = ""
    """What the participant does less, or otherwise, than its neighbours."""


@dataclass(frozen=True)
class Row:
    """One measurement of ours, with the peers of the same run."""

    part: str
    name: str
    unit: str
    better: Better
    ours: Figure
    peers: tuple[Figure, ...] = ()
    durable: str = ""
    """What is on the disk before the answer leaves."""

    def ratio(self, peer: Figure) -> float:
        """How many times better ours is: above 1 it is faster, or smaller."""
        better, worse = (self.ours, peer) if self.better == "more" else (peer, self.ours)
        return better.value / worse.value if worse.value else 0.0


@dataclass(frozen=True)
class Growth:
    """One measurement at several numbers of certificates, smallest first."""

    name: str
    unit: str
    better: Better
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Handshakes:
    """Requests a second of one thread over one-second samples, as percentiles."""

    group: str
    reuse: bool
    total: int
    average: float
    percentiles: dict[str, float]


@dataclass(frozen=True)
class Share:
    """What one stage costs of a whole operation, in microseconds of processor time."""

    stage: str
    micros: float
    share: float


@dataclass(frozen=True)
class Shares:
    """Where the processor time of one operation goes."""

    name: str
    whole_micros: float
    stages: tuple[Share, ...]


@dataclass
class Results:
    """Everything of a run. Parts append to it; a part that could not run says why in `missing`."""

    mode: str
    machine: dict[str, Any]
    versions: dict[str, str]
    service: dict[str, Any]
    began: str = ""
    seconds: float = 0.0
    rows: list[Row] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    handshakes: list[Handshakes] = field(default_factory=list)
    handshake_facts: dict[str, Any] = field(default_factory=dict)
    shares: list[Shares] = field(default_factory=list)
    scripts: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """As JSON, which `read` understands; ratios are written too, for readers that are no program of ours."""
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {"format": FORMAT, **asdict(self)}
        for shown, row in zip(told["rows"], self.rows, strict=True):
            shown["ratios"] = {peer.who: round(row.ratio(peer), 3) for peer in row.peers}
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """The results of a file. Raises ValueError when another version wrote it."""
    told = json.loads(path.read_text(encoding="utf-8"))
    if told.pop("format", None) != FORMAT:
        raise ValueError(f"{path} is not of format {FORMAT}")
    rows = []
    for row in told["rows"]:
        row.pop("ratios", None)
        peers = tuple(Figure(**each) for each in row.pop("peers"))
        rows.append(Row(**{**row, "ours": Figure(**row["ours"]), "peers": peers}))
    told["rows"] = rows
    told["growth"] = [Growth(**{**each, "points": tuple((n, v) for n, v in each["points"])}) for each in told["growth"]]
    told["handshakes"] = [Handshakes(**each) for each in told["handshakes"]]
    told["shares"] = [
        Shares(**{**each, "stages": tuple(Share(**stage) for stage in each["stages"])}) for each in told["shares"]
    ]
    return Results(**told)
