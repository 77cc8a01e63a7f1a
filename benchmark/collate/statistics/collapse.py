"""Seeds that collapsed, by others or by their own history, and how often runs may collapse where none was seen to."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from statistics import median

from benchmark.collate.statistics.looks import LEVEL

FAR = 0.5
"""Of the median: a seed that is worse by more is of another kind. Seeds that train vary by 1 to 5 %; a collapse triples
an FID, or halves an IS."""

WIDE = 5.0
"""Times the reach of half of the seeds about the median: where all vary widely, none is of another kind."""

FLOORS = 10.0
"""Times the absolute tolerance, where a suite states one and lower is better: half of a number near zero is less than
its seeds vary by, and the tail of their noise would be set apart. As ``FAR`` is ten times a band of 5 %."""

SETTLED = 4
"""Measurements in the second half of a run before its last: of fewer, nothing is said by its own history."""


def collapsed(
    values: Sequence[float], direction: str, fallen: Collection[int] = (), floor: float = 0.0
) -> tuple[int, ...]:
    """Which of ``values``, one a seed, are far worse than the majority; none of fewer than three. With them those that
    have ``fallen``, unless half of all have: then it is what the method does.

    Args:
        direction: "lower" or "higher" is better.
        fallen: which are far worse than their own runs were before (``fell``).
        floor: the absolute tolerance, below which differences say nothing; 0 where there is none.
    """
    apart = set(fallen) if 2 * len(fallen) <= len(values) else set()
    if len(values) >= 3:
        middle = median(values)
        reach = sorted(abs(v - middle) for v in values)[len(values) // 2]
        apart |= {i for i, v in enumerate(values) if _worse(v, middle, reach, direction, floor)}
    return tuple(sorted(apart))


def fell(last: float, before: Sequence[float], direction: str, floor: float = 0.0) -> bool:
    """Whether a run ended far worse than it was: than the second half of its measurements ``before`` the last."""
    settled = before[len(before) // 2 :]
    if len(settled) < SETTLED:
        return False
    middle = median(settled)
    return _worse(last, middle, sorted(abs(v - middle) for v in settled)[len(settled) // 2], direction, floor)


def _worse(value: float, middle: float, reach: float, direction: str, floor: float) -> bool:
    least = max(FAR * abs(middle), WIDE * reach)
    if direction == "lower":
        return value - middle > max(least, FLOORS * floor)
    return middle - value > least


def rate_bound(clean: int) -> float:
    """The largest share of runs that may collapse, at ``LEVEL``, where none of so many did."""
    return 1 - math.pow(1 - LEVEL, 1 / clean)
