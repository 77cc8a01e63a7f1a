"""A table as the paper prints it, published beside achieved: the one model that ``render.py`` and the site write
out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.notes import SYMBOLS, Footnote, Notes
from benchmark.suite.model import Published, Table

ARROWS = {"lower": "↓", "higher": "↑"}


@dataclass(frozen=True)
class Square:
    """One square of the printed table."""

    published: str
    achieved: str  # mean ± half the 95 % interval over seeds; the seeds in parentheses
    verdict: str
    symbol: str
    why: str
    cell: str  # id
    best: bool = False  # the paper prints the number as a best value
    value: float | None = None  # published
    mean: float | None = None  # achieved
    tier: str = ""
    published_marks: tuple[str, ...] = ()  # of the footnotes on the published number
    achieved_marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class View:
    """A table ready to be rendered: ``rows`` are (label, squares), a square for each of ``columns``."""

    id: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Square, ...]], ...]
    footnotes: tuple[Footnote, ...]


def view(table: Table, joined: Sequence[Joined]) -> View:
    """The table with its rows and columns as printed."""
    spots = list(dict.fromkeys(_spot(j) for j in joined))
    methods = _methods(joined)
    by_place: dict[tuple[Method, str], Joined] = {((j.cell.method, j.cell.backbone, ""), _spot(j)): j for j in joined}
    by_place |= {((j.cell.method, j.cell.backbone, o.source), _spot(j)): o for j in joined for o in j.outside[::-1]}
    several = len({backbone for _, backbone, _ in methods}) > 1
    metrics = table.metrics | {
        e.metric: e.direction
        for own in joined
        for j in (own, *own.outside)
        for e in j.entries.values()
        if e.metric not in table.metrics
    }
    places = (
        [(spot, m) for m in metrics for spot in spots]
        if table.by_metric
        else [(spot, m) for spot in spots for m in metrics]
    )
    columns = [
        (" ".join(filter(None, (spot if len(spots) > 1 else "", f"{m} {ARROWS[metrics[m]]}"))), spot, m)
        for spot, m in places
    ]
    labels = [(f"{m} ({b})" if several and b else m) + (f" · {o}" if o else "") for m, b, o in methods]
    sized = {j.cell.place for j in joined if j.cell.sized}
    references = list(dict.fromkeys(r.method for r in table.references))
    known = {
        (r.method, _column(r.place.dataset, r.place.data_percent, r.place.resolution, r.place in sized)): r.published
        for r in table.references
    }
    notes = Notes([*joined, *(o for j in joined for o in j.outside)])
    grid = [
        [
            _square(by_place[method, spot], metric, notes)
            if (method, spot) in by_place and metric in by_place[method, spot].entries
            else _NOTHING
            for _, spot, metric in columns
        ]
        for method in methods
    ]
    heads = [head for head, _, _ in columns]
    labels = references + labels
    grid = [
        [_reference(known.get((name, spot), {}).get(metric)) for _, spot, metric in columns] for name in references
    ] + grid
    if table.transposed:
        labels, heads, grid = heads, labels, [list(row) for row in zip(*grid)]
    rows = tuple((label, tuple(squares)) for label, squares in zip(labels, grid))
    return View(table.id, table.caption, "" if table.transposed else "method", tuple(heads), rows, notes.footnotes())


Method = tuple[str, str, str]
"""Method, backbone, and where a result from outside is from: "" for our own runs."""


def _methods(joined: Sequence[Joined]) -> list[Method]:
    """One row each: what is from outside stands below the method that it is of."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for j in joined:
        found.setdefault((j.cell.method, j.cell.backbone), {"": None}).update(
            dict.fromkeys(o.source for o in j.outside)
        )
    return [(*method, source) for method, sources in found.items() for source in sources]


def _spot(j: Joined) -> str:
    """Where a cell stands among the table's columns."""
    return _column(j.cell.dataset, j.cell.data_percent, j.cell.resolution, j.cell.sized)


def _column(dataset: str, percent: float, resolution: int, sized: bool) -> str:
    return dataset + (f" {percent:g}%" if percent != 100 else "") + (f" {resolution}px" if sized else "")


def _reference(p: Published | None) -> Square:
    return replace(_NOTHING, published=p.text) if p else _NOTHING


def _square(j: Joined, metric: str, notes: Notes) -> Square:
    e = j.entries[metric]
    p = e.published
    return Square(
        published=p.text if p else "–",
        achieved=achieved_text(e),
        verdict=e.verdict.name,
        symbol=SYMBOLS[e.verdict.name],
        why=e.verdict.why,
        cell=e.cell.id,
        best=bool(p and p.best),
        value=p.value if p else None,
        mean=e.achieved.mean if e.achieved else None,
        tier=j.tier.name if j.tier else "",
        published_marks=notes.on_published(j, p),
        achieved_marks=notes.on_achieved(j),
    )


_NOTHING = Square("", "", "", "", "", "")


def achieved_text(e: Entry) -> str:
    """``-0.661 ± 0.004 (3)``: as many decimals as published; one seed has no ±. A proxy's number is followed by
    ``[floor …]``, what real images get.
    """
    if e.verdict.name == "diverged":
        return e.verdict.why.removesuffix(" seed(s) diverged") + " diverged"
    if e.achieved is None and e.diverged:
        return f"{e.diverged} of {e.diverged} diverged"
    if e.achieved is None:
        return (
            e.verdict.name
            if e.verdict.name in ("blocked", "missing here", "failed", "contested", "not measured")
            else "–"
        )
    decimals = (
        len(re.split(r"[±(]", e.published.text)[0].strip().partition(".")[2])
        if e.published and e.published.value is not None
        else 3
    )
    half = f" ± {e.achieved.half:.{decimals}f}" if e.achieved.half is not None else ""
    floor = f" [floor {e.floor:.{decimals}f}]" if e.floor is not None else ""
    return f"{e.achieved.mean:.{decimals}f}{half} ({e.achieved.n}){floor}"
