"""Which open verdicts more seeds could decide, and which of them for the fewest device hours.

A question is a number of a cell, or a claim, whose verdict is ``inconclusive`` and could change. Its chance with k more
seeds for each of its cells, up to ``LAST``, is the power that the collator's own tests would then have, corrected for
looks, if means and spreads stay as they are; a claim's is an index to order by (``outlook.py``). For one seed, whose
spread is unknown, the published numbers' plausible noise stands in. That orders, and gives nothing up: what has no
interval yet is a question however small its chance. Seeds that agree to the last digit decide nothing, however many
there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmark.collate.judging.by_ours import comparisons
from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.judging.join import Entry, Joined
from benchmark.collate.judging.verdict import Verdict, own_noise
from benchmark.collate.statistics.comparisons import Pair
from benchmark.collate.statistics.interval import POWER, Estimate, power
from benchmark.collate.statistics.looks import FIRST, LAST, LEVEL, PAIR_SHARE
from benchmark.collate.statistics.noise import PLAUSIBLE
from benchmark.collate.statistics.outlook import Odds, outlook, pair_odds
from benchmark.errors import sure
from benchmark.recipe import Protocol
from benchmark.suite.claim import Number
from benchmark.suite.model import Tolerance

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
    """An open verdict that seeds would not decide; or (``blocked``) that they could, if they could be made."""

    name: str
    why: str
    blocked: bool = False


Blocked = Callable[[Joined], str]
"""Why no more seeds of a cell can be made; "" if they can."""


def open_questions(
    cells: Sequence[Joined],
    tolerances: Mapping[str, Mapping[str, Tolerance]],
    claims: Iterable[JudgedClaim],
    blocked: Blocked = lambda j: "",
) -> tuple[list[Question], list[Hopeless]]:
    """What is ``inconclusive`` among numbers and claims.

    Args:
        cells: all of a selection.
        tolerances: table key -> metric -> band.
        claims: judged over these cells.
        blocked: asked only of cells whose seeds could decide something.
    """
    found: list[Question | Hopeless] = []
    for j in cells:
        bands = tolerances[f"{j.cell.paper}/{j.cell.table}"]
        found += [
            _number(j, e, bands.get(e.metric), blocked) for e in j.entries.values() if e.verdict.name == "inconclusive"
        ]
    by_id = {j.cell.id: j for j in cells}
    found += [_claim(c, by_id, blocked) for c in claims if c.achieved.name == "inconclusive"]
    return [q for q in found if isinstance(q, Question)], [h for h in found if isinstance(h, Hopeless)]


def all_verdicts(cells: Iterable[Joined], claims: Iterable[JudgedClaim]) -> dict[str, Verdict]:
    """Of numbers and claims, by the names that questions have."""
    numbers = {_number_name(j, e): e.verdict for j in cells for e in j.entries.values()}
    return numbers | {_claim_name(c): Verdict(c.achieved.name, c.achieved.why) for c in claims}


def in_order(
    questions: Iterable[Question], seconds: Mapping[str, float], runs: Mapping[str, str]
) -> list[list[Question]]:
    """Questions that the same runs answer, together; most informative per device hour first.

    Args:
        seconds: of one more seed of each cell.
        runs: cell id -> what tells its runs from others': cells that share theirs have the same, and cost once.
    """
    groups: dict[frozenset[str], list[Question]] = {}
    for q in questions:
        groups.setdefault(frozenset(runs[c] for c in q.cells), []).append(q)

    def worth(group: list[Question]) -> float:
        """Decisions to expect a device second, at the best of the numbers of seeds in ``LADDER``."""
        price = sum({runs[c]: seconds[c] for q in group for c in q.cells}.values())
        return max(sum(q.chance(k) for q in group) / (k * price) for k in LADDER)

    return sorted(groups.values(), key=worth, reverse=True)


def _number_name(j: Joined, e: Entry) -> str:
    return f"{j.cell.id} {e.metric}"


def _claim_name(c: JudgedClaim) -> str:
    return f"claim {c.claim.paper}: {c.claim.id}"


def _number(j: Joined, e: Entry, band: Tolerance | None, blocked: Blocked) -> Question | Hopeless:
    name = _number_name(j, e)
    p, a = sure(e.published), sure(e.achieved)
    if band is None or j.gap is not None or not p.value or a.n >= LAST:
        return Hopeless(name, e.verdict.why)
    if _equal(a):
        return Hopeless(name, f"all {a.n} seeds gave the same number: no sample of seed noise")
    a = _with_spread(a, e.metric)
    noise, _ = own_noise(p, a, e.runs)
    value = p.value

    def chance(k: int) -> float:
        """Power of the test with ``k`` more seeds, at most ``LAST`` in all; 0 before the first look."""
        n = min(a.n + k, LAST)
        return (
            power(a.std, a.mean - value, band.relative * abs(value), n, (noise / a.std) ** 2)
            if a.std and n >= FIRST
            else 0.0
        )

    if a.half is not None and max(map(chance, LADDER)) < POWER:
        return Hopeless(name, e.verdict.why)
    if why := blocked(j):
        return Hopeless(name, why, blocked=True)
    return Question(name, (j.cell.id,), chance)


def _equal(a: Estimate) -> bool:
    return a.n > 1 and not a.varies


def _with_spread(a: Estimate, metric: str) -> Estimate:
    """As it is; of one seed, with a plausible spread."""
    return (
        a
        if a.n > 1
        else replace(a, std=PLAUSIBLE[metric].relative * abs(a.mean) if metric in PLAUSIBLE else 0.02 * abs(a.mean))
    )


def _claim(c: JudgedClaim, cells: Mapping[str, Joined], blocked: Blocked) -> Question | Hopeless:
    name = _claim_name(c)
    numbers = {n: _with_spread(sure(cells[n.cell].entries[n.metric].achieved), n.metric) for n in c.claim.numbers()}
    claim = _Claim(c, numbers, {cell: j.cell.full_protocol for cell, j in cells.items()})
    if not claim.could():
        return Hopeless(name, f"{c.achieved.why}; {claim.why_not()}")
    barred = {cell: why for cell in claim.cells() if (why := blocked(cells[cell]))}
    if barred and not claim.could(barred):
        return Hopeless(name, "; ".join(f"{cell}: {why}" for cell, why in barred.items()), blocked=True)
    return Question(name, claim.cells(barred), lambda k: claim.chance(k, barred))


class _Claim:
    """What more seeds could make of a claim; ``barred``: cells of which there will be no more."""

    def __init__(self, c: JudgedClaim, numbers: dict[Number, Estimate], protocols: Mapping[str, Protocol]) -> None:
        self._claim, self._numbers = c.claim, numbers
        self._pairs, answers = comparisons(c.claim, numbers, protocols)
        compared = [pair for pair, answer in answers.items() if not answer.unlike]
        self._known: dict[Pair, Odds] = {
            pair: (float(answer.sign > 0), float(answer.sign < 0)) for pair, answer in answers.items()
        }
        self._open = [pair for pair in compared if not answers[pair].sign]
        self._level = (
            (1 - LEVEL) / (2 * len(compared) - sum(answer.sign != 0 for answer in answers.values())) / PAIR_SHARE
        )

    def could(self, barred: Collection[str] = ()) -> bool:
        """Whether seeds could decide it: with a good chance, or nobody knows before the first look."""
        able = self._able(barred)
        unseen = any(self._numbers[n].half is None for pair in able for n in (pair.a, pair.b))
        if unseen and outlook(self._claim, self._pairs, self._known | dict.fromkeys(able, (1.0, 1.0))):
            return True
        return max(self.chance(k, barred) for k in LADDER) >= POWER

    def chance(self, k: int, barred: Collection[str] = ()) -> float:
        """That ``k`` more seeds of each cell decide it. Those beyond ``LAST`` count for nothing."""

        def seeds(n: Number) -> int:
            """How many a number would have."""
            return min(self._numbers[n].n + (0 if n.cell in barred else k), LAST)

        odds = {
            pair: pair_odds(
                pair, self._numbers[pair.a], self._numbers[pair.b], seeds(pair.a), seeds(pair.b), self._level
            )
            for pair in self._able(barred)
        }
        return outlook(self._claim, self._pairs, self._known | odds)

    def cells(self, barred: Collection[str] = ()) -> tuple[str, ...]:
        """That it takes seeds of."""
        return tuple(dict.fromkeys(cell for of in self._able(barred).values() for cell in of))

    def why_not(self) -> str:
        """Why seeds would not decide it."""
        if not outlook(self._claim, self._pairs, self._known | dict.fromkeys(self._open, (1.0, 1.0))):
            return "what would decide it was measured otherwise, and is not compared"
        equal = dict.fromkeys(n for pair in self._open for n in (pair.a, pair.b) if _equal(self._numbers[n]))
        metrics = {
            cell: ", ".join(n.metric for n in equal if n.cell == cell) for cell in dict.fromkeys(n.cell for n in equal)
        }
        said = [f"all seeds of {cell} gave the same {of}: no sample of seed noise" for cell, of in metrics.items()]
        possible = outlook(
            self._claim,
            self._pairs,
            self._known | {pair: (1.0, 1.0) for pair in self._open if not {pair.a, pair.b} & equal.keys()},
        )
        return "; ".join(said if said and not possible else [f"too close for {LAST} seeds each to decide", *said])

    def _able(self, barred: Collection[str]) -> dict[Pair, tuple[str, ...]]:
        """The open pairs that seeds could decide, and the cells that these would be of. No cell is asked beyond
        ``LAST``.
        """
        found = {}
        for pair in self._open:
            both = {n: self._numbers[n] for n in (pair.a, pair.b)}
            of = tuple(dict.fromkeys(n.cell for n, a in both.items() if n.cell not in barred and a.n < LAST))
            if of and not any(_equal(a) or (a.half is None and n.cell in barred) for n, a in both.items()):
                found[pair] = of
        return found
