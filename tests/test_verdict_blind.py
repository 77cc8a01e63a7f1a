"""The judging judged: thousands of results drawn from a known truth, and how often the code that judges real records is
wrong.

The draws are those of ``results/verdicts/simulate.py``, whose longer run is committed beside it.
"""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats

from benchmark.collate.judging.ranking import tau_interval
from benchmark.collate.statistics.comparisons import Pair, compare, holm
from benchmark.collate.statistics.improvement import improvements
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.claim import Number
from benchmark.suite.load import load

SCRIPT = Path(__file__).parents[1] / "results/verdicts/simulate.py"


@pytest.fixture(scope="module")
def sim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ganbench_simulate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def below(rate: float, limit: float, draws: int) -> bool:
    """Whether a rate is at most the limit, up to three standard errors of ``draws`` draws."""
    return rate <= limit + 3 * math.sqrt(limit * (1 - limit) / draws)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_cover_as_they_say(sim: ModuleType, n: int) -> None:
    c = sim.coverage("normal", n, 2500, np.random.default_rng(n))
    assert abs(c["t"] - 0.95) < 0.02
    assert 0.93 < c["ours"] < 0.98
    assert n < 5 or abs(c["bootstrap-t"] - 0.95) < 0.02
    assert c["percentile"] < 0.92 and c["BCa"] < 0.92, "why neither is used"
    assert sim.coverage("skewed (log-normal, σ 0.4)", n, 1000, np.random.default_rng(n))["ours"] > 0.91


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("spread", [0.01, 0.03])
@pytest.mark.parametrize("effect", [0, 0.999, 1.001, 2, -2])
def test_false_verdicts_are_rare(sim: ModuleType, n: int, spread: float, effect: float) -> None:
    draws = 400
    found = sim.one_number(
        n, effect, spread, draws, np.random.default_rng([n, int(1000 * spread), int(1000 * abs(effect))])
    )
    for name in sim.DECIDED:
        by_print, by_mean = sim.false_rates(found, name)
        assert below(by_print, 0.025, draws), (name, by_print)
        assert name == "reproduced" or below(by_mean, 0.025, draws), (name, by_mean)


@pytest.mark.parametrize("effect", [pytest.param(0.999, marks=pytest.mark.slow), 1.001])
@pytest.mark.parametrize("noise", ["normal", "skewed (log-normal, σ 0.4)", "heavy-tailed (t, 4 degrees)"])
def test_false_verdicts_are_rare_at_the_edge_of_the_band_itself(sim: ModuleType, noise: str, effect: float) -> None:
    for n in (3, 5):
        found = sim.one_number(
            n, effect, 0.01, 1500, np.random.default_rng([n, len(noise)]), noise=noise, printed_spread=0
        )
        wrong = sum(sim.false_rates(found, name)[0] for name in sim.DECIDED)
        assert below(wrong, 0.05, 1500), (noise, n, wrong)


def test_the_verdicts_have_power_too(sim: ModuleType) -> None:
    rng = np.random.default_rng(0)
    same, worse = sim.one_number(5, 0, 0.01, 300, rng), sim.one_number(5, 4, 0.01, 300, rng)
    assert sum(k for (v, *_), k in same.items() if v == "reproduced") > 0.8 * 300
    assert sum(k for (v, *_), k in worse.items() if v == "not reproduced") > 0.95 * 300


@pytest.mark.slow
def test_one_seed_decides_nothing_even_where_seeds_collapse_unnoticed(sim: ModuleType) -> None:
    for found in (
        sim.one_number(1, 0, 0.09, 300, np.random.default_rng(0)),
        sim.one_number(1, 0, 0.02, 300, np.random.default_rng(1), collapse=0.05),
        sim.one_number(1, 60, 0.02, 300, np.random.default_rng(2)),
    ):
        assert {v for v, *_ in found} == {"inconclusive"}
    for n in (2, 3, 5):
        found = sim.one_number(n, 0, 0.02, 1000, np.random.default_rng(n), collapse=0.05)
        assert all(
            below(max(sim.false_rates(found, name)), 0.025, 1000) for name in sim.DECIDED if name != "reproduced"
        ), n


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 10])
def test_whole_suites_are_judged_right(sim: ModuleType, n: int) -> None:
    suite = load(Path("suites/gran.yaml"))
    rng = np.random.default_rng(n)
    sound, troubled = sim.whole_suite(suite, n, 8, rng, False), sim.whole_suite(suite, n, 4, rng, True)
    verdicts = sound.verdicts + troubled.verdicts
    assert verdicts.total() > 1000 and troubled.barred.total() > 50
    assert not set(troubled.barred) & {*sim.DECIDED, "inconclusive"}, "another protocol, or a lost seed, was judged"
    for name in sim.DECIDED:
        assert all(rate <= 0.05 for rate in sim.false_rates(verdicts, name)[: 1 if name == "reproduced" else 2])
    claims = sum(k for (v, _), k in sound.claims.items() if v != "not judged")
    assert claims > 50 and sim.false_claims(sound) <= 0.05 * claims
    assert np.mean(sound.tau) >= 0.95 and np.mean(sound.chance) >= 0.93


