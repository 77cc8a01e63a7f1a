"""Counting a recipe's work on torch's meta device: the real players, the real ``train_step``, and no arithmetic.

Tensors have shapes and no values there. Where a part reads a value (an adaptive rule's mean sign), it is told ``READ``.
Adaptive strengths are set to the middle of their range and the clock to the middle of training, so that what a method
does only when it is under way (ADA's pipeline, CHAIN's layers, LeCam after its start) is counted.
"""

from __future__ import annotations

import dataclasses
import math
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmark.plan.limit import Limited, deadline
from benchmark.plan.work import Count, Work
from benchmark.recipe import Recipe
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, train_step

READ = 0.5
"""Every value that is read from a tensor that has none."""

VECTOR = 16  # float32 numbers in the widest CPU vectors: channels are computed in blocks of so many
FLOAT = 4  # bytes
ADAM_BYTES = (
    7 * FLOAT
)  # of a parameter, by a fused step: weight, gradient and two moments read, all but the gradient written
SLOW = (
    "avg_pool2d",
    "adaptive_avg_pool2d",
    "max_pool2d",
    "upsample",
    "grid_sampler",
    "index",
    "constant_pad",
    "reflection_pad",
    "native_batch_norm",
    "native_layer_norm",
    "tanh",
    "sigmoid",
    "softplus",
    "log_sigmoid",
    "exp",
    "log",
    "rand",
)
"""How the names of operations begin that took CPUs five to twenty times as long for a byte as an addition."""
CONVOLUTIONS = {
    torch.ops.aten.convolution,
    torch.ops.aten._convolution,
    torch.ops.aten.cudnn_convolution,
    torch.ops.aten.convolution_backward,
}


def count(recipe: Recipe, total_steps: int) -> Count:
    """The work of a recipe's step, and of its G and D when they are measured.

    Args:
        total_steps: G steps of the whole run.

    Raises:
        GanbenchError: a plug-in refuses the recipe, or its step is more than can be counted (``limit.py``).
    """
    once = dataclasses.replace(recipe, n_dis=1)
    until = deadline()
    with torch.device("meta"), Limited(until):
        gan = _Counted(once, total_steps)
    gan.step = total_steps // 2
    for part in gan.parts:
        under_way(part, gan.step * recipe.n_dis)
    with Tally(until) as step:
        train_step(gan, lambda: _real(recipe))
    work, peak = step.work + gan.optimised(), step.peak
    if recipe.n_dis > 1:  # every D step more is like the first, on fakes of its own
        with Tally(until) as more:
            with torch.no_grad():
                fakes = gan.fakes(recipe.batch_d)
            d_step(gan, _real(recipe), fakes)
        work, peak = work + (more.work + gan.optimised()) * (recipe.n_dis - 1), max(peak, more.peak)
    with torch.no_grad(), Tally(until) as sample:
        images, labels = gan.fakes(recipe.batch_g)
    with torch.no_grad(), Tally(until) as judge:
        for part in gan.parts:
            part.before_pass("g-fake", gan.rng["augment"])
        gan.D(images, labels)
    weights = sum(p.numel() for m in (gan.G, gan.judges) for p in m.parameters())
    average = _bytes(gan.average.G) if gan.average is not None else 0
    standing = _bytes(gan.G) + _bytes(gan.judges) + 2 * FLOAT * weights + average
    return Count(work, sample.work, judge.work, weights, standing + peak, standing)


class Tally(Limited):
    """Adds up ``work`` and the ``peak`` of bytes alive among tensors made meanwhile.

    FLOPs are by the formulas of torch's own counter, whose class is not used: it follows modules by hooks, which refuse
    a gradient that is taken inside a forward pass, as penalties and normalised gradients do.
    """

    def __init__(self, until: float = math.inf) -> None:
        super().__init__(until)
        self.conv = self.matmul = self.padded = self.bytes = self.slow_bytes = self.calls = self.convs = 0.0
        self.alive = self.peak = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def work(self) -> Work:
        """So far."""
        return Work(self.conv, self.matmul, self.padded, self.bytes, self.slow_bytes, self.calls, self.convs)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        self.check(func, args, kwargs)
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        if func is torch.ops.aten._local_scalar_dense.default and given[0].is_meta:
            return READ if given[0].is_floating_point() else True if given[0].dtype is torch.bool else 0
        if (
            func is torch.ops.aten._to_copy.default
            and given[0].is_meta
            and kwargs.get("device", given[0].device) != given[0].device
        ):
            return torch.full(given[0].shape, READ, device=kwargs["device"]).to(kwargs.get("dtype") or given[0].dtype)
        out = func(*args, **kwargs)
        if func.is_view:
            return out
        made = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        self.calls += 1
        moved = sum(t.numel() * t.element_size() for t in (*given, *made))
        self.bytes += moved
        self.slow_bytes += moved * func._overloadpacket.__name__.startswith(SLOW)
        if formula := flop_registry.get(func._overloadpacket):
            self._add(func._overloadpacket, float(formula(*args, **kwargs, out_val=out)), args)
        for tensor in made:
            self._hold(tensor)
        return out

    def _add(self, packet: Any, flops: float, args: tuple[Any, ...]) -> None:
        if packet not in CONVOLUTIONS:
            self.matmul += flops
            return
        self.conv += flops
        backward = packet is torch.ops.aten.convolution_backward
        self.convs += sum(args[10][:2]) if backward else 1  # args[10]: whether of the input, of the weight
        rows, columns = args[2 if backward else 1].shape[:2]
        self.padded += (
            flops * _up(rows) / rows * (_up(columns) / columns if columns > 1 else 1)
        )  # 1: a channel by itself

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self.alive += size
        self.peak = max(self.peak, self.alive)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.alive -= size


class _Counted(Gan):
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

    def _adam(self, parameters: list[nn.Parameter], lr: float, weight_decay: float | None) -> Any:
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


def _real(recipe: Recipe) -> tuple[Tensor, Tensor]:
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


def _up(channels: int) -> int:
    return -(-channels // VECTOR) * VECTOR
