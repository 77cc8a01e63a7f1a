"""Two methods of which the one with few seeds has the noise: false orders are rare, also where it is skewed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmark.collate.statistics.comparisons import Pair, compare, skewed, wider
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.outlook import pair_odds
from benchmark.suite.claim import Number

A, B = Number("a", "FID", "lower"), Number("b", "FID", "lower")
SHAPES = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "heavy": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "skewed": lambda rng, shape: (rng.lognormal(0, 0.4, shape) - np.exp(0.08)) / 0.4523,
    "strongly skewed": lambda rng, shape: (rng.lognormal(0, 0.6, shape) - np.exp(0.18)) / 0.7905,
}


def signs(x: np.ndarray, y: np.ndarray) -> list[int]:
    pair = Pair(A, B)
    return [compare([pair], {A: estimate(u), B: estimate(v)})[pair].sign for u, v in zip(x.tolist(), y.tolist())]


@pytest.mark.parametrize("ratio", [1, 5])
@pytest.mark.parametrize(("n", "m"), [(2, 20), (3, 20), (5, 20), (3, 5)])
@pytest.mark.parametrize("shape", SHAPES)
def test_equal_methods_are_rarely_put_in_an_order(shape: str, n: int, m: int, ratio: int) -> None:
    draws, rng = 1000, np.random.default_rng([n, m, ratio, len(shape)])
    x, y = ratio * SHAPES[shape](rng, (draws, n)), SHAPES[shape](rng, (draws, m))
    for one, other in ((x, y), (-y, -x)):
        false = sum(map(bool, signs(one, other)))
        assert false / draws <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / draws)


def test_only_the_noise_of_few_seeds_widens() -> None:
    assert wider(1.0, 4.0, 5, 5) == wider(1.0, 4.0, 3, 20) == wider(2.0, 2.0, 3, 20) == wider(0.0, 0.0, 3, 20) == 1
    assert wider(4.0, 1.0, 3, 20) == wider(1.0, 4.0, 20, 3) == pytest.approx(1 + 0.45 * 0.6)
    assert wider(1.0, 0.0, 3, 20) == skewed(3) > skewed(10) > skewed(50) > 1


@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_the_widening_is_what_strongly_skewed_seeds_take(n: int) -> None:
    x = SHAPES["strongly skewed"](np.random.default_rng(n), (60_000, n))
    t = np.abs(x.mean(1)) / x.std(1, ddof=1) * np.sqrt(n)
    assert np.quantile(t, 0.95) / stats.t.ppf(0.975, n - 1) == pytest.approx(skewed(n), abs=0.035)


def test_what_more_seeds_promise_of_a_pair_is_what_they_give() -> None:
    rng = np.random.default_rng(0)
    found = signs(rng.normal(0, 1, (800, 4)), rng.normal(2.2, 0.5, (800, 9)))
    a, b = (estimate([m - s / np.sqrt(2), m + s / np.sqrt(2)]) for m, s in ((0.0, 1.0), (2.2, 0.5)))
    below, above = pair_odds(Pair(A, B), a, b, 4, 9, 0.025)
    assert abs(found.count(1) / 800 - below) < 0.05 and above < 0.01
