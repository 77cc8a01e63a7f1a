"""What more seeds could do at best: the upper end of their power, by the seeds there are.

Three seeds know their spread to within a factor of two, and power at what they show gives up one number in five that
seeds would have decided. So the spread is taken at the lower end of its own 95 % bound, and the distance from the
printed number at whichever place within its 90 % interval is best.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from benchmark.collate.statistics.interval import Estimate, power
from benchmark.collate.statistics.looks import LAST
from benchmark.errors import sure

SURE = 0.95
GIVEN_UP = f"given up: even at the favourable end of what these seeds leave plausible, {LAST} would not do"


@functools.cache
def least_spread(df: int) -> float:
    """σ over s is above it with ``SURE`` probability, for normal seeds with ``df`` degrees of freedom."""
    from scipy.special import chdtri

    return math.sqrt(df / float(chdtri(df, 1 - SURE)))


@functools.cache
def reach(df: int) -> float:
    """Student's t, one-sided at ``SURE``."""
    from scipy.special import stdtrit

    return float(stdtrit(df, SURE))


def most_power(a: Estimate, value: float, band: float, noise: float) -> float:
    """Upper end of the power of ``LAST`` seeds to decide on a printed ``value`` with its ``band``.

    Args:
        noise: standard error of the printed number over seeds.
    """
    std = sure(a.std)
    if not std:
        return 0.0
    likely, off, far = std * least_spread(a.n - 1), a.mean - value, reach(a.n - 1) * std / math.sqrt(a.counted)
    places = np.linspace(off - far, off + far, 9).tolist() + ([0.0] if abs(off) < far else [])
    return max(power(likely, place, band, LAST, (noise / std) ** 2) for place in places)
