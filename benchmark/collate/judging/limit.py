"""Numbers that a paper does not print because its model "did not converge", where it says what it means by that.

GraN-GAN's tables write "–" where a model "did not achieve a FID < 70". A run of ours is held to the same limit:
``converged`` if the 95 % interval of our mean lies wholly on its good side, where the paper's own runs were not, and
``reproduced`` if it lies wholly beyond; what fell at an earlier look stands (``standing.py``). ``converged`` is a
verdict of its own, neither ``reproduced`` nor ``better``: there is no number to be near to.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.standing import Rule, standing
from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import Look
from benchmark.errors import sure
from benchmark.suite.model import Published, Table


def beside_a_dash(
    verdict: Verdict,
    published: Published | None,
    achieved: Estimate | None,
    tiers: Sequence[Tier],
    table: Table,
    metric: str,
    gap: int | None = None,
    looks: Sequence[Look] = (),
    untrained: str = "",
) -> Verdict:
    """The verdict, or ``converged``, where the paper has a dash and a limit that says when it has one.

    Args:
        verdict: as ``judge`` has it: without a name where the paper prints no number.
        gap: the first seed that is missing below the largest that there is; None if none is.
        looks: that there may have been at fewer seeds, as ``judge`` has them.
        untrained: which runs did not train, as ``judge`` has it: they say nothing of whether one that does converges.
    """
    limit = table.converged.get(metric)
    dash = published is not None and (published.text, published.origin) == ("not-converged", "own")
    if verdict.name or not dash or limit is None or achieved is None:
        return verdict
    said = f"{verdict.why}: {metric} {limit:g} is its limit"
    if not tiers or not all(t.judged for t in tiers) or gap is not None:
        return Verdict("", f"{said}; ours {achieved.mean:.4g}, no verdict from such runs")
    if untrained:
        return Verdict("untrained", f"{said}; {untrained}")
    if achieved.bounds is None or not achieved.varies:
        return Verdict("inconclusive", f"{said}; ours {achieved.mean:.4g}: no interval over seeds")
    rule = _by(limit, table.metrics[metric] == "lower")
    name, by, since = rule.decided(achieved), achieved, ""
    if not name and (earlier := standing(rule, achieved, looks)).by:
        name, by = earlier.name, earlier.by
        since = f"; seeds since do not undo it: mean of all {achieved.n} {achieved.mean:.4g}"
    low, high = sure(by.bounds)
    here = f"{said}; mean of {by.n} seeds {by.mean:.4g}, within [{low:.4g}, {high:.4g}]"
    word = {"converged": "", "reproduced": ": ours did not converge either", "": ": on both sides of the limit"}
    return Verdict(name or "inconclusive", f"{here}{word[name]}{since}")


def _by(limit: float, lower: bool) -> Rule:
    """On which side of the limit a whole interval, or one number, lies."""

    def side(low: float, high: float) -> str:
        if high < limit if lower else low > limit:
            return "converged"
        return "reproduced" if (low >= limit if lower else high <= limit) else ""

    def decided(achieved: Estimate) -> str:
        return side(*achieved.bounds) if achieved.bounds and achieved.varies else ""

    return Rule(decided, lambda value: side(value, value))
