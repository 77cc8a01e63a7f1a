"""Looking more than once: seeds that were added after a look at those before, and what holds all the same.

Who looks after every seed and stops once a verdict falls gets more false ones than an interval for a fixed number of
seeds allows (``results/verdicts/peeking.md``). For such seeds there are repeated confidence intervals (Jennison and
Turnbull, "Interim Analyses: The Repeated Confidence Interval Approach", Journal of the Royal Statistical Society B 51,
1989; for t statistics, "Exact Calculations for Sequential t, χ² and F Tests", Biometrika 78, 1991): at each look, from
the third seed on, Student's t at a tenth of the level. All of them together hold the true mean with 95 %, after 3, 4,
… ``LAST`` seeds, whenever one stops, and for whatever reason. The share of a tenth is by simulation: for normal seeds
the statistic's path depends on nothing unknown. (An always-valid t mixture is narrower at three seeds and a third wider
at ten.) A plan of two seeds or more, all there, has had a look of its own, at the whole level, so that whoever never
looks
again has the usual interval. Later looks come on top, together at the level once more: whoever stops at the first
verdict may have more than 5 % false ones (``peeking.md`` says how many). From a single seed on, all looks together
stay below 5 %. What fell at a look stands while no later seed contradicts it (``judging/standing.py``).

Whether somebody may have looked is told by the records alone: each says how many seeds the plan asked for that it was
made in. Seeds of one plan, all there, were fixed beforehand. Everything else counts as looked at: ``run
--until-decided`` and ``run --looked``, a plan for more seeds than an earlier one of at least two, a plan that is not
finished, and records that do not say. A plan for a single seed is no look, since one seed decides nothing. All records
of the same trainings (recipe, data, seed) have their say, also of another protocol or version, of fewer steps, and
copies
from other labs: who measures again what was looked at knows what to expect (``furthest.by_evaluation``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmark.records.record import Record

LEVEL = 0.95
FIRST = 3
"""Seeds at the first look."""
LAST = 50
"""Seeds at the last look that the share is for. From there on, intervals get no narrower."""
SHARE = 10
"""Of the level that one look gets: a tenth."""
PAIR_SHARE = 18
"""As ``SHARE``, for the difference of two numbers, with the degrees of freedom of the one with fewer seeds, at the
lower levels that Holm asks for in a family of up to ``PAIRS`` pairs, where looks cost more: the smallest that holds
there, also if one of the two has all the noise (``results/verdicts/peeking.md``)."""
PAIRS = 200
"""The largest claim here has 120. In larger families, if one of two has all the noise, slightly more than the level is
false.
"""


def looked(records: Iterable[Record], of: int | None = None) -> bool:
    """Whether a decision to add seeds, or to stop, may have been made by a look at these, a cell's records.

    Args:
        records: out of ``furthest.by_evaluation``, whose ``planned`` speaks for all records of the same trainings.
        of: how many seeds there are, with those that have no record yet; None: as many as records.
    """
    planned = [r.planned for r in records]
    seeds = of or len(planned)
    return any(not p for p in planned) or {p for p in planned if p and p > 1} != ({seeds} if seeds > 1 else set())


class Look(NamedTuple):
    """A number of seeds, from the first on, and whether their interval is that of all looks."""

    seeds: int
    looked: bool


def before(records: Sequence[Record]) -> tuple[Look, ...]:
    """The looks that there may have been before all of these, a cell's records by seed without a gap, were there: at a
    plan of the first of them, and at every number of seeds from ``FIRST`` on.
    """
    plan = next((n for n in range(2, len(records)) if not looked(records[:n])), None)
    return tuple(Look(n, n != plan) for n in range(2, len(records)) if n == plan or n >= FIRST)


def critical(n: int, looked: bool = False) -> float:
    """How many standard errors of a mean of ``n`` seeds its interval reaches to each side."""
    counts = counted(n, looked)
    return quantile(counts - 1, SHARE if looked else 1) * math.sqrt(n / counts)


def counted(n: int, looked: bool) -> int:
    """How many of ``n`` seeds make an interval narrower: no more than ``LAST`` where somebody may have looked."""
    return min(n, LAST) if looked else n


@functools.cache
def quantile(df: int, share: int = 1) -> float:
    """Student's t, two-sided at ``LEVEL``; or at a look that gets one part in ``share`` of what the level leaves."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 1 - (1 - LEVEL) / 2 / share))
