"""What standard output and standard error are: a terminal, and whether it is to have colours."""

from __future__ import annotations

import os
from typing import TextIO

COLOURS = {"red": "31", "green": "32", "yellow": "33", "bold": "1"}


def is_terminal(out: TextIO | None) -> bool:
    """Whether lines on ``out`` can be drawn over; there is none where a process has no standard error."""
    return (
        out is not None
        and not out.closed
        and out.isatty()
        and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    )


def painted(text: str, colour: str, out: TextIO | None) -> str:
    """``text``, which steers no terminal itself, in a colour where ``out`` is one and ``NO_COLOR`` does not forbid it
    (https://no-color.org).
    """
    plain = os.environ.get("NO_COLOR") or not colour or not is_terminal(out)
    return text if plain else f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"
