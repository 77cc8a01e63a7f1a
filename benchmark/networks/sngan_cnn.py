"""SN-GAN's CNNs (Miyato et al. 2018, Table 3). Spectral norm itself is a part.

As GN-GAN's, which follow them, but with the table's widths in D. What the table leaves open is taken
from GN-GAN's code too: BatchNorm and ReLU after G's linear layer, N(0, 0.02) weights, biases 0.
Three channels and 128 noises: G / D have 3,813,379 / 2,935,873 parameters at 32 pixels,
5,134,339 / 2,946,113 at 48 (computed from the layers: the paper prints none).
"""

from __future__ import annotations

from torch import nn

from benchmark.networks.gn_cnn import BOTTOMS, G_CHANNELS, Discriminator, Generator, n02
from benchmark.networks.sizes import at_resolution, scaled, unconditional

VERSION = 1
D_CHANNELS = (64, 64, 128, 128, 256, 256, 512)


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W); ``width`` scales every channel count, the paper is 1.0.

    Raises:
        GanbenchError: another resolution than 32 and 48, or classes, which the networks do not use.
    """
    unconditional("sngan-cnn", classes)
    bottom = at_resolution("sngan-cnn", BOTTOMS, image_shape)
    G = Generator(image_shape[0], z_dim, bottom, [scaled(n, width) for n in G_CHANNELS])
    D = Discriminator(image_shape[0], bottom, [scaled(n, width) for n in D_CHANNELS])
    for player in (G, D):
        n02(player)
    return G, D
