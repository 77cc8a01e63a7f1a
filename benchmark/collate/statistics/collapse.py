"""Seeds that collapsed among others that did not, and how often runs may collapse where none was seen to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from benchmark.collate.statistics.looks import LEVEL

FAR = 0.5
"""Of the median: a seed that is worse by more is of another kind. Seeds that train vary by 1 to 5 %; a collapse triples
an FID, or halves an IS."""

WIDE = 5.0
"""Times the reach of half of the seeds about the median: where all vary widely, none is of another kind."""


def collapsed(values: Sequence[float], direction: str) -> tuple[int, ...]:
    """Which of ``values``, one a seed, are far worse than the majority; none of fewer than three.

    Args:
        direction: "lower" or "higher" is better.
    """
    if len(values) < 3:
        return ()
    middle = median(values)
    worse = [(v - middle) * (1 if direction == "lower" else -1) for v in values]
    reach = sorted(map(abs, worse))[len(values) // 2]
    return tuple(i for i, off in enumerate(worse) if off > max(FAR * abs(middle), WIDE * reach))


def rate_bound(clean: int) -> float:
    """The largest share of runs that may collapse, at ``LEVEL``, where none of so many did."""
    return 1 - math.pow(1 - LEVEL, 1 / clean)
