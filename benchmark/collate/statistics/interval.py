"""Intervals over seeds, and how many more seeds a verdict would take.

Student's t interval is exact for normal seed noise, at any number of seeds. From ``SKEW_FROM`` seeds on it reaches
farther on the side of the longer tail, by the second-order term of its error (Johnson, "Modified t Tests and
Confidence Intervals for Asymmetrical Populations", Journal of the American Statistical Association 73, 1978; Hall,
"On the Removal of Skewness by Transformation", Journal of the Royal Statistical Society B 54, 1992). A seed that
equals the mean of those before never makes it wider: it reaches no farther than t of four with the same squares. The
bootstraps do not serve: percentile and BCa of three to ten seeds cover 69 to 90 % where they say 95 %
(``results/verdicts/simulate.md``), and bootstrap-t of five is so wide that a fifth seed undid verdicts of four.

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

from benchmark.collate.statistics.equivalence import factor, nearest_edge
from benchmark.collate.statistics.looks import FIRST, LAST, LEVEL, counted, critical
from benchmark.collate.statistics.quiet import why_quiet
from benchmark.errors import sure

SKEW_FROM = 5
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
    def skew(self) -> float:
        """How much farther the interval reaches on the side of the longer tail, below 0 to the left: the second-order
        term of a t interval (Johnson 1978; Hall 1992). 0 below ``SKEW_FROM`` seeds, and where they are no sample.
        """
        if self.n < SKEW_FROM or not self.varies:
            return 0.0
        off = [v - self.mean for v in self.values]
        squares = math.fsum(d * d for d in off)
        reach = self.critical / critical(self.n) * _second_order(self.n) * math.fsum(d**3 for d in off) / squares
        most = critical(SKEW_FROM - 1, self.looked) * math.sqrt(squares / (SKEW_FROM - 2) / (SKEW_FROM - 1))
        return math.copysign(min(abs(reach), max(most - sure(self.half), 0.0)), reach)

    @functools.cached_property
    def bounds(self) -> tuple[float, float] | None:
        """The interval that verdicts go by: t, farther on the side of the longer tail."""
        if self.half is None:
            return None
        return self.mean - self.half + min(self.skew, 0.0), self.mean + self.half + max(self.skew, 0.0)


def _second_order(n: int) -> float:
    """(1 + 2t²)/6n, for the sum of third powers over that of squares; twice, since few seeds show half their skew."""
    return 2 * (n - 1) / n * (1 + 2 * critical(n) ** 2) / (6 * n)


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
    """The probability that ``n`` seeds of a normal distribution decide: the interval far enough inside ±band
    (``equivalence.py``), or wholly beyond it.

    Integrates over the distribution of the sample's standard deviation (chi with n − 1 degrees of freedom);
    beyond the band, the interval is wider by the noise of the published number.
    """
    from scipy.special import ndtr

    error = std / math.sqrt(n)
    left, right = (critical(n, looked) * error * reach for reach in reaches(n, looked))
    wide, most = factor(n, looked), nearest_edge(n, band)
    highest, lowest = np.minimum(band - wide * right, most), np.maximum(wide * left - band, -most)
    inside = ndtr((highest - off) / error) - ndtr((lowest - off) / error)
    wider = math.sqrt(1 + n * published)
    beyond = ndtr((off - band - wider * left) / error) + ndtr((-off - band - wider * right) / error)
    return float(np.mean(np.maximum(inside, 0) + beyond))


@functools.lru_cache(maxsize=256)
def reaches(n: int, looked: bool) -> tuple[np.ndarray, np.ndarray]:
    """How far the interval reaches to each side in samples of normal seeds, as multiples of the critical value times
    σ/√n: quantiles of s/σ; with the longer tail, of fixed draws (which are independent of the mean).
    """
    if n < SKEW_FROM:
        return chi(n - 1), chi(n - 1)
    x = np.random.default_rng(n).standard_normal((4000, n))
    off = x - x.mean(1, keepdims=True)
    squares = (off**2).sum(1)
    skew = _second_order(n) * (off**3).sum(1) / squares * math.sqrt(n) / critical(n)
    std = np.sqrt(squares / (n - 1))
    most = critical(SKEW_FROM - 1, looked) * np.sqrt(squares / (SKEW_FROM - 2) / (SKEW_FROM - 1)) * math.sqrt(n)
    skew = np.copysign(np.minimum(np.abs(skew), np.maximum(most / critical(n, looked) - std, 0)), skew)
    return std - np.minimum(skew, 0), std + np.maximum(skew, 0)


@functools.lru_cache(maxsize=4096)
def chi(df: int) -> np.ndarray:
    """Quantiles, evenly spaced in probability, of s/σ of a normal sample with ``df`` degrees of freedom."""
    from scipy.special import gammaincinv

    return np.sqrt(2 * gammaincinv(df / 2, (np.arange(200) + 0.5) / 200) / df)
