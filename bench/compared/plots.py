"""SVG of growth and of ratios, drawn from results alone.

Lines and letters take colors that can be read on white and on black; the ground is left as the reader has it.
"""

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from compared.results import Growth, Row
from compared.table import times

# Middle tones: each has a contrast of three to one or more against white and against GitHub's dark ground.
COLORS = ("#2f81c7", "#c9580c", "#3d9140", "#b14fc4", "#a8831a", "#d1437f", "#16929c", "#8a7a6d")
_INK, _RULE = "#7d8590", "#7d859055"
_FONT = "font-family='system-ui, sans-serif' font-size='12'"
_WIDTH = 760


def growth(title: str, lines: Sequence[Growth]) -> str:
    """Values over numbers of certificates, both on logarithmic axes: a flat line does not grow."""
    left, right, top, height = 64, 250, 46, 300
    wide = _WIDTH - left - right
    sizes = sorted({size for line in lines for size, _ in line.points if size})
    values = [value for line in lines for size, value in line.points if size and value > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(size: float) -> float:
        return left + wide * ((math.log10(size) - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return top + height * (1 - (math.log10(value) - low) / (high - low))

    parts = [_text(left, 20, title, weight="600"), _text(left, 38, f"{lines[0].unit}, logarithmic")]
    for power in range(low, high + 1):
        parts.append(_rule(left, y(10.0**power), left + wide, y(10.0**power)))
        parts.append(_text(left - 8, y(10.0**power) + 4, f"{10.0**power:g}", anchor="end"))
    parts += [_text(x(size), top + height + 20, f"{size:,}".replace(",", " "), anchor="middle") for size in sizes]
    parts.append(_text(left + wide / 2, top + height + 40, "certificates", anchor="middle"))
    ends = _spread([(y(line.points[-1][1]), at) for at, line in enumerate(lines)])
    for at, line in enumerate(lines):
        color = COLORS[at % len(COLORS)]
        points = [(x(size), y(value)) for size, value in line.points if size and value > 0]
        path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='2'/>")
        parts += [f"<circle cx='{px:.1f}' cy='{py:.1f}' r='3.5' fill='{color}'/>" for px, py in points]
        parts.append(_text(left + wide + 12, ends[at] + 4, line.name, color=color))
    return _svg(top + height + 52, parts, title)


def ratios(title: str, rows: Sequence[Row]) -> str:
    """A bar for each peer of each row, on a logarithmic axis around 1: to the right, ours is better."""
    left, top, step = 130, 56, 21
    wide = _WIDTH - left - 80
    powers = [math.log10(row.ratio(peer)) for row in rows for peer in row.peers if row.ratio(peer) > 0]
    low, high = min(-1, math.floor(min(powers))), max(1, math.ceil(max(powers)))
    bottom = top + step * sum(1 + len(row.peers) for row in rows)

    def x(power: float) -> float:
        return left + wide * (power - low) / (high - low)

    parts = [_text(12, 20, title, weight="600"), _text(12, 38, "times better than the peer, logarithmic")]
    for power in range(low, high + 1):
        parts.append(_rule(x(power), top, x(power), bottom, color=_INK if power == 0 else _RULE))
        parts.append(_text(x(power), bottom + 16, f"{10.0**power:g} x", anchor="middle"))
    middle = top + step / 2
    for row in rows:
        parts.append(_text(12, middle + 5, row.name, weight="600"))
        middle += step
        for peer in row.peers:
            ratio = row.ratio(peer)
            end = x(math.log10(max(ratio, 10.0**low)))
            start, length = min(x(0), end), max(abs(end - x(0)), 1)
            color = COLORS[0] if ratio >= 1 else COLORS[1]
            place = f"x='{start:.1f}' y='{middle - 7:.1f}' width='{length:.1f}' height='14' rx='2'"
            parts += [f"<rect {place} fill='{color}'/>", _text(12, middle + 4, peer.who)]
            parts.append(_text(max(end, x(0)) + 6, middle + 4, times(row, peer)))
            middle += step
    return _svg(bottom + 30, parts, title)


def shares(title: str, stages: Sequence[tuple[str, float]]) -> str:
    """One bar that is divided, with what each part is called and its share."""
    top, left, wide = 34, 12.0, _WIDTH - 24
    parts, at = [_text(12, 20, title, weight="600")], left
    for place, (name, share) in enumerate(stages):
        color = COLORS[place % len(COLORS)]
        parts.append(f"<rect x='{at:.1f}' y='{top}' width='{max(wide * share, 0.5):.1f}' height='26' fill='{color}'/>")
        row, column = divmod(place, 3)
        parts.append(
            f"<rect x='{left + column * 245:.1f}' y='{top + 40 + row * 22}' width='12' height='12' fill='{color}'/>"
        )
        parts.append(_text(left + column * 245 + 18, top + 51 + row * 22, f"{name} {share:.1%}"))
        at += wide * share
    return _svg(top + 52 + 22 * math.ceil(len(stages) / 3), parts, title)


def _spread(ends: list[tuple[float, int]], least: float = 15.0) -> dict[int, float]:
    """Heights of labels beside the ends of lines, moved apart so that none covers another."""
    placed: dict[int, float] = {}
    last = -math.inf
    for height, at in sorted(ends):
        last = max(height, last + least)
        placed[at] = last
    return placed


def _text(x: float, y: float, text: str, *, anchor: str = "start", color: str = _INK, weight: str = "400") -> str:
    style = f"text-anchor='{anchor}' fill='{color}' font-weight='{weight}'"
    return f"<text x='{x:.1f}' y='{y:.1f}' {style}>{escape(text)}</text>"


def _rule(x1: float, y1: float, x2: float, y2: float, color: str = _RULE) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{color}'/>"


def _svg(height: float, parts: Sequence[str], title: str) -> str:
    def whole() -> Iterator[str]:
        size = f"viewBox='0 0 {_WIDTH} {height:.0f}' width='{_WIDTH}' height='{height:.0f}'"
        yield f"<svg xmlns='http://www.w3.org/2000/svg' {size} role='img' {_FONT}>"
        yield f"<title>{escape(title)}</title>"
        yield from parts
        yield "</svg>"

    return "\n".join(whole()) + "\n"
