"""When an interval lies far enough inside a band: the test behind ``reproduced``.

Student's t is exact for normal seed noise. Where noise is skewed, few seeds lie close together on the short side of
their mean more often than it allows: with three seeds of a skewness of 2, the interval is short of the mean, on the
side where it counts, in 8 % instead of 2.5 %. Nothing in three or four numbers tells such noise from normal noise, so
for few seeds the interval has to fit into the band when it is ``WIDER`` by a factor; from ``WHOLE`` seeds on, its
longer side (``interval.py``) is enough. Two seeds are the other way round: what their wide interval lacks in
power is given back, and what that costs is taken from means that are far from the printed number (``CENTRE``).

The factors are by simulation (``results/verdicts/README.md``): with them at most 5 % are falsely ``reproduced`` at the
very edge of the band, whatever the spread, for log-normal noise of σ 0.6 (skewness 2.3). Of three seeds it is 5.1 %:
wider, and seeds that vary by a fifth of the band would be ``reproduced`` in less than five of six cases where the truth
is equal. Gamma noise of shape 1.5 has up to 5.4 %; normal and heavy-tailed noise then give 1 to 3 %.
"""

from __future__ import annotations

WIDER = {2: 0.78, 3: 1.36, 4: 1.42, 5: 1.25, 6: 1.25, 7: 1.2, 8: 1.15, 9: 1.1, 10: 1.1, 11: 1.05, 12: 1.05, 13: 1.05}
WHOLE = 14
LOOKED = 1.3
"""As ``WIDER``, at each of the looks that share the level: all of them together, up to the last, stay below 5 %."""
CENTRE = 0.35
"""Of the band's half width: how far the mean of two seeds may be from the printed number."""


def factor(n: int, looked: bool = False) -> float:
    """By how much the interval of ``n`` seeds is widened before it is held against the band."""
    return LOOKED if looked else WIDER.get(n, 1.0)


def nearest_edge(n: int, band: float) -> float:
    """How far the mean of ``n`` seeds may be off."""
    return CENTRE * band if n == 2 else band


def equivalent(low: float, off: float, high: float, band: float, n: int, looked: bool = False) -> bool:
    """Whether a mean that is ``off`` by so much, with its interval from ``low`` to ``high``, is within ±``band``."""
    wider = factor(n, looked)
    inside = off - wider * (off - low) >= -band and off + wider * (high - off) <= band
    return inside and abs(off) <= nearest_edge(n, band)
