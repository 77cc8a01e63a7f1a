"""Intervals over seeds, and how many more seeds a verdict would take.

Student's t interval is exact for normal seed noise, at any number of seeds. The bootstrap is shown and used
only as bootstrap-t, from ``BOOTSTRAP_FROM`` seeds on: the percentile and BCa bootstraps of three to ten
seeds cover 69 to 90 % where they say 95 % (``results/verdicts/simulate.md`` has the figures), and bootstrap-t
of three covers 81 %. Where both are there, an interval reaches as far as the farther of the two.

Where somebody may have looked before the last seed, intervals are wider (``looks.py``).

Evaluation noise (the noise of one measurement of one finished run) is a part of the spread over seeds, since
each run is measured once. It is kept apart, shown, and never stands in for seed noise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.collate.statistics.looks import FIRST, LAST, LEVEL, counted, critical
from benchmark.collate.statistics.quiet import why_quiet

BOOTSTRAP_FROM = 5
RESAMPLES = 1999
POWER = 0.8


@dataclass(frozen=True)
class Estimate:
    """Mean over seeds with its t interval; ``half`` is None where there is none: of one seed, or before the first
    look.
    """

    values: tuple[float, ...]
    mean: float
    std: float | None  # over seeds, n − 1; evaluation noise is in it
    half: float | None  # half the width of the 95 % t interval of the mean
    evaluation: float | None = None  # standard error of one run's own measurement, root mean square over seeds
    looked: bool = False  # seeds may have been added by a look at those before: the interval holds over all looks

    @property
    def n(self) -> int:
        """How many seeds."""
        return len(self.values)

    @property
    def counted(self) -> int:
        """Seeds that its standard error is of (``looks.counted``)."""
        return counted(self.n, self.looked)

    @functools.cached_property
    def quiet(self) -> str:
        """Why several seeds are no sample of seed noise (``quiet.py``); "" if they may be one, and of one seed."""
        return why_quiet(self.values, self.mean, self.std, self.evaluation)

    @property
    def varies(self) -> bool:
        """Whether there are several seeds that may be a sample of seed noise."""
        return self.n > 1 and not self.quiet

    @property
    def critical(self) -> float:
        """Standard errors that the interval reaches to each side."""
        return critical(self.n, self.looked)

    @functools.cached_property
    def bootstrap(self) -> tuple[float, float] | None:
        """The bootstrap-t interval of the mean, widened as t's is; None below ``BOOTSTRAP_FROM`` seeds, and where
        they are no sample of seed noise.
        """
        if self.n < BOOTSTRAP_FROM or not self.varies:
            return None
        wider = self.critical / critical(self.n)
        low, high = (self.mean + wider * (bound - self.mean) for bound in bootstrap_t(self.values))
        return low, high

    @functools.cached_property
    def bounds(self) -> tuple[float, float] | None:
        """The interval that verdicts go by: t, or the farther ends of t and bootstrap-t."""
        if self.half is None:
            return None
        low, high = self.mean - self.half, self.mean + self.half
        return (min(low, self.bootstrap[0]), max(high, self.bootstrap[1])) if self.bootstrap else (low, high)


def estimate(values: Sequence[float], errors: Sequence[float] = (), looked: bool = False) -> Estimate:
    """Student's t interval of the mean of independent seeds, at ``LEVEL``.

    Args:
        errors: each run's standard error of measurement, where it is known.
        looked: somebody may have looked before the last of them (``looks.looked``).
    """
    mean = math.fsum(values) / len(values)
    evaluation = math.sqrt(math.fsum(e * e for e in errors) / len(errors)) if len(errors) == len(values) else None
    if len(values) < 2:
        return Estimate(tuple(values), mean, None, None, evaluation, looked)
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    half = critical(len(values), looked) * std / math.sqrt(len(values)) if not looked or len(values) >= FIRST else None
    return Estimate(tuple(values), mean, std, half, evaluation, looked)


def bootstrap_t(values: Sequence[float]) -> tuple[float, float]:
    """The bootstrap-t interval of the mean (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 12), with a
    fixed stream of draws.
    """
    x, n = np.asarray(values, dtype=float), len(values)
    x = x - (centre := x.mean())
    weights = _resamples(n)
    means = weights @ x
    stds = np.sqrt(np.maximum(weights @ (x * x) - means**2, 0) * n / (n - 1))
    own = x.std(ddof=1)
    drawn = stds > 1e-9 * own  # a resample of one seed n times has no t
    low, high = np.quantile(means[drawn] / stds[drawn], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(centre - high * own), float(centre - low * own)


@functools.lru_cache(maxsize=64)
def _resamples(n: int) -> np.ndarray:
    """(RESAMPLES, n): how often each seed is drawn, as shares."""
    return np.random.default_rng(n).multinomial(n, [1 / n] * n, size=RESAMPLES) / n


def seeds_needed(std: float, off: float, band: float, n: int, published: float = 0.0) -> int | None:
    """The smallest number of seeds above ``n`` that decides with probability ``POWER``; None beyond ``LAST``.

    Seeds that are added now are added after a look. Assumes that the true mean is off by ``off`` and the true standard
    deviation is ``std``, as seen so far: with few seeds both are rough.

    Args:
        published: variance of the published number over that of one of our runs.
    """
    if n >= LAST or power(std, off, band, LAST, published) < POWER:
        return None
    low, high = max(n, FIRST - 1), LAST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(std, off, band, middle, published) >= POWER else (middle, high)
    return high


def power(std: float, off: float, band: float, n: int, published: float = 0.0, looked: bool = True) -> float:
    """The probability that ``n`` seeds of a normal distribution decide: the interval inside ±band, or wholly beyond it.

    Integrates over the distribution of the sample's standard deviation (chi with n − 1 degrees of freedom);
    beyond the band, the interval is wider by the noise of the published number.
    """
    from scipy.special import ndtr

    error = std / math.sqrt(n)
    half = critical(n, looked) * chi(n - 1) * error
    inside = np.where(half < band, ndtr((band - half - off) / error) - ndtr((half - band - off) / error), 0)
    far = half * math.sqrt(1 + n * published)
    beyond = ndtr((off - band - far) / error) + ndtr((-off - band - far) / error)
    return float(np.mean(np.maximum(inside, 0) + beyond))


@functools.lru_cache(maxsize=4096)
def chi(df: int) -> np.ndarray:
    """Quantiles, evenly spaced in probability, of s/σ of a normal sample with ``df`` degrees of freedom."""
    from scipy.special import gammaincinv

    return np.sqrt(2 * gammaincinv(df / 2, (np.arange(200) + 0.5) / 200) / df)
