"""What the course of one run says: quantities of its measurements in order, of which lower is better.

Each takes ``(step, value)`` of one metric in order of steps, and is None where there are too few. None was chosen by
results.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Course = Sequence[tuple[int, float]]

FEWEST = 4
"""Measurements in the second half of a run: of fewer, nothing is said of how steady it is."""


def unsteadiness(course: Course) -> float | None:
    """The standard deviation (n − 2) of the second half's measurements about the straight line that fits them best, in
    the metric's own units: a curve that still gets better, or worse, is no less steady for it.
    """
    late = [(step, value) for step, value in course if 2 * step >= course[-1][0]]
    if len(late) < FEWEST:
        return None
    x, y = (math.fsum(axis) / len(late) for axis in zip(*late))
    off = [(step - x, value - y) for step, value in late]
    xx, xy, yy = (math.fsum(products) for products in zip(*((p * p, p * q, q * q) for p, q in off)))
    return math.sqrt(max(yy - xy * xy / xx, 0.0) / (len(late) - 2)) if xx else None


def rise(course: Course, lower: bool) -> float | None:
    """By which share the last measurement is worse than the best of those before it; below 0 where it is better than
    all of them. The initial weights' (step 0) is none of them.

    Args:
        lower: lower values are better.
    """
    values = [value for step, value in course if step]
    if len(values) < 2 or not (best := (min if lower else max)(values[:-1])):
        return None
    return (values[-1] - best if lower else best - values[-1]) / abs(best)


def best(course: Course, lower: bool) -> float | None:
    """The best measurement of trained weights."""
    values = [value for step, value in course if step]
    return (min if lower else max)(values) if values else None


def steps_to(course: Course, level: float, lower: bool) -> float | None:
    """At which step the run is first as good as ``level``, on the straight line between the two measurements about it;
    None if it never is.
    """
    before: tuple[int, float] | None = None
    for step, value in course:
        if value <= level if lower else value >= level:
            if before is None or value == before[1]:
                return float(step)
            return before[0] + (step - before[0]) * (level - before[1]) / (value - before[1])
        before = step, value
    return None
