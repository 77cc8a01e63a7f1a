"""How much work a run is, whatever machine does it: counted once (``count.py``), remembered, and turned into seconds by
a device.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """What a piece of training or measuring asks of a machine.

    FLOPs count a multiplication and an addition as two, as ``torch.utils.flop_counter`` does: convolutions and matrix
    products only. All else is counted by the bytes that its tensors have.
    """

    conv: float = 0.0  # FLOPs of convolutions
    matmul: float = 0.0  # FLOPs of matrix products
    padded: float = (
        0.0  # FLOPs of convolutions whose channels are rounded up to whole vectors of 16, as CPUs compute them
    )
    bytes: float = 0.0  # read and written by all operations
    slow_bytes: float = (
        0.0  # of these, by operations that CPUs do not stream: pooling, resizing, normalising, functions such as tanh
    )
    calls: float = 0.0  # operations that touch data
    convs: float = 0.0  # convolutions, each gradient for itself

    @property
    def flops(self) -> float:
        """All FLOPs."""
        return self.conv + self.matmul

    def __add__(self, other: Work) -> Work:
        return Work(*(a + b for a, b in zip(dataclasses.astuple(self), dataclasses.astuple(other))))

    def __mul__(self, times: float) -> Work:
        return Work(*(times * a for a in dataclasses.astuple(self)))


@dataclass(frozen=True)
class Count:
    """What is counted of a recipe, for any number of steps, seeds and images."""

    step: Work  # one train_step: a G step and n_dis D steps
    sample: Work  # G makes batch_g images, without gradient
    judge: Work  # D judges batch_g images, without gradient
    parameters: int  # of G, D and heads
    memory: int  # bytes at the peak of a step: weights, gradients, Adam's moments, activations, the average
    checkpoint: int  # bytes on disk: weights, buffers, Adam's moments, the average

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Count:
        """The inverse; raises TypeError or KeyError on anything else."""
        works = {key: Work(**data[key]) for key in ("step", "sample", "judge")}
        numbers = {key: int(data[key]) for key in ("parameters", "memory", "checkpoint")}
        fields: dict[str, Any] = {**works, **numbers}
        return cls(**fields)
