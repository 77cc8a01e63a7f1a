"""SN-GAN's ResNets (Miyato et al. 2018, Tables 4 and 5), and Mimicry's version of them. Spectral norm itself is a part.

``shortcut`` says whose code is followed where the two differ and the other arguments do not say it:

- ``raw``: SN-GAN's (sngan_projection, ``gen_models``, ``dis_models``). Biases begin at 0, BatchNorm's
  eps is 2e-5, and D's last layer has no bias at 32 pixels (``snresnet_32.py``); it has one in the
  networks for 64 and 128, and is given one at 48, of which that code has none.
- ``activated``: Mimicry's (``nets/sngan``). Its first ReLU in D's blocks works in place, so that the
  shortcut gets ReLU(x). Biases as PyTorch draws them, eps 1e-5, a bias in the last layer always.

Both: Glorot-uniform weights with gain √2 in the blocks' 3x3 convolutions, 1 elsewhere; as many
hidden channels as inputs in D's blocks. SN-GAN pools by ``sum`` and upsamples by ``nearest``, Mimicry
by ``sum`` and ``bilinear`` (align_corners False). Three channels and 128 noises:
Mimicry's G / D have 4,276,739 / 1,053,825 parameters at 32 pixels, 4,878,083 / 10,141,441 at 48,
12,220,675 / 10,141,441 at 64, 32,150,787 / 29,017,857 at 128.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from benchmark.errors import GanbenchError
from benchmark.networks.residual import BN_EPS, Discriminator, Generator, glorot
from benchmark.networks.sizes import at_resolution, scaled

VERSION = 1
CHAINER_EPS = 2e-5

LAYOUTS: dict[
    int, tuple[int, tuple[int, ...], tuple[int, ...], int]
] = {  # pixels a side of G's first map, G's and D's channels, D's halvings
    32: (4, (256, 256, 256, 256), (128, 128, 128, 128), 2),
    48: (6, (512, 256, 128, 64), (64, 128, 256, 512, 1024), 4),
    64: (4, (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024), 5),
    128: (4, (1024, 1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024, 1024), 5),
}


def build(
    image_shape: tuple[int, int, int],
    z_dim: int,
    classes: int | None,
    *,
    width: float,
    pool: Literal["sum", "mean"],
    upsample: Literal["nearest", "bilinear"],
    shortcut: Literal["raw", "activated"],
    head: Literal["linear", "projection"],
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W).

    Args:
        width: scales every channel count; the papers are 1.0.
        pool: over D's last feature map.
        upsample: in G's blocks.
        shortcut: what those of D's blocks get, ``x`` or ReLU(x), and whose code is followed (above).
        head: ``projection`` needs ``classes``: D's logit gains ⟨embedding(y), h⟩, and G's blocks have a BatchNorm scale
            and shift a class.

    Raises:
        GanbenchError: another resolution than 32, 48, 64, 128; a projection without classes, or classes without a
            projection.
    """
    if (head == "projection") != (classes is not None):
        raise GanbenchError(
            f"sngan-resnet: head is {head!r} and classes {classes}: a projection needs classes, and nothing "
            "else uses them",
            2,
        )
    bottom, channels_g, channels_d, halvings = at_resolution("sngan-resnet", LAYOUTS, image_shape)
    original = shortcut == "raw"
    G = Generator(
        image_shape[0],
        z_dim,
        bottom,
        [scaled(n, width) for n in channels_g],
        upsample=upsample,
        classes=classes,
        bn_eps=CHAINER_EPS if original else BN_EPS,
    )
    D = Discriminator(
        image_shape[0],
        [scaled(n, width) for n in channels_d],
        halvings,
        pool=pool,
        wide=False,
        activated=not original,
        head_bias=not (original and image_shape[1] == 32),
        classes=classes,
    )
    for player in (G, D):
        glorot(player, zero_biases=original)
    return G, D
