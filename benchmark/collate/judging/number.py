"""One mean over seeds against one printed number: what it comes to, and the sentence that says why."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from benchmark.collate.judging.sentences import explains, held, interval, needed, own_noise
from benchmark.collate.statistics.equivalence import equivalent, factor
from benchmark.collate.statistics.interval import Estimate
from benchmark.collate.statistics.looks import FIRST
from benchmark.errors import sure
from benchmark.suite.model import Published, Tolerance


@dataclass(frozen=True)
class Target:
    """A printed number with its tolerance band."""

    published: Published  # with a value
    direction: str  # "lower" or "higher" is better
    tolerance: Tolerance
    runs: int  # that the paper says it is the mean of

    @property
    def value(self) -> float:
        """The number."""
        return sure(self.published.value)

    @functools.cached_property
    def band(self) -> float:
        """The band's half width."""
        return self.tolerance.band(self.published)[0]

    def place(self, value: float) -> str:
        """The verdict that one number would have, were it our true mean."""
        off = value - self.value
        return "reproduced" if abs(off) <= self.band else _side(off, self.direction)


def decided(target: Target, achieved: Estimate) -> str:
    """``reproduced``, ``better`` or ``not reproduced``; "" if it is open."""
    off, band, half = achieved.mean - target.value, target.band, achieved.half
    if half is None or abs(abs(off) - band) < min(1.0, factor(achieved.n, achieved.looked)) * half or achieved.quiet:
        return ""  # bounds are no nearer than ``half``
    low, high = (bound - target.value for bound in sure(achieved.bounds))
    if abs(off) <= band:
        return "reproduced" if equivalent(low, off, high, band, achieved.n, achieved.looked) else ""
    noise, _ = own_noise(target.published, achieved, target.runs)
    near = off - low if off > 0 else high - off
    return _side(off, target.direction) if abs(off) - math.hypot(near, achieved.critical * noise) > band else ""


def reason(target: Target, achieved: Estimate) -> str:
    """Why ``decided`` says so."""
    off, (band, source_of_band) = achieved.mean - target.value, target.tolerance.band(target.published)
    stated = f"band ±{band:.3g} ({source_of_band})"
    if achieved.n == 1:
        return (
            f"one seed decides nothing; off by {off:+.3g}: {explains(off, target.value)}; {stated}; {FIRST - 1} more "
            "seeds would give an interval"
        )
    if achieved.half is None:
        return (
            f"{achieved.n} seeds of those that are added after a look: judged from {FIRST} on; off by "
            f"{off:+.3g}; {stated}"
        )
    if achieved.quiet:
        return f"{achieved.quiet}, off by {off:+.3g}: no sample of seed noise; {stated}"
    said = f"mean of {achieved.n} seeds off by {off:+.3g} ± {achieved.half:.3g}{interval(achieved)}; {stated}"
    low, high = (bound - target.value for bound in sure(achieved.bounds))
    noise, source = own_noise(target.published, achieved, target.runs)
    name = decided(target, achieved)
    if name == "reproduced":
        doubt = f"; {source}: the paper's own mean may lie outside" if 1.96 * noise > band else ""
        return said + (held(achieved, band, low, high) if achieved.n == 2 else "") + doubt
    if name:
        return f"{said}; {source}"
    more = held(achieved, band, low, high) + (f"; {source}" if abs(off) > band else "")
    return f"{said}{more}; {needed(achieved, off, band, noise)}"


def _side(off: float, direction: str) -> str:
    return "better" if (off < 0) == (direction == "lower") else "not reproduced"
