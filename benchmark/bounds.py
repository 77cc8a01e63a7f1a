"""What a record's numbers can be at all: a record outside of these bounds was not measured, whatever its checksum says.

A checksum finds damage and careless edits; who edits a record can compute it anew. Bounds are cheap,
and catch what would flatter most: an FID below zero, a run that calls a hundredth of its steps the whole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmark.records import Record

ROUNDING = 1e-3
"""How far below zero a distance may come out by rounding: FID subtracts traces of the order of 100 in float64."""

MOST = 1e100
"""Of any metric: far beyond float32, in which networks compute, and its square is still a number."""

BOUNDS = {
    **dict.fromkeys(("FID", "tFID", "vFID"), (-ROUNDING, 1e6)),  # a squared distance; 1e6 is far beyond black images
    "IS": (1.0 - 1e-6, 1008.0 + 1e-6),  # exp of a mutual information with at most 1,008 classes (Inception's outputs)
    "KIDx1000": (-1e6, 1e9),  # unbiased, so that slightly negative values are right
    **dict.fromkeys(("precision", "recall"), (0.0, 1.0)),
    **dict.fromkeys(("L_Vg_Bz", "jac_D", "jac_V", "jac_G"), (0.0, MOST)),  # norms and their maxima
    **dict.fromkeys(("gap_real_fake", "gap_real_test", "d_weight_grad", "feature_grad"), (0.0, MOST)),  # distances and norms
    "cosine": (-1.0 - 1e-6, 1.0 + 1e-6),
    "effective_rank": (1.0 - 1e-6, MOST),
}
"""Metric -> smallest and largest value that a measurement can give. Others lie within ``MOST``."""

LARGEST = 2**63


def impossible(record: Record) -> str | None:
    """What in ``record`` cannot be so, or None. Its types have been checked."""
    r = record
    if max(r.seed, r.steps, r.total_steps) >= LARGEST:
        return "a seed or a number of steps beyond 2^63"
    if min(r.epochs, r.train_s, r.eval_s, r.train_cpu_s or 0, r.eval_cpu_s or 0) < 0:
        return "negative epochs or seconds"
    if r.steps > r.total_steps:
        return f"{r.steps:,} steps of {r.total_steps:,}"
    if (r.status == "finished" and r.steps != r.total_steps) or (r.status == "partial" and r.steps == r.total_steps):
        return f"status {r.status} at step {r.steps:,} of {r.total_steps:,}"
    if r.recipe.steps is not None and r.total_steps != r.recipe.steps:
        return f"{r.total_steps:,} steps in all, where its recipe says {r.recipe.steps:,}"
    if r.final and r.protocol.checkpoint == "last" and (last := r.final.get("step")) != r.steps:
        return f"its last measurement is of step {f'{last:,}' if last is not None else 'unknown'} of {r.steps:,}, and its protocol takes the last"
    measured = columns([*r.history, *([r.final] if r.final else []), *([r.floor["metrics"]] if r.floor else [])])
    return next((why for key, found in measured.items() if (why := _column(key, found, r.steps))), None)


def columns(entries: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What many measurements hold, by key, in order."""
    found: dict[str, list[Any]] = {}
    for entry in entries:
        for key, value in entry.items():
            if key in found:
                found[key].append(value)
            else:
                found[key] = [value]
    return found


def _column(key: str, found: list[Any], steps: int) -> str | None:
    """What is impossible in all measurements of one thing."""
    if key in ("step", "epoch"):
        wrong = [v for v in (min(found), max(found)) if not math.isfinite(v) or v < 0 or (key == "step" and v > steps)]
        return f"a measurement at {key} {wrong[0]:g} of a run of {steps:,} steps" if wrong else None
    numbers = [v for measured in found for v in measured.values() if v is not None]
    if numbers and not -MOST <= min(numbers) <= max(numbers) <= MOST:
        return f"{key} is beyond {MOST:g}, or no number"
    low, high = BOUNDS.get(key, (-MOST, MOST))
    values = [v for measured in found if (v := measured.get("value")) is not None]
    if wrong := [v for v in (min(values, default=low), max(values, default=high)) if not low <= v <= high]:
        return f"{key} {wrong[0]:.6g} is impossible ({_range(low, high)})"
    if any(std < 0 for measured in found if (std := measured.get("std"))):
        return f"{key} has a negative standard deviation"
    return None


def _range(low: float, high: float) -> str:
    """``at least 0`` or ``between 1 and 1008``: the bounds without their allowance for rounding."""
    least = f"{round(low, 2) + 0.0:g}"
    return f"at least {least}" if high == MOST else f"between {least} and {round(high, 2):g}"
