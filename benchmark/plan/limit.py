"""An end to counting, whatever a suite asks for: a limit on its CPU seconds, and on what it would hold in memory."""

from __future__ import annotations

import math
import time
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from benchmark.errors import GanbenchError

LONGEST_S = 20.0  # CPU seconds of one kind of step; the papers' take up to three
LEAST_S = 4.0  # of each, after others were too much: all of a suite's together must not take for ever
MOST_NUMBERS = 2**28  # made at once; noises are drawn on the CPU, also where nothing is computed
BY_END = ("arange", "randperm", "linspace", "eye")  # made from a number of entries, not from a shape


def deadline(wasted_s: float = 0.0) -> float:
    """Of ``time.process_time()``: when counting a kind of step that begins now is to end.

    Args:
        wasted_s: CPU seconds that went into kinds that could not be counted.
    """
    return time.process_time() + min(LONGEST_S, max(LEAST_S, LONGEST_S - wasted_s))


class TooMuch(GanbenchError):
    """More than can be counted; nothing is said about whether it can be run."""


class Limited(TorchDispatchMode):
    """Ends what is done within it by an error, at the first operation beyond a limit."""

    def __init__(self, until: float = math.inf) -> None:
        """``until``: of ``time.process_time()``."""
        super().__init__()  # type: ignore[no-untyped-call]  # TorchDispatchMode has no annotation
        self.until = until

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.check(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))

    def check(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Raises TooMuch where the time is over, or the operation makes too many numbers out of none."""
        if time.process_time() > self.until:
            raise TooMuch("its step is too much to be counted: it has more operations than a few seconds take")
        on_cpu = str(kwargs.get("device") or "cpu").startswith("cpu")
        if not on_cpu or any(isinstance(x, Tensor) for x in tree_leaves((args, kwargs))):
            return
        if (numbers := _numbers(func._overloadpacket.__name__, args)) > MOST_NUMBERS:
            raise TooMuch(f"its step is too much to be counted: it draws {numbers:,} numbers at once")


def _numbers(name: str, args: tuple[Any, ...]) -> int:
    """How many entries an operation makes that no tensor goes into."""
    if name in BY_END:
        return max((int(x) for x in args if isinstance(x, (int, float))), default=0)
    return max((math.prod(x) for x in args if isinstance(x, (list, tuple))), default=0)
