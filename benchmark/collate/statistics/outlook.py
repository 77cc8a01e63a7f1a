"""What a claim could come to with more seeds: the chance of its most likely verdict, from the odds of its pairs.

Rules are gone through as ``judging/findings.py`` has them, with the chance that a comparison falls for, and the one
that it falls against, in place of its outcome. Where several are needed, it is the chance of the least likely of the
most likely
ones: an index to order by, no probability.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmark.collate.statistics.comparisons import Pair, wider
from benchmark.collate.statistics.hope import least_spread, reach
from benchmark.collate.statistics.interval import Estimate, chi
from benchmark.collate.statistics.looks import FIRST
from benchmark.errors import sure
from benchmark.suite.claim import AtLeast, Check, Claim, Rank

Odds = tuple[float, float]
"""Of a pair: the chances that a is found to be the smaller, and that b is. Of a comparison or a rule: for, and
against.
"""


def outlook(claim: Claim, pairs: Mapping[Check | Rank, Sequence[Pair]], odds: Mapping[Pair, Odds]) -> float:
    """The chance that the claim is decided, whichever way."""
    return max(_rule(claim.holds, {leaf: _leaf(leaf, [odds[pair] for pair in asked]) for leaf, asked in pairs.items()}))


def pair_odds(pair: Pair, a: Estimate, b: Estimate, n: int, m: int, level: float) -> Odds:
    """With ``n`` seeds of a and ``m`` of b, at ``level`` a side, if means and spreads stay as they are."""
    from scipy.special import ndtr, stdtrit

    df = min(n, m) - 1
    if pair.limit is not None:
        return limit_odds(pair.limit, a, n, level)
    va, vb = (pair.fa * sure(a.std)) ** 2 / n, (pair.fb * sure(b.std)) ** 2 / m
    error = math.sqrt(va + vb)
    if df < FIRST - 1 or not error:
        return 0.0, 0.0
    t = (pair.fb * b.mean - pair.fa * a.mean) / error
    needed = wider(va, vb, n, m) * stdtrit(df, 1 - level) * chi(df)
    return float(ndtr(t - needed).mean()), float(ndtr(-t - needed).mean())


def best_odds(pair: Pair, a: Estimate, b: Estimate, n: int, m: int, level: float) -> Odds:
    """As ``pair_odds``, each at the upper end of what the seeds there are leave plausible (``hope.py``)."""
    if a.half is None or b.half is None:
        return pair_odds(pair, a, b, n, m, level)
    df = min(a.counted, b.counted) - 1
    apart = sum((f * sure(e.std)) ** 2 / e.counted for f, e in ((pair.fa, a), (pair.fb, b))[: 1 if a is b else 2])
    off = reach(df) * math.sqrt(apart) / pair.fa
    less = [replace(e, std=sure(e.std) * least_spread(e.n - 1)) for e in (a, b)]
    lower, higher = (pair_odds(pair, replace(less[0], mean=a.mean + d), less[1], n, m, level) for d in (-off, off))
    return lower[0], higher[1]


def limit_odds(limit: float, a: Estimate, n: int, level: float) -> Odds:
    """That an interval of ``n`` seeds with a's mean and spread lies wholly below the limit, and wholly above it."""
    from scipy.special import ndtr, stdtrit

    if n < FIRST or not a.std:
        return 0.0, 0.0
    t = (limit - a.mean) / (a.std / math.sqrt(n))
    needed = stdtrit(n - 1, 1 - level) * chi(n - 1)
    return float(ndtr(t - needed).mean()), float(ndtr(-t - needed).mean())


def _leaf(leaf: Check | Rank, odds: Sequence[Odds]) -> Odds:
    turned = (
        leaf.a.direction == "higher"
        if isinstance(leaf, Rank)
        else leaf.test == "at-least"
        or leaf.a.direction == {"better": "higher", "not-converged": "lower"}.get(leaf.test)
    )
    if not isinstance(leaf, Rank) and leaf.test == "close":
        (below, above), (below_too, above_too) = odds  # a and the lower end of the margin, a and the upper
        return min(above, below_too), max(min(below, below_too), min(above, above_too))
    good, bad = zip(*(one[::-1] if turned else one for one in odds))
    return (
        (_least(good, len(good) - leaf.top + 1), _least(bad, leaf.top)) if isinstance(leaf, Rank) else (good[0], bad[0])
    )


def _rule(rule: Check | Rank | AtLeast, leaves: Mapping[Check | Rank, Odds]) -> Odds:
    if not isinstance(rule, AtLeast):
        return leaves[rule]
    good, bad = zip(*(_rule(part, leaves) for part in rule.rules))
    needed = rule.needed(len(good))
    return _least(good, needed), _least(bad, len(bad) - needed + 1)


def _least(chances: Sequence[float], needed: int) -> float:
    """The least likely of the ``needed`` most likely ones."""
    return sorted(chances, reverse=True)[needed - 1] if 0 < needed <= len(chances) else float(needed <= 0)
