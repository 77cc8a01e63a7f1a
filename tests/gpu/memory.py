"""A run that asks for more memory than there is: is its error known, is the memory free again, does the next go on?

The step is allowed half of what it is estimated to need: of torch's share on a GPU, of address space on a CPU, whose
error is not a GPU's, so that only what comes after it is tried there.
"""

from __future__ import annotations

import contextlib
import resource
import traceback
from collections.abc import Iterator
from typing import Any

import torch

from benchmark.plan.count import count
from benchmark.recipe import Recipe
from benchmark.schedule.memory import gpu_memory
from benchmark.train.step import train_step
from tests.gpu.machine import in_use, release, status
from tests.gpu.pair import finite, pair, reals, smaller
from tests.gpu.recipes import Entry

CELLS = ("gran/3/NSGAN/lsun-bedroom",)
ON_CPU = 32
"""Images there: so many that a tensor is refused, and not the few kilobytes of a kernel that oneDNN compiles: it would
compile none any more until the process ends."""
LEFT_OVER = {
    "cpu": 0.25,
    "cuda": 0.01,
}  # of what the step was estimated to need; a process keeps some small pieces for itself


def memory(entry: Entry, device: str) -> dict[str, Any]:
    """What happened, in order."""
    recipe = smaller(entry.recipe, ON_CPU) if device == "cpu" else entry.recipe
    counted = count(recipe, entry.total_steps)
    release()
    before, wrong = in_use(device) or 0, []
    error = _error(entry, recipe, device, counted.memory // 2)
    release()
    left = (in_use(device) or 0) - before
    if error is None:
        wrong.append("it did not run out of memory")
    elif device != "cpu" and not gpu_memory(error):
        wrong.append("the error is not known as a full GPU's")
    if left > LEFT_OVER[device.split(":")[0]] * counted.memory:
        wrong.append(f"{left / 1e6:,.0f} MB are still held")
    gan = pair(entry, smaller(entry.recipe, 2), device)
    if not finite(gan, *train_step(gan, reals(gan))):
        wrong.append("the next step is not finite")
    return {
        "state": "failed" if wrong else "ok", "why": "; ".join(wrong), "estimated": counted.memory, "left": left,
        "error": None if error is None else f"{type(error).__name__}: {str(error).splitlines()[0]}",
    }  # fmt: skip


def _error(entry: Entry, recipe: Recipe, device: str, allowed: int) -> BaseException | None:
    """What a step raises that may take so many bytes more than are taken."""
    with _only(device, allowed):
        try:
            gan = pair(entry, recipe, device)
            train_step(gan, reals(gan))
        except (RuntimeError, MemoryError) as error:
            traceback.clear_frames(error.__traceback__)  # they hold the pair
            return error.with_traceback(None)
    return None


@contextlib.contextmanager
def _only(device: str, allowed: int) -> Iterator[None]:
    if device != "cpu":
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, (torch.cuda.memory_reserved() + allowed) / total))
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return
    was = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, ((status("VmSize") or 0) + allowed, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, was)
