"""Intervals over seeds, and how many seeds would narrow one enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEVEL = 0.95
MOST_SEEDS = 1000


@dataclass(frozen=True)
class Estimate:
    """Mean over seeds with its t interval; ``half`` is None for a single seed, which has no interval."""

    values: tuple[float, ...]
    mean: float
    std: float | None  # over seeds, n − 1
    half: float | None  # half the width of the 95 % t interval of the mean

    @property
    def n(self) -> int:
        return len(self.values)


def estimate(values: Sequence[float]) -> Estimate:
    """Student's t interval of the mean of independent seeds, at ``LEVEL``."""
    mean = math.fsum(values) / len(values)
    if len(values) < 2:
        return Estimate(tuple(values), mean, None, None)
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return Estimate(tuple(values), mean, std, half_width(std, len(values)))


def half_width(std: float, n: int) -> float:
    """Half the t interval of a mean of ``n`` values with standard deviation ``std``."""
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, n - 1)) * std / math.sqrt(n)


def seeds_needed(std: float, room: float, n: int) -> int | None:
    """The smallest number of seeds, from ``n`` + 1, whose interval is narrower than ``room`` on each side.

    Assumes that mean and standard deviation stay as they are. None beyond ``MOST_SEEDS``.
    """
    return next((k for k in range(n + 1, MOST_SEEDS + 1) if half_width(std, k) < room), None)
