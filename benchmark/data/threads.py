"""Work on many images by a few threads, results in order, memory bounded: decoding and hashing run outside Python's
lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from benchmark.pulse import beat

T = TypeVar("T")
CHUNK = 256  # images in flight
MOST_THREADS = 8


def mapped(function: Callable[[int], T], count: int) -> Iterator[tuple[int, list[T]]]:
    """(first number, results) of ``function(0)`` to ``function(count - 1)``, some at a time."""
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        for start in range(0, count, CHUNK):
            beat()
            yield start, list(pool.map(function, range(start, min(start + CHUNK, count))))
