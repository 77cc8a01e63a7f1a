"""What a run measured image by image in the middle of its training (GraN-GAN, Figures 3 and 4)."""

from __future__ import annotations

import math
from typing import Any

from benchmark.records.record import Record

NEAR = 0.1
"""How far from the middle a measurement may lie and still be of it, as a share of training."""


def halfway(record: Record, *metrics: str) -> dict[str, Any] | None:
    """Of the measurements with one of ``metrics``, the nearest to the middle of training; None if there is none."""
    measured = [e for e in record.history if "step" in e and any(m in e for m in metrics)]
    return min(measured, key=lambda e: abs(2 * e["step"] - record.total_steps), default=None)


def of_images(record: Record, metric: str, of: str, centre: float = 0.0) -> float | None:
    """A quantity of ``suite/of_a_run.py``. None unless it was measured there, and is finite.

    Of what has a box for each of several δ, the largest is of all of them; the spread is the root of the mean of their
    variances.
    """
    look = halfway(record, metric)
    if look is None or abs(2 * look["step"] - record.total_steps) > 2 * NEAR * record.total_steps:
        return None
    found: dict[str, float | None] = look[metric]
    if of == "halfway":
        return found.get("value")
    key = "most" if of == "halfway-most" else "std"
    all_of_them = [v for name, v in found.items() if name.partition("_at_")[0] == key]
    values = [v for v in all_of_them if v is not None]
    if not values or len(values) < len(all_of_them):
        return None
    if key == "most":
        return max(values)
    spread = math.sqrt(math.fsum(v * v for v in values) / len(values))
    if of == "halfway-spread":
        return spread
    mean = found.get("value")
    return None if mean is None else math.hypot(spread, mean - centre)
