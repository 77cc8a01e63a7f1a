"""One cell, one metric: published v, achieved over seeds, tolerance band δ; what may be said.

With the 95 % interval I of our mean (``interval.py``):

- ``reproduced``: I lies inside [v − δ, v + δ], for few seeds also when it is wider by a factor that allows for skewed
  noise (``equivalence.py``). It says that our mean is within δ of the *printed* number.
- ``better`` and ``not reproduced``: I lies wholly beyond the band on the good, or the bad, side, also after it
  was widened by the seed noise of the published number itself. Unless the paper says how many runs that
  number is over, it is one; unless it prints a ± over seeds, it varied as our runs do. A ± over noises or
  splits says nothing about seeds, and is not used.
  Where a value that nothing states could decide the number, ``not reached as assumed`` stands for ``not
  reproduced`` (``assumed.py``).
- ``inconclusive``: else, with the number of seeds that would decide with 80 % probability if mean and
  spread stay as they are.

Of these, one that fell at an earlier look stands while no later seed contradicts it (``standing.py``).

Each of the three is false in at most 5 % of cases, one side being tested at a time, for a number of seeds that was
fixed beforehand (2.5 % with normal seed noise, from three seeds on); and so it is, with wider intervals, at all looks
together where seeds were added to a first one. Where a plan of more seeds was judged, and others were added after that,
both come together (``looks.py``). One seed decides nothing, however far off it is: no distance tells a method that
falls short from a run that collapsed. Nor do seeds of which two agree to the last digit, or all by more than their
measurement's own noise (``quiet.py``), nor seeds with a gap, which may be a selection.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.collate.judging.missing import left_out
from benchmark.collate.judging.number import Target, decided, reason
from benchmark.collate.judging.standing import Earlier, Rule, among, standing
from benchmark.collate.judging.tier import Tier
from benchmark.collate.statistics.collapse import collapsed, rate_bound
from benchmark.collate.statistics.interval import Estimate, estimate
from benchmark.collate.statistics.looks import FIRST, LEVEL, Look
from benchmark.errors import sure
from benchmark.suite.model import Published, Tolerance

DECIDED = (
    "reproduced",
    "reproduced where it trains",
    "better",
    "differs",
    "not reproduced",
    "not reached as assumed",
    "converged",
)
LOST = ("diverged", "failed", "contested", "untrained")
"""A seed of these is missing, or which of two results is right is unknown: those left are ranked with nothing."""
VERDICTS = (
    *DECIDED,
    "inconclusive",
    "incomparable",
    "untrained",
    "diverged",
    "failed",
    "contested",
    "blocked",
    "missing here",
    "not measured",
    "not run",
)


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
    runs: int = 1,
    gap: int | None = None,
    failed: str = "",
    missing: str = "",
    contested: str = "",
    untrained: str = "",
    ranked: bool = True,
    fallen: Sequence[int] = (),
    looks: Sequence[Look] = (),
) -> Verdict:
    """The verdict on one number.

    Args:
        diverged: how many of the seeds diverged (they are not in ``achieved``).
        tiers: of each record; the worst counts.
        absent: why there is no number, where there is none: "not run", or "blocked: …", "missing here: …", "not
            measured: …".
        runs: how many runs the paper says that its number is the mean of.
        gap: the first seed that is missing below the largest that there is; None if none is.
        failed: which runs failed and have no record, and why; "" if none did. What is left may be a selection.
        missing: what is known of the missing seed, or of others; "" if nothing is.
        contested: which runs have two results that differ; "" if none has.
        untrained: which runs did not train, by what the suite says of those that do; "" if all did.
        ranked: whether the paper calls one side of its number the better; if not, ours ``differs`` there.
        fallen: which of the seeds in ``achieved`` ended far worse than their own runs were before.
        looks: that there may have been at fewer seeds, where the order of ``achieved`` is that of the seeds' numbers.
    """
    if failed:
        return Verdict("failed", failed)
    if contested:
        return Verdict("contested", contested)
    if achieved is None and not diverged:
        known = (name for name in ("blocked", "missing here", "not measured") if absent.startswith(name))
        return Verdict(next(known, "not run"), absent)
    if diverged:
        of = diverged + (achieved.n if achieved else 0)
        said = f"{diverged} of {of} seed(s) diverged"
        whole = diverged == of and tiers and all(t.judged for t in tiers) and gap is None and not missing
        if whole and published and (published.text, published.origin) == ("not-converged", "own"):
            return _none_converged(said, of)
        return Verdict("diverged", said)
    if published is None or published.value is None:
        return Verdict("", f"no published number ({published.text})" if published else "no published number")
    if published.origin == "quoted":
        return Verdict(
            "incomparable", "the paper quotes this number from another, under another protocol: shown, no target"
        )
    worst = next(
        (t for t in tiers if not t.judged), None if tiers else Tier("unknown", ("no record says how it was made",))
    )
    if worst:
        return Verdict("incomparable", f"tier {worst.name}: " + "; ".join(worst.differences))
    if untrained:
        return Verdict("untrained", untrained)
    if gap is not None:
        return Verdict("inconclusive", missing or left_out(gap))
    if tolerance is None:
        return Verdict("inconclusive", "no tolerance band is stated for this metric")
    if not published.value and not tolerance.band(published)[0]:
        return Verdict("inconclusive", f"the paper prints {published.text}: a band in percent of it has no width")
    found = _with_collapses(Target(published, direction, tolerance, runs), sure(achieved), fallen, looks)
    return found if ranked or found.name != "better" else Verdict("differs", found.why)


def _none_converged(said: str, of: int) -> Verdict:
    """Where the paper says that it did not converge, and none of our seeds did."""
    if of < FIRST:
        return Verdict("inconclusive", f"{said}, as the paper says; judged from {FIRST} seeds on")
    least = (1 - LEVEL) ** (1 / of)
    return Verdict("reproduced", f"{said}, as the paper says: at least {100 * least:.0f} % of runs do, at 95 %")


def _with_collapses(target: Target, achieved: Estimate, fallen: Sequence[int], looks: Sequence[Look]) -> Verdict:
    """As ``_compare``; where seeds collapsed, what the others would give is never plainly ``reproduced``."""
    found = _compare(target, achieved, looks)
    apart = collapsed(achieved.values, target.direction, fallen, target.tolerance.absolute)
    lost = [i for i in apart if i in fallen or target.place(achieved.values[i]) != "reproduced"]
    if not lost:
        if found.name != "reproduced":
            return found
        bound = (
            f"no collapse among {achieved.n} seeds: at most {100 * rate_bound(achieved.n):.0f} % of runs do, at 95 %"
        )
        return Verdict(found.name, f"{found.why}; {bound}")
    places = [i for i in range(achieved.n) if i not in lost]
    said = f"{len(lost)} of {achieved.n} seeds collapsed ({', '.join(f'{achieved.values[i]:.4g}' for i in lost)})"
    if any(i in fallen for i in lost):
        said += ", by their own histories" if all(i in fallen for i in lost) else ", some by their own histories"
    there = estimate([achieved.values[i] for i in places], looked=achieved.looked)
    rest = _compare(target, there, among(looks, places))
    if rest.name == "reproduced":
        return Verdict("reproduced where it trains", f"{len(places)} of {achieved.n} seeds: {rest.why}; {said}")
    return Verdict("inconclusive" if found.name == "reproduced" else found.name, f"{found.why}; {said}")


def _compare(target: Target, achieved: Estimate, looks: Sequence[Look]) -> Verdict:
    """By all seeds; where these leave it open, what fell with fewer and stands."""
    name = decided(target, achieved)
    rule = Rule(functools.partial(decided, target), target.place)
    earlier = Earlier() if name or achieved.quiet else standing(rule, achieved, looks)
    if earlier.by is None:
        return Verdict(name or "inconclusive", reason(target, achieved))
    since = f"seeds since do not undo it: all {achieved.n} are off by {achieved.mean - target.value:+.3g}"
    return Verdict(earlier.name, f"{reason(target, earlier.by)}; {since}")
