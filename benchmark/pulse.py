"""Signs of life from long loops in which no training step ends: measuring, preparing images, waiting for another
process.

Whoever runs a run listens; a loop that takes longer than seconds calls ``beat`` as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listener: Callable[[], None] | None = None


def beat() -> None:
    """This process is getting on."""
    if _listener is not None:
        _listener()


@contextmanager
def listening(listener: Callable[[], None]) -> Iterator[None]:
    """Call ``listener`` at every beat of this process; it must be quick."""
    global _listener
    before, _listener = _listener, listener
    try:
        yield
    finally:
        _listener = before
