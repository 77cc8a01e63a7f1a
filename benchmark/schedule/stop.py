"""Ctrl-C, once: ask the runs to checkpoint and stop. Twice: stop at once. A batch system's warning counts as Ctrl-C."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


class Stop:
    """Installed while runs are under way; ``asked`` turns true at the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP (unless ``nohup`` has it ignored)."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
        self._before = {s: signal.signal(s, self._handle) for s in SIGNALS if s not in ignored}
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        with suppress(OSError):  # a terminal that has hung up
            print("\nstopping: the runs under way write a checkpoint first (again to stop at once)", file=sys.stderr, flush=True)


@contextmanager
def kept_signals() -> Iterator[None]:
    """What handles ``SIGNALS`` handles them afterwards, whatever a library does meanwhile."""
    before = {s: signal.getsignal(s) for s in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
