"""Small StyleGAN2s for tests."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from benchmark.networks import stylegan2

ARGUMENTS = dict(width=1.0, channel_base=256, channel_max=20, mapping_layers=2, style_mixing=0.9, mbstd_group=4)
TRAINED = dict(
    resolution=32, channels=3, images=64, batch_d=8, batch_g=8, z_dim=16, network=("stylegan2", dict(ARGUMENTS))
)
"""What makes a recipe of one."""


def pair(size: int = 32, z_dim: int = 6, shape: tuple[int, int, int] | None = None, **arguments: Any) -> Any:
    """G and D, freshly initialised."""
    return stylegan2.build(shape or (3, size, size), z_dim, None, **(ARGUMENTS | arguments))


def lively(player: nn.Module) -> Any:
    """The player with all of its weights moved, so that noise too counts, whose weights begin at 0."""
    with torch.no_grad():
        for p in player.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return player
