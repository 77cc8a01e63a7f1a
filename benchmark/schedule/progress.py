"""What follows from steps: rates, and how long it will still take. Drawing is in ``screen.py``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmark.pulse import TRAINING

WINDOW_S = 60.0  # over which steps a second are counted
SURE_S, SURE_PART = 5.0, 0.05  # of stepping, and of all steps: after either, a rate says how long the rest will take


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
    stepping: float = 0.0  # when it began to step
    heard: float = 0.0
    entered: float = 0.0  # its present phase
    stepped: float | None = None  # when its last step was done; it may still be measured
    about: dict[str, Any] = field(default_factory=dict)  # "node", "device", "phase", "last": its newest measurement
    recent: deque[tuple[float, int]] = field(default_factory=deque)

    def report(self, now: float, done: int, todo: int, about: dict[str, Any] | None) -> None:
        """It is at step ``done`` of ``todo``; a step before the last one means that it was begun again from a
        checkpoint.
        """
        if about and about.get("phase") != self.about.get("phase"):
            self.entered = now
        self.heard, self.about = now, about or self.about
        if not todo:  # a sign of life before its first step, also of one that was begun again
            return
        if not self.todo:
            self.first, self.stepping = done, now
        elif done == self.first and self.about.get("phase", TRAINING) != TRAINING:
            self.stepping = now  # what comes before the first step says nothing of the others
        if done < self.done:
            self.first = min(self.first, done)
            self.recent.clear()
        self.done, self.todo = done, todo
        if done < todo:
            self.stepped = None
        elif self.stepped is None:
            self.stepped = self.entered = now
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

    def steps_s(self) -> float | None:
        """Seconds from its last report to its last step, at its rate in this session; None while that is a guess."""
        took, gained = self.heard - self.stepping, self.done - self.first
        if gained <= 0 or took <= 0 or (took < SURE_S and gained < SURE_PART * self.todo):
            return None
        return (self.todo - self.done) * took / gained


@dataclass
class Progress:
    """Steps of every run, and what follows from them.

    What all will take follows from what each will: those under way by their own rate, the others by what a unit of
    ``size`` (a run's weight) took in this session.
    """

    total_size: float
    clock: Callable[[], float] = time.monotonic
    running: dict[str, Running] = field(default_factory=dict)
    finished_size: float = 0.0  # sizes of runs that ended
    gained: float = 0.0  # size actually worked off in this session by runs that ended
    took: float = 0.0  # their seconds
    ends: list[float] = field(default_factory=list)  # seconds from last step to end, of each that ended

    def update(
        self, key: str, name: str, size: float, done: int, todo: int, about: dict[str, Any] | None = None
    ) -> None:
        """A run is at step ``done`` of ``todo``; 0 of 0 says that it was started."""
        now = self.clock()
        run = self.running.setdefault(key, Running(name, size, now, entered=now))
        run.report(now, done, todo, about)

    def end(self, key: str, size: float, whole: bool = True) -> None:
        """A run has ended; ``whole``: with a result, so that it says what others will take."""
        run = self.running.pop(key, None)
        self.finished_size += size
        if run is None or not whole:
            return
        now = self.clock()
        self.gained += size * (1 - run.first / run.todo) if run.todo else size
        self.took += now - run.since
        if run.stepped is not None:
            self.ends.append(now - run.stepped)

    def eta_s(self) -> float | None:
        """Seconds until all is done, by the same figures as the rows: no sooner than the longest of them, nor than all
        work shared among as many as run now. None while that would be a guess.
        """
        now = self.clock()
        each = self._each()
        lefts = [(run, self._left_s(run, each)) for run in self.running.values()]
        known = [left for _, left in lefts if left is not None]
        queued = self.total_size - self.finished_size - sum(run.size for run in self.running.values())
        if each is None and queued > 1e-9 * self.total_size:
            return None
        work = sum(known) + max(0.0, queued) * (each or 0.0)
        found = max([*known, work / max(1, len(self.running))])
        longest = max((now - run.entered for run, left in lefts if left is None), default=0.0)
        return found if found > longest else None  # of what nobody can foresee, only how long it has taken is known

    def _left_s(self, run: Running, each: float | None) -> float | None:
        """Seconds until a run's end; None where nothing says, or where what was said is over."""
        now, steps = self.clock(), run.steps_s()
        if steps is not None and run.stepped is None:
            left = steps + self._end_s() - (now - run.heard)
        elif run.stepped is not None:
            left = self._end_s() - (now - run.stepped)
        elif each is not None:
            left = run.size * (1 - run.first / run.todo if run.todo else 1) * each - (now - run.since)
        else:
            return None
        return left if left > 0 else None

    def _each(self) -> float | None:
        """Seconds of a run for a unit of size, in this session."""
        sure = [run for run in self.running.values() if run.steps_s() is not None]
        gained = self.gained + sum(run.gained for run in sure)
        return (self.took + sum(run.heard - run.stepping for run in sure)) / gained if gained > 0 else None

    def _end_s(self) -> float:
        """Seconds from a run's last step to its end, as they were so far."""
        return sum(self.ends) / len(self.ends) if self.ends else 0.0

    def row(self, key: str) -> dict[str, Any]:
        """One of ``rows``."""
        return self._row(self.running[key], self._each())

    def rows(self) -> dict[str, dict[str, Any]]:
        """What there is to show of each run, plain: ``name``, ``step``, ``of``, ``rate`` (1/s), ``eta_s``,
        ``silent_s``, ``ran_s``, ``node``, ``device``, ``phase``, ``last``.
        """
        each = self._each()
        return {key: self._row(run, each) for key, run in self.running.items()}

    def _row(self, run: Running, each: float | None) -> dict[str, Any]:
        now, rate, eta = self.clock(), run.rate(), self._left_s(run, each)
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
