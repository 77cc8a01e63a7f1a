"""Seeds too much alike to be a sample of seed noise: copies, one run under several names, or a measurement that
does not see the seed.

Trainings from different seeds, measured over thousands of images, never agree to the last digit, and their spread
cannot be smaller than the noise of the measurement, which is a part of it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

ARITHMETIC = 1e-5
"""Of the mean: a spread below it is what another machine's arithmetic makes of one run. Features are computed in
float32, whose sums over thousands of images agree to five or six digits."""

RARE = 0.01
"""How often normal seeds whose whole spread is the noise of measurement are taken for no sample."""


def why_quiet(values: Sequence[float], mean: float, std: float | None, evaluation: float | None = None) -> str:
    """Why ``values``, one a seed, are no sample of seed noise; "" if they may be one, and of a single seed.

    Args:
        std: over seeds, n − 1.
        evaluation: standard error of one run's own measurement, where it is known.
    """
    n, distinct = len(values), len(set(values))
    if n < 2 or std is None:
        return ""
    if distinct == 1:
        return f"all {n} seeds gave the same number"
    if distinct < n:
        return (
            f"{n - distinct + 1} of {n} seeds gave the same number to the last digit"
            if n - distinct == 1
            else (f"only {distinct} of {n} seeds gave different numbers")
        )
    if std < ARITHMETIC * abs(mean):
        return f"{n} seeds differ by no more than arithmetic does (standard deviation {std:.2g} of {mean:.6g})"
    if evaluation is not None and std < least(n - 1) * evaluation:
        return f"{n} seeds differ by less than the noise of their measurement ({std:.2g}, of {evaluation:.2g})"
    return ""


@functools.cache
def least(df: int) -> float:
    """s/σ of a normal sample with ``df`` degrees of freedom is below it in ``RARE`` of cases."""
    from scipy.special import gammaincinv

    return math.sqrt(2 * float(gammaincinv(df / 2, RARE)) / df)
