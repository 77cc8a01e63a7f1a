"""The sizes that numbers of a recipe or protocol can have at all: for suites, and for records from anyone.

Beyond them nothing can be trained or measured, and powers of them are no numbers any more.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmark.recipe import Protocol, Recipe

LARGEST, SMALLEST = 1e30, 1e-30
"""Of any number that is not 0, by its size."""

MOST_IMAGES = 10**9
MOST_STEPS = 10**12
COUNTED = ("steps", "every_steps", "lr_decay_start", "ema_start")
"""Whole numbers of steps; the others count pixels, images, epochs and the like."""

FROM_ZERO = ("lr_decay_start", "ema_start")

WITHIN = {
    "data_percent": (1e-9, 100.0),
    "z_scale": (1e-9, 1e9),
    "adam_eps": (SMALLEST, 1e3),
    **dict.fromkeys(("lr_g", "lr_d"), (0.0, 1e3)),
    **dict.fromkeys(("weight_decay_g", "weight_decay_d"), (0.0, 1e3)),
}
"""Smallest and largest value of a field that is no whole number."""

TYPES = {f.name: str(f.type) for kind in (Recipe, Protocol) for f in dataclasses.fields(kind)}


def sane(value: float) -> bool:
    """Whether a number is 0, or of a size with which one can compute; NaN is not."""
    return value == 0 or SMALLEST <= abs(value) <= LARGEST


def beyond(field: str, value: Any) -> str | None:
    """Why a number cannot be the value of ``field`` of a recipe or protocol; None if it can."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if TYPES[field].startswith("int"):
        low, high = float(field not in FROM_ZERO), float(MOST_STEPS if field in COUNTED else MOST_IMAGES)
    else:
        low, high = WITHIN.get(field, (0.0, 1.0))
    if low <= value <= high and sane(value):
        return None
    return f"{field} must lie between {low:,.10g} and {high:,.10g}, found {value:g}"
