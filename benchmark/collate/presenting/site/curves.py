"""Curves over training."""

from __future__ import annotations

import math

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.figures import same_scale
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.errors import sure

MOST_LINES = 40
MOST_POINTS = 300


def curves(j: Joined) -> list[Plot]:
    """One plot a metric of the records' histories: a line a seed, the published number dashed."""
    held = dict.fromkeys(k for r in j.records for e in r.history for k, v in e.items() if isinstance(v, dict))
    metrics = [m for m in dict.fromkeys([*j.entries, *held]) if m in held]
    unit = "step" if any(r.protocol.every_steps for r in j.records) else "epoch"
    plots = []
    for metric in metrics:
        lines = []
        for r in j.records[:MOST_LINES]:
            points = [
                (float(e[unit]), float(v))
                for e in r.history
                if unit in e and isinstance(e.get(metric), dict) and (v := e[metric].get("value")) is not None
            ]
            if points:
                lines.append(
                    Marks(
                        "line",
                        _thin(points),
                        f"s{r.seed % 6}",
                        f"seed {r.seed}: {points[-1][1]:.4g} at {unit} {points[-1][0]:g}",
                    )
                )
        if lines:
            plots.append(_curve(j, metric, unit, lines))
    return plots


def _curve(j: Joined, metric: str, unit: str, lines: list[Marks]) -> Plot:
    published = j.cell.published.get(metric)
    dashed = published if published is not None and published.value is not None and same_scale(j) else None
    marks = list(lines)
    if dashed is not None:
        marks.append(Marks("across", ((math.nan, sure(dashed.value)),), "plain", f"published: {dashed.text}"))
    ys = [y for m in marks for _, y in m.points]
    ends = ", ".join(m.label for m in lines[:6]) + (f" and {len(lines) - 6} more" if len(lines) > 6 else "")
    more = f"; the first {MOST_LINES} of {len(j.records)} seeds" if len(j.records) > MOST_LINES else ""
    text = f"{metric} over training, one line a seed{more}: {ends}." + (
        f" Dashed: the published {dashed.text}." if dashed else ""
    )
    return Plot(
        f"{j.cell.id}-{metric}",
        metric,
        text,
        Axis(unit),
        Axis(log=min(ys) > 0 and max(ys) / min(ys) > 100),
        tuple(marks),
    )


def _thin(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """At most ``MOST_POINTS`` of them, evenly chosen, the last one always."""
    every = -(-len(points) // MOST_POINTS)
    return tuple(points[:-1][::every] + points[-1:])
