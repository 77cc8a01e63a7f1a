"""Text for people that fits a terminal: the one that standard output is, or of 80 columns (``COLUMNS`` says otherwise)
where it is none. What is for programs (CSV, JSON, faults with their lines) stays as it is.
"""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest

from benchmark.commands.lines import print_plain
from benchmark.door import show
from benchmark.errors import plain

PIPED = 80  # columns, of what is laid out for no terminal
NARROWEST = 40
LEAST = 8  # columns of a column
GAP = "  "


def terminal() -> int | None:
    """Columns of the terminal that standard output is; None if it is none, or does not say."""
    with suppress(OSError, ValueError):  # ValueError: of a stream of another program's
        return os.get_terminal_size(sys.stdout.fileno()).columns or None if sys.stdout.isatty() else None
    return None


def width() -> int:
    """Columns that there are for text."""
    asked = os.environ.get("COLUMNS", "")
    other = int(asked) if asked.isdecimal() and len(asked) < 10 else 0
    return max(NARROWEST, terminal() or other or PIPED)


def print_fitting(text: str) -> None:
    """Print lines of text; those that are longer go on below, indented."""
    for line in plain(text, lines=True).split("\n"):
        print_plain("\n".join(_fitted(line)))


def show_fitting(head: str, colour: str, rest: str) -> None:
    """As ``door.show``, in lines that fit."""
    whole = f"{plain(head)}{plain(rest, lines=True)}"
    lines = "\n".join(part for line in whole.split("\n") for part in _fitted(line))
    show(head, colour, lines.removeprefix(plain(head)) if lines.startswith(plain(head)) else rest)


def _fitted(line: str) -> list[str]:
    """Where a terminal does not tell lines that go on from others (a pipe), a long path or name stays whole."""
    return wrapped(line, width(), whole=terminal() is None)


def wrapped(line: str, room: int, whole: bool = False) -> list[str]:
    """A line in so many columns; where it is longer, it goes on below, indented.

    Args:
        whole: a word that is longer stays whole.
    """
    if len(line) <= room:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    return textwrap.wrap(
        line.strip(),
        room,
        initial_indent=indent,
        subsequent_indent=indent + GAP,
        break_on_hyphens=False,
        break_long_words=not whole,
    )


def beside(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The lines of one row: each text in a column of its own width, going on below where it is longer."""
    columns = [textwrap.wrap(plain(cell), room, break_on_hyphens=False) for cell, room in zip(cells, widths)]
    return [
        GAP.join(f"{part:{room}}" for part, room in zip(parts, widths)).rstrip()
        for parts in zip_longest(*columns, fillvalue="")
    ]


def fitting(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """The widths of columns that hold these rows: the widest go on below, where ``room`` is less."""
    widths = [max(map(len, column), default=0) for column in zip(*rows)]
    while sum(widths) + len(GAP) * (len(widths) - 1) > room and max(widths) > LEAST:
        widths[widths.index(max(widths))] -= 1
    return [max(1, w) for w in widths]
