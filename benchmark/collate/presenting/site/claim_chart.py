"""A claim's comparisons as a small chart: right of the line speaks for the claim, left of it against."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.findings import method, where
from benchmark.collate.judging.fragile import unsettled
from benchmark.collate.presenting.site.symbols import drawn, shortened
from benchmark.errors import sure
from benchmark.suite.claim import LIMITS, Check, Number, Rank

MOST_ROWS = 8
WIDTH, ROW, TOP, BOTTOM = 340, 38, 2, 20
LEFT, RIGHT = 8, WIDTH - 8
LONGEST = 50  # characters of a row's name
LEAST, MOST = 0.05, 1.0  # share that the axis reaches at least, and at most
JUDGED = ("holds", "fails", "inconclusive")
ROUNDING, TIE = 1e-9, -1e-12
"""Nearer to equal than the first is equal; where equality fails, it stands a hair to the left."""

Value = Callable[[Number], float | None]
"""A number as the paper prints it, or as ours is: None where there is none, infinity where a model did not converge."""


@dataclass(frozen=True)
class Row:
    """One comparison. The shares by which it speaks for the claim (below 0: against it), None where it is not made."""

    name: str
    published: float | None
    achieved: float | None
    noisy: bool  # the published one lies within plausible seed noise
    open: bool  # ours are of a claim that seeds have not decided

    @property
    def against(self) -> bool:
        """Whether the paper's numbers or ours speak against the claim here."""
        return any(v is not None and v < 0 for v in (self.published, self.achieved))


def rows(c: JudgedClaim, entries: Mapping[Number, Entry]) -> list[Row]:
    """The claim's comparisons; ours only where they are judged."""
    ours = c.achieved.name in JUDGED
    known = dict(entries)
    found = []
    for leaf in c.claim.leaves():
        paper = share(leaf, lambda n: _printed(known[n]), True)
        achieved = share(leaf, lambda n: _ours(known[n]), False) if ours else None
        noisy = paper is not None and bool(unsettled(leaf, known))
        found.append(Row(_name(leaf), paper, achieved, noisy, c.achieved.name == "inconclusive"))
    return found


def chart(c: JudgedClaim, entries: Mapping[Number, Entry]) -> str:
    """The chart's markup; "" where no comparison has numbers."""
    shown, _ = _parted(c, entries)
    if not shown:
        return ""
    finite = [abs(v) for r in shown for v in (r.published, r.achieved) if v is not None and math.isfinite(v)]
    reach = min(MOST, max([LEAST, *finite]))
    height = TOP + ROW * len(shown) + BOTTOM
    body = [_drawn(row, TOP + ROW * i, reach) for i, row in enumerate(shown)]
    body += [
        f'<text x="{x}" y="{height - 4}" text-anchor="{anchor}">{text}</text>'
        for x, anchor, text in (
            (LEFT, "start", f"← against, {100 * reach:.0f} %"),
            (RIGHT, "end", f"for, {100 * reach:.0f} % →"),
        )
    ]
    said = "; ".join(_said(r) for r in shown)
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(f"Comparisons of {c.claim.id}: {said}")}">{"".join(body)}</svg>'
    )


def left_out(c: JudgedClaim, entries: Mapping[Number, Entry]) -> list[Row]:
    """The comparisons with numbers that the chart does not show."""
    return _parted(c, entries)[1]


def _parted(c: JudgedClaim, entries: Mapping[Number, Entry]) -> tuple[list[Row], list[Row]]:
    """The comparisons with numbers that are shown, and the others: for and against in their proportion, at least one of
    each that there is, and of each the first.
    """
    drawn = [r for r in rows(c, entries) if r.published is not None or r.achieved is not None]
    if len(drawn) <= MOST_ROWS:
        return drawn, []
    against = [i for i, r in enumerate(drawn) if r.against]
    favour = [i for i, r in enumerate(drawn) if not r.against]
    least, most = min(1, len(against)), MOST_ROWS - min(1, len(favour))
    n = min(most, max(least, round(MOST_ROWS * len(against) / len(drawn))))
    kept = {*against[:n], *favour[: MOST_ROWS - n]}
    return [r for i, r in enumerate(drawn) if i in kept], [r for i, r in enumerate(drawn) if i not in kept]


