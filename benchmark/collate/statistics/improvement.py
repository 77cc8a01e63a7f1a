"""How probably one run of a method beats one of another.

The probability of improvement is P(one run of A is better than one run of B), by normal seed noise:
Φ((μ_B − μ_A)/√(σ_A² + σ_B²)), with its interval from 2,000 fixed draws of the generalised pivots of both means and
variances (Weerahandi 1993). A bootstrap over three seeds would say [1, 1] wherever two triples do not overlap.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import LEVEL, PAIR_SHARE
from benchmark.errors import sure

DRAWS = 2000


def improvements(pairs: Sequence[tuple[Estimate, Estimate]], lower: bool) -> list[tuple[float, float, float]]:
    """(probability, low, high) that a run of the first beats one of the second, each pair on its own."""
    estimates = {id(e): e for pair in pairs for e in pair}
    pivots = {key: _pivots(e, stream) for stream, (key, e) in enumerate(estimates.items())}
    return [_improvement(a, b, pivots[id(a)], pivots[id(b)], 1 if lower else -1) for a, b in pairs]


def _pivots(e: Estimate, stream: int) -> tuple[np.ndarray, np.ndarray]:
    """(DRAWS,) means and variances that the seeds leave possible."""
    chi, normal = _standard(e.counted, stream)
    std = sure(e.std)
    return e.mean + std / math.sqrt(e.counted) * normal / chi, (std / chi) ** 2


@functools.lru_cache(maxsize=512)
def _standard(n: int, stream: int) -> tuple[np.ndarray, np.ndarray]:
    """(DRAWS,) of s/σ and of a standard normal; every method of a column has a stream of its own, always the same."""
    rng = np.random.default_rng([n, stream])
    return np.sqrt(rng.chisquare(n - 1, DRAWS) / (n - 1)), rng.standard_normal(DRAWS)


def _improvement(
    a: Estimate, b: Estimate, of_a: tuple[np.ndarray, np.ndarray], of_b: tuple[np.ndarray, np.ndarray], sign: int
) -> tuple[float, float, float]:
    from scipy.special import ndtr

    if not (a.varies and b.varies):
        return (
            0.5 * (1 + sign * float(np.sign(b.mean - a.mean))),
            0.0,
            1.0,
        )  # no sample of seed noise: the interval says nothing
    z = sign * (of_b[0] - of_a[0]) / np.sqrt(of_a[1] + of_b[1])
    tail = (1 - LEVEL) / 2 / (PAIR_SHARE if a.looked or b.looked else 1)
    low, high = ndtr(np.quantile(z, [tail, 1 - tail]))
    return float(ndtr(sign * (b.mean - a.mean) / math.hypot(sure(a.std), sure(b.std)))), float(low), float(high)
