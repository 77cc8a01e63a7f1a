"""Adam and the running average on the device beside the CPU: the same gradients, at the recipes' own settings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from benchmark.train.average import Average
from tests.gpu.pair import distance
from tests.gpu.recipes import Entry

LIMIT, STEPS = 1e-5, 3


def optimiser(entries: Iterable[Entry], device: str) -> dict[str, Any]:
    """The distance of a small network's updates, and of its average's, for each setting that a recipe has."""
    found = {}
    for r in (e.recipe for e in entries):
        settings = (r.lr_g, r.beta1, r.beta2, r.adam_eps, r.weight_decay_g or 0.0, r.ema, bool(r.ema_buffers))
        if settings not in found:
            found[settings] = distance(*(_after(device_, *settings) for device_ in (device, "cpu")))
    wrong = [f"{settings}: {apart:.2g} > {LIMIT}" for settings, apart in found.items() if not apart <= LIMIT]
    return {
        "state": "failed" if wrong else "ok",
        "why": "; ".join(wrong),
        "settings": len(found),
        "largest": max(found.values()),
    }


def _after(
    device: str, lr: float, beta1: float, beta2: float, eps: float, decay: float, ema: float | None, ema_buffers: bool
) -> list[torch.Tensor]:
    torch.manual_seed(0)
    start = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.Linear(64, 64))
    kept = [p.detach().clone() for p in start.parameters()]
    net, rng = start.to(device), torch.Generator().manual_seed(0)
    adam = torch.optim.Adam(net.parameters(), lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=decay, fused=True)
    average = Average(net, ema or 0.9, 0, ema_buffers)
    for step in range(STEPS):
        for p in net.parameters():
            p.grad = torch.randn(p.shape, generator=rng).to(device)
        adam.step()
        average.update(net, step)
    return [p.detach().cpu() - k for m in (net, average.G) for p, k in zip(m.parameters(), kept, strict=True)]
