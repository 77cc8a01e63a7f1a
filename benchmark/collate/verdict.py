"""One cell, one metric: published v, achieved over seeds, tolerance band δ; what may be said.

With the 95 % t interval I of our mean: I inside [v − δ, v + δ]: ``reproduced``. I wholly beyond it
on the good side: ``better``; on the bad side: ``not reproduced``. Otherwise ``inconclusive``, with
the number of seeds that would decide if mean and spread stay as they are.

One seed has no interval: ``inconclusive`` at best, unless it lies beyond ``ONE_SEED`` bands, a
distance that no seed spread on record explains; that is then said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.interval import Estimate, seeds_needed
from benchmark.collate.tier import Tier
from benchmark.suite.model import Published, Tolerance

ONE_SEED = 5.0
VERDICTS = ("reproduced", "better", "not reproduced", "inconclusive", "incomparable", "diverged", "failed", "blocked", "not run")


@dataclass(frozen=True)
class Verdict:
    """A verdict and the sentence that justifies it."""

    name: str  # one of VERDICTS, or "" where nothing was published
    why: str


def judge(
    published: Published | None,
    achieved: Estimate | None,
    diverged: int,
    tiers: Sequence[Tier],
    direction: str,
    tolerance: Tolerance | None,
    absent: str,
) -> Verdict:
    """The verdict on one number.

    Args:
        diverged: how many of the seeds diverged (they are not in ``achieved``).
        tiers: of each record; the worst counts.
        absent: why there is no record, where there is none ("not run", or "blocked: …").
    """
    if achieved is None and not diverged:
        name = "blocked" if absent.startswith("blocked") else "not run"
        return Verdict(name, absent)
    if diverged:
        of = diverged + (achieved.n if achieved else 0)
        return Verdict("diverged", f"{diverged} of {of} seed(s) diverged")
    if published is None or published.value is None:
        return Verdict("", f"no published number ({published.text})" if published else "no published number")
    if published.origin == "quoted":
        return Verdict("incomparable", "the paper quotes this number from another, under another protocol: shown, no target")
    worst = next((t for t in tiers if not t.judged), None)
    if worst:
        return Verdict("incomparable", f"tier {worst.name}: " + "; ".join(worst.differences))
    if tolerance is None:
        return Verdict("inconclusive", "no tolerance band is stated for this metric")
    return _compare(published.value, achieved, direction, tolerance)


def _compare(v: float, achieved: Estimate, direction: str, tolerance: Tolerance) -> Verdict:
    band = tolerance.relative * abs(v)
    off = achieved.mean - v
    side = "better" if (off < 0) == (direction == "lower") else "not reproduced"
    stated = f"band ±{band:.3g} ({100 * tolerance.relative:g} %: {tolerance.source})"
    if achieved.half is None:
        if abs(off) > ONE_SEED * band:
            return Verdict(side, f"one seed, off by {off:+.3g}: more than {ONE_SEED:g} times the {stated}")
        return Verdict("inconclusive", f"one seed, off by {off:+.3g}; {stated}; one more seed would give an interval")
    said = f"mean of {achieved.n} seeds off by {off:+.3g} ± {achieved.half:.3g}; {stated}"
    if abs(off) + achieved.half <= band:
        return Verdict("reproduced", said)
    if abs(off) - achieved.half > band:
        return Verdict(side, said)
    needed = seeds_needed(achieved.std, abs(band - abs(off)), achieved.n)
    more = f"{needed - achieved.n} more seed(s) would decide" if needed else "too close to the band's edge for seeds to decide"
    return Verdict("inconclusive", f"{said}; {more}")
