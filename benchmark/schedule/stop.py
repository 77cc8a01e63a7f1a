"""Ctrl-C, once: ask the runs to checkpoint and stop. Twice: stop at once. A batch system's warning counts as Ctrl-C,
and so does the end of a time limit.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from benchmark.process.leave import SIGNALS, handled


class Stop:
    """Installed while runs are under way; ``asked`` turns true at the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP (unless
    ``nohup`` has it ignored), or when a time limit is over.
    """

    def __init__(self, at: float | None = None) -> None:
        """``at``: the end of the time limit, of time.monotonic()."""
        self.begun = False  # a run may be under way: before, a signal does what it did before
        self._asked, self._at = False, at
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in handled():
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def asked(self) -> bool:
        """Whether everybody is to write a checkpoint and stop."""
        if not self._asked and self._at is not None and time.monotonic() >= self._at:
            self._ask("the time limit is over")
        return self._asked

    def _ask(self, why: str) -> None:
        self._asked = True
        said = f"\n{why}: the runs under way write a checkpoint first (Ctrl-C to stop at once)"
        with suppress(OSError):  # a terminal that has hung up
            try:
                print(said, file=sys.stderr, flush=True)
            except RuntimeError:  # the signal came amid another word on standard error
                os.write(2, f"{said}\n".encode())

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.begun and not self._asked:
            self._ask("stopping")
        elif callable(before := self._before.get(number)):
            before(number, frame)
        else:
            raise KeyboardInterrupt


@contextmanager
def kept_signals() -> Iterator[None]:
    """What handles ``SIGNALS`` goes on to, whatever a library asks for; and how children end is still learnt."""
    take = signal.signal
    handlers: dict[int, Any] = {s: signal.getsignal(s) for s in SIGNALS}

    def refuse(number: int, handler: Any) -> Any:
        return handlers[number] if number in handlers else take(number, handler)

    signal.signal = refuse  # type: ignore[assignment]  # typeshed's says more of its arguments
    try:
        yield
    finally:
        signal.signal = take
        for number, handler in handlers.items():
            if handler is not None:
                take(number, handler)  # again: Ray takes SIGTERM behind Python's back, too
        take(signal.SIGCHLD, signal.SIG_DFL)  # and ignores this one: every child would seem to end well
