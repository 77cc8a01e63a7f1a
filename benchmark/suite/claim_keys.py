"""The forms of a claim, and which keys each takes."""

from __future__ import annotations

FORMS = ("better", "best", "ascending", "monotone", "close", "not-converged", "diverges", "at-most", "at-least")
COMMON = ("table", "metrics", "cells", "in")
EXTRA = {
    "better": ("by", "against", "of"),
    "best": ("top", "among"),
    "ascending": ("times",),
    "monotone": ("along",),
    "close": ("within",),
    "diverges": ("by",),
    "at-most": ("of", "from"),
    "at-least": ("of", "from"),
}
"""Of a form, beside what all take."""
NEEDED = {"close": ("within",), "diverges": ("by",)}
