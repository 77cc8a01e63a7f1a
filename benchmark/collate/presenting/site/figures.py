"""The site's figures: curves over training, achieved against published, rankings side by side, verdicts in tolerance
bands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmark.collate.judging.join import Entry, Joined
from benchmark.collate.judging.verdict import LOST
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.errors import sure
from benchmark.metrics.extractors import proxy
from benchmark.suite.model import Table

MOST_LINES = 40
MOST_POINTS = 300
FARTHEST = 8.0
"""Tolerance bands that the forest plot shows; what lies farther off stands at its edge, with the number in its name."""
MOST_SAID = 20
"""Points that a figure's text names; the tables have all of them."""


def slug(verdict: str) -> str:
    """A verdict as a class: ``not-reproduced``."""
    return verdict.replace(" ", "-")


def _same_scale(j: Joined) -> bool:
    """Whether a cell's numbers may stand on one axis with published ones: the same data, and no extractor that stands
    in for another.
    """
    features = {r.protocol.features for r in j.records if r.protocol.features is not None}
    return j.tier is not None and j.tier.name != "incomparable" and not any(map(proxy, features))


def _both(e: Entry) -> tuple[float, float]:
    """Published and achieved."""
    return sure(sure(e.published).value), sure(e.achieved).mean


def scatters(name: str, joined: Sequence[Joined]) -> list[Plot]:
    """One plot a metric: achieved against published, the diagonal, a shape and a colour a verdict. Numbers on another
    scale have no place in it.
    """
    found: dict[str, list[Entry]] = {}
    for e in (e for j in joined if _same_scale(j) for e in j.entries.values()):
        if e.achieved and e.published and e.published.value is not None and e.verdict.name:
            found.setdefault(e.metric, []).append(e)
    plots = []
    for metric, entries in found.items():
        values = [v for e in entries for v in _both(e)]
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
                    tuple(_both(e) for e in some),
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


def slopes(table: Table, joined: Sequence[Joined]) -> list[Plot]:
    """One plot a metric and column where at least two methods have both numbers: their ranks as published and as
    achieved.
    """
    columns: dict[tuple[str, str], list[Entry]] = {}
    tiers: dict[tuple[str, str], dict[str, None]] = {}
    for j in joined:
        for e in j.entries.values():
            if (
                j.tier
                and e.achieved
                and e.verdict.name not in LOST
                and j.gap is None
                and e.published
                and e.published.value is not None
                and e.published.origin == "own"
            ):
                tiers.setdefault((e.metric, j.cell.id.rsplit("/", 1)[1]), {})[j.tier.name] = None
                columns.setdefault((e.metric, j.cell.id.rsplit("/", 1)[1]), []).append(e)
    plots = []
    for (metric, place), entries in columns.items():
        if len(entries) < 2:
            continue
        sign = 1 if entries[0].direction == "lower" else -1
        before, after = (_ranks([sign * v for v in values]) for values in zip(*map(_both, entries), strict=True))
        lines = tuple(
            Marks(
                "line",
                ((0.0, -float(a)), (1.0, -float(b))),
                "s5" if at == to else "s1",
                f"{_who(e)}: {at} published, {to} achieved",
            )
            for e, (a, at), (b, to) in zip(entries, before, after)
        )
        left, right = (
            tuple((-float(place), f"{rank} {_who(e)}") for e, (place, rank) in zip(entries, ranked))
            for ranked in (before, after)
        )
        room = 20 + 7 * max(len(_who(e)) + 3 for e in entries)
        title = f"{metric}{f', {place}' if len({p for _, p in columns}) > 1 else ''}: ranks"
        text = "Ranks of means, without regard to noise: " + "; ".join(m.label for m in lines) + "."
        ends = Axis(
            f"means, tier {', '.join(tiers[metric, place])}",
            ticks=((0.0, "published"), (1.0, "achieved")),
            limits=(0.0, 1.0),
        )
        plots.append(
            Plot(
                f"{table.key}-{metric}-{place}-ranks",
                title,
                text,
                ends,
                Axis(ticks=left),
                lines,
                2 * room + 160,
                96 + 24 * len(entries),
                room,
                right,
                room,
            )
        )
    return plots


def _ranks(values: list[float]) -> list[tuple[int, int]]:
    """For each value its place from the top, all different, and its rank, which equals share: 1 for the smallest."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    return [(order.index(i) + 1, 1 + sum(v < values[i] for v in values)) for i in range(len(values))]


def _who(e: Entry) -> str:
    text = f"{e.cell.method} [{e.cell.backbone}]" if e.cell.backbone else e.cell.method
    return text if len(text) <= 30 else text[:29] + "…"


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
            and e.verdict.name in ("reproduced", "better", "not reproduced", "inconclusive")
        ):
            unit = band.relative * abs(e.published.value) * (1 if e.direction == "higher" else -1)
            rows.append((e, (e.achieved.mean - e.published.value) / unit, (sure(e.achieved).half or 0.0) / abs(unit)))
    if not rows:
        return None
    labels = [f"{e.metric} · {_who(e)} · {e.cell.id.rsplit('/', 1)[1]}" for e, _, _ in rows]
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
