"""More seeds that say the same never say less; and what is promised of more seeds is what they give."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.equivalence import equivalent
from benchmark.collate.statistics.interval import estimate, power
from benchmark.suite.model import Published, Tolerance

SHAPES = {
    "normal": lambda rng, shape: rng.normal(0, 1, shape),
    "heavy": lambda rng, shape: rng.standard_t(4, shape) / np.sqrt(2),
    "skewed": lambda rng, shape: (rng.lognormal(0, 0.4, shape) - np.exp(0.08)) / 0.4523,
    "collapsing": lambda rng, shape: np.where(rng.random(shape) < 0.1, 40, rng.normal(0, 1, shape)),
}


def verdict(values: list[float], published: float = 14.965, looked: bool = False) -> Verdict:
    p = Published(f"{published}", published, None, None, "own")
    e = estimate(values, looked=looked)
    return judge(p, e, 0, [Tier("exact", ())], "lower", Tolerance(0.05, "a test"), "")


def test_a_fifth_seed_at_the_mean_of_four_undoes_nothing() -> None:
    four = [15.03, 15.00, 14.99, 14.52]
    assert verdict(four).name == verdict([*four, 14.885]).name == "reproduced"
    wide = [15.03, 15.00, 14.99, 14.37]
    assert verdict(wide).name == verdict([*wide, 14.848]).name == "inconclusive"
    assert verdict([*wide, 14.85, 14.84, 14.86]).name == "reproduced"


@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_seed_at_the_mean_makes_the_interval_narrower_at_both_ends(shape: str, looked: bool) -> None:
    rng = np.random.default_rng(0)
    for n in (3, 4, 5, 6, 9, 19, 49):
        for row in SHAPES[shape](rng, (150, n)).tolist():
            before = estimate([15 + 0.3 * v for v in row], looked=looked)
            after = estimate([*before.values, before.mean], looked=looked)
            assert after.bounds[0] >= before.bounds[0] - 1e-9 and after.bounds[1] <= before.bounds[1] + 1e-9, (n, row)


def test_the_worst_four_seeds_there_are_get_no_wider() -> None:
    for sign in (1, -1):
        four = estimate([15.0, 15 + 1e-7, 15 - 1e-7, 15 + sign * 0.5])
        five = estimate([*four.values, four.mean])
        assert four.bounds[0] <= five.bounds[0] and five.bounds[1] <= four.bounds[1]


@pytest.mark.parametrize(("n", "least"), [(2, 0.46), (3, 0.83), (5, 0.79), (10, 0.96)])
def test_power_at_equal_truth_of_an_exact_number(n: int, least: float) -> None:
    rng = np.random.default_rng(n)
    found = 0
    for _ in range(600):
        found += verdict(rng.normal(15, 0.15, n).tolist(), 15.0).name == "reproduced"
    assert found / 600 >= least - 0.04


@pytest.mark.parametrize("n", [5, 7, 10, 20])
@pytest.mark.parametrize("shape", ["normal", "heavy", "skewed"])
def test_false_verdicts_at_the_very_edge_of_the_band(shape: str, n: int) -> None:
    rng, draws, false = np.random.default_rng([n, len(shape)]), 1500, 0
    for row in SHAPES[shape](rng, (draws, n)).tolist():
        e = estimate([15 * 1.0501 + 0.15 * v for v in row])
        false += e.bounds[1] <= 15.75
    assert false / draws <= 0.055 + 3 * np.sqrt(0.05 * 0.95 / draws)


@pytest.mark.parametrize(("cv", "off"), [(0.02, 0.0), (0.03, 0.0), (0.03, 0.01), (0.05, 0.0)])
def test_more_seeds_decide_as_often_as_they_promise(cv: float, off: float) -> None:
    """Through the interval of seeds that are added after a look."""
    rng, std, mean = np.random.default_rng(int(1000 * cv)), 15 * cv, 15 * (1 + off)
    n = next(k for k in range(3, 50) if power(std, mean - 15, 0.75, k) >= 0.8)
    inside = 0
    for row in rng.normal(mean, std, (600, n)).tolist():
        e = estimate(row, looked=True)
        low, high = e.bounds
        inside += equivalent(low - 15, e.mean - 15, high - 15, 0.75, n, looked=True)
    assert abs(inside / 600 - power(std, mean - 15, 0.75, n)) < 0.05 + 2 * np.sqrt(0.8 * 0.2 / 600)


def test_the_sentence_says_that_number() -> None:
    found = verdict([14.4, 15.0, 15.7, 15.3, 14.6], 15.0, looked=True)
    assert found.name == "inconclusive" and re.search(r"\d+ more seed\(s\) would decide", found.why)
