"""Ctrl-C, once: ask the runs to checkpoint and stop. Twice: stop at once. A batch system's warning counts as Ctrl-C,
and so does the end of a time limit.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)


class Stop:
    """Installed while runs are under way; ``asked`` turns true at the first SIGINT, SIGTERM, SIGUSR1 or SIGHUP (unless
    ``nohup`` has it ignored), or when a time limit is over.
    """

    def __init__(self, at: float | None = None) -> None:
        """``at``: the end of the time limit, of time.monotonic()."""
        self._asked, self._at = False, at
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        ignored = {signal.SIGHUP} if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else set()
        self._before = {s: signal.signal(s, self._handle) for s in SIGNALS if s not in ignored}
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
            print(
                f"\n{why}: the runs under way write a checkpoint first (Ctrl-C to stop at once)",
                file=sys.stderr,
                flush=True,
            )

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._ask("stopping")


@contextmanager
def kept_signals() -> Iterator[None]:
    """What handles ``SIGNALS`` handles them afterwards, whatever a library does meanwhile; and this process still
    learns how its children end.
    """
    before = {s: signal.getsignal(s) for s in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.signal(
            signal.SIGCHLD, signal.SIG_DFL
        )  # Ray ignores it behind Python's back: every child would seem to end well
