"""A signal, whenever it comes, ends the command with exit code 130: no traceback, no crash.

Amid plain Python it raises KeyboardInterrupt, so that whatever is open is closed. An exception amid an import, or in
what cannot be interrupted and gone on from (``at_once``), would leave native code half set up, which crashes sooner or
later: there the process ends at once, as it does at a second signal. No result is lost: files are whole or not there.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP)
INTERRUPTED = 130
IMPORTS = "<frozen importlib"  # how the files of Python's own import machinery are named

_at_once = 0
"""How many ``at_once`` the main thread is in."""


@contextmanager
def at_once() -> Iterator[None]:
    """What is done here cannot be interrupted and gone on from."""
    global _at_once
    _at_once += 1
    try:
        yield
    finally:
        _at_once -= 1


def handled() -> tuple[signal.Signals, ...]:
    """``SIGNALS``, but for SIGHUP where ``nohup`` has it ignored."""
    return tuple(s for s in SIGNALS if s != signal.SIGHUP or signal.getsignal(s) != signal.SIG_IGN)


class Leave:
    """What ``SIGNALS`` do while a command runs; as a context, it takes the KeyboardInterrupt.

    ``code``: the command's exit code; that of an interruption, until it is known.
    ``word``: what is said to whoever interrupts.
    """

    def __init__(self, for_good: bool) -> None:
        """``for_good``: the process ends with the command, and so may be ended at once; a signal that comes after the
        command has ended changes nothing. Otherwise there is only KeyboardInterrupt.
        """
        self.code, self.word = INTERRUPTED, ""
        self._for_good, self._leaving, self._over, self._ending = for_good, False, False, False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Leave:
        if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handler
            for number in handled():
                self._before[number] = signal.signal(number, self._handle)
            if self._for_good:
                atexit.register(_ignore)  # first, and so called last: Python takes its handlers away after that
        return self

    def over(self, code: int) -> None:
        """The command has ended with ``code``."""
        self.code = code
        self._leaving = self._over = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self._leaving = True
        interrupted = isinstance(error, KeyboardInterrupt)
        if self._for_good:
            return self._end() if interrupted else False
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if interrupted:
            self._say()
        return interrupted

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._for_good and (self._leaving or _at_once or _is_importing(frame)):
            self._end()
        self._leaving = True
        raise KeyboardInterrupt

    def _end(self) -> NoReturn:
        if self._ending:  # and waits for somebody to read what is written
            os._exit(self.code)
        self._ending = True
        if not self._over:
            self._say()
        for stream in (sys.stdout, sys.stderr) if self._over else ():
            with suppress(AttributeError, OSError, RuntimeError, ValueError):  # closed, or amid a write of its own
                stream.flush()
        os._exit(self.code)

    def _say(self) -> None:
        """Past ``sys.stderr``, which may be amid a write of its own."""
        said = "\x1b[?25h" if os.isatty(2) else ""  # the cursor, which a table hides
        with suppress(OSError):
            os.write(2, f"{said}\nganbench: {self.word}\n".encode() if self.word else said.encode())


def _ignore() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORTS):
            return True
        frame = frame.f_back
    return False
