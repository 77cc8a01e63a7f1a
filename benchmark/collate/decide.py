"""Which open verdicts more seeds could decide, and which of them for the fewest device hours.

A question is a number of a cell, or a claim, whose verdict is ``inconclusive`` and could change. Its chance with k more
seeds for each of its cells is the power that the collator's own tests would then have, corrected for looks, if means and
spreads stay as they are. For one seed, whose spread is unknown, the published numbers' plausible noise stands in. For a
claim it is the chance of its most likely comparisons, as many as its rule needs: an index to order by, no probability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.collate.claims import JudgedClaim, comparisons
from benchmark.collate.comparisons import Answer, Pair
from benchmark.collate.interval import POWER, Estimate, chi, power
from benchmark.collate.join import Entry, Joined
from benchmark.collate.looks import FIRST, LAST, LEVEL, PAIR_SHARE
from benchmark.collate.noise import PLAUSIBLE
from benchmark.collate.verdict import own_noise
from benchmark.suite.model import AtLeast, Check, Number, Rank, Tolerance

LADDER = (1, 2, 3, 5, 8, 13, 20, 30, LAST)
"""Numbers of seeds that are tried when asking how many would be worth their hours."""


@dataclass(frozen=True)
class Question:
    """An open verdict that seeds could decide: ``chance(k)`` with k more for each of ``cells`` (ids)."""

    name: str
    cells: tuple[str, ...]
    chance: Callable[[int], float]


@dataclass(frozen=True)
class Hopeless:
    """An open verdict that seeds would not decide."""

    name: str
    why: str


def open_questions(cells: Sequence[Joined], tolerances: Mapping[str, Mapping[str, Tolerance]], claims: Iterable[JudgedClaim]) -> tuple[list[Question], list[Hopeless]]:
    """What is ``inconclusive`` among numbers and claims.

    Args:
        cells: all of a selection.
        tolerances: table key -> metric -> band.
        claims: judged over these cells.
    """
    found: list[Question | Hopeless] = []
    for j in cells:
        bands = tolerances[f"{j.cell.paper}/{j.cell.table}"]
        found += [_number(j, e, bands.get(e.metric)) for e in j.entries.values() if e.verdict.name == "inconclusive"]
    by_id = {j.cell.id: j for j in cells}
    found += [_claim(c, by_id) for c in claims if c.achieved.name == "inconclusive"]
    return [q for q in found if isinstance(q, Question)], [h for h in found if isinstance(h, Hopeless)]


def in_order(questions: Iterable[Question], seconds: Mapping[str, float], runs: Mapping[str, str]) -> list[list[Question]]:
    """Questions that the same runs answer, together; most informative per device hour first.

    Args:
        seconds: of one more seed of each cell.
        runs: cell id -> what tells its runs from others': cells that share theirs have the same, and cost once.
    """
    groups: dict[frozenset[str], list[Question]] = {}
    for q in questions:
        groups.setdefault(frozenset(runs[c] for c in q.cells), []).append(q)

    def worth(group: list[Question]) -> float:
        price = sum({runs[c]: seconds[c] for q in group for c in q.cells}.values())
        return max(sum(q.chance(k) for q in group) / (k * price) for k in LADDER)

    return sorted(groups.values(), key=worth, reverse=True)


def _number(j: Joined, e: Entry, band: Tolerance | None) -> Question | Hopeless:
    name = f"{j.cell.id} {e.metric}"
    p, a = e.published, e.achieved
    if band is None or j.gap is not None or not p.value or a.n >= LAST or (a.n > 1 and not a.varies):
        return Hopeless(name, e.verdict.why)
    a = _with_spread(a, e.metric)
    if not a.std:
        return Hopeless(name, e.verdict.why)
    noise, _ = own_noise(p, a, e.runs)

    def chance(k: int) -> float:
        n = min(a.n + k, LAST)
        return power(a.std, a.mean - p.value, band.relative * abs(p.value), n, (noise / a.std) ** 2) if n >= FIRST else 0.0

    if max(map(chance, LADDER)) < POWER:
        return Hopeless(name, e.verdict.why)
    return Question(name, (j.cell.id,), chance)


def _with_spread(a: Estimate, metric: str) -> Estimate:
    """As it is; where there is no spread, with a plausible one."""
    return a if a.n > 1 and a.varies else replace(a, std=PLAUSIBLE[metric].relative * abs(a.mean) if metric in PLAUSIBLE else 0.02 * abs(a.mean))


def _claim(c: JudgedClaim, cells: Mapping[str, Joined]) -> Question | Hopeless:
    name = f"claim {c.claim.paper}: {c.claim.id}"
    numbers = {n: cells[n.cell].entries[n.metric].achieved for n in c.claim.numbers()}
    pairs, answers = comparisons(c.claim, numbers, {name: j.cell.full_protocol for name, j in cells.items()})
    compared = {pair: answer for pair, answer in answers.items() if not answer.unlike}
    left = dict.fromkeys(n.cell for pair, answer in compared.items() if not answer.sign for n in (pair.a, pair.b))
    if not left:
        return Hopeless(name, f"{c.achieved.why}; what is open was measured otherwise, and no seeds decide that")
    level = (1 - LEVEL) / (2 * len(compared) - sum(answer.sign != 0 for answer in compared.values())) / PAIR_SHARE
    spread = {n: _with_spread(a, n.metric) for n, a in numbers.items()}
    fewest = min(a.n for n, a in numbers.items() if n.cell in left)

    def chance(k: int) -> float:
        return _rule(c.claim.holds, {leaf: _leaf(leaf, [_pair(pair, answers[pair], spread, k, level) for pair in asked]) for leaf, asked in pairs.items()})

    if fewest >= LAST or max(map(chance, LADDER)) < POWER:
        return Hopeless(name, f"{c.achieved.why}; too close for {LAST} seeds each to decide")
    return Question(name, tuple(left), chance)


def _pair(pair: Pair, answer: Answer, numbers: Mapping[Number, Estimate], k: int, level: float) -> float:
    """The chance that ``k`` more seeds of both decide which is the smaller; 1 if that is known, 0 if they are not compared."""
    from scipy.special import ndtr, stdtrit

    if answer.sign or answer.unlike:
        return float(answer.sign != 0)
    a, b = numbers[pair.a], numbers[pair.b]
    n, m = a.n + k, b.n + k
    df = min(n, m) - 1
    error = math.sqrt((pair.fa * a.std) ** 2 / n + (pair.fb * b.std) ** 2 / m)
    if df < FIRST - 1 or not error:
        return 0.0
    return float(ndtr(abs(pair.fa * a.mean - pair.fb * b.mean) / error - stdtrit(df, 1 - level) * chi(df)).mean())


def _leaf(leaf: Check | Rank, chances: list[float]) -> float:
    return _largest(chances, len(chances) - leaf.top + 1) if isinstance(leaf, Rank) else min(chances)


def _rule(rule: Check | Rank | AtLeast, leaves: Mapping[Check | Rank, float]) -> float:
    if not isinstance(rule, AtLeast):
        return leaves[rule]
    return _largest([_rule(part, leaves) for part in rule.rules], rule.needed(len(rule.rules)))


def _largest(chances: list[float], needed: int) -> float:
    """The least likely of the ``needed`` most likely ones."""
    return sorted(chances, reverse=True)[needed - 1] if needed > 0 else 1.0
