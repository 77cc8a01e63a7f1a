"""Two cells with unequal numbers of seeds, the one with few of them having most of the noise or little of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmark.collate.statistics.comparisons import Pair, compare
from benchmark.collate.statistics.interval import estimate
from benchmark.suite.claim import Number

DRAWS = 2500
A, B = Number("a", "FID", "lower"), Number("b", "FID", "lower")


def decided(few: int, many: int, ratio: float, off: float = 0.0) -> float:
    """The share of pairs that are ordered, where the true means are ``off`` apart."""
    rng = np.random.default_rng([few, many, int(100 * ratio)])
    x, y = rng.normal(20 + off, ratio, (DRAWS, few)), rng.normal(20, 1, (DRAWS, many))
    pairs = ({A: estimate(a), B: estimate(b)} for a, b in zip(x.tolist(), y.tolist()))
    return sum(compare([Pair(A, B)], numbers)[Pair(A, B)].sign != 0 for numbers in pairs) / DRAWS


@pytest.mark.parametrize(("few", "many"), [(2, 2), (2, 3), (2, 20), (3, 3), (3, 20), (5, 20)])
@pytest.mark.parametrize("ratio", [0.3, 1.0, 3.0, 30.0])
def test_equal_methods_are_ordered_in_at_most_five_percent(few: int, many: int, ratio: float) -> None:
    assert decided(few, many, ratio) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize(("few", "many"), [(3, 3), (3, 20), (5, 20)])
def test_and_methods_that_are_far_apart_nearly_always(few: int, many: int) -> None:
    assert decided(few, many, 1.0, off=10.0) > 0.95
