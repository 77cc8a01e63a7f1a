"""Images a second and memory of a recipe's whole step, beside what the planner says; alone on the device.

On a GPU at the recipe's own batch, with all its D steps, in float32 as it trains (convolutions may be TF32) and in
bfloat16. On a CPU, which would take hours, with as many images as the comparison and one D step; a first step of over
``LONG`` seconds is not made again there.
"""

from __future__ import annotations

import dataclasses
import statistics
from typing import Any

import torch

from benchmark.plan.counted import Counts
from benchmark.plan.devices import Device
from benchmark.recipe import Recipe
from benchmark.schedule.demand import guarded
from benchmark.schedule.memory import gpu_memory
from benchmark.train.step import train_step
from tests.gpu.machine import Peak, clock, release
from tests.gpu.pair import finite, pair, reals, smaller
from tests.gpu.recipes import Entry

BUDGET_S, FEWEST, MOST, LONG = 0.5, 2, 10, 1.0


def speed(entry: Entry, device: str, images: int, counts: Counts, planner: Device) -> dict[str, Any]:
    """By precision: seconds a step, images a second, bytes; and the planner's of float32, which it counts."""
    recipe = smaller(entry.recipe, images) if device == "cpu" else entry.recipe
    counts.count_all([(recipe, entry.total_steps)])
    counted = counts.known(recipe)
    found: dict[str, Any] = {"images": recipe.batch_d, "n_dis": recipe.n_dis, "planner": planner.name}
    if counted is not None:
        found["planned"] = {
            "step_s": planner.seconds(counted.step),
            "memory": counted.memory,
            "asked": guarded(counted.memory),
        }
        if device != "cpu" and counted.memory > (there := torch.cuda.get_device_properties(device).total_memory):
            why = f"needs {counted.memory / 1e9:.3g} GB by the planner; there are {there / 1e9:.3g}"
            return found | {"state": "not tried", "why": why}
    wrong = []
    for precision in ("float32", "bfloat16"):
        found[precision] = _measured(entry, dataclasses.replace(recipe, precision=precision), device)
        wrong += [f"{precision}: {found[precision]['why']}"] if found[precision]["why"] else []
    return found | {"state": "failed" if wrong else "ok", "why": "; ".join(wrong)}


def _measured(entry: Entry, recipe: Recipe, device: str) -> dict[str, Any]:
    """Of some steps at the recipe's rates, after a first one."""
    peak = Peak(device)
    try:
        gan = pair(entry, recipe, device)
        real, seconds = reals(gan), list[float]()
        while len(seconds) < 1 + FEWEST or (sum(seconds[1:]) < BUDGET_S and len(seconds) <= MOST):
            mark = clock(device)
            losses = train_step(gan, real)
            seconds.append(clock(device) - mark)
            if seconds[-1] > LONG and (device == "cpu" or len(seconds) > 1):
                break
        step = statistics.median(seconds[1:] or seconds)
        known = {
            "step_s": step,
            "first_s": seconds[0],
            "steps": len(seconds),
            "images_s": recipe.batch_d * recipe.n_dis / step,
        }
        return known | peak.bytes() | {"why": "" if finite(gan, *losses) else "not finite"}
    except RuntimeError as error:
        if not gpu_memory(error):
            raise
        return {"why": f"out of memory: {str(error).splitlines()[0]}"}
    finally:
        release()
