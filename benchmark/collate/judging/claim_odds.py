"""The chance that more seeds decide a claim."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from benchmark.collate.judging.by_ours import comparisons
from benchmark.collate.judging.claims import JudgedClaim
from benchmark.collate.statistics.comparisons import Pair
from benchmark.collate.statistics.interval import POWER, Estimate
from benchmark.collate.statistics.looks import LAST, LEVEL, PAIR_SHARE
from benchmark.collate.statistics.noise import PLAUSIBLE
from benchmark.collate.statistics.outlook import Odds, best_odds, outlook, pair_odds
from benchmark.recipe import Protocol
from benchmark.suite.claim import Number

LADDER = (1, 2, 3, 5, 8, 13, 20, 30, LAST)
"""Numbers of seeds that are tried when asking how many would be worth their hours."""


def with_spread(a: Estimate, metric: str) -> Estimate:
    """As it is; of one seed, with a plausible spread."""
    return (
        a
        if a.n > 1
        else replace(a, std=PLAUSIBLE[metric].relative * abs(a.mean) if metric in PLAUSIBLE else 0.02 * abs(a.mean))
    )


class ClaimOdds:
    """What more seeds could make of a claim; ``barred``: cells of which there will be no more."""

    def __init__(self, c: JudgedClaim, numbers: dict[Number, Estimate], protocols: Mapping[str, Protocol]) -> None:
        self._claim, self._numbers = c.claim, numbers
        self._pairs, answers = comparisons(c.claim, numbers, protocols)
        compared = [pair for pair, answer in answers.items() if not answer.unlike]
        self._known: dict[Pair, Odds] = {
            pair: (float(answer.sign > 0), float(answer.sign < 0)) for pair, answer in answers.items()
        }
        self._open = [pair for pair in compared if not answers[pair].sign]
        left = 2 * len(compared) - sum(answer.sign != 0 for answer in answers.values())
        self._level = (1 - LEVEL) / max(left, 1) / PAIR_SHARE  # nothing is left where all were measured otherwise

    def could(self, barred: Collection[str] = ()) -> bool:
        """Whether seeds could decide it: with a good chance, or nobody knows before the first look."""
        able = self._able(barred)
        unseen = any(self._numbers[n].half is None for pair in able for n in (pair.a, pair.b))
        if unseen and outlook(self._claim, self._pairs, self._known | dict.fromkeys(able, (1.0, 1.0))):
            return True
        return max(self.chance(k, barred, at_best=k == LADDER[-1]) for k in LADDER) >= POWER

    def compared(self) -> bool:
        """Whether what would decide it was measured alike."""
        return bool(outlook(self._claim, self._pairs, self._known | dict.fromkeys(self._open, (1.0, 1.0))))

    def possible(self) -> bool:
        """Whether some seeds could decide it, however improbably."""
        return bool(outlook(self._claim, self._pairs, self._known | dict.fromkeys(self._able(()), (1.0, 1.0))))

    def chance(self, k: int, barred: Collection[str] = (), at_best: bool = False) -> float:
        """That ``k`` more seeds of each cell decide it. Those beyond ``LAST`` count for nothing.

        Args:
            at_best: at the upper end of what the seeds there are leave plausible.
        """

        def seeds(n: Number) -> int:
            """How many a number would have."""
            return min(self._numbers[n].n + (0 if n.cell in barred else k), LAST)

        odds = {
            pair: (best_odds if at_best else pair_odds)(
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
        if not self.compared():
            return "what would decide it was measured otherwise, and is not compared"
        equal = dict.fromkeys(n for pair in self._open for n in (pair.a, pair.b) if self._numbers[n].quiet)
        metrics = {
            cell: ", ".join(n.metric for n in equal if n.cell == cell) for cell in dict.fromkeys(n.cell for n in equal)
        }
        same = {n.cell for n in equal if len(set(self._numbers[n].values)) == 1}
        said = [
            f"all seeds of {cell} {'gave the same' if cell in same else 'are too much alike in'} {of}: no sample of "
            "seed noise"
            for cell, of in metrics.items()
        ]
        possible = outlook(
            self._claim,
            self._pairs,
            self._known | {pair: (1.0, 1.0) for pair in self._open if not {pair.a, pair.b} & equal.keys()},
        )
        return "; ".join(
            said
            if said and not (possible and self._able(()))
            else [f"too close for {LAST} seeds each to decide", *said]
        )

    def _able(self, barred: Collection[str]) -> dict[Pair, tuple[str, ...]]:
        """The open pairs that seeds could decide, and the cells that these would be of. No cell is asked beyond
        ``LAST``.
        """
        found = {}
        for pair in self._open:
            both = {n: self._numbers[n] for n in (pair.a, pair.b)}
            of = tuple(dict.fromkeys(n.cell for n, a in both.items() if n.cell not in barred and a.n < LAST))
            if of and not any(a.quiet or (a.half is None and n.cell in barred) for n, a in both.items()):
                found[pair] = of
        return found
