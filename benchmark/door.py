"""The one door for what this process prints: nothing in it steers a terminal, from wherever it comes.

It stands before standard output and standard error, for our own words, those of libraries, warnings and tracebacks
alike. What draws a table (``within``), and what is for programs and goes to no terminal, passes by it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from benchmark.errors import plain
from benchmark.process.terminal import painted


class Door:
    """A text stream that escapes whatever cannot be printed, and else does as the one ``within``."""

    def __init__(self, within: TextIO) -> None:
        self.within = within

    def write(self, text: str) -> int:
        """As ``io.TextIOBase.write``."""
        self.within.write(plain(text, lines=True))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """As ``io.TextIOBase.writelines``."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.within, name)


def through(stream: TextIO | None) -> TextIO:
    """The stream behind a door; itself where it is behind one, or where there is none."""
    return cast(TextIO, stream if stream is None or isinstance(stream, Door) else Door(stream))


def show(head: str, colour: str, rest: str, out: TextIO | None = None) -> None:
    """Print a line (on standard output by default) that begins with a word in a colour, where that is a terminal."""
    out = through(sys.stdout if out is None else out)
    if out is None:  # a process without any
        return
    shown = painted(plain(head), colour, out)
    within(out).write(f"{shown}{plain(rest, lines=True)}\n")
    out.flush()


def within(stream: TextIO) -> TextIO:
    """What is behind the door, for who draws on a terminal and sees to it that names do not."""
    return stream.within if isinstance(stream, Door) else stream


@contextmanager
def closed(for_good: bool) -> Iterator[None]:
    """Standard output and error are behind doors meanwhile; ``for_good``: also for what ends the process afterwards."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(through, before)
    try:
        yield
    finally:
        if not for_good:
            sys.stdout, sys.stderr = before
