"""What follows from steps: rates, and how long it will still take. Drawing is in ``screen.py``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WINDOW_S = 60.0  # over which steps a second are counted


@dataclass
class Running:
    """One run under way, as the driver has heard of it. Times are the driver's own, by a clock that is never set
    back.
    """

    name: str
    size: float  # its weight among the others
    since: float  # first heard of
    first: int = 0  # step of its first report in this session
    done: int = 0
    todo: int = 0  # 0 until its first report
    stepping: float = 0.0  # when that came
    heard: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)  # "node", "device", "last": its newest measurement
    recent: deque[tuple[float, int]] = field(default_factory=deque)

    def report(self, now: float, done: int, todo: int, about: dict[str, Any] | None) -> None:
        """It is at step ``done`` of ``todo``; a step before the last one means that it was begun again from a
        checkpoint.
        """
        self.heard, self.about = now, about or self.about
        if not todo:  # a sign of life before its first step, also of one that was begun again
            return
        if not self.todo:
            self.first, self.stepping = done, now
        if done < self.done:
            self.first = min(self.first, done)
            self.recent.clear()
        self.done, self.todo = done, todo
        self.recent.append((now, done))
        while len(self.recent) > 2 and now - self.recent[0][0] > WINDOW_S:
            self.recent.popleft()

    @property
    def gained(self) -> float:
        """The part of its size that was worked off in this session."""
        return self.size * (self.done - self.first) / self.todo if self.todo else 0.0

    def rate(self) -> float | None:
        """Steps a second of late, measurements included; None before there are two reports."""
        if len(self.recent) < 2 or (took := self.recent[-1][0] - self.recent[0][0]) <= 0:
            return None
        return (self.recent[-1][1] - self.recent[0][1]) / took

    def eta_s(self, now: float) -> float | None:
        """Seconds until its last step at its rate in this session, less those since it was heard of; None while there
        is no rate.
        """
        if self.done <= self.first or self.heard <= self.stepping:
            return None
        left = (self.todo - self.done) * (self.heard - self.stepping) / (self.done - self.first)
        return max(0.0, left - (now - self.heard))


@dataclass
class Progress:
    """Steps of every run, and what follows from them.

    The rate is measured in this session, over all runs and in units of ``size`` (a run's weight), so
    that a short run's end does not promise the same of a long one's.
    """

    total_size: float
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict)
    finished_size: float = 0.0  # sizes of runs that ended
    gained: float = 0.0  # size actually worked off in this session by runs that ended
    began: float | None = None  # when the first run was heard of: starting Ray is not what the rest will take

    def update(
        self, key: str, name: str, size: float, done: int, todo: int, about: dict[str, Any] | None = None
    ) -> None:
        """A run is at step ``done`` of ``todo``; 0 of 0 says that it was started."""
        self.began = self.clock() if self.began is None else self.began
        run = self.running.setdefault(key, Running(name, size, self.clock()))
        run.report(self.clock(), done, todo, about)

    def end(self, key: str, size: float) -> None:
        """A run has ended."""
        run = self.running.pop(key, None)
        self.finished_size += size
        self.gained += size * (1 - run.first / run.todo) if run and run.todo else size

    def eta_s(self) -> float | None:
        """Seconds until all is done at the rate so far; None while there is no rate."""
        now = sum(run.gained for run in self.running.values())
        left = (
            self.total_size
            - self.finished_size
            - sum(r.size * r.done / r.todo for r in self.running.values() if r.todo)
        )
        took = 0.0 if self.began is None else self.clock() - self.began
        return left * took / (self.gained + now) if took > 0 and self.gained + now > 0 else None

    def row(self, key: str) -> dict[str, Any]:
        """What there is to show of a run, plain: ``name``, ``step``, ``of``, ``rate`` (1/s), ``eta_s``, ``silent_s``,
        ``ran_s``, ``node``, ``device``, ``last``.
        """
        run, now = self.running[key], self.clock()
        rate, eta = run.rate(), run.eta_s(now)
        found = {
            "name": run.name,
            "step": run.done,
            "of": run.todo,
            "rate": None if rate is None else round(rate, 4),
            "eta_s": None if eta is None else round(eta, 1),
            "silent_s": round(now - run.heard, 1),
            "ran_s": round(now - run.since, 1),
            **run.about,
        }
        return {k: v for k, v in found.items() if v is not None}


def duration(seconds: float) -> str:
    """``95`` as ``1 min 35 s``: two units at most."""
    seconds = round(seconds)
    for size, name, below, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            rest = seconds % size // below
            return f"{seconds // size} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"
