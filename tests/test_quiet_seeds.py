"""Seeds that are too much alike: copies, one run under several names, a measurement that does not see the seed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmark.collate.judging.claims import judge_claim
from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import judge
from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.improvement import improvements
from benchmark.collate.statistics.interval import Estimate, estimate
from benchmark.suite.claim import Number
from benchmark.suite.model import Published, Tolerance
from tests.test_collate import PUBLISHED, THEORY, _three_seeds

ALIKE = {
    "all the same": [15.0] * 3,
    "a, a, b": [15.0, 15.0, 15.1],
    "b, a, a": [15.1, 15.0, 15.0],
    "two of two": [15.0, 15.0],
    "two of ten": [15.0 + 0.01 * k for k in range(9)] + [15.0],
    "two pairs": [15.0, 15.0, 15.1, 15.1],
    "1e-9 apart": [15.0, 15.0 + 1e-9, 15.0 - 1e-9],
    "1e-5 apart": [15.0, 15.00001, 14.99999],
    "negative": [-15.0, -15.0 - 1e-9, -15.0 + 1e-9],
    "of zero": [0.0, 0.0, 0.0],
}


def verdict(e: Estimate, published: float) -> tuple[str, str]:
    p = Published(str(published), published, None, None, "own")
    found = judge(p, e, 0, [Tier("exact", ())], "lower", Tolerance(0.05, "a test"), "")
    return found.name, found.why


@pytest.mark.parametrize("name", ALIKE)
@pytest.mark.parametrize("factor", [1.0, 2.0, 0.5])
def test_they_decide_nothing_about_a_number(name: str, factor: float) -> None:
    e = estimate(ALIKE[name])
    found, why = verdict(e, factor * e.mean or 1.0)
    assert found == "inconclusive" and "no sample of seed noise" in why


@pytest.mark.parametrize("name", ALIKE)
def test_nor_about_an_order(name: str) -> None:
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    alike, other = estimate(ALIKE[name]), estimate([20.0, 20.1, 20.2])
    assert compare([Pair(a, b)], {a: alike, b: other})[Pair(a, b)].sign == 0
    assert improvements([(alike, other)], True)[0][1:] == (0.0, 1.0)


def test_a_spread_below_the_noise_of_the_measurement_is_none_of_seeds() -> None:
    values = [8.0, 8.001, 8.002]
    assert verdict(estimate(values, [0.03] * 3), 8.0)[0] == "inconclusive"
    assert "noise of their measurement" in estimate(values, [0.03] * 3).quiet
    assert verdict(estimate(values, [0.003] * 3), 8.0)[0] == verdict(estimate(values), 8.0)[0] == "reproduced"


@pytest.mark.parametrize("n", [2, 3, 5, 10, 20])
def test_seeds_that_train_alike_and_are_measured_with_noise_are_a_sample(n: int) -> None:
    draws = np.random.default_rng(n).normal(8, 0.03, (1000, n)).tolist()
    assert sum(bool(estimate(row, [0.03] * n).quiet) for row in draws) <= 25  # 1 % is promised


def test_records_and_claims_say_so() -> None:
    first = "theory/1/B_z=10^-2[MLP]/mnist"
    by_seed = {r.seed: r for r in _three_seeds(PUBLISHED) if r.cell == first}
    found = [
        dataclasses.replace(r, final=by_seed[0].final) if r.cell == first and r.seed == 1 else r
        for r in _three_seeds(PUBLISHED)
    ]
    suite, joined = load_joined(THEORY, found)
    assert {e.verdict.name for e in joined["theory/1"][0].entries.values()} == {"inconclusive"}
    assert "2 of 3 seeds gave the same number" in joined["theory/1"][0].entries["V_g"].verdict.why
    claim = next(c for c in suite.claims if any(n.cell == first for n in c.numbers()))
    assert judge_claim(claim, joined["theory/1"]).achieved.name != "holds"
