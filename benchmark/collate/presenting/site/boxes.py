"""Box plots of what was measured image by image, halfway through training (GraN-GAN, Figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmark.collate.judging.join import Joined
from benchmark.collate.presenting.site.figures import named
from benchmark.collate.presenting.site.plot import Axis, Marks, Plot
from benchmark.collate.statistics.halfway import halfway
from benchmark.metrics.names import SLOPES

SIDES = {"real": "s0", "fake": "s4"}
"""Blue and red, as the paper draws them."""
FIVE = ("least", "q25", "median", "q75", "most")
BESIDE = 0.18
"""How far to the left and right of their name the boxes of the two sides stand."""


def boxes(name: str, joined: Sequence[Joined]) -> list[Plot]:
    """One plot of gradient norms over methods, and one of finite differences over δ for each method; of one seed, the
    first, as the paper's.
    """
    if not any(m in SLOPES for j in joined for m in j.entries):
        return []
    names, looks = named([j.cell for j in joined]), {}
    for j in joined:
        if j.records and (look := halfway(min(j.records, key=lambda r: r.seed), *SLOPES)) is not None:
            looks[names[j.cell.id]] = look
    asked = {m for j in joined for m in j.entries}
    plots = [_norms(name, looks)] if looks and "grad_real" in asked else []
    plots += [_differences(name, who, look) for who, look in looks.items()] if "difference_real" in asked else []
    return [p for p in plots if p.marks]


def _norms(name: str, looks: dict[str, dict[str, Any]]) -> Plot:
    marks = [
        mark
        for i, (who, look) in enumerate(looks.items())
        for side in SIDES
        if (mark := _box(look.get(f"grad_{side}"), "", i, side, f"{who}, {side}"))
    ]
    step = next(iter(looks.values()))["step"]
    return _plot(
        f"{name}-gradients",
        f"‖∇‖ at real (blue) and fake (red), step {step:,}",
        Axis(ticks=tuple((float(i), who) for i, who in enumerate(looks)), limits=(-0.6, len(looks) - 0.4)),
        marks,
        max(420, 96 * len(looks)),
    )


def _differences(name: str, who: str, look: dict[str, Any]) -> Plot:
    deltas = [k.removeprefix("median_at_") for k in look.get("difference_real", {}) if k.startswith("median_at_")]
    marks = [
        mark
        for i, delta in enumerate(deltas)
        for side in SIDES
        if (mark := _box(look.get(f"difference_{side}"), f"_at_{delta}", i, side, f"δ = {delta}, {side}"))
    ]
    return _plot(
        f"{name}-{who}-differences",
        f"{who}: Δ over δ, step {look['step']:,}",
        Axis("δ", ticks=tuple((float(i), d) for i, d in enumerate(deltas)), limits=(-0.6, len(deltas) - 0.4)),
        marks,
        420,
    )


def _box(found: dict[str, float | None] | None, suffix: str, place: int, side: str, label: str) -> Marks | None:
    """The five numbers of a box; None where one is missing or not finite."""
    values = [(found or {}).get(key + suffix) for key in FIVE]
    if any(v is None for v in values):
        return None
    x = place + (BESIDE if side == "fake" else -BESIDE)
    least, low, middle, high, most = (float(v) for v in values if v is not None)
    said = f"{label}: {middle:.4g} ({low:.4g} to {high:.4g}, all {least:.4g} to {most:.4g})"
    return Marks(
        "box", tuple((x, y) for y in (least, low, middle, high, most)), SIDES[side], f"{middle:.4g}", names=(said,)
    )


def _plot(name: str, title: str, x: Axis, marks: list[Marks], width: int) -> Plot:
    ys = [y for m in marks for _, y in m.points]
    log = bool(ys) and min(ys) > 0 and max(ys) / min(ys) > 10
    text = (
        "Medians in boxes of quartiles, whiskers to the least and the largest. "
        + "; ".join(name for m in marks for name in m.names)
        + "."
    )
    return Plot(name, title, text, x, Axis(log=log), tuple(marks), width)
