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

    Of what has a box for each of several δ, the largest and the distances are of all of them; the spread is the root
    of the mean of their variances.
    """
    look = halfway(record, metric)
    if look is None or abs(2 * look["step"] - record.total_steps) > 2 * NEAR * record.total_steps:
        return None
    found: dict[str, float | None] = look[metric]
    if of == "halfway":
        return found.get("value")
    if of == "halfway-most":
        return max(_finite(found, _at(found, "most") or _at(found, "max")), default=None)
    spreads = _finite(found, names := _at(found, "std"))
    means = _finite(found, ["value" + name.removeprefix("std") for name in names])
    if of == "halfway-worst":
        return max(means, default=None)
    if of == "halfway-spread":
        return _root_mean_square(spreads)
    return _root_mean_square([math.hypot(s, m - centre) for s, m in zip(spreads, means)])


def _root_mean_square(values: list[float]) -> float | None:
    return math.sqrt(math.fsum(v * v for v in values) / len(values)) if values else None


def _at(found: dict[str, float | None], key: str) -> list[str]:
    """The names of a quantity: one, or one for each δ."""
    return [name for name in found if name.partition("_at_")[0] == key]


def _finite(found: dict[str, float | None], names: list[str]) -> list[float]:
    """What these are; nothing where one is not there, or not finite."""
    values = [v for name in names if (v := found.get(name)) is not None]
    return values if len(values) == len(names) else []
