"""Signs of life from long loops in which no training step ends: measuring, preparing images, waiting for another
process; and what a run is at.

Whoever runs a run listens; a loop that takes longer than seconds calls ``beat`` as it goes, and what may take as long
says what it is, by ``doing``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

STARTING, TRAINING, FINISHING = "starting", "training", "finishing"

_listener: Callable[[], None] | None = None
_phase = STARTING


def beat() -> None:
    """This process is getting on."""
    if _listener is not None:
        _listener()


def phase() -> str:
    """What this process's run is at, in a word or a few: "reading mnist", "training"."""
    return _phase


@contextmanager
def doing(what: str) -> Iterator[None]:
    """``what`` is the phase meanwhile; whoever listens hears of it. What comes after training is no start any more."""
    global _phase
    before, _phase = _phase, what
    beat()
    try:
        yield
    finally:
        _phase = FINISHING if what == TRAINING else before
        beat()


@contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """Call ``listener`` at every beat of this process, whose run starts; it must be quick."""
    global _listener, _phase
    before, _listener, _phase = _listener, listener, STARTING
    try:
        yield
    finally:
        _listener = before
