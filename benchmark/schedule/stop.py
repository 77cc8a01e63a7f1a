"""Ctrl-C, once: ask the runs to checkpoint and stop. Twice: stop at once. A time limit counts as the first."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import Any


class Stop:
    """Installed while runs are under way; ``asked`` turns true at the first SIGINT, SIGTERM or SIGHUP, or when a time limit is over."""

    def __init__(self, at: float | None = None) -> None:
        """``at``: the end of the time limit, of time.monotonic()."""
        self._asked, self._at = False, at
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        self._before = {s: signal.signal(s, self._handle) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
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
        with suppress(OSError):  # a terminal that has hung up
            print(f"\n{why}: the runs under way write a checkpoint first (Ctrl-C to stop at once)", file=sys.stderr, flush=True)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._ask("stopping")
