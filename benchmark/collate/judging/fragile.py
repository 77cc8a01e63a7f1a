"""Which comparisons of a paper's own numbers are decided by less than plausible seed noise.

A comparison is settled if its numbers lie further apart than ``Z`` standard deviations of their difference,
each number varying over seeds as ``noise.py`` says. A model that did not converge settles it.
"""

from __future__ import annotations

import math

from benchmark.collate.judging.entry import Entry
from benchmark.collate.statistics.noise import published_noise
from benchmark.errors import sure
from benchmark.suite.claim import LIMITS, Check, Number, Rank

Z = 1.96


def unsettled(leaf: Check | Rank, entries: dict[Number, Entry]) -> list[str]:
    """The sources of the noise that could turn the comparison; none if it is settled."""
    if isinstance(leaf, Rank):
        return _rank(leaf, entries)
    if leaf.test in LIMITS and (value := _printed(leaf.a, entries)) is not None:
        near = abs(value - sure(leaf.limit)) <= Z * _noise(leaf.a, entries)[0]
        return _sources(leaf.a, entries=entries) if near else []
    if leaf.b is None or any(_printed(n, entries) is None for n in (leaf.a, leaf.b)):
        return []
    higher = leaf.test == "better" and leaf.a.direction == "higher"
    margins = (leaf.margin, -leaf.margin) if leaf.test == "close" else (leaf.margin if higher else -leaf.margin,)
    signs = [_sign(leaf.a, leaf.b, entries, float(leaf.times[0]), float(leaf.times[1]), float(m)) for m in margins]
    settled = 0 not in signs or (leaf.test == "close" and signs[0] + signs[1] != 0 and _outside(leaf, entries))
    return [] if settled else _sources(leaf.a, leaf.b, entries=entries)


def _outside(leaf: Check, entries: dict[Number, Entry]) -> bool:
    """Whether two numbers that are not close as printed lie settled beyond one end of the margin: the other end is
    farther.
    """
    a, b = (f * sure(_printed(sure(n), entries)) for f, n in zip(map(float, leaf.times), (leaf.a, leaf.b)))
    return abs(a - b) > float(leaf.margin) * abs(b)


def _rank(rank: Rank, entries: dict[Number, Entry]) -> list[str]:
    """Settled if enough rivals are worse, or enough are better, by more than noise."""
    better = 1 if rank.a.direction == "lower" else -1
    printed = [n for n in rank.rivals if (p := entries[n].published) and p.text != "not-reported"]
    if _printed(rank.a, entries) is None:
        return []
    signs = [1 if _printed(n, entries) is None else better * _sign(rank.a, n, entries) for n in printed]
    if signs.count(1) > len(signs) - rank.top or signs.count(-1) >= rank.top:
        return []
    return _sources(rank.a, *(n for n, sign in zip(printed, signs) if sign == 0), entries=entries)


def _sign(
    a: Number, b: Number, entries: dict[Number, Entry], fa: float = 1.0, fb: float = 1.0, margin: float = 0.0
) -> int:
    """+1 if fa·a lies below fb·b moved by the margin, −1 if above, 0 if the difference is within noise."""
    x, y = (f * sure(_printed(n, entries)) for f, n in ((fa, a), (fb, b)))
    dx, dy = (f * _noise(n, entries)[0] for f, n in ((fa, a), (fb, b)))
    gap = y + margin * abs(y) - x
    return 0 if abs(gap) <= Z * math.hypot(dx, (1 + margin) * dy) else 1 if gap > 0 else -1


def _printed(n: Number, entries: dict[Number, Entry]) -> float | None:
    published = entries[n].published
    return published.value if published else None


def _noise(n: Number, entries: dict[Number, Entry]) -> tuple[float, str]:
    e = entries[n]
    return published_noise(n.metric, sure(e.published), e.runs)


def _sources(*numbers: Number, entries: dict[Number, Entry]) -> list[str]:
    return list(
        dict.fromkeys(f"{n.metric} {_noise(n, entries)[1]}" for n in numbers if _printed(n, entries) is not None)
    )
