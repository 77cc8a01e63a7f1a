"""What is to be done, in the order of what it tells, and how far the time went."""

from __future__ import annotations

import functools
import math
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from benchmark.metrics import extractors
from benchmark.plan.counted import Counts
from benchmark.plan.devices import Device
from tests.gpu.compare import compare, images_of
from tests.gpu.features import features
from tests.gpu.machine import release
from tests.gpu.memory import CELLS as FILLED
from tests.gpu.memory import memory
from tests.gpu.modes import CELLS as MODES_OF
from tests.gpu.modes import modes
from tests.gpu.optimiser import optimiser
from tests.gpu.recipes import Entry
from tests.gpu.resume import CELLS as RESUMED
from tests.gpu.resume import resume
from tests.gpu.speed import speed
from tests.gpu.stand_in import lacking, stand_ins

SECTIONS = ("features", "optimiser", "resume", "memory", "steps", "modes", "speed")


@dataclass(frozen=True)
class Item:
    """One thing to try."""

    section: str
    name: str
    do: Callable[[], dict[str, Any]]
    lacking: tuple[str, ...] = ()  # weights that are not here, for which random ones stand


def agenda(entries: list[Entry], device: str, counts: Counts, planner: Device, most: int = 4) -> list[Item]:
    """All of it, cheap recipes first. Of recipes whose steps the planner counts alike, the first is timed.

    Args:
        most: images of a comparison, and of any step on a CPU.
    """
    known = {e.cell: e for e in entries}
    counted = {e.cell: counts.known(e.recipe) for e in entries}
    by_cost = sorted(entries, key=lambda e: math.inf if (c := counted[e.cell]) is None else c.step.flops)
    images = {e.cell: images_of(e, counted[e.cell], most) for e in entries}
    first = {str(counted[e.cell] or e.cell): e for e in reversed(by_cost)}
    timed = [e for e in by_cost if e in first.values()]
    found: list[tuple[str, str, Any, tuple[Any, ...]]] = [
        *(("features", name, features, (name, device)) for name in extractors.names()),
        ("optimiser", "Adam and average", optimiser, (entries, device)),
        *(("resume", name, resume, (known[name], device)) for name in RESUMED if name in known),
        *(("memory", name, memory, (known[name], device)) for name in FILLED if name in known),
        *(("steps", e.cell, compare, (e, device, images[e.cell])) for e in by_cost),
        *(("modes", name, modes, (known[name], device, images[name])) for name in MODES_OF if name in known),
        *(("speed", e.cell, speed, (e, device, images[e.cell], counts, planner)) for e in timed),
    ]
    without = {e.cell: lacking(e.recipe) for e in entries}
    return [
        Item(section, name, functools.partial(do, *given), without.get(name, ())) for section, name, do, given in found
    ]


def work(items: Iterable[Item], end: float, told: Callable[[Item, dict[str, Any]], None]) -> None:
    """One after the other. What is not begun in time is "not reached"; what raises has failed, and the next goes on."""
    for item in items:
        began = time.monotonic()
        if began > end:
            told(item, {"state": "not reached", "why": "time was up"})
            continue
        try:
            with stand_ins(item.lacking):
                found = item.do()
            found |= {"random weights": item.lacking} if item.lacking else {}
        except ImportError as error:
            found = {"state": "not tried", "why": str(error)}
        except Exception as error:  # whatever it is, it is this item's result
            why = " ".join(f"{type(error).__name__}: {error}".split())
            found = {"state": "failed", "why": why[:500], "trace": traceback.format_exc()}
            release()
        told(item, {**found, "seconds": time.monotonic() - began})
