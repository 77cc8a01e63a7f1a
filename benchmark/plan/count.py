"""Counting a recipe's work on torch's meta device: the real players, the real ``train_step``, and no arithmetic.

Tensors have shapes and no values there. Where a part reads a value (an adaptive rule's mean sign), it is told ``READ``.
Adaptive strengths are set to the middle of their range and the clock to the middle of training, so that what a method
does only when it is under way (ADA's pipeline, CHAIN's layers, LeCam after its start) is counted.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.plan.limit import Limited, deadline
from benchmark.plan.tally import FLOAT, Tally
from benchmark.plan.work import Count, Work
from benchmark.recipe import Recipe
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, train_step

ADAM_BYTES = (
    7 * FLOAT
)  # of a parameter, by a fused step: weight, gradient and two moments read, all but the gradient written


def count(recipe: Recipe, total_steps: int, wasted_s: float = 0.0) -> Count:
    """The work of a recipe's step, and of its G and D when they are measured.

    Args:
        total_steps: G steps of the whole run.
        wasted_s: CPU seconds that went into recipes that could not be counted (``limit.py``).

    Raises:
        GanbenchError: a plug-in refuses the recipe, or its step is more than can be counted (``limit.py``).
    """
    once = dataclasses.replace(recipe, n_dis=1)
    until = deadline(wasted_s)
    with torch.device("meta"), Limited(until):
        gan = Counted(once, total_steps)
    gan.step = total_steps // 2
    for part in gan.parts:
        under_way(part, gan.step * recipe.n_dis)
    work, peak = _on_average(gan, lambda: train_step(gan, lambda: real_batch(recipe)), until)
    if recipe.n_dis > 1:  # every D step more is like the first, on fakes of its own
        more, its_peak = _on_average(gan, lambda: _d_step_more(gan, recipe), until)
        work, peak = work + more * (recipe.n_dis - 1), max(peak, its_peak)
    with torch.no_grad(), Tally(until) as sample:
        made = gan.fakes(recipe.batch_g)
    with torch.no_grad(), Tally(until) as judge:
        for part in gan.parts:
            part.before_pass("g-fake", gan.rng["augment"])
        gan.D((made.images, *made.small) if made.small else made.images, made.labels)
    weights = sum(p.numel() for m in (gan.G, gan.judges) for p in m.parameters())
    frozen = sum(_bytes(m) for part in gan.parts for m in part.frozen())
    average = _bytes(gan.average.G) if gan.average is not None else 0
    with Tally(until):  # some read a value
        kept = sum(_held(part.state_dict()) for part in gan.parts)
    saved = _bytes(gan.G) + _bytes(gan.judges) + kept + 2 * FLOAT * weights + average
    return Count(work, sample.work, judge.work, weights, saved + frozen + peak, saved)


def _d_step_more(gan: Counted, recipe: Recipe) -> None:
    with torch.no_grad():
        fakes = gan.fakes(recipe.batch_d)
    d_step(gan, real_batch(recipe), fakes)


def _on_average(gan: Counted, make: Callable[[], object], until: float) -> tuple[Work, int]:
    """The work of a step, on average where parts have steps of their own every so many; and the most that is held."""
    every = sorted({n for part in gan.parts for n in (part.d_every, part.g_every) if n and n > 1})
    middle = gan.step
    base = middle // math.lcm(*every) * math.lcm(*every)
    total, before, peak = Work(), Work(), 0
    for n in (1, *every):  # a step without any of them, then with the most frequent, then with rarer ones too
        gan.step = middle if not every else base + math.lcm(*(e for e in every if e <= n))
        with Tally(until) as step:
            make()
        found = step.work + gan.optimised()
        total, before, peak = total + (found + before * -1) * (1 / n), found, max(peak, step.peak)
    gan.step = middle
    return total, peak


class Counted(Gan):
    """A pair on the meta device, whose optimisers count instead of stepping (the fused Adam has no meta kernel), in
    float32 whatever its precision.
    """

    autocast = staticmethod(nullcontext)

    def __init__(self, recipe: Recipe, total_steps: int) -> None:
        self.optimising = Work()
        super().__init__(recipe, 0, "meta", total_steps)

    def optimised(self) -> Work:
        """What the optimisers did since this was last asked."""
        done, self.optimising = self.optimising, Work()
        return done

    def _adam(self, parameters: list[nn.Parameter], lr: float, beta2: float, weight_decay: float | None) -> Any:
        def add() -> None:
            """A step of Adam: ``ADAM_BYTES`` moved a parameter, a call a tensor."""
            self.optimising += Work(bytes=sum(ADAM_BYTES * p.numel() for p in parameters), calls=1 + len(parameters))

        return _CountedAdam(parameters, lr, add)


class _CountedAdam:
    def __init__(self, parameters: list[nn.Parameter], lr: float, step: Callable[[], None]) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": parameters, "lr": lr}]
        self.step = step

    def zero_grad(self) -> None:
        """Gradients become None, as with torch's own."""
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None


def real_batch(recipe: Recipe) -> tuple[Tensor, Tensor]:
    """Images and classes of a batch of D's, without values."""
    images = torch.empty(recipe.batch_d, recipe.channels, recipe.resolution, recipe.resolution, device="meta")
    return images, torch.empty(recipe.batch_d, dtype=torch.int64, device="meta")


def under_way(part: Any, d_steps: int) -> None:
    """Set a part's adaptive strength p to one half, and its count of D steps to the middle of training."""
    state = part.state_dict()
    known = {"p": 0.5, "d_steps": d_steps}
    if changed := {key: value for key, value in known.items() if key in state}:
        part.load_state_dict(state | changed)


def _bytes(module: nn.Module) -> int:
    """Of parameters and buffers."""
    return sum(t.numel() * t.element_size() for t in (*module.parameters(), *module.buffers()))


def _held(state: Any) -> int:
    """Bytes of the tensors in what a part remembers: momentum copies, queues, moments of an optimiser of its own."""
    if isinstance(state, Tensor):
        return state.numel() * state.element_size()
    inner = state.values() if isinstance(state, dict) else state if isinstance(state, (list, tuple)) else ()
    return sum(map(_held, inner))
