"""Beside a dash, too, no seed that agrees undoes what fell; one on the other side of the limit may."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmark.collate.judging.limit import beside_a_dash
from benchmark.collate.statistics.interval import estimate
from benchmark.collate.statistics.looks import before, looked
from tests.test_not_converged import DASH, EXACT, OPEN, TABLE


def verdict(values: list[float], plans: list[int]) -> tuple[str, str]:
    records = [SimpleNamespace(planned=p) for p in plans]
    ours = estimate(values, looked=looked(records))
    found = beside_a_dash(OPEN, DASH, ours, [EXACT], TABLE, "FID", looks=before(records))
    return found.name, found.why


@pytest.mark.parametrize(
    ("three", "agreeing", "other", "name"),
    [
        ([66.0, 67.0, 68.0], (67.5, 60.0, 69.99), 72.0, "converged"),
        ([72.0, 73.0, 74.0], (72.5, 80.0, 70.01), 68.0, "reproduced"),
    ],
)
def test_no_seed_on_the_same_side_undoes_it(
    three: list[float], agreeing: tuple[float, ...], other: float, name: str
) -> None:
    assert verdict(three, [3] * 3)[0] == name
    for more in ([a] for a in agreeing):
        found, why = verdict(three + more, [3] * 3 + [0])
        assert found == name and "mean of 3 seeds" in why and "mean of all 4" in why, why
        assert verdict(three + more, [0] * 4)[0] == "inconclusive", "nothing fell before"
    assert verdict([*three, other], [3] * 3 + [0])[0] == "inconclusive"
    assert verdict([*three, three[0]], [3] * 3 + [0])[0] == "inconclusive", "a tie"
