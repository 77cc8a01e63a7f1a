"""Uniform noise on real images, which fills the gaps between their 8-bit levels.

SN-GAN's code (``cifar10.py``) and WGAN-GP's (``gan_cifar_resnet.py``) take images as x/128 − 1, whose levels lie
1/128 apart, and add U[0, 1/128): the gaps are filled exactly, up to 1. Fakes are left alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.part import Part

VERSION = 1


def build(*, scale: float | None = None, width: float) -> Part:
    """``scale``: real images become x/scale − 1, of pixels x from 0 to 255; None leaves them at x/127.5 − 1.
    ``width``: of the noise, as D sees it.
    """
    if scale is not None and not 1 <= scale <= 65536:
        raise GanbenchError(f"dequantise: scale is of pixels, from 1 to 65,536, found {scale:g}", 2)
    return Dequantise(scale, width)


class Dequantise(Part):
    """Real images on their scale, plus U[0, width), as D sees them."""

    def __init__(self, scale: float | None, width: float) -> None:
        self.scale, self.width = scale, width

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """(B, C, H, W) to the same; drawn on the CPU, in float32, for real images only."""
        if not real:
            return images
        if self.scale is not None:
            images = (images + 1) * (127.5 / self.scale) - 1
        return images + self.width * torch.rand(images.shape, generator=rng).to(images)
