"""The running average of G's weights (EMA), which many papers sample from.

θ̄ ← decay·θ̄ + (1 − decay)·θ once a G step; pegged to θ before step ``start``. With ``buffers``,
BatchNorm's running statistics are averaged too (BigGAN-PyTorch, GN-GAN); without, they are G's
own of the moment (AutoGAN, FastGAN). Spectral norm's vectors belong to a weight, not to an
average: they are G's own, and one power iteration on the averaged weight follows before sampling.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Average:
    """A frozen copy ``G`` of the generator that follows it."""

    def __init__(self, G: nn.Module, decay: float, start: int, buffers: bool) -> None:
        self.G = copy.deepcopy(G).requires_grad_(False)
        self.decay, self.start, self.buffers = decay, start, buffers

    @torch.no_grad()
    def update(self, G: nn.Module, step: int) -> None:
        """Follow ``G`` after its step number ``step``, counted from 0."""
        weight = 1.0 if step < self.start else 1.0 - self.decay
        mine: list[Tensor] = list(self.G.parameters())
        theirs: list[Tensor] = list(G.parameters())
        if self.buffers:
            mine += [b for name, b in self.G.named_buffers() if _is_statistic(name)]
            theirs += [b for name, b in G.named_buffers() if _is_statistic(name)]
        torch._foreach_lerp_(mine, theirs, weight)
        copied = [
            (kept, live)
            for (name, kept), live in zip(self.G.named_buffers(), G.buffers(), strict=True)
            if not (self.buffers and _is_statistic(name))
        ]
        if copied:
            torch._foreach_copy_([kept for kept, _ in copied], [live for _, live in copied])


def _is_statistic(name: str) -> bool:
    return name.endswith(("running_mean", "running_var"))
