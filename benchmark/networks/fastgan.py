"""FastGAN (Liu et al. 2021) for few images, and FastGAN-D_big, the same G against CHAIN's residual D (FastGANDBig).

The code defines networks for 1024, 512 and 256 pixels. At 512 and 256 G leaves out its last blocks and, in that code,
tanh as well: images are what the last convolution gives. D's stem then halves less, so that its five blocks still see
256x256. For 128 and 64 pixels this goes on (chosen): no tanh; D leaves out its first blocks, and the gates whose source
is gone with them; the small image is half the large one. D's last maps are 8x8 and 16x16 at every size. Other sizes are
refused.

Spectral norm of all layers is the part ``spectral-norm``, decoders belong to the part ``reconstruction``. With 256
noises at 1024 pixels: G 29,176,512 parameters (29,176,320 with one image), D 8,388,704 (bn) or 10,647,897 (big).
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from benchmark.networks.fastgan_blocks import BLOCKS, initialise, unit
from benchmark.networks.fastgan_discriminators import Residual, TwoImages
from benchmark.networks.fastgan_generator import Generator
from benchmark.networks.sizes import at_resolution, unconditional

VERSION = 1


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, d: Literal["bn", "big"], width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W).

    Args:
        d: "bn" is FastGAN's: BatchNorm, two images, 50 logits an image; G gives two images then. "big" is
            FastGANDBig's: residual, one image, one logit, no BatchNorm.
        width: scales the 64 channels that all others are multiples or fractions of; the papers are 1.0.

    Raises:
        GanbenchError: classes, another resolution than a power of two from 64 to 1024, or a width that is not above 0.
    """
    unconditional("fastgan", classes)
    at_resolution("fastgan", BLOCKS, image_shape)
    channels, size, _ = image_shape
    G = Generator(channels, z_dim, size, unit("fastgan", width), small=d == "bn", wavelets=None)
    D = (TwoImages if d == "bn" else Residual)(channels, size, unit("fastgan", width))
    for player in (G, D):
        initialise(player)
    return G, D
