"""Other ways of making a step: channels last, bfloat16, ``torch.compile`` of the players, a step as a CUDA graph.

Each is the same ``train_step`` on the same weights, draws and images; its losses after ``WARM`` steps stand beside
those of the plain step. What torch cannot do with a method is told with its reason, and is no failure. On a GPU at the
recipe's own batch; on a CPU with few images.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable
from typing import Any

from torch import Tensor

from benchmark.recipe import Recipe
from benchmark.train.step import train_step
from tests.gpu.graph import graphed
from tests.gpu.machine import clock, release
from tests.gpu.pair import pair, reals, smaller
from tests.gpu.recipes import Entry

CELLS = ("theory/1/B_z=10^0[MLP]/mnist", "gran/2/NSGAN-SN/cifar10", "chain/cifar/BigGAN/cifar10@10%")
"""Bound by calls; a ResNet; a deep one."""
MODES = ("channels last", "bfloat16", "bfloat16, channels last", "torch.compile", "CUDA graph")
WARM, ROUNDS, BUDGET_S = 4, 5, 1.0
NEAR = {"bfloat16": 0.5, "bfloat16, channels last": 0.5}
"""How far a loss may be from the plain step's, relative to it or to 1 if that is more; ``CLOSE`` for the others: Adam's
first steps amplify rounding."""
CLOSE = 0.1

Step = Callable[[], tuple[Tensor, Tensor]]


def modes(entry: Entry, device: str, images: int) -> dict[str, Any]:
    """Seconds a step of each mode, and how many times the plain step's that is."""
    recipe = smaller(entry.recipe, images, min(entry.recipe.n_dis, 2)) if device == "cpu" else entry.recipe
    plain = _timed(lambda: stepping(entry, recipe, device, "plain"), device)
    found: dict[str, Any] = {"images": recipe.batch_d, "plain": plain}
    wrong = []
    for mode in MODES:
        if mode == "CUDA graph" and device == "cpu":
            found[mode] = {"not possible": "there is no CUDA"}
            continue
        try:
            one = _timed(lambda: stepping(entry, recipe, device, mode), device)
        except Exception as error:  # torch's own, of many kinds: told, since to try is the purpose
            found[mode] = {"not possible": f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"}
            release()
            continue
        far = max(abs(a - b) / max(1.0, abs(b)) for a, b in zip(one["losses"], plain["losses"]))
        found[mode] = one | {"gain": plain["step_s"] / one["step_s"], "far": far}
        wrong += [f"{mode}: losses are {far:.2g} off"] if not far <= NEAR.get(mode, CLOSE) else []
    return found | {"state": "failed" if wrong else "ok", "why": "; ".join(wrong)}


def stepping(entry: Entry, recipe: Recipe, device: str, mode: str) -> Step:
    """A step of a fresh pair in a mode."""
    precision = "bfloat16" if mode.startswith("bfloat16") else "float32"
    gan = pair(entry, dataclasses.replace(recipe, precision=precision), device, mode.endswith("channels last"))
    real = reals(gan)
    if mode == "torch.compile":
        gan.G.compile()
        gan.D.compile()
    if mode == "CUDA graph":
        return graphed(gan, real, WARM - 1)
    return lambda: train_step(gan, real)


def _timed(make: Callable[[], Step], device: str) -> dict[str, Any]:
    """Of ``WARM`` steps the first one's seconds and the last one's losses, then the median of some more."""
    release()
    mark = clock(device)
    step = make()
    losses = step()
    first = clock(device) - mark
    for _ in range(WARM - 1):
        losses = step()
    known = [loss.item() for loss in losses]
    seconds = list[float]()
    while not seconds or (len(seconds) < ROUNDS and sum(seconds) < BUDGET_S):
        mark = clock(device)
        step()
        seconds.append(clock(device) - mark)
    return {"step_s": statistics.median(seconds), "first_s": first, "losses": known}
