"""A figure as data: axes and marks. ``svg.py`` draws it for the pages, in their colours; ``png.py`` for a slide.

A small model of our own and not matplotlib's figures, since a page a cell means hundreds of figures: matplotlib
takes 0.1 to 0.5 s for one, and its colours cannot follow the reader's dark or light.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass(frozen=True)
class Marks:
    """What is drawn in one style: a ``line`` through points, separate ``points``, ``across``: a dashed line at each y,
    or a ``box``, whose five points above one another are the ends of its whiskers, its quartiles and its median.
    """

    kind: str
    points: tuple[Point, ...]
    style: str  # "s0" … "s5", "plain", or a verdict: shape and colour of a point
    label: str = ""
    halves: tuple[float, ...] = ()  # half an interval at each point
    names: tuple[str, ...] = ()  # of each point


@dataclass(frozen=True)
class Axis:
    """``ticks`` replaces numbers by names: (position, name)."""

    label: str = ""
    log: bool = False
    ticks: tuple[tuple[float, str], ...] = ()
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Plot:
    """One panel. ``horizontal``: intervals lie along x, not y. ``band``: a range of x that is shaded."""

    name: str  # of its file
    title: str
    text: str  # what it shows, for those who do not see it
    x: Axis
    y: Axis
    marks: tuple[Marks, ...]
    width: int = 420
    height: int = 280
    left: int = 56  # room for the y axis' names
    right: tuple[tuple[float, str], ...] = ()  # names at the right edge
    right_room: int = 14
    horizontal: bool = False
    diagonal: bool = False
    band: tuple[float, float] | None = None
    right_styles: tuple[str, ...] = ()  # of the names at the right edge; none: as other names
    scale: tuple[Scale, Scale] = field(init=False)

    def __post_init__(self) -> None:
        points = [p for m in self.marks for p in _reach(m, self.horizontal)]
        xs, ys = [p[0] for p in points if not math.isnan(p[0])], [p[1] for p in points]
        if self.diagonal:
            xs = ys = xs + ys
        across = Scale.of(self.x, xs, self.left, self.width - self.right_room)
        bottom = self.height - (44 if self.x.label else 26)
        object.__setattr__(self, "scale", (across, Scale.of(self.y, ys, bottom, 30)))


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    @classmethod
    def of(cls, axis: Axis, values: Iterable[float], start: float, end: float) -> Scale:
        """A scale that takes in all values, with a little room, or the axis' own limits."""
        values = [v for v in values if math.isfinite(v) and (v > 0 or not axis.log)] or [0.1, 1.0]
        low, high = axis.limits or (min(values), max(values))
        if axis.log:
            low, high = math.log10(low), math.log10(high)
        room = 0.0 if axis.limits else 0.05 * (high - low) or 0.05 * abs(high) or 0.5
        return cls(low - room, high + room, start, end, axis.log)

    def __call__(self, value: float) -> float:
        """Pixels, kept within the axis."""
        if self.log:
            value = math.log10(max(value, 1e-300))
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[tuple[float, str]]:
        """Round numbers within the scale: 1, 2 or 5 times a power of ten; on a log scale whole powers, or 1, 2, 5 of
        them.
        """
        if self.log:
            powers = range(math.floor(self.low), math.ceil(self.high) + 1)
            factors = (1,) if self.high - self.low > 2 else (1, 2, 5)
            places = [(p, f) for p in powers for f in factors if self.low <= p + math.log10(f) <= self.high]
            return [(f * 10.0**p, f"{f * 10.0**p:g}") for p, f in places[:: -(-len(places) // 8) or 1]]
        rough = (self.high - self.low) / count
        if rough < 1e-12 * max(abs(self.low), abs(self.high)):
            return [(self.low, f"{self.low:.6g}")]  # too narrow for round numbers
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(f * power for f in (1, 2, 5, 10) if f * power >= rough * 0.999)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [(i * step, f"{i * step:.10g}") for i in range(first, min(last, first + 2 * count) + 1)]


def _reach(m: Marks, horizontal: bool) -> list[Point]:
    """The points with the ends of their intervals."""
    if m.kind == "across":
        return [(math.nan, y) for _, y in m.points]
    if not m.halves:
        return list(m.points)
    along = [
        ((x - h, y), (x + h, y)) if horizontal else ((x, y - h), (x, y + h)) for (x, y), h in zip(m.points, m.halves)
    ]
    return [p for pair in along for p in pair]
