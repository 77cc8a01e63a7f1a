"""What ``run --until-decided`` gives up on, and that it is another word, and another exit code, than what no seeds can
decide.
"""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark.collate.judging.decide import Hopeless
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.comparisons import Pair
from benchmark.collate.statistics.hope import least_spread, most_power
from benchmark.collate.statistics.interval import POWER, estimate, power
from benchmark.collate.statistics.looks import LAST
from benchmark.collate.statistics.outlook import best_odds, pair_odds
from benchmark.commands import standing
from benchmark.commands.standing import Standing
from benchmark.suite.claim import Number

A, B = Number("a", "FID", "lower"), Number("b", "FID", "lower")


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize(("spread", "off"), [(0.065, 0.0), (0.05, 0.01), (0.04, 0.02)])
def test_what_seeds_would_decide_is_rarely_given_up(n: int, spread: float, off: float) -> None:
    band, rng = 0.05, np.random.default_rng([n, int(1000 * spread)])
    assert power(spread, off, band, LAST) >= POWER, "seeds would decide"
    given_up = as_seen = 0
    for row in rng.normal(1 + off, spread, (100, n)).tolist():
        a = estimate(row, looked=True)
        given_up += most_power(a, 1.0, band, 0.0) < POWER
        as_seen += power(a.std, a.mean - 1, band, LAST) < POWER
    assert given_up <= 8 and as_seen > given_up


def test_what_seeds_would_not_decide_is_given_up_in_time() -> None:
    rng = np.random.default_rng(0)
    seen = [estimate(row, looked=True) for row in rng.normal(1.05, 0.2, (25, 40)).tolist()]
    assert sum(most_power(a, 1.0, 0.05, 0.0) < POWER for a in seen) > 15
    few = [estimate(row, looked=True) for row in rng.normal(1.05, 0.2, (25, 4)).tolist()]
    assert not any(most_power(a, 1.0, 0.05, 0.0) < POWER for a in few), "they may yet turn out to be far off"


def test_the_least_spread_is_below_the_true_one_in_95_of_100() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 10):
        s = rng.normal(0, 1, (4000, n)).std(1, ddof=1)
        assert np.mean(s * least_spread(n - 1) <= 1) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("limit", [None, 10.2])
def test_pairs_too_are_given_up_at_the_upper_end(limit: float | None) -> None:
    a, b = estimate([10.0, 10.5, 9.6], looked=True), estimate([10.2, 10.4, 9.9], looked=True)
    pair = Pair(A, B, limit=limit) if limit is None else Pair(A, A, limit=limit)
    seen = pair_odds(pair, a, a if limit else b, 50, 50, 0.001)
    best = best_odds(pair, a, a if limit else b, 50, 50, 0.001)
    assert all(x > y for x, y in zip(best, seen)) and max(best) > POWER > max(seen)


@pytest.mark.parametrize(("little", "code"), [(True, 1), (False, 0)])
def test_given_up_and_cannot_be_decided_are_two_words_and_two_exit_codes(
    little: bool, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [Hopeless("a/1/x FID", "why", little=little)]
    verdicts = {"a/1/x FID": Verdict("inconclusive", "why")}
    state = Standing([], [], [] if little else left, left if little else [], [], verdicts, [], [])
    assert state.exit_code() == code
    standing.begin(state, "rule", "first")
    standing.end(state, ["a/1/x FID"], dataclasses.replace(state, hopeless=[], given_up=[]), "stopped")
    said = capsys.readouterr().err
    assert ("given up (1)" in said) == little and ("cannot be decided by seeds (1)" in said) != little
    why = standing.why_nothing(state, ["a/1/x FID"], SimpleNamespace(hopeless=[], given_up=[]))
    assert ("1 verdict given up" in why) == little and ("1 verdict open that seeds cannot decide" in why) != little
