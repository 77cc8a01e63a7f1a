"""Progress for a person: one calm line a running cell where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TextIO

PLAIN_EVERY_S = 60.0  # between two lines about one run, without a terminal
REDRAW_S = 0.5


@dataclass
class Progress:
    """Steps of every run, and what follows from them: how long it will still take.

    The rate is measured in this session, over all runs and in units of ``size`` (a run's weight), so
    that a short run's end does not promise the same of a long one's.
    """

    total_size: float
    out: TextIO = field(default_factory=lambda: sys.stderr)
    began: float = field(default_factory=time.monotonic)
    running: dict[str, tuple[str, float, int, int, int]] = field(default_factory=dict)  # key -> name, size, first, done, todo
    finished: int = 0
    finished_size: float = 0.0  # sizes of runs that ended
    gained: float = 0.0  # size actually worked off in this session by runs that ended
    _drawn: int = 0
    _last: float = 0.0
    _said: dict[str, float] = field(default_factory=dict)

    def update(self, key: str, name: str, size: float, done: int, todo: int) -> None:
        """A run is at step ``done`` of ``todo``."""
        first = self.running[key][2] if key in self.running and self.running[key][4] else done
        self.running[key] = (name, size, first, done, todo)
        if self._terminal:
            self._redraw()
        elif time.monotonic() - self._said.get(key, -PLAIN_EVERY_S) >= PLAIN_EVERY_S:
            self._said[key] = time.monotonic()
            self._print(self._line(key) + "\n")

    def end(self, key: str, size: float, line: str) -> None:
        """A run has ended; ``line`` says how."""
        _, _, first, done, todo = self.running.pop(key, ("", 0.0, 0, 0, 0))
        self.finished += 1
        self.finished_size += size
        self.gained += size * (1 - first / todo) if todo else size
        self.say(line)

    def say(self, line: str) -> None:
        """One lasting line, above the running ones."""
        self._clear()
        self._print(line + "\n")
        self._redraw(force=True)

    def close(self) -> None:
        """Remove the running lines."""
        self.running.clear()
        self._clear()

    def eta_s(self) -> float | None:
        """Seconds until all is done at the rate so far; None while there is no rate."""
        now = sum(size * (done - first) / todo for _, size, first, done, todo in self.running.values() if todo)
        left = self.total_size - self.finished_size - sum(size * done / todo for _, size, _, done, todo in self.running.values() if todo)
        rate = (self.gained + now) / max(time.monotonic() - self.began, 1e-9)
        return left / rate if rate > 0 else None

    def _print(self, text: str) -> None:
        with suppress(OSError):  # nobody reads any more; the runs go on
            print(text, end="", file=self.out, flush=True)

    @property
    def _terminal(self) -> bool:
        return self.out.isatty()

    def _line(self, key: str) -> str:
        name, _, _, done, todo = self.running[key]
        share = f"{100 * done / todo:5.1f} %  step {done:,} of {todo:,}" if todo else "  starting"
        eta = self.eta_s()
        return f"{name}  {share}" + (f"  (all: {duration(eta)} left)" if eta is not None else "")

    def _redraw(self, force: bool = False) -> None:
        if not self._terminal or (not force and time.monotonic() - self._last < REDRAW_S):
            return
        self._clear()
        width = shutil.get_terminal_size().columns - 1
        lines = [self._line(key)[:width] for key in self.running]
        self._print("".join(line + "\n" for line in lines))
        self._drawn, self._last = len(lines), time.monotonic()

    def _clear(self) -> None:
        if self._drawn and self._terminal:
            self._print(f"\x1b[{self._drawn}F\x1b[J")
        self._drawn = 0


def duration(seconds: float) -> str:
    """``95`` as ``1 min 35 s``: two units at most."""
    seconds = round(seconds)
    for size, name, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
