"""Results as lines for a terminal."""

from collections.abc import Iterator

from compared.results import Figure, Results, Row

_WIDTH = 58


def lines(results: Results) -> Iterator[str]:
    """One table of everything that has a peer, then handshakes, growth and shares."""
    yield f"{results.mode} run on {results.machine['processor']}, {results.machine['cores']} cores"
    yield f"{results.service['storage']}; {results.service['durability']}; fsync {results.machine['fsync_us']} µs"
    yield ""
    yield f"{'what':<{_WIDTH}} {'greatseal':>14}   {'peer':<24} {'':>12} {'better by':>10}   processor µs"
    for row in results.rows:
        yield from _row(row)
    if results.handshakes:
        yield ""
        yield f"{'GenerateDataKey, one thread':<34} {'total':>8} {'average':>8}  " + _cells(
            list(results.handshakes[0].percentiles)
        )
        for each in results.handshakes:
            case = f"{each.group}, {'reuse' if each.reuse else 'no reuse'}"
            yield f"{case:<34} {each.total:>8} {each.average:>8}  " + _cells(list(each.percentiles.values()))
    for grown in results.growth:
        points = "   ".join(f"{size:,}: {value:g} {grown.unit}" for size, value in grown.points)
        yield f"{grown.name:<{_WIDTH}} {points}"
    for whole in results.shares:
        yield f"{whole.name}: {whole.whole_micros:.0f} µs of processor time"
        for stage in whole.stages:
            yield f"  {stage.stage:<18} {stage.micros:8.1f} µs {stage.share:7.1%}"
    for name, told in results.scripts.items():
        yield f"-- bench/{name}.py, {told['seconds']} s" + (f": FAILED, {told['failed']}" if "failed" in told else "")
        yield from (f"   {line}" for line in told["lines"])
    for what, why in results.missing.items():
        yield f"not measured: {what}: {why}"


def _row(row: Row) -> Iterator[str]:
    ours = f"{number(row.ours.value)} {row.unit}"
    if not row.peers:
        yield f"{row.name:<{_WIDTH}} {ours:>14}"
    for at, peer in enumerate(row.peers):
        name, shown = (row.name, ours) if at == 0 else ("", "")
        theirs = f"{peer.who:<24} {number(peer.value) + ' ' + row.unit:>12}"
        yield f"{name:<{_WIDTH}} {shown:>14}   {theirs} {times(row, peer):>10}{_work(row.ours, peer)}"


def _work(ours: Figure, peer: Figure) -> str:
    """Processor time of one request, ours and the peer's, where it was measured."""
    told = [each.details["processor µs"] for each in (ours, peer) if "processor µs" in each.details]
    return f"   {number(told[0])} : {number(told[1])}" if len(told) == 2 else ""


def number(value: float) -> str:
    """Three digits that count, with blanks between thousands."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(row: Row, peer: Figure) -> str:
    """How many times better ours is: below 1 the peer is better."""
    ratio = row.ratio(peer)
    return f"{number(ratio)} x" if ratio >= 0.1 else f"{ratio:.2g} x"


def _cells(values: list[str] | list[float]) -> str:
    return " ".join(f"{value:>7}" for value in values)
