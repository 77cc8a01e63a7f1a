"""Uniform noise on real images, which fills the gaps between their 8-bit levels (WGAN-GP's code, ``gan_cifar_resnet.py``).

There U[0, 1/128) is added to images in [-1, 1], whose levels lie 2/255 apart; fakes are left alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.methods.part import Part

VERSION = 1


def build(*, width: float) -> Part:
    """``width``: of the noise, on the scale of images in [-1, 1]."""
    return Dequantise(width)


class Dequantise(Part):
    """Real images plus U[0, width), as D sees them."""

    def __init__(self, width: float) -> None:
        self.width = width

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """(B, C, H, W) to the same; drawn on the CPU, in float32, for real images only."""
        return images + self.width * torch.rand(images.shape, generator=rng).to(images) if real else images
