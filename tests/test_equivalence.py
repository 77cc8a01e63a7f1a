"""``reproduced`` at the very edge of the band is rare, whatever the shape of seed noise."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.collate.statistics.equivalence import WHOLE, WIDER, equivalent, factor, nearest_edge
from benchmark.collate.statistics.interval import estimate, power
from benchmark.collate.statistics.looks import critical
from tests.test_agreeing_seeds import verdict

STRONG = 0.6
SCALE = np.sqrt((np.exp(STRONG**2) - 1) * np.exp(STRONG**2))
SHAPES = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "heavy": lambda rng, shape: rng.standard_t(3, shape) / np.sqrt(3),
    "skewed": lambda rng, shape: (rng.lognormal(0, STRONG, shape) - np.exp(STRONG**2 / 2)) / SCALE,
    "gamma": lambda rng, shape: (rng.gamma(1.5, 1, shape) - 1.5) / np.sqrt(1.5),
}


def reproduced(values: list[float], band: float, looked: bool = False) -> bool:
    e = estimate(values, looked=looked)
    low, high = e.bounds
    return equivalent(low, e.mean, high, band, e.n, looked)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 8, 10, 14, 20])
@pytest.mark.parametrize("shape", SHAPES)
def test_at_the_edge_of_the_band_at_most_one_in_twenty_is_reproduced(shape: str, n: int) -> None:
    """Whatever the spread, as a share of the band."""
    draws = 800
    noise = SHAPES[shape](np.random.default_rng([n, len(shape)]), (draws, n))
    for sign, spread in ((1, 0.2), (1, 1.0), (-1, 0.8)):
        false = sum(reproduced([sign * 1.0001 + spread * v for v in row], 1.0) for row in noise.tolist())
        assert false / draws <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / draws), (sign, spread)


@pytest.mark.parametrize("shape", ["normal", "heavy", "skewed"])
def test_so_it_is_at_all_looks_together(shape: str) -> None:
    draws = 400
    for spread in (0.2, 0.8):
        noise = SHAPES[shape](np.random.default_rng(len(shape)), (draws, 20)) * spread + 1.0001
        false = sum(any(reproduced(row[:n], 1.0, looked=True) for n in range(3, 21)) for row in noise.tolist())
        assert false / draws <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / draws), spread


def test_an_agreeing_seed_undoes_no_reproduced() -> None:
    """One at the mean of those before, at any number of seeds; on the brink of being reproduced."""
    rng = np.random.default_rng(0)
    for n in range(2, WHOLE + 2):
        for _ in range(12):
            row = rng.normal(0.2, 1, n)
            e = estimate(row.tolist())
            brink = next(b for b in np.geomspace(0.1, 1000, 400) if reproduced(row.tolist(), b))
            assert reproduced([*row.tolist(), e.mean], brink), n


def test_the_factors_end_where_they_say() -> None:
    assert max(WIDER) == WHOLE - 1 and factor(WHOLE) == 1 < factor(WHOLE - 1)


def test_the_verdict_says_what_held_it_back() -> None:
    found = verdict([15.0, 15.2, 14.75], 15.0)
    assert found.name == "inconclusive" and "held against the band 1.36 times as wide" in found.why
    assert "two seeds: judged by 0.78 of the interval" in verdict([15.0, 15.2], 15.0).why
    assert verdict([15.0, 15.05], 15.0).name == "reproduced" and verdict([15.5, 15.51], 15.0).name == "inconclusive"


@pytest.mark.parametrize(("n", "least"), [(2, 0.46), (3, 0.83), (5, 0.79), (10, 0.96)])
def test_power_at_equal_truth_of_seeds_that_vary_by_a_fifth_of_the_band(n: int, least: float) -> None:
    """By the integral, which draws confirm to half a percent."""
    assert power(0.2, 0.0, 1.0, n, looked=False) >= least
    if n <= 3:
        x = 0.2 * np.random.default_rng(n).standard_normal((100_000, n))
        half = critical(n) * factor(n) * x.std(1, ddof=1) / np.sqrt(n)
        mean = np.abs(x.mean(1))
        found = np.mean((mean + half <= 1) & (mean <= nearest_edge(n, 1.0)))
        assert found >= least and power(0.2, 0.0, 1.0, n, looked=False) == pytest.approx(found, abs=0.005)
