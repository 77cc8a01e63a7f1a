"""Runs that have stopped getting on: a dead network disk, a deadlock in a driver. They are ended, and go on from their
checkpoint.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmark.door import within
from benchmark.errors import plain
from benchmark.files import open_lock
from benchmark.pulse import listening
from benchmark.schedule.progress import duration

LONGEST_LOOK_S = 5.0  # counted between two looks: more means that the watcher itself stood still
LOOK_S = 1.0  # between looks at a run in this process

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

    def knows(self, key: str) -> bool:
        """Whether a run has reported since it was last forgotten."""
        return key in self._heard

    def forget(self, key: str) -> None:
        """A run has ended, or waits to be started again."""
        self._heard.pop(key, None)

    def look(self) -> list[tuple[str, Place]]:
        """The runs not heard of for ``after_s`` seconds in which this process was awake; they are not watched until
        heard of again.

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
    """Kill a Ray worker of this node, however it is stuck; whether there was one. ``ray.cancel`` needs its
    cooperation.
    """
    with suppress(OSError):
        if Path("/proc/self").exists() and not Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::"):
            return False  # another process has the number now
        os.kill(pid, signal.SIGKILL)
        return True
    return False


@contextmanager
def ending_if_hung(name: str, after_s: float, log: Path) -> Iterator[Callable[[], None]]:
    """While a run is made in this process: without a sign of life for ``after_s`` seconds, say so, write down in
    ``log`` where it hangs, and end the process with exit code 1.

    Yields what to call at a sign of life; beats are heard as well. A call that never gives Python's lock back is not
    noticed.
    """
    watch, over = HungWatch(after_s), threading.Event()

    def alive() -> None:
        """A sign of life."""
        watch.heard(name, ("", os.getpid()))

    def look() -> None:
        """In a thread, every ``LOOK_S`` seconds until the run is over."""
        while not over.wait(LOOK_S):
            if watch.look():
                _end_here(name, after_s, log)

    alive()
    threading.Thread(target=look, daemon=True).start()
    try:
        with listening(alive):
            yield alive
    finally:
        over.set()


def _end_here(name: str, after_s: float, log: Path) -> None:
    where = ""
    with suppress(OSError), open_lock(log) as out:
        out.write(f"gave no sign of life for {duration(after_s)}; the process is ended here:\n")
        faulthandler.dump_traceback(out)
        where = f" {plain(str(log))} says where it hangs;"
    with suppress(OSError):  # a terminal that has hung up
        shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # the cursor, which a table hides
        print(
            f"{shown}ganbench: {plain(name)} gave no sign of life for {duration(after_s)};{where} its checkpoint is "
            "kept: run the same command again to go on",
            file=within(sys.stderr),
            flush=True,
        )
    os._exit(1)
