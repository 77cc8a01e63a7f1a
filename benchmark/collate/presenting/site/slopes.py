"""Rankings side by side: as published, and as achieved."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.alike import unlike
from benchmark.collate.judging.entry import Entry
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.verdict import LOST
from benchmark.collate.presenting.site.figures import both, who
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.suite.model import Table


def slopes(table: Table, joined: Sequence[Joined]) -> list[Plot]:
    """One plot a metric and column where at least two methods have both numbers: their ranks as published and as
    achieved. Only runs that may be judged are ranked, and only those whose numbers the paper measured alike.
    """
    groups: dict[tuple[str, str], list[list[Entry]]] = {}
    tiers: dict[tuple[str, str], dict[str, None]] = {}
    for j in joined:
        for e in j.entries.values():
            if j.tier and j.tier.judged and j.gap is None and not j.short and _is_ranked(e):
                place = (e.metric, j.cell.id.rsplit("/", 1)[1])
                tiers.setdefault(place, {})[j.tier.name] = None
                _gather(groups.setdefault(place, []), e)
    several = len({place for _, place in groups}) > 1
    return [
        _plot(
            f"{table.key}-{metric}-{place}-ranks" + (f"-{i}" if i else ""),
            f"{metric}{f', {place}' if several else ''}: ranks",
            f"means, tier {', '.join(tiers[metric, place])}",
            entries,
        )
        for (metric, place), of_place in groups.items()
        for i, entries in enumerate(g for g in of_place if len(g) > 1)
    ]


def _gather(groups: list[list[Entry]], e: Entry) -> None:
    """Put an entry with those that were measured as it was."""
    for group in groups:
        if not unlike(e.metric, group[0].cell.full_protocol, e.cell.full_protocol):
            group.append(e)
            return
    groups.append([e])


def _is_ranked(e: Entry) -> bool:
    own = e.published and e.published.value is not None and e.published.origin == "own"
    return bool(e.achieved and own and e.verdict.name not in LOST)


def _plot(name: str, title: str, below: str, entries: list[Entry]) -> Plot:
    sign = 1 if entries[0].direction == "lower" else -1
    before, after = (_ranks([sign * v for v in values]) for values in zip(*map(both, entries), strict=True))
    lines = tuple(
        Marks(
            "line",
            ((0.0, -float(a)), (1.0, -float(b))),
            "s5" if at == to else "s1",
            f"{who(e)}: {at} published, {to} achieved",
        )
        for e, (a, at), (b, to) in zip(entries, before, after)
    )
    left, right = (
        tuple((-float(place), f"{rank} {who(e)}") for e, (place, rank) in zip(entries, ranked))
        for ranked in (before, after)
    )
    room = 20 + 7 * max(len(who(e)) + 3 for e in entries)
    return Plot(
        name,
        title,
        "Ranks of means, without regard to noise: " + "; ".join(m.label for m in lines) + ".",
        Axis(below, ticks=((0.0, "published"), (1.0, "achieved")), limits=(0.0, 1.0)),
        Axis(ticks=left),
        lines,
        2 * room + 160,
        96 + 24 * len(entries),
        room,
        right,
        room,
    )


def _ranks(values: list[float]) -> list[tuple[int, int]]:
    """For each value its place from the top, all different, and its rank, which equals share: 1 for the smallest."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    return [(order.index(i) + 1, 1 + sum(v < values[i] for v in values)) for i in range(len(values))]
