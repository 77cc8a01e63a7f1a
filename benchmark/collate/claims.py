"""Claims, each judged twice: by the paper's own published numbers, and by ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.interval import LEVEL, Estimate
from benchmark.collate.join import Entry, Joined
from benchmark.suite.model import Claim


@dataclass(frozen=True)
class ClaimVerdict:
    """``holds``, ``fails``, ``inconclusive`` or ``not judged``, and the numbers that decide."""

    name: str
    why: str


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its two verdicts."""

    claim: Claim
    published: ClaimVerdict
    achieved: ClaimVerdict


def judge_claim(claim: Claim, table: Sequence[Joined]) -> JudgedClaim:
    """Both verdicts of one claim over the cells of its table."""
    by_method = {j.cell.method: j for j in table}
    missing = [m for m in claim.holds.ascending if m not in by_method]
    if missing:
        nothing = ClaimVerdict("not judged", f"this selection leaves out {', '.join(missing)}")
        return JudgedClaim(claim, nothing, nothing)
    return JudgedClaim(claim, _by_published(claim, by_method), _by_ours(claim, by_method))


def _pairs(claim: Claim, by_method: dict[str, Joined]) -> list[tuple[Entry, Entry, float, float]]:
    """Each pair that must be ascending: the smaller's and the larger's entry, and their factors."""
    order, times = claim.holds.ascending, claim.holds.times
    return [
        (by_method[a].entries[m], by_method[b].entries[m], times.get(a, 1.0), times.get(b, 1.0))
        for m in claim.holds.metrics
        for a, b in zip(order, order[1:])
    ]


def _by_published(claim: Claim, by_method: dict[str, Joined]) -> ClaimVerdict:
    said, holds = [], True
    for a, b, fa, fb in _pairs(claim, by_method):
        if a.published is None or b.published is None or a.published.value is None or b.published.value is None:
            return ClaimVerdict("not judged", "the paper prints no numbers for it (curves only)")
        low, high = fa * a.published.value, fb * b.published.value
        holds &= low < high
        said.append(f"{a.metric}: {low:.4g} {'<' if low < high else '≥'} {high:.4g}")
    return ClaimVerdict("holds" if holds else "fails", "; ".join(said))


def _by_ours(claim: Claim, by_method: dict[str, Joined]) -> ClaimVerdict:
    pairs = _pairs(claim, by_method)
    cells = {m: by_method[m] for m in claim.holds.ascending}
    if absent := [m for m, j in cells.items() if not j.records]:
        return ClaimVerdict("not judged", f"no record of {', '.join(absent)}")
    if any(a.achieved is None or b.achieved is None for a, b, _, _ in pairs):
        return ClaimVerdict("not judged", "a cell diverged or lacks the metric")
    if lost := [m for m, j in cells.items() if any(e.verdict.name == "diverged" for e in j.entries.values())]:
        return ClaimVerdict("not judged", f"seeds of {', '.join(lost)} diverged: what survives is a selection")
    said = [f"{a.metric}: {fa * a.achieved.mean:.4g} against {fb * b.achieved.mean:.4g}" for a, b, fa, fb in pairs]
    if worse := [f"{m} is {j.tier.name}" for m, j in cells.items() if not j.tier.judged]:
        return ClaimVerdict("not judged", f"{', '.join(worse)}: no verdict from such runs ({'; '.join(said)})")
    if min(e.achieved.n for pair in pairs for e in pair[:2]) < 2:
        return ClaimVerdict("inconclusive", f"one seed ({'; '.join(said)})")
    signs = [_separated(a.achieved, b.achieved, fa, fb, len(pairs)) for a, b, fa, fb in pairs]
    name = "holds" if all(s > 0 for s in signs) else "fails" if any(s < 0 for s in signs) else "inconclusive"
    return ClaimVerdict(name, f"Welch's t at {100 * LEVEL:g} %, corrected for {len(pairs)} comparison(s): {'; '.join(said)}")


def _separated(a: Estimate, b: Estimate, fa: float, fb: float, comparisons: int) -> int:
    """+1 if a < b significantly (Welch, two-sided, Bonferroni), −1 if a > b, 0 if neither."""
    from scipy.stats import ttest_ind

    left, right = [fa * v for v in a.values], [fb * v for v in b.values]
    if len(set(left)) == 1 and len(set(right)) == 1:
        return 0  # no spread to test against
    p = ttest_ind(left, right, equal_var=False).pvalue
    if not p < (1 - LEVEL) / comparisons:
        return 0
    return 1 if sum(left) / len(left) < sum(right) / len(right) else -1
