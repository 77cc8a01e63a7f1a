"""The parts of a verdict's sentence: what its interval is of, how far one seed is off, what more seeds would bring."""

from __future__ import annotations

import math

from benchmark.collate.statistics.equivalence import CENTRE, factor
from benchmark.collate.statistics.interval import POWER, Estimate, power, seeds_needed
from benchmark.collate.statistics.looks import LAST
from benchmark.errors import sure
from benchmark.suite.model import Published


def interval(achieved: Estimate) -> str:
    """What the ± is of: seeds, with evaluation noise apart; and a longer tail where it reaches farther."""
    apart = f", of which evaluation noise {achieved.evaluation:.2g}" if achieved.evaluation is not None else ""
    low, high = sure(achieved.bounds)
    wider = (
        f", for skew to [{low - achieved.mean:+.3g}, {high - achieved.mean:+.3g}]"
        if high - low > 2.02 * sure(achieved.half)
        else ""
    )
    looks = ", over all looks, since seeds may have been added by one" if achieved.looked else ""
    return f" (seed standard deviation {achieved.std:.2g}{apart}{wider}{looks})"


def held(achieved: Estimate, band: float, low: float, high: float) -> str:
    """What is asked of few seeds beside an interval inside the band, or in its place, where it matters."""
    n, wider = achieved.n, factor(achieved.n, achieved.looked)
    if n == 2:
        return f"; two seeds: judged by {wider:g} of the interval, and within {100 * CENTRE:g} % of the band"
    if wider > 1 and -band <= low and high <= band:
        return f"; held against the band {wider:g} times as wide, since noise of {n} seeds may be skewed"
    return ""


def explains(off: float, v: float) -> str:
    """The seed spread that would explain one run's distance from another's: 1.96·√2 standard deviations."""
    if not v:
        return "no share of zero"
    return (
        "two runs are that far apart in 5 % of pairs only if seeds vary by "
        f"{100 * abs(off / v) / (1.96 * math.sqrt(2)):.2g} %"
    )


def needed(achieved: Estimate, off: float, band: float, noise: float) -> str:
    """How many more seeds would decide, or why none would."""
    std = sure(achieved.std)
    seeds = seeds_needed(std, off, band, achieved.n, (noise / std) ** 2)
    if seeds:
        return (
            f"{seeds - achieved.n} more seed(s) would decide (power {100 * POWER:g} %, if mean and spread stay "
            "so, and corrected for looking again)"
        )
    if abs(off) > band and power(std, off, band, LAST) >= POWER:  # if the published number had no noise
        return "more seeds would not decide: the seed noise of the published number leaves it open"
    return f"too close to the band's edge for {LAST} seeds to decide"


def own_noise(published: Published, achieved: Estimate, runs: int) -> tuple[float, str]:
    """Standard error of the published number over seeds, and where it comes from: the paper's ± only if it is over
    seeds.
    """
    std, whose = (
        (published.std, "the paper's ±")
        if published.std is not None and published.std_of == "seeds"
        else (achieved.std, "our own spread")
    )
    error = sure(std) / math.sqrt(runs)
    return error, f"seed noise of the published number ±{error:.3g} ({whose}, {runs} run(s))"
