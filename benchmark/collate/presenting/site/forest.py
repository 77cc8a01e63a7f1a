"""Verdicts in tolerance bands, all judged numbers below one another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import DECIDED
from benchmark.collate.presenting.site.figures import slug, who
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.errors import sure
from benchmark.suite.model import Table

FARTHEST = 8.0
"""Tolerance bands that the forest plot shows; what lies farther off stands at its edge, with the number in its name."""

MOST_SAID = 20
"""Points that a figure's text names; the tables have all of them."""


def forest(name: str, tables: Iterable[tuple[Table, Sequence[Joined]]]) -> Plot | None:
    """Each number that may be judged: how far ours lies from the published one, in tolerance bands, better to the
    right.

    None where there is no such number.
    """
    rows = []
    for table, e in (
        (table, e) for table, joined in tables for j in joined if j.tier and j.tier.judged for e in j.entries.values()
    ):
        band = table.tolerance.get(e.metric)
        if (
            e.achieved
            and e.published
            and e.published.value
            and e.published.origin == "own"
            and band
            and e.verdict.name in (*DECIDED, "inconclusive")
        ):
            unit = band.band(e.published)[0] * (1 if e.direction == "higher" else -1)
            rows.append((e, (e.achieved.mean - e.published.value) / unit, (sure(e.achieved).half or 0.0) / abs(unit)))
    if not rows:
        return None
    labels = [f"{e.metric} · {who(e)} · {e.cell.id.rsplit('/', 1)[1]}" for e, _, _ in rows]
    marks = []
    for verdict in dict.fromkeys(e.verdict.name for e, _, _ in rows):
        some = [(i, *row) for i, row in enumerate(rows) if row[0].verdict.name == verdict]
        points = tuple((max(-FARTHEST, min(FARTHEST, off)), -float(i)) for i, _, off, _ in some)
        names = tuple(f"{labels[i]}: {off:+.2f} bands ± {half:.2f}; {verdict}" for i, _, off, half in some)
        marks.append(Marks("points", points, slug(verdict), verdict, tuple(half for *_, half in some), names))
    ticks = tuple((-float(i), label) for i, label in enumerate(labels))
    axis = Axis("worse ← tolerance bands from the published number → better", limits=(-FARTHEST, FARTHEST))
    left = 24 + int(6.4 * max(map(len, labels)))
    said = [n for m in marks for n in m.names]
    more = f"; and {len(said) - MOST_SAID} more" if len(said) > MOST_SAID else ""
    text = (
        f"{len(rows)} number(s) that may be judged; the shaded band counts as the same number; bars are 95 % "
        f"intervals over seeds, and one seed has none. {'; '.join(said[:MOST_SAID])}{more}"
    )
    return Plot(
        f"{name}-forest",
        "Judged numbers, in tolerance bands",
        text,
        axis,
        Axis(ticks=ticks, limits=(-len(rows) + 0.4, 0.6)),
        tuple(marks),
        left + 420,
        84 + 22 * len(rows),
        left,
        horizontal=True,
        band=(-1.0, 1.0),
    )
