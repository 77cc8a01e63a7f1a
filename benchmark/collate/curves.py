"""Curves over training, as SVG: one panel a metric, one colour a cell, one line a seed, published values dashed where they are on the same data."""

from __future__ import annotations

import io
from collections.abc import Sequence

from benchmark.collate.join import Joined
from benchmark.suite.model import Table

PANEL = (4.2, 3.0)  # inches


def curves(table: Table, joined: Sequence[Joined]) -> str | None:
    """The figure as SVG text, or None if no record holds a history."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    metrics = _metrics(table, joined)
    if not metrics:
        return None
    columns = min(3, len(metrics))
    rows = -(-len(metrics) // columns)
    style = {"svg.hashsalt": table.id, "svg.fonttype": "none", "text.color": "#777", "axes.labelcolor": "#777", "xtick.color": "#777", "ytick.color": "#777", "axes.edgecolor": "#999"}
    with plt.rc_context(style):
        figure, axes = plt.subplots(rows, columns, figsize=(PANEL[0] * columns, PANEL[1] * rows), squeeze=False, layout="constrained")
        for axis, metric in zip(axes.flat, metrics):
            _panel(axis, metric, joined)
        for axis in list(axes.flat)[len(metrics) :]:
            axis.set_visible(False)
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), frameon=False)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
        plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg") :]


def _metrics(table: Table, joined: Sequence[Joined]) -> list[str]:
    """The table's metrics first, then whatever else the histories hold."""
    held = dict.fromkeys(k for j in joined for r in j.records for e in r.history for k, v in e.items() if isinstance(v, dict))
    return [m for m in dict.fromkeys([*table.metrics, *held]) if m in held]


def _panel(axis, metric: str, joined: Sequence[Joined]) -> None:  # noqa: ANN001 (matplotlib is imported late)
    smallest, largest = float("inf"), 0.0
    unit = "step" if any(r.protocol.every_steps for j in joined for r in j.records) else "epoch"
    for i, j in enumerate(joined):
        for k, record in enumerate(j.records):
            points = [(e[unit], e[metric]["value"]) for e in record.history if metric in e and e[metric]["value"] is not None]
            if not points:
                continue
            x, y = zip(*points)
            smallest, largest = min(smallest, *map(abs, y)), max(largest, *map(abs, y))
            axis.plot(x, y, color=f"C{i}", linewidth=1.2, label=j.cell.method if k == 0 else None, marker="." if len(x) < 12 else None)
        published = j.cell.published.get(metric)
        if published and published.value is not None and j.tier and j.tier.name != "incomparable":
            axis.axhline(published.value, color=f"C{i}", linestyle="--", linewidth=0.8)
    if smallest > 0 and largest / smallest > 100:
        axis.set_yscale("log")
    axis.set_xlabel(unit)
    axis.set_title(metric, fontsize=10)
