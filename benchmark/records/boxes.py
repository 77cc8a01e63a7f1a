"""What a measurement says beside its mean, where it was measured image by image: a box (``train/slopes.py``), for each
δ where there are several, or the largest of images, noises or pairs alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

BOX = ("least", "q25", "median", "q75", "most")
LARGEST = ("most", "max", "largest")
PLAIN = {"value", "std"}
ROUNDING = 1e-6
"""A share: means and quantiles are of other precisions than the images' own values."""


def disordered(measured: Mapping[str, float | None], low: float, high: float) -> str | None:
    """What cannot be so: a box whose ends are on the wrong sides or beyond the metric's own bounds, or a mean that is
    not between them.
    """
    if measured.keys() <= PLAIN:
        return None
    for at in dict.fromkeys(["", *(name.removeprefix("most") for name in measured if name.startswith("most"))]):
        mean = [v for v in [measured.get("value" + at)] if v is not None]
        box = [v for name in BOX if (v := measured.get(name + at)) is not None]
        tops = [v for name in LARGEST if (v := measured.get(name + at)) is not None]
        bottom = [v for v in [measured.get("least" + at)] if v is not None]
        if any(_above(a, b) for a, b in pairwise(box)):
            return f"has a box out of order: {', '.join(f'{v:.6g}' for v in box)}"
        if any(_above(m, top) for m in mean for top in tops) or any(_above(v, m) for m in mean for v in bottom):
            return f"has a mean of {mean[0]:.6g} outside of its own range"
        if any(not low <= v <= high for v in box):
            return f"{next(v for v in box if not low <= v <= high):.6g} of an image is impossible"
    return None


def _above(a: float, b: float) -> bool:
    return a - b > ROUNDING * max(abs(a), abs(b))
