"""Achieved beside published, method by method, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.figures import both, named, same_scale, slug
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.collate.presenting.site.scatters import scatters
from benchmark.errors import sure

MOST_ROWS = 24
"""Methods with a row of their own; of more, the scatter shows a point each."""


def achieved_figures(name: str, joined: Sequence[Joined]) -> list[Plot]:
    """One plot a metric of the numbers that stand on the published scale: rows where they are few, else a scatter."""
    found: dict[str, list[Entry]] = {}
    for e in (e for j in joined if same_scale(j) for e in j.entries.values()):
        if e.achieved and e.published and e.published.value is not None and e.verdict.name:
            found.setdefault(e.metric, []).append(e)
    if any(len(entries) > MOST_ROWS for entries in found.values()):
        return scatters(name, joined)
    return [_dots(name, metric, entries) for metric, entries in found.items()]


def _dots(name: str, metric: str, entries: Sequence[Entry]) -> Plot:
    columns = {_column(e) for e in entries}
    names = named([e.cell for e in entries])
    rows = [names[e.cell.id] + (f" · {_column(e)}" if len(columns) > 1 else "") for e in entries]
    values = [v for e in entries for v in both(e)]
    log = min(values) > 0 and max(values) / min(values) > 30
    marks = [
        Marks(
            "points",
            tuple((both(e)[0], -float(i)) for i, e in enumerate(entries)),
            "published",
            "published",
            names=tuple(f"{row}: published {sure(e.published).text}" for row, e in zip(rows, entries)),
        )
    ]
    for verdict in dict.fromkeys(e.verdict.name for e in entries):
        some = [(i, e) for i, e in enumerate(entries) if e.verdict.name == verdict]
        marks.append(
            Marks(
                "points",
                tuple((both(e)[1], -float(i)) for i, e in some),
                slug(verdict),
                verdict,
                tuple(sure(e.achieved).half or 0.0 for _, e in some),
                tuple(f"{e.cell.id}: {both(e)[1]:.4g}, published {sure(e.published).text}; {verdict}" for _, e in some),
            )
        )
    left = 20 + int(6.4 * max(map(len, rows)))
    return Plot(
        f"{name}-{metric}-achieved",
        f"{metric}: achieved against published",
        f"{len(entries)} number(s): the upright stroke is published, the mark achieved; bars are 95 % intervals over "
        f"seeds. {'; '.join(n for m in marks[1:] for n in m.names)}",
        Axis(log=log),
        Axis(ticks=tuple((-float(i), row) for i, row in enumerate(rows)), limits=(-len(entries) + 0.4, 0.6)),
        tuple(marks),
        left + max(300, int(7.2 * (len(metric) + 28))),
        56 + 26 * len(entries),
        left,
        horizontal=True,
    )


def _column(e: Entry) -> str:
    return e.cell.id.rsplit("/", 1)[1]
