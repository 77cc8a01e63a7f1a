"""A pair under way on random images, as the planner counts it: in the middle of training, adaptive strengths at ½."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.plan.count import under_way
from benchmark.recipe import Recipe
from benchmark.train.gan import Gan
from benchmark.train.step import Batch
from tests.gpu.recipes import Entry


def smaller(recipe: Recipe, images: int, n_dis: int = 1, **changes: Any) -> Recipe:
    """The recipe at full width on so few images a step of either player."""
    return dataclasses.replace(recipe, batch_d=images, batch_g=images, n_dis=n_dis, **changes)


def pair(entry: Entry, recipe: Recipe, device: str, channels_last: bool = False) -> Gan:
    """The pair of an entry whose recipe is, for the test, ``recipe``; the same weights and draws on every device."""
    gan = Gan(recipe, 0, device, entry.total_steps, channels_last)
    gan.step = entry.total_steps // 2
    for part in gan.parts:
        under_way(part, gan.step * recipe.n_dis)
    return gan


def reals(gan: Gan) -> Callable[[], Batch]:
    """The same random batch whenever it is asked for, on the pair's device in its layout."""
    r, rng = gan.recipe, torch.Generator().manual_seed(0)
    images = torch.rand(r.batch_d, r.channels, r.resolution, r.resolution, generator=rng).mul_(2).sub_(1)
    labels = torch.randint(r.classes or 1, (r.batch_d,), generator=rng).to(gan.device)
    images = images.to(gan.device).contiguous(memory_format=gan.layout)
    return lambda: (images, labels)


def gradients(player: nn.Module) -> list[Tensor]:
    """Of all parameters that have one, on the CPU."""
    return [p.grad.cpu() for p in player.parameters() if p.grad is not None]


def buffers(player: nn.Module) -> list[Tensor]:
    """Running statistics, spectral norm's vectors and the like, on the CPU."""
    return [b.cpu() for b in player.buffers() if b.is_floating_point()]


def norm(tensors: Iterable[Tensor]) -> float:
    """Of all of them as one vector; not finite where one of them is not."""
    return math.sqrt(sum(float(torch.linalg.vector_norm(t, dtype=torch.float64)) ** 2 for t in tensors))


def distance(a: list[Tensor], b: list[Tensor]) -> float:
    """‖a − b‖ : ‖b‖, each as one vector; NaN where either is not finite."""
    return norm(x - y for x, y in zip(a, b, strict=True)) / max(norm(b), 1e-30)


def finite(gan: Gan, *losses: Tensor) -> bool:
    """Whether losses, weights and gradients are."""
    weights = [p for m in (gan.G, gan.judges) for p in m.parameters()]
    return math.isfinite(norm([*losses, *(t.detach() for p in weights for t in (p, p.grad) if t is not None)]))
