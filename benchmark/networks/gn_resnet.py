"""GN-GAN's ResNets (its code's ``models/resnet.py``), which PGN-GAN uses unchanged.

Next to SN-GAN's: global average pooling, no 1024-channel block at 48 pixels, Kaiming weights, as
many hidden channels as outputs in D, no normalisation in D. Three channels and 128 noises: G / D
have 4,276,739 / 1,053,825 parameters at 32 pixels, 4,878,083 / 4,859,073 at 48,
32,150,787 / 38,419,137 at 128, 37,135,107 / 43,401,409 at 256.

The source has no network for 64 pixels. The one here (chosen) is that for 128 without its 1024-channel
upsampling block and without its last halving, so that D too ends at 1024 channels of 4x4.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from benchmark.networks.residual import Discriminator, Generator
from benchmark.networks.sizes import at_resolution, scaled, unconditional

VERSION = 1

LAYOUTS: dict[
    int, tuple[int, tuple[int, ...], tuple[int, ...], int]
] = {  # pixels a side of G's first map, G's and D's channels, D's halvings
    32: (4, (256, 256, 256, 256), (128, 128, 128, 128), 2),
    48: (6, (512, 256, 128, 64), (64, 128, 256, 512), 4),
    64: (4, (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), 4),
    128: (4, (1024, 1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024, 1024), 5),
    256: (4, (1024, 1024, 512, 512, 256, 128, 64), (64, 128, 256, 512, 512, 1024, 1024), 6),
}


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float, init: Literal["kaiming", "N02"]
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W).

    Args:
        width: scales every channel count; the source is 1.0.
        init: weights by He et al.'s normal distribution over the fan-in (the source) or from N(0, 0.02); biases are 0.

    Raises:
        GanbenchError: another resolution than 32, 48, 64, 128, 256, or classes, which the networks do not use.
    """
    unconditional("gn-resnet", classes)
    bottom, channels_g, channels_d, halvings = at_resolution("gn-resnet", LAYOUTS, image_shape)
    G = Generator(image_shape[0], z_dim, bottom, [scaled(n, width) for n in channels_g])
    D = Discriminator(image_shape[0], [scaled(n, width) for n in channels_d], halvings, pool="mean", wide=True)
    for module in (*G.modules(), *D.modules()):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight) if init == "kaiming" else nn.init.normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return G, D
