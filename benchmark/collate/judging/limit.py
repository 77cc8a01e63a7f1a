"""Numbers that a paper does not print because its model "did not converge", where it says what it means by that.

GraN-GAN's tables write "–" where a model "did not achieve a FID < 70". A run of ours is held to the same limit:
``converged`` if the 95 % interval of our mean lies wholly on its good side, where the paper's own runs were not, and
``reproduced`` if it lies wholly beyond. ``converged`` is a verdict of its own, neither ``reproduced`` nor ``better``:
there is no number to be near to.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmark.collate.judging.tier import Tier
from benchmark.collate.judging.verdict import Verdict
from benchmark.collate.statistics.interval import Estimate
from benchmark.suite.model import Published, Table


def beside_a_dash(
    verdict: Verdict,
    published: Published | None,
    achieved: Estimate | None,
    tiers: Sequence[Tier],
    table: Table,
    metric: str,
    gap: int | None = None,
) -> Verdict:
    """The verdict, or ``converged``, where the paper has a dash and a limit that says when it has one.

    Args:
        verdict: as ``judge`` has it: without a name where the paper prints no number.
        gap: the first seed that is missing below the largest that there is; None if none is.
    """
    limit = table.converged.get(metric)
    dash = published is not None and (published.text, published.origin) == ("not-converged", "own")
    if verdict.name or not dash or limit is None or achieved is None:
        return verdict
    said = f"{verdict.why}: {metric} {limit:g} is its limit"
    if not tiers or not all(t.judged for t in tiers) or gap is not None:
        return Verdict("", f"{said}; ours {achieved.mean:.4g}, no verdict from such runs")
    if achieved.bounds is None or not achieved.varies:
        return Verdict("inconclusive", f"{said}; ours {achieved.mean:.4g}: no interval over seeds")
    low, high = achieved.bounds
    lower = table.metrics[metric] == "lower"
    here = f"{said}; mean of {achieved.n} seeds {achieved.mean:.4g}, within [{low:.4g}, {high:.4g}]"
    if high < limit if lower else low > limit:
        return Verdict("converged", here)
    if low >= limit if lower else high <= limit:
        return Verdict("reproduced", f"{here}: ours did not converge either")
    return Verdict("inconclusive", f"{here}: on both sides of the limit")
