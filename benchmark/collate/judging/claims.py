"""Claims, each judged twice: by the paper's own published numbers, and by ours.

A claim is a tree of rules "at least n of these hold" over comparisons of two numbers. A comparison
is decided for (+1), against (−1) or not (0); a rule then holds if enough of its parts do, fails if
too many have failed for that, and is open otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.judging.by_ours import by_ours
from benchmark.collate.judging.by_published import by_published
from benchmark.collate.judging.findings import ClaimVerdict
from benchmark.collate.judging.join import Joined
from benchmark.collate.judging.of_runs import entry_of
from benchmark.collate.judging.recipes_apart import recipes_apart
from benchmark.suite.claim import Claim


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its two verdicts."""

    claim: Claim
    published: ClaimVerdict
    achieved: ClaimVerdict
    recipes: tuple[str, ...] = ()  # in what the recipes that it compares differ beside the method

    @property
    def judged(self) -> bool:
        """By any numbers, the paper's or ours."""
        return self.published.judged or self.achieved.judged


def judge_claim(claim: Claim, joined: Sequence[Joined]) -> JudgedClaim:
    """Both verdicts of one claim.

    Args:
        joined: the cells that there are, of any table; a claim over others is not judged.
    """
    cells = {j.cell.id: j for j in joined}
    numbers = claim.numbers()
    if missing := sorted({n.cell for n in numbers} - cells.keys()):
        nothing = ClaimVerdict("not judged", f"this selection leaves out {', '.join(missing)}")
        return JudgedClaim(claim, nothing, nothing)
    entries = {n: entry_of(n, cells) for n in numbers}
    return JudgedClaim(
        claim,
        by_published(claim, entries),
        by_ours(claim, [cells[c] for c in dict.fromkeys(n.cell for n in numbers)], entries),
        recipes_apart(claim, {name: j.cell for name, j in cells.items()}),
    )
