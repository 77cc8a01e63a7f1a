"""Seeds that collapse among others: seen, said, and no plain ``reproduced``; what clean seeds say of the rate."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict, judge
from benchmark.collate.statistics.collapse import collapsed, rate_bound
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.model import Published, Tolerance

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
