"""Text that fits a terminal; what goes to no terminal is left as it is."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Sequence
from itertools import zip_longest

from benchmark.commands.lines import print_plain
from benchmark.errors import plain

PIPED = 80  # columns, of what is laid out for no terminal
NARROWEST = 40
LEAST = 8  # columns of a column
GAP = "  "


def width() -> int | None:
    """Columns of the terminal that standard output is; None if it is none."""
    try:
        return max(NARROWEST, os.get_terminal_size(sys.stdout.fileno()).columns) if sys.stdout.isatty() else None
    except (OSError, ValueError):  # one that does not say, or a stream of another program's
        return None


def print_fitting(text: str) -> None:
    """Print lines of text; on a terminal those that are longer go on below, indented."""
    room = width()
    for line in plain(text, lines=True).split("\n"):
        print_plain("\n".join(wrapped(line, room)) if room else line)


def wrapped(line: str, room: int) -> list[str]:
    """A line in so many columns; where it is longer, it goes on below, indented."""
    if len(line) <= room:
        return [line]
    indent = " " * min(len(line) - len(line.lstrip()), room // 2)
    return textwrap.wrap(
        line.strip(), room, initial_indent=indent, subsequent_indent=indent + GAP, break_on_hyphens=False
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
