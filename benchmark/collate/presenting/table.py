"""A table as the paper prints it, published beside achieved: the one model that ``render.py`` and the site write
out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.fields import Fields, fields_of
from benchmark.collate.presenting.notes import Footnote, Notes
from benchmark.collate.presenting.square import NONE, NOTHING, Square, reference, square
from benchmark.suite.model import Table

ARROWS = {"lower": "↓", "higher": "↑"}
UNTRIED = ("", "blocked", "missing here", "not run", "not measured")
NO_FIELDS = Fields((), ())
FIGURE = re.compile(r"Fig\.?\s?(\d+)")


Rows = tuple[tuple[str, tuple[Square, ...]], ...]


@dataclass(frozen=True)
class View:
    """A table ready to be rendered: ``rows`` are (label, squares), a square for each of ``columns``."""

    id: str
    caption: str
    corner: str
    columns: tuple[str, ...]
    rows: Rows
    footnotes: tuple[Footnote, ...]
    of: str = ""  # the paper, where the report has another table of this number
    floors: tuple[str, ...] = ()  # what real images get, for each column; () where there is none
    beside: View | None = None  # what is measured besides the printed metrics
    fields: Fields = NO_FIELDS  # what differs from the paper and what is assumed

    @property
    def name(self) -> str:
        """``Table 2``, ``Figure 1``, or ``Table 2 of gran``."""
        figure = FIGURE.fullmatch(self.id)
        return (f"Figure {figure[1]}" if figure else f"Table {self.id}") + (f" of {self.of}" if self.of else "")

    @property
    def printed(self) -> tuple[bool, ...]:
        """For each column whether the paper prints anything in it."""
        return tuple(any(s.published not in ("", NONE) for s in column) for column in zip(*self._squares))

    @property
    def tried(self) -> tuple[bool, ...]:
        """For each column whether any run of it has ended, well or not."""
        return tuple(any(s.verdict not in UNTRIED or s.number for s in column) for column in zip(*self._squares))

    @property
    def shared(self) -> tuple[str, ...]:
        """For each column the verdict on it where all that is judged in it has the same one, else ""."""
        columns = [[s.verdict for s in column if s.verdict] for column in zip(*self._squares)]
        return tuple(v[0] if len(v) > 1 and len({*v}) == 1 else "" for v in columns)

    @property
    def on(self) -> tuple[str, ...]:
        """For each column the data that its runs were trained on, where all of them are on other data than its own."""
        columns = [{s.on for s in column if s.number} for column in zip(*self._squares)]
        return tuple(next(iter(on)) if len(on) == 1 else "" for on in columns)

    def letters(self, marks: Sequence[str], about: str) -> list[str]:
        """Those of a square's letters that are about one thing."""
        known = {n.mark for n in self.footnotes if n.about == about}
        return [mark for mark in marks if mark in known]

    @property
    def empty(self) -> bool:
        """Whether nothing is printed in it, and nothing has been tried."""
        return not any(self.printed) and not any(self.tried)

    @property
    def _squares(self) -> list[tuple[Square, ...]]:
        return [squares for _, squares in self.rows]


def view(table: Table, joined: Sequence[Joined], of: str = "") -> View:
    """The table with its rows and columns as printed, and what is measured besides as a second one.

    Args:
        of: the paper's name, where there is another table of this number.
    """
    notes = Notes([*joined, *(o for j in joined for o in j.outside)])
    besides = {
        e.metric: e.direction
        for own in joined
        for j in (own, *own.outside)
        for e in j.entries.values()
        if e.metric not in table.metrics
    }
    several = len({j.cell.backbone for j in joined}) > 1
    spots = [((_label(j.cell.method, j.cell.backbone, "", several), _spot(j)), j) for j in joined]
    beside = _view(table, joined, besides, notes, of) if besides else None
    return replace(_view(table, joined, table.metrics, notes, of), beside=beside, fields=fields_of(spots))


def _view(table: Table, joined: Sequence[Joined], metrics: Mapping[str, str], notes: Notes, of: str) -> View:
    spots = list(dict.fromkeys(_spot(j) for j in joined))
    methods = _methods(joined)
    by_place: dict[tuple[Method, str], Joined] = {((j.cell.method, j.cell.backbone, ""), _spot(j)): j for j in joined}
    by_place |= {((j.cell.method, j.cell.backbone, o.source), _spot(j)): o for j in joined for o in j.outside[::-1]}
    several = len({backbone for _, backbone, _ in methods}) > 1
    places = (
        [(spot, m) for m in metrics for spot in spots]
        if table.by_metric
        else [(spot, m) for spot in spots for m in metrics]
    )
    columns = [
        (" ".join(filter(None, (spot if len(spots) > 1 else "", f"{m} {ARROWS[metrics[m]]}"))), spot, m)
        for spot, m in places
    ]
    labels = [_label(*method, several) for method in methods]
    sized = {j.cell.place for j in joined if j.cell.sized}
    references = list(dict.fromkeys(r.method for r in table.references))
    known = {
        (r.method, _column(r.place.dataset, r.place.data_percent, r.place.resolution, r.place in sized)): r.published
        for r in table.references
    }
    grid = [
        [
            square(by_place[method, spot], metric, notes)
            if (method, spot) in by_place and metric in by_place[method, spot].entries
            else NOTHING
            for _, spot, metric in columns
        ]
        for method in methods
    ]
    heads = [head for head, _, _ in columns]
    floors = () if table.transposed else _floors(grid)
    if floors:
        grid = [[replace(s, floor=None, achieved=s.achieved.partition(" [floor ")[0]) for s in row] for row in grid]
    labels = references + labels
    grid = [
        [reference(known.get((name, spot), {}).get(metric)) for _, spot, metric in columns] for name in references
    ] + grid
    if table.transposed:
        labels, heads, grid = heads, labels, [list(row) for row in zip(*grid)]
    rows = tuple((label, tuple(squares)) for label, squares in zip(labels, grid))
    corner = "" if table.transposed else "method"
    return View(table.id, table.caption, corner, tuple(heads), rows, notes.footnotes(), of, floors)


def _floors(grid: Sequence[Sequence[Square]]) -> tuple[str, ...]:
    """What real images get, column by column; () where there is none, or what is achieved in a column has several."""
    found = [{"" if s.floor is None else f"{s.floor:.4g}" for s in column if s.number} for column in zip(*grid)]
    if any(len(floors) > 1 for floors in found):
        return ()
    row = tuple(next(iter(floors), "") for floors in found)
    return row if any(row) else ()


def _label(method: str, backbone: str, source: str, several: bool) -> str:
    """A row's name, with its backbone where the table has several."""
    return (f"{method} ({backbone})" if several and backbone else method) + (f" · {source}" if source else "")


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
