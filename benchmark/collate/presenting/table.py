"""A table as the paper prints it, published beside achieved: the one model that ``render.py`` and the site write
out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmark.collate.judging.join import Entry, Joined
from benchmark.errors import sure
from benchmark.suite.model import Cell, Published, Table

ARROWS = {"lower": "↓", "higher": "↑"}
SYMBOLS = {
    "reproduced": "✓",
    "better": "▲",
    "not reproduced": "✗",
    "inconclusive": "?",
    "incomparable": "≁",
    "diverged": "∞",
    "failed": "!",
    "blocked": "⊘",
    "not run": "·",
    "": "",
}


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
class Footnote:
    """A note under a table; ``mark`` is the letter by which squares refer to it, "" where it is on the whole table."""

    mark: str
    text: str


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
    methods = list(dict.fromkeys((j.cell.method, j.cell.backbone) for j in joined))
    by_place = {((j.cell.method, j.cell.backbone), _spot(j)): j for j in joined}
    several = len({backbone for _, backbone in methods}) > 1
    metrics = table.metrics | {
        e.metric: e.direction for j in joined for e in j.entries.values() if e.metric not in table.metrics
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
    labels = [f"{m} ({b})" if several and b else m for m, b in methods]
    sized = {j.cell.place for j in joined if j.cell.sized}
    references = list(dict.fromkeys(r.method for r in table.references))
    known = {
        (r.method, _column(r.place.dataset, r.place.data_percent, r.place.resolution, r.place in sized)): r.published
        for r in table.references
    }
    notes = _Notes(joined)
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


def _spot(j: Joined) -> str:
    """Where a cell stands among the table's columns."""
    return _column(j.cell.dataset, j.cell.data_percent, j.cell.resolution, j.cell.sized)


def _column(dataset: str, percent: float, resolution: int, sized: bool) -> str:
    return dataset + (f" {percent:g}%" if percent != 100 else "") + (f" {resolution}px" if sized else "")


def _reference(p: Published | None) -> Square:
    return replace(_NOTHING, published=p.text) if p else _NOTHING


def _square(j: Joined, metric: str, notes: _Notes) -> Square:
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
    if e.achieved is None:
        return e.verdict.name if e.verdict.name in ("blocked", "failed") else "–"
    decimals = (
        len(re.split(r"[±(]", e.published.text)[0].strip().partition(".")[2])
        if e.published and e.published.value is not None
        else 3
    )
    half = f" ± {e.achieved.half:.{decimals}f}" if e.achieved.half is not None else ""
    floor = f" [floor {e.floor:.{decimals}f}]" if e.floor is not None else ""
    return f"{e.achieved.mean:.{decimals}f}{half} ({e.achieved.n}){floor}"


class _Notes:
    """The footnotes of one table. What differs from cell to cell gets a letter: the tier of what was achieved
    with its reasons, remarks on the paper's numbers, and which of them are quoted.
    """

    def __init__(self, joined: Sequence[Joined]) -> None:
        self._joined = joined
        remarks: dict[str, int] = {}
        for j in joined:
            for remark in dict.fromkeys(j.cell.remarks):
                remarks[remark] = remarks.get(remark, 0) + 1
        self._everywhere = [remark for remark, n in remarks.items() if n == len(joined)]
        marked = [_tier_line(j) for j in joined if j.tier]
        marked += [_caveat(line) for j in joined for line in j.caveats]
        marked += [LOOKED] if any(map(_looked, joined)) else []
        marked += [f"note: {remark}" for remark in remarks if remark not in self._everywhere]
        marked += [QUOTED] if any(p.origin == "quoted" for j in joined for p in j.cell.published.values()) else []
        self._marks = {text: _letters(i) for i, text in enumerate(dict.fromkeys(marked))}

    def on_published(self, j: Joined, p: Published | None) -> tuple[str, ...]:
        """The letters on a published number."""
        texts = [f"note: {remark}" for remark in dict.fromkeys(j.cell.remarks)] + (
            [QUOTED] if p and p.origin == "quoted" else []
        )
        return tuple(self._marks[t] for t in texts if t in self._marks)

    def on_achieved(self, j: Joined) -> tuple[str, ...]:
        """The letters on an achieved number."""
        return (
            tuple(
                self._marks[text]
                for text in (_tier_line(j), *map(_caveat, j.caveats), *([LOOKED] if _looked(j) else []))
            )
            if j.tier
            else ()
        )

    def footnotes(self) -> tuple[Footnote, ...]:
        """All notes: what the columns mean, the letters, and what is assumed for the whole table."""
        cells = [j.cell for j in self._joined]
        over = sorted({p.std_of for c in cells for p in c.published.values() if p.std_of})
        notes = [
            "achieved: mean ± half of the 95 % t interval over seeds (number of seeds)"
            + (f"; published ± is over {', '.join(over)}" if over else "")
        ]
        if drawn := dict.fromkeys(
            f"{r.floor['drawn']} against {r.floor['against']:,}" for j in self._joined for r in j.records if r.floor
        ):
            notes.append(
                f"floor: what real images get in the generated ones' place ({'; '.join(drawn)}); a proxy's "
                "number says something only beside it"
            )
        used = list(dict.fromkeys(e.verdict.name for j in self._joined for e in j.entries.values() if e.verdict.name))
        notes += [", ".join(f"{SYMBOLS[name]} {name}" for name in used)] if used else []
        if any(p.best for c in cells for p in c.published.values()):
            notes.append("bold: printed so by the paper, as a best value")
        notes += [f"note on all cells: {remark}" for remark in self._everywhere]
        return (
            *(Footnote("", n) for n in notes),
            *(Footnote(mark, text) for text, mark in self._marks.items()),
            *(Footnote("", text) for text in _assumed(cells)),
        )


QUOTED = "quoted by the paper from another, under another protocol: shown, and no target"


LOOKED = "seeds may have been added by a look at those before: ± is of the wider interval that holds over all looks"


def _looked(j: Joined) -> bool:
    return any(e.achieved.looked and e.achieved.half is not None for e in j.entries.values() if e.achieved)


def _tier_line(j: Joined) -> str:
    tier = sure(j.tier)
    return f"tier {tier.name}" + (f": {'; '.join(tier.differences)}" if tier.differences else "")


def _caveat(line: str) -> str:
    return f"to be believed: {line}"


def _letters(i: int) -> str:
    """Footnote number i: a to z, then aa, ab and so on."""
    return (_letters(i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)


def _assumed(cells: Sequence[Cell]) -> list[str]:
    """What the paper does not state, field by field, with why it has its value; one line a reason."""
    targets = [c for c in cells if not c.published or any(p.origin == "own" for p in c.published.values())]
    by_reason: dict[str, dict[str, None]] = {}
    for field, why in dict.fromkeys(pair for c in targets for pair in c.notes.items()):
        by_reason.setdefault(why, {})[field] = None
    return [
        f"assumed, since the paper does not state it: {', '.join(fields)} ({why})" for why, fields in by_reason.items()
    ]
