"""Adding up the work of tensor operations, on no device."""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from benchmark.plan.limit import Limited
from benchmark.plan.work import Work

READ = 0.5
"""Every value that is read from a tensor that has none."""


VECTOR = 16  # float32 numbers in the widest CPU vectors: channels are computed in blocks of so many


FLOAT = 4  # bytes


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


def _up(channels: int) -> int:
    return -(-channels // VECTOR) * VECTOR
