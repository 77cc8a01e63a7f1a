"""A plot as SVG: classes in place of colours, so that the page's style sheet draws it dark or light. No date, no random
ids.
"""

from __future__ import annotations

from html import escape

from benchmark.collate.presenting.site.plot import Axis, Marks, Plot, Scale
from benchmark.collate.presenting.site.symbols import drawn

SHAPES = {
    "reproduced": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",  # a disc
    "reproduced-where-it-trains": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
    "better": "M0-5L5 4H-5Z",  # a triangle
    "not-reproduced": "M-4-4L4 4M-4 4L4-4",  # a cross
    "not-reached-as-assumed": "M0-5V5M-5 0H5",  # a plus
    "inconclusive": "M0-5L5 0L0 5L-5 0Z",  # a diamond
    "incomparable": "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z",  # a ring
    "differs": "M0-5L5 4H-5Z",
    "untrained": "M-4-4H4V4H-4Z",
    "diverged": "M-4-4H4V4H-4Z",  # a square
    "published": "M0-8V8",  # an upright stroke
}
"""One shape a verdict: colour alone says nothing."""
HALF_BOX = 9.0
"""Pixels."""
RING = "M-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0Z"


def svg(p: Plot) -> str:
    """The figure's markup, to stand in a page."""
    x, y = p.scale
    body = [_band(p), _axes(p), *(_marks(p, m) for m in p.marks)]
    if p.diagonal:
        body.insert(2, f'<path class="guide" d="M{_n(x.start)} {_n(y.start)}L{_n(x.end)} {_n(y.end)}"/>')
    return (
        f'<svg class="plot" viewBox="0 0 {p.width} {p.height}" width="{p.width}" height="{p.height}" '
        f'role="img" aria-label="{escape(f"{p.title}. {p.text}")}">'
        f'<text class="title" x="{p.left}" y="16">{drawn(p.title)}</text>{"".join(body)}</svg>'
    )


def _axes(p: Plot) -> str:
    x, y = p.scale
    parts = [f'<path class="axis" d="M{_n(x.start)} {_n(y.end)}V{_n(y.start)}H{_n(x.end)}"/>']
    for value, name in _ticks(p.x, x):
        parts.append(
            f'<path class="grid" d="M{_n(x(value))} {_n(y.start)}V{_n(y.end)}"/><text class="tick" '
            f'text-anchor="middle" x="{_n(x(value))}" y="{_n(y.start + 16)}">{drawn(name)}</text>'
        )
    for value, name in _ticks(p.y, y):
        parts.append(
            f'<path class="grid" d="M{_n(x.start)} {_n(y(value))}H{_n(x.end)}"/><text class="tick" '
            f'text-anchor="end" x="{_n(x.start - 6)}" y="{_n(y(value) + 4)}">{drawn(name)}</text>'
        )
    parts += [
        f'<text class="tick {style}" x="{_n(x.end + 6)}" y="{_n(y(value) + 4)}">{drawn(name)}</text>'
        for (value, name), style in zip(p.right, p.right_styles or [""] * len(p.right))
    ]
    parts.append(
        f'<text class="tick" text-anchor="middle" x="{_n((x.start + x.end) / 2)}" '
        f'y="{p.height - 8}">{escape(p.x.label)}</text>'
    )
    return "".join(parts)


def _ticks(axis: Axis, scale: Scale) -> list[tuple[float, str]]:
    return list(axis.ticks) or scale.ticks()


def _band(p: Plot) -> str:
    if p.band is None:
        return ""
    x, y = p.scale
    low, high = (x(v) for v in p.band)
    return f'<path class="band" d="M{_n(low)} {_n(y.end)}H{_n(high)}V{_n(y.start)}H{_n(low)}Z"/>'


def _marks(p: Plot, m: Marks) -> str:
    x, y = p.scale
    title = f"<title>{escape(m.label)}</title>" if m.label else ""
    if m.kind == "across":
        return "".join(
            f'<path class="across" d="M{_n(x.start)} {_n(y(v))}H{_n(x.end)}">{title}</path>' for _, v in m.points
        )
    if m.kind == "box":
        (a, least), (_, low), (_, middle), (_, high), (_, most) = m.points
        left, right = _n(x(a) - HALF_BOX), _n(x(a) + HALF_BOX)
        d = (
            f"M{_n(x(a))} {_n(y(least))}V{_n(y(low))}M{_n(x(a))} {_n(y(high))}V{_n(y(most))}"
            f"M{left} {_n(y(low))}H{right}V{_n(y(high))}H{left}ZM{left} {_n(y(middle))}H{right}"
        )
        return f'<path class="line {m.style}" d="{d}">{title}</path>'
    if m.kind == "line":
        d = "L".join(f"{_n(x(a))} {_n(y(b))}" for a, b in m.points)
        dot = (
            "".join(
                f'<path class="dot {m.style}" transform="translate({_n(x(a))} {_n(y(b))})" d="{RING}"/>'
                for a, b in m.points
            )
            if len(m.points) < 12
            else ""
        )
        return f'<g><path class="line {m.style}" d="M{d}"/>{dot}{title}</g>'
    out = []
    for i, (a, b) in enumerate(m.points):
        bar = ""
        if m.halves and m.halves[i]:
            h = m.halves[i]
            ends = (x(a - h), y(b), x(a + h), y(b)) if p.horizontal else (x(a), y(b - h), x(a), y(b + h))
            bar = f'<path class="bar {m.style}" d="M{_n(ends[0])} {_n(ends[1])}L{_n(ends[2])} {_n(ends[3])}"/>'
        name = f"<title>{escape(m.names[i])}</title>" if m.names else title
        out.append(
            f'<g>{bar}<path class="point {m.style}" transform="translate({_n(x(a))} {_n(y(b))})" '
            f'd="{SHAPES.get(m.style, RING)}"/>{name}</g>'
        )
    return "".join(out)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