def share(leaf: Check | Rank, value: Value, printed: bool) -> float | None:
    """By which share of the number compared with a comparison holds; negative where it fails.

    Args:
        printed: the values are the paper's.
    """
    a = value(leaf.a)
    if a is None:
        return None
    if isinstance(leaf, Rank):
        lower = leaf.a.direction == "lower"
        rivals = sorted((v for n in leaf.rivals if (v := value(n)) is not None), reverse=not lower)
        return _gap(a, rivals[leaf.top - 1], lower) if len(rivals) >= leaf.top else None
    if leaf.test == "not-converged":  # a printed number is against it, wherever it lies
        far = leaf.limit is not None and not printed
        return math.inf if math.isinf(a) else _gap(a, leaf.limit or 0.0, leaf.a.direction != "lower") if far else None
    if leaf.limit is not None:
        return None if math.isinf(a) else _gap(a, leaf.limit, leaf.test == "at-most")
    b = value(sure(leaf.b))
    if b is None:
        return None
    a, b, margin = a * float(leaf.times[0]), b * float(leaf.times[1]), float(leaf.margin)
    if leaf.test == "close":
        if not b or math.isinf(a) or math.isinf(b):
            return None
        room = margin - abs(a - b) / abs(b)
        return room if abs(room) > ROUNDING else 0.0
    lower = leaf.test == "less" or leaf.a.direction == "lower"
    gap = _gap(a, b, lower)
    if gap is None:
        return None
    return gap - margin if abs(gap - margin) > ROUNDING else 0.0 if margin else TIE


def _gap(a: float, b: float, lower: bool) -> float | None:
    """How much better a is than b, as a share of b."""
    if math.isinf(a) or math.isinf(b):
        return None if a == b else math.inf if abs(b) == math.inf else -math.inf
    return (b - a if lower else a - b) / abs(b) if b else None


def _printed(e: Entry) -> float | None:
    if e.published is None or e.published.text == "not-reported":
        return None
    worse = math.inf if e.direction == "lower" else -math.inf
    return worse if e.published.value is None else e.published.value


def _ours(e: Entry) -> float | None:
    return e.achieved.mean if e.achieved else None


def _name(leaf: Check | Rank) -> str:
    if isinstance(leaf, Rank):
        against = f"in the first {leaf.top} of {len(leaf.rivals) + 1}" if leaf.top > 1 else "before all others"
    elif leaf.test in LIMITS:
        against = f"{leaf.test.replace('-', ' ')} {leaf.limit:.9g}"
    elif leaf.b is None:
        against = "diverges" if leaf.a.of else "not converged"
    else:
        other = method(leaf.b) if method(leaf.b) != method(leaf.a) else f"at {where(leaf.b)}"
        against = ("close to " if leaf.test == "close" else "vs ") + other
    return f"{leaf.a.name} {where(leaf.a)}: {method(leaf.a)} {against}"


def _drawn(row: Row, y: int, reach: float) -> str:
    """A row: its name, a line, and a mark for the paper's numbers and for ours."""
    track, middle = y + 25, (LEFT + RIGHT) // 2
    marks = [
        f'<text x="{LEFT}" y="{y + 12}">{drawn(shortened(row.name, LONGEST))}</text>'
        f'<path class="against" d="M{LEFT} {track - 6}H{middle}v12H{LEFT}Z"/>'
        f'<path class="for" d="M{middle} {track - 6}H{RIGHT}v12H{middle}Z"/>'
        f'<path class="axis" d="M{middle} {track - 8}v16"/>'
    ]
    for value, shape, whose, unsure in (
        (row.published, "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z", "paper", row.noisy),
        (row.achieved, "M0-6L6 0L0 6L-6 0Z", "ours", row.open),
    ):
        if value is not None:
            x = middle + max(-1.0, min(1.0, value / reach)) * (RIGHT - LEFT) / 2
            side = "holds" if value >= 0 else "fails"
            hollow = " hollow" if unsure else ""
            marks.append(f'<path class="{whose} {side}{hollow}" transform="translate({x:.1f} {track})" d="{shape}"/>')
    return f"<g><title>{escape(_said(row))}</title>{''.join(marks)}</g>"


def _said(row: Row) -> str:
    parts = [
        f"{whose} {_percent(value)} {'for' if value >= 0 else 'against'}{f' ({why})' if unsure else ''}"
        for whose, value, unsure, why in (
            ("the paper’s", row.published, row.noisy, "within seed noise"),
            ("ours", row.achieved, row.open, "open"),
        )
        if value is not None
    ]
    return f"{row.name}: {', '.join(parts)}"


def _percent(value: float) -> str:
    return "did not converge:" if math.isinf(value) else f"{100 * abs(value):.3g} %"
