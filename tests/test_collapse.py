"""Seeds that collapse among others: seen, said, and no plain ``reproduced``; what clean seeds say of the rate."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.collapse import collapsed, fell, rate_bound
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.model import Published, Tolerance
from tests.test_collate import PUBLISHED, THEORY, _three_seeds, full_cells

WORD = "reproduced where it trains"


def verdict(values: list[float], direction: str = "lower", published: float = 15.0) -> Verdict:
    p = Published(f"{published}", published, None, None, "own")
    return judge(p, estimate(values), 0, [Tier("exact", ())], direction, Tolerance(0.05, "a test"), "")


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("factor", [1.7, 3.0, 20.0])
@pytest.mark.parametrize("place", [0, -1])
def test_one_that_collapsed_is_seen_wherever_it_stands(n: int, factor: float, place: int) -> None:
    values = [15 + 0.01 * k for k in range(n)]
    values[place] = 15.0 * factor
    found = verdict(values)
    assert found.name == WORD and f"{n - 1} of {n} seeds" in found.why and f"1 of {n} seeds collapsed" in found.why


def test_several_and_of_a_metric_that_is_better_when_higher() -> None:
    assert verdict([15.0, 15.1, 45.0, 15.2, 48.0]).name == WORD
    assert verdict([15.0, 15.01, 3.0, 15.02], "higher").name == WORD
    assert collapsed([15.0, 15.1, 3.0, 15.2], "lower") == (), "far better is no collapse"
    assert collapsed([15.0, 45.0], "lower") == () == collapsed([], "lower")


def test_the_others_must_reproduce_it_by_themselves() -> None:
    assert verdict([19.0, 19.01, 19.02, 60.0]).name != WORD
    assert "collapsed" in verdict([19.0, 19.01, 19.02, 60.0]).why
    assert verdict([15.0, 15.01, 45.0]).name == WORD and verdict([15.0, 17.0, 45.0]).name == "inconclusive"


@pytest.mark.parametrize(("n", "bound"), [(3, "63 %"), (5, "45 %"), (10, "26 %"), (20, "14 %")])
def test_clean_seeds_bound_the_rate(n: int, bound: str) -> None:
    assert f"at most {bound} of runs" in verdict([15 + 0.01 * k for k in range(n)]).why
    assert (1 - rate_bound(n)) ** n == pytest.approx(0.05)


@pytest.mark.parametrize("spread", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("n", [3, 5, 20])
def test_seeds_that_train_are_not_called_collapsed(spread: float, n: int) -> None:
    rng = np.random.default_rng([n, int(1000 * spread)])
    for draws in (rng.normal(15, 15 * spread, (3000, n)), 15 + 15 * spread / 1.414 * rng.standard_t(4, (3000, n))):
        assert sum(bool(collapsed(row, "lower")) for row in draws.tolist()) <= 12


def test_one_in_ten_collapsing_is_plainly_reproduced_only_where_none_was_seen() -> None:
    rng = np.random.default_rng(0)
    for n in (3, 10):
        for _ in range(150):
            values, lost = rng.normal(15, 0.15, n), rng.random(n) < 0.1
            values[lost] *= 3
            assert verdict(values.tolist()).name != "reproduced" or not lost.any() or lost.sum() > n / 2


@pytest.mark.parametrize("metric_direction", ["lower", "higher"])
def test_a_run_that_was_better_before_has_collapsed_although_it_has_one_seed_beside_it(metric_direction: str) -> None:
    steady, last = [60.0, 30.0, 15.2, 15.1, 14.9, 15.0, 15.0, 15.1], 45.0 if metric_direction == "lower" else 5.0
    if metric_direction == "higher":
        steady = [1.0, 8.0, *steady[2:]]
    assert fell(last, steady, metric_direction) and not fell(15.6, steady, metric_direction)
    assert not fell(last, steady[-3:], metric_direction), "of a short history nothing is said"
    assert collapsed([15.0, last], metric_direction, [1]) == (1,)
    assert collapsed([15.0, last, last], metric_direction, [1, 2]) in ((), (0,)), "what most runs do is the method's"


def test_a_measure_that_scatters_within_a_run_has_not_collapsed() -> None:
    rng = np.random.default_rng(0)
    runs = 3 * (1 + 0.18 * rng.standard_normal((2000, 40)))
    assert sum(fell(run[-1], run[:-1].tolist(), "lower") for run in runs) <= 10


def test_a_collapse_by_its_history_is_said_and_stops_a_plain_reproduced() -> None:
    records = _three_seeds(PUBLISHED)
    mine = next(r for r in records if r.cell == full_cells()[0].id and r.seed == 1)
    step = {m: v for m, v in mine.final.items() if isinstance(v, dict)}
    good = [{**step, "V_g": {"value": step["V_g"]["value"] - 1, "std": 0.05}} for _ in range(9)]
    history = [{**entry, "step": 938 * k, "epoch": k} for k, entry in enumerate(good, 1)]
    changed = dataclasses.replace(mine, history=[*history, mine.final])
    _, joined = load_joined(THEORY, [changed if r is mine else r for r in records])
    entry = joined["theory/1"][0].entries["V_g"]
    before = load_joined(THEORY, records)[1]["theory/1"][0].entries["V_g"]
    assert before.verdict.name == "reproduced" and entry.verdict.name != "reproduced"
    assert "1 of 3 seeds collapsed" in entry.verdict.why and "by their own histories" in entry.verdict.why


@pytest.mark.parametrize("n", [4, 8, 20])
def test_the_tail_of_noise_about_a_number_near_zero_has_not_collapsed(n: int) -> None:
    """A KID of 0.1 with an absolute tolerance of 0.1, the truth at the band's edge, seeds that vary by as much."""
    skewed = (np.random.default_rng(n).lognormal(0, 0.6, (400, n)) - np.exp(0.18)) / 0.7883
    band, p = Tolerance(0.1, "a test", 0.1, "a test"), Published("0.1", 0.1, None, None, "own")
    false = [
        judge(p, estimate(row), 0, [Tier("exact", ())], "lower", band, "").name.startswith("reproduced")
        for row in (0.2001 + 0.1 * skewed).tolist()
    ]
    assert np.mean(false) <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 400)
    assert collapsed([0.1, 0.12, 0.09, 40.0], "lower", floor=0.1) == (3,)
    assert not fell(0.4, [0.1, 0.12, 0.09, 0.11] * 3, "lower", 0.1) and fell(
        40.0, [0.1, 0.12, 0.09, 0.11] * 3, "lower", 0.1
    )
