"""A plot as PNG, by matplotlib: the same marks, on white, for a slide or a paper."""

from __future__ import annotations

import io
from typing import Any

from benchmark.collate.presenting.site.plot import Marks, Plot

COLOURS = {
    "reproduced": "#00665a",
    "reproduced-where-it-trains": "#00665a",
    "better": "#1a52b3",
    "not-reproduced": "#b3261e",
    "not-reached-as-assumed": "#a34a00",
    "inconclusive": "#7a5600",
    "incomparable": "#62626b",
    "differs": "#1a52b3",
    "untrained": "#8c1a80",
    "diverged": "#8c1a80",
    "s0": "#1f5fa8",
    "s1": "#b5520a",
    "s2": "#2b7a3d",
    "s3": "#8a3fa0",
    "s4": "#a8321f",
    "s5": "#56606b",
    "plain": "#56606b",
    "published": "#1b1d22",
}
COLOURS |= {f"s{i + 6}": COLOURS[f"s{i}"] for i in range(6)}
DASHED = tuple(f"s{i}" for i in range(6, 12))
SHAPES = {
    "reproduced": "o",
    "reproduced-where-it-trains": "o",
    "better": "^",
    "not-reproduced": "x",
    "not-reached-as-assumed": "+",
    "inconclusive": "D",
    "incomparable": "o",
    "differs": "^",
    "untrained": "s",
    "diverged": "s",
    "published": "|",
}


def png(p: Plot) -> bytes:
    """The plot drawn at twice the size on the page; the same plot gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(p.width / 72, p.height / 72), dpi=144, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for axis, setter, scale, lines in (
        (p.x, axes.set_xscale, p.scale[0], axes.xaxis),
        (p.y, axes.set_yscale, p.scale[1], axes.yaxis),
    ):
        if axis.log:
            setter("log")
        ends = [10**v if axis.log else v for v in (scale.low, scale.high)]
        (axes.set_xlim if axis is p.x else axes.set_ylim)(
            *(ends if scale.start < scale.end or axis is p.y else ends[::-1])
        )
        if axis.ticks:
            lines.set_ticks([v for v, _ in axis.ticks], [_plain(name) for _, name in axis.ticks])
    if p.band:
        axes.axvspan(*p.band, color="#00665a", alpha=0.12, linewidth=0)
    if p.diagonal:
        axes.axline((1, 1), (2, 2), color="#999", linewidth=0.8)
    for m in p.marks:
        _draw(axes, m, p.horizontal)
    for value, name in p.right:
        axes.annotate(_plain(name), (1.01, value), xycoords=("axes fraction", "data"), va="center", fontsize=8)
    axes.set_title(_plain(p.title), fontsize=9, loc="left")
    axes.set_xlabel(_plain(p.x.label), fontsize=8)
    axes.tick_params(labelsize=8)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    return drawn.getvalue()


def _draw(axes: Any, m: Marks, horizontal: bool) -> None:
    colour = COLOURS.get(m.style, "#56606b")
    x, y = zip(*m.points) if m.points else ((), ())
    if m.kind == "across":
        for v in y:
            axes.axhline(v, color="#333", linestyle="--", linewidth=0.8)
    elif m.kind == "box":
        ends = dict(zip(("whislo", "q1", "med", "q3", "whishi"), y))
        drawn = {key: {"color": colour, "linewidth": 1.1} for key in ("boxprops", "whiskerprops", "medianprops")}
        axes.bxp([ends], positions=[x[0]], widths=0.25, showfliers=False, showcaps=False, manage_ticks=False, **drawn)
    elif m.kind == "line":
        dashes = "--" if m.style in DASHED else "-"
        axes.plot(x, y, color=colour, linewidth=1.1, linestyle=dashes, marker="." if len(x) < 12 else None)
    else:
        if m.halves:
            axes.errorbar(x, y, **{"xerr" if horizontal else "yerr": m.halves}, fmt="none", ecolor=colour, elinewidth=1)
        axes.plot(
            x,
            y,
            linestyle="none",
            marker=SHAPES.get(m.style, "o"),
            color=colour,
            markersize=5,
            fillstyle="none" if m.style == "incomparable" else "full",
        )


def _plain(text: str) -> str:
    """Text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
