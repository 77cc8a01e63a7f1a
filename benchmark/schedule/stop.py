"""Ctrl-C, once: ask the runs to checkpoint and stop. Twice: stop at once. A batch system's warning counts as Ctrl-C."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Any


class Stop:
    """Installed while runs are under way; ``asked`` turns true at the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP (unless ``nohup`` has it ignored)."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
        self._before = {s: signal.signal(s, self._handle) for s in self.SIGNALS if s not in ignored}
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
