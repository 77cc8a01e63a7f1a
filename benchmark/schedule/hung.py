"""Runs that have stopped getting on: a dead network disk, a deadlock in a driver. They are ended, and go on from their checkpoint."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

LONGEST_LOOK_S = 5.0  # counted between two looks: more means that the watcher itself stood still

Place = tuple[str, int]
"""A worker's node and process id."""


@dataclass
class HungWatch:
    """When each run was last heard of. A run that waits in a queue has never been heard of, and is not watched."""

    after_s: float
    clock: Callable[[], float] = time.monotonic
    ended: dict[str, int] = field(default_factory=dict)  # key -> how often it was found hung
    _heard: dict[str, tuple[float, Place]] = field(default_factory=dict)
    _awake: float = 0.0
    _looked: float | None = None

    def heard(self, key: str, place: Place) -> None:
        """A run has reported from there."""
        self._heard[key] = (self._awake, place)

    def forget(self, key: str) -> None:
        """A run has ended, or waits to be started again."""
        self._heard.pop(key, None)

    def look(self) -> list[tuple[str, Place]]:
        """The runs not heard of for ``after_s`` seconds in which this process was awake; they are not watched until heard of again.

        A laptop that slept, or a driver that was stopped, has heard of nobody meanwhile: such time does not count.
        """
        now = self.clock()
        self._awake += 0.0 if self._looked is None else min(max(now - self._looked, 0.0), LONGEST_LOOK_S)
        self._looked = now
        hung = [(key, place) for key, (at, place) in self._heard.items() if self._awake - at > self.after_s]
        for key, _ in hung:
            self.ended[key] = self.ended.get(key, 0) + 1
            self.forget(key)
        return hung


def end_worker(pid: int) -> bool:
    """Kill a Ray worker of this node, however it is stuck; whether there was one. (``ray.cancel`` needs its cooperation.)"""
    with suppress(OSError):
        if Path("/proc/self").exists() and not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::"):
            return False  # another process has the number now
        os.kill(pid, signal.SIGKILL)
        return True
    return False
