"""A method with too few seeds for an interval takes nothing from the others of its column."""

from __future__ import annotations

import pytest

from benchmark.collate.judging.join import load_joined
from benchmark.collate.judging.ranking import Ranking, rankings
from tests.test_collate import PUBLISHED, THEORY, _three_seeds

METHODS = ("B_z=10^-2", "B_z=10^0", "B_z=10^2")


def ranking_of(seeds: dict[str, int]) -> Ranking:
    """Of V_g, where these methods have so many of three seeds."""
    found = [r for r in _three_seeds(PUBLISHED) if r.seed < next((n for m, n in seeds.items() if m in r.cell), 3)]
    suite, joined = load_joined(THEORY, found)
    return next(r for r in rankings(suite.tables[0], joined["theory/1"]) if r.metric == "V_g")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seeds", [1, 2])
def test_one_method_with_few_seeds_is_left_out_and_named(method: str, seeds: int) -> None:
    found = ranking_of({method: seeds})  # of three planned: two are judged from the first look on
    assert (found.methods, found.low, found.high) == (2, 1.0, 1.0)
    assert len(found.improvements) == 1 and f"too few seeds, and left out: {method}" in found.why
    assert all(method not in cell for i in found.improvements for cell in (i.better, i.worse))


def test_fewer_than_two_others_leave_no_interval_and_all_are_named() -> None:
    found = ranking_of(dict.fromkeys(METHODS[:2], 1))
    assert found.tau == 1 and found.low is None
    assert "too few seeds, no interval: " + ", ".join(METHODS[:2]) in found.why