def test_holm_is_the_textbooks() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        p = (rng.random(rng.integers(1, 9)) ** 4).tolist()
        ranked = sorted(p)
        stop = next((i for i, value in enumerate(ranked) if value > 0.05 / (len(p) - i)), len(p))
        assert holm(p) == [value in ranked[:stop] for value in p]


def test_the_statistic_is_welchs_and_directions_are_told() -> None:
    rng = np.random.default_rng(0)
    a, b = Number("a", "FID", "lower"), Number("b", "FID", "lower")
    for _ in range(200):
        x, y = rng.normal(0, 1, 3), rng.normal(rng.choice([0, 3, -3]), 0.5, 4)
        numbers = {a: estimate(x.tolist()), b: estimate(y.tolist())}
        found = compare([Pair(a, b), Pair(b, a), Pair(a, b)], numbers)
        va, vb = x.var(ddof=1) / 3, y.var(ddof=1) / 4
        t = stats.ttest_ind(x, y, equal_var=False).statistic / (1 + 0.45 * max(0.0, va - vb) / (va + vb))
        p = 2 * stats.t.sf(abs(t), 2)
        assert found[Pair(a, b)].p == pytest.approx(p, rel=1e-9)
        assert found[Pair(a, b)].sign == (0 if p > 0.05 else -np.sign(t)) == -found[Pair(b, a)].sign


def test_wrong_directions_in_a_family_are_rare_although_pairs_share_cells() -> None:
    """Six methods, five of them equal but for a hair, seed spreads up to a factor of five apart: any wrong order
    counts.
    """
    rng = np.random.default_rng(1)
    wrong = decided = 0
    for _ in range(400):
        means = 20 + 1e-6 * rng.permutation(6) + np.array([0, 0, 0, 0, 0, 15])
        spreads = rng.uniform(0.2, 1, 6)
        numbers = {
            Number(str(i), "FID", "lower"): estimate(rng.normal(m, s, 3).tolist())
            for i, (m, s) in enumerate(zip(means, spreads))
        }
        found = compare([Pair(x, y) for x in numbers for y in numbers if x != y], numbers)
        errors = [
            answer.sign != np.sign(means[int(pair.b.cell)] - means[int(pair.a.cell)])
            for pair, answer in found.items()
            if answer.sign
        ]
        wrong, decided = wrong + any(errors), decided + len(errors)
    assert below(wrong / 400, 0.05, 400) and decided > 400


def test_tau_and_improvement_hold_the_truth() -> None:
    rng = np.random.default_rng(2)
    tau = chance = total = 0
    for _ in range(150):
        means, spread = rng.uniform(10, 14, 5), rng.uniform(0.1, 1, 5)
        published = rng.permutation(5)
        estimates = {str(i): estimate(rng.normal(means[i], spread[i], 5).tolist()) for i in range(5)}
        pairs = [(str(i), str(j)) for i in range(5) for j in range(5) if published[i] < published[j]]
        truth = stats.kendalltau(means, published).statistic
        low, high, _ = tau_interval(pairs, estimates)
        tau += low - 1e-9 <= truth <= high + 1e-9
        p, low, high = improvements([(estimates["0"], estimates["1"])], True)[0]
        true = stats.norm.cdf((means[1] - means[0]) / np.hypot(spread[0], spread[1]))
        chance += low <= true <= high
        total += 1
        assert low <= p <= high
    assert tau >= 0.95 * total - 3 and chance >= 0.93 * total - 3
