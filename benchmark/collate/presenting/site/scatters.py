"""Achieved numbers against published ones."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.figures import both, same_scale, slug
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.errors import sure


def scatters(name: str, joined: Sequence[Joined]) -> list[Plot]:
    """One plot a metric: achieved against published, the diagonal, a shape and a colour a verdict. Numbers on another
    scale have no place in it.
    """
    found: dict[str, list[Entry]] = {}
    for e in (e for j in joined if same_scale(j) for e in j.entries.values()):
        if e.achieved and e.published and e.published.value is not None and e.verdict.name:
            found.setdefault(e.metric, []).append(e)
    plots = []
    for metric, entries in found.items():
        values = [v for e in entries for v in both(e)]
        log = min(values) > 0 and max(values) / min(values) > 30
        marks = []
        for verdict in dict.fromkeys(e.verdict.name for e in entries):
            some = [e for e in entries if e.verdict.name == verdict]
            names = tuple(
                f"{e.cell.id}: {sure(e.achieved).mean:.4g}, published {sure(e.published).text}; {verdict}" for e in some
            )
            marks.append(
                Marks(
                    "points",
                    tuple(both(e) for e in some),
                    slug(verdict),
                    verdict,
                    tuple(sure(e.achieved).half or 0.0 for e in some),
                    names,
                )
            )
        text = f"{len(entries)} number(s): achieved up, published across; on the diagonal they are equal."
        plots.append(
            Plot(
                f"{name}-{metric}-scatter",
                f"{metric}: achieved against published",
                text,
                Axis("published", log),
                Axis(log=log),
                tuple(marks),
                340,
                300,
                diagonal=True,
            )
        )
    return plots
