"""Which of two of our numbers is the smaller: Welch's t statistic, with Holm's correction over all pairs that a claim
compares.

Each pair is two one-sided hypotheses (not below, not above), and all of them are one family: the probability of any
wrong direction in it is at most 5 %, whatever the dependence between pairs that share a cell (Holm 1979). The degrees
of freedom are those of the cell with fewer seeds, n − 1: then the test holds its level whatever the ratio of the two
spreads (Mickey and Brown, "Bounds on the Distribution Functions of the Behrens-Fisher Statistic", Annals of
Mathematical Statistics 37, 1966). Welch's own are too many where the cell with few seeds has most of the noise: two
against twenty are wrong in 12 %, and at Holm's lower levels many times what is allowed, also of equal numbers of
seeds. That is for normal noise. Skew of two cells cancels where they are alike, and does not where the one with fewer
seeds has nearly all of the noise: there t is that of its few seeds, and the difference is held against a wider error
(``wider``). Pairs that are asked for twice count once. Where seeds of one of the two may have been added by a look, p
is multiplied by what looking costs (``looks.PAIR_SHARE``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import LEVEL, PAIR_SHARE
from benchmark.errors import sure
from benchmark.suite.claim import Number


class Pair(NamedTuple):
    """``fa``·a against ``fb``·b; or a against a ``limit``, a constant: then b is a."""

    a: Number
    b: Number
    fa: float = 1.0
    fb: float = 1.0
    limit: float | None = None


class Answer(NamedTuple):
    """+1 if a is the smaller, −1 if b is, 0 if it is open; ``p`` is two-sided and not corrected.

    ``unlike``: how the two were measured differently, and so are not compared; "" if they are.
    """

    sign: int
    p: float
    unlike: str = ""


def compare(pairs: Iterable[Pair], numbers: dict[Number, Estimate]) -> dict[Pair, Answer]:
    """Every pair, and the same pair the other way round, decided as one family."""
    asked = list(dict.fromkeys(pairs))
    sides: dict[Pair, tuple[float, float]] = {}
    for pair in asked:
        if pair.limit is not None or _turned(pair) not in sides:
            sides[pair] = _sides(pair, numbers)
    tests = [(pair, sign, p) for pair, both in sides.items() for sign, p in zip((1, -1), both)]
    accepted = holm([p for _, _, p in tests])
    signs = {pair: sign for (pair, sign, _), yes in zip(tests, accepted) if yes}
    found = {pair: Answer(signs.get(pair, 0), min(1.0, 2 * min(both))) for pair, both in sides.items()}
    return {
        pair: found[pair] if pair in found else Answer(-found[_turned(pair)].sign, found[_turned(pair)].p)
        for pair in asked
    }


def holm(p: list[float]) -> list[bool]:
    """Which hypotheses Holm's step-down procedure rejects at a family-wise error of 1 − ``LEVEL``, half of it a
    direction.

    With one pair, that is the two-sided test at ``LEVEL``.
    """
    rejected = [False] * len(p)
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if not p[i] <= (1 - LEVEL) / (len(p) - rank):
            break
        rejected[i] = True
    return rejected


def _sides(pair: Pair, numbers: dict[Number, Estimate]) -> tuple[float, float]:
    """One-sided p of "a is not the smaller" and of "b is not"; 1/2 where one has a single seed, or seeds that
    are all equal: no sample of its noise.
    """
    from scipy.special import stdtr

    a, b = numbers[pair.a], numbers[pair.b]
    if a.half is None or b.half is None or not (a.varies and b.varies):
        return 0.5, 0.5
    if pair.limit is not None:
        t = (a.mean - pair.limit) / (sure(a.std) / math.sqrt(a.counted))
        share = PAIR_SHARE if a.looked else 1
        above, below = (min(1.0, share * float(stdtr(a.counted - 1, side))) for side in (t, -t))
        return above, below
    va, vb = ((f * sure(e.std)) ** 2 / e.counted for f, e in ((pair.fa, a), (pair.fb, b)))
    t = (pair.fa * a.mean - pair.fb * b.mean) / math.sqrt(va + vb) / wider(va, vb, a.counted, b.counted)
    df, share = min(a.counted, b.counted) - 1, PAIR_SHARE if a.looked or b.looked else 1
    below, above = (min(1.0, share * float(stdtr(df, side))) for side in (t, -t))
    return below, above


def wider(va: float, vb: float, n: int, m: int) -> float:
    """By how much the error of a difference is widened, of means with variances ``va`` of ``n`` seeds and ``vb`` of
    ``m``: as far as the one of fewer seeds has more of it than the other, up to ``skewed`` where it has all.
    """
    if n == m or not va + vb:
        return 1.0
    few, many = (va, vb) if n < m else (vb, va)
    return 1 + (skewed(min(n, m)) - 1) * max(few - many, 0.0) / (few + many)


def skewed(n: int) -> float:
    """By how much Student's t, two-sided at ``LEVEL``, has to be wider for ``n`` seeds of log-normal noise of σ 0.6: a
    curve through what simulation gives (1.43 for three, 1.41 for five, 1.29 for ten, 1.17 for twenty).
    """
    return min(1.45, 1 + 0.9 / math.sqrt(n))


def _turned(pair: Pair) -> Pair:
    return Pair(pair.b, pair.a, pair.fb, pair.fa, pair.limit)
