"""Charts that the server draws: points and bars as SVG with classes and geometry, so that no page needs a style or a
script. operate/charts.html puts them into the page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HIGH: Final = 100.0  # of each drawing; the page stretches it
BAR: Final = 10.0  # the width of a column with its gap
NEAR: Final = 3  # a line is drawn when it is no further away than so many times the largest column
LINES: Final = ("l1", "l2")  # classes of lines, in their order


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle; `look`: its class."""

    look: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`width`: of its box. `ticks`: what stands at the left, from the top; `below`: what stands underneath."""

    width: float
    ticks: tuple[str, ...]
    grid: tuple[float, ...]
    below: tuple[str, ...]
    lines: tuple[tuple[str, str], ...] = ()  # class and path
    bars: tuple[Bar, ...] = ()
    limit: float | None = None


def draw_lines(series: Sequence[Sequence[float]], below: Sequence[str]) -> Chart:
    """Lines over the same moments, from 0 upwards."""
    top = round_up(max((max(points, default=0) for points in series), default=0))
    width = max(1, len(series[0]) - 1)
    lines = tuple((look, path(points, top)) for look, points in zip(LINES, series, strict=False))
    return Chart(width, _ticks(top, 2), (0.0, 50.0, HIGH), tuple(below), lines=lines)


def draw_stacks(
    columns: Sequence[Mapping[str, float]], ahead: Sequence[float], below: Sequence[str], share: float | None = None
) -> Chart:
    """Columns of stacked parts, by the class of each part; `ahead`: pale columns after them; `share`: a line across."""
    sums = [sum(column.values()) for column in columns]
    most = max([*sums, *ahead], default=0.0)
    drawn = share if share is not None and share <= NEAR * most else None  # a far one would press all else down
    top = round_up(max(most, drawn or 0.0))
    bars = [bar for at, column in enumerate(columns) for bar in _stack(at, column, top)]
    bars += [_bar("ahead", len(columns) + at, 0.0, value, top) for at, value in enumerate(ahead) if value]
    width = BAR * max(1, len(columns) + len(ahead))
    limit = None if drawn is None else round(HIGH - drawn / top * HIGH, 1)
    return Chart(width, _ticks(top, 4), (0.0, 25.0, 50.0, 75.0, HIGH), tuple(below), bars=tuple(bars), limit=limit)


def _stack(at: int, column: Mapping[str, float], top: float) -> list[Bar]:
    bars, reached = [], 0.0
    for look, value in column.items():
        if value:
            bars.append(_bar(look, at, reached, value, top))
            reached += value
    return bars


def _bar(look: str, at: int, start: float, value: float, top: float) -> Bar:
    height = value / top * HIGH
    y = HIGH - (start + value) / top * HIGH
    return Bar(look, round(at * BAR + 1.1, 1), round(y, 1), BAR - 2.2, round(max(0.4, height), 1))


def path(points: Sequence[float], top: float, high: float = HIGH, step: float = 1.0) -> str:
    """The points joined by lines."""
    return "M" + " L".join(
        f"{at * step:g} {high - value / (top or 1) * high:.1f}" for at, value in enumerate(points)
    )  # fmt: skip


def spark(points: Sequence[float]) -> tuple[str, str]:
    """A small line without an axis, in a box of 100 by 30; and the ground under it."""
    step = 100 / max(1, len(points) - 1)
    top = max(max(points, default=0), 1)
    line = "M" + " L".join(f"{at * step:.1f} {28 - value / top * 25:.1f}" for at, value in enumerate(points))
    return line, f"{line} L100 30 L0 30Z"


def round_up(value: float) -> float:
    """The next number that divides well into halves and quarters: 1, 2, 4, 8, 10, 20, 40, 80 …"""
    if value <= 1:
        return 1.0 if value > 0.5 else (0.4 if value > 0.2 else (0.2 if value > 0 else 1.0))
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * each for each in (1, 2, 4, 6, 8, 10, 20) if power * each >= value)


def _ticks(top: float, parts: int) -> tuple[str, ...]:
    return tuple(f"{top * part / parts:,.4g}" if top < 10_000 else f"{top * part / parts:,.0f}"
                 for part in range(parts, -1, -1))  # fmt: skip
