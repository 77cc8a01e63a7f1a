"""Curves of all methods of a table: what there is to see where no number stands on the published scale."""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.figures import data_of, named
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot, Scale
from benchmark.records.record import Record

FIRST = ("FID", "tFID", "V_g")
"""The metric of a figure is the first of these that there is, else the table's first."""
COLOURS = 12
APART = 13.0
"""Pixels between two names."""


def training(name: str, joined: Sequence[Joined]) -> list[Plot]:
    """One plot; or, of a table that stands for a figure of curves and has no numbers, one for each of its metrics."""
    held = dict.fromkeys(
        k for j in joined for r in j.records for e in r.history for k, v in e.items() if isinstance(v, dict)
    )
    of_table = dict.fromkeys(m for j in joined for m in j.entries)
    metrics = [m for m in (*FIRST, *of_table) if m in held][:1]
    if not any(p.value is not None for j in joined for p in j.cell.published.values()):
        metrics = [m for m in of_table if m in held] or metrics
    return [plot for m in metrics if (plot := _lines(name, m, joined)) is not None]


def _lines(name: str, metric: str, joined: Sequence[Joined]) -> Plot | None:
    """One line a method, the mean of its seeds, on the data that most of them were trained on."""
    names = named([j.cell for j in joined])
    of_data: dict[str, dict[str, Joined]] = {}
    for j in joined:
        if j.records and len(_mean(j.records, metric)) > 1:
            of_data.setdefault(data_of(j), {}).setdefault(names[j.cell.id], j)
    if not of_data:
        return None
    data, methods = max(of_data.items(), key=lambda item: len(item[1]))
    lines = {who: _mean(j.records, metric) for who, j in methods.items()}
    order = dict.fromkeys(names[j.cell.id] for j in joined if j.records)  # one colour for a method in every panel
    styles = {who: f"s{i % COLOURS}" for i, who in enumerate(order) if who in lines}
    marks = tuple(
        Marks("line", tuple(points), styles[who], f"{who}: {points[-1][1]:.4g} at step {points[-1][0]:,.0f}")
        for who, points in lines.items()
    )
    ys = [y for points in lines.values() for _, y in points]
    y = Axis(log=min(ys) > 0 and max(ys) / min(ys) > 3)
    room = 16 + int(6.4 * max(map(len, lines)))
    height = max(280, 80 + int(APART * len(lines)))
    right = _spread({who: points[-1][1] for who, points in lines.items()}, Scale.of(y, ys, height - 44, 30))
    return Plot(
        f"{name}-{metric}-training",
        f"{metric} over training on {data}",
        f"The mean of each method's seeds: {'; '.join(m.label for m in marks)}.",
        Axis("step"),
        y,
        marks,
        420 + room,
        height,
        right=right,
        right_styles=tuple(styles[who] for _, who in right),
        right_room=room,
    )


def _mean(records: Sequence[Record], metric: str) -> list[tuple[float, float]]:
    """(step, mean) wherever every seed was measured."""
    found: dict[float, list[float]] = {}
    for r in records:
        for e in r.history:
            if isinstance(e.get(metric), dict) and (v := e[metric].get("value")) is not None and "step" in e:
                found.setdefault(float(e["step"]), []).append(float(v))
    return [(step, sum(vs) / len(vs)) for step, vs in sorted(found.items()) if len(vs) == len(records)]


def _spread(ends: dict[str, float], scale: Scale) -> tuple[tuple[float, str], ...]:
    """Each name at the height of its line's end, moved so far that none lies on another: as values of the scale."""
    order = sorted(ends, key=lambda who: scale(ends[who]), reverse=True)  # from the bottom up
    places: list[float] = []
    for who in order:
        places.append(min(scale(ends[who]), places[-1] - APART) if places else scale(ends[who]))
    if over := max(0.0, scale.end - min(places, default=scale.end)):
        places = [p + over for p in places]
    return tuple((_value(scale, place), who) for place, who in zip(places, order))


def _value(scale: Scale, pixels: float) -> float:
    value = scale.low + (pixels - scale.start) / (scale.end - scale.start) * (scale.high - scale.low)
    return 10**value if scale.log else value
