"""Mimicry's ResNets of WGAN-GP (``nets/wgan_gp``): its SN-GAN's (``sngan_resnet.py``), with the mean over D's last
feature map, and other initial weights.

The shortcuts' 1x1 convolutions, which its blocks make anew after their parents have initialised them, and G's last
convolution stay as PyTorch draws them: kaiming-uniform with a = √5. The other weights are Glorot-uniform, with gain √2
in the blocks' 3x3 convolutions; biases as PyTorch draws them. There is no normalisation in D. As many parameters as its
SN-GAN's.
"""

from __future__ import annotations

from torch import nn

from benchmark.networks.residual import Discriminator, Generator, glorot
from benchmark.networks.sizes import at_resolution, scaled, unconditional
from benchmark.networks.sngan_resnet import LAYOUTS

VERSION = 1


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W).

    Args:
        width: scales every channel count; the code's are 1.0.

    Raises:
        GanbenchError: another resolution than 32, 48, 64, 128; or ``classes``.
    """
    unconditional("mimicry-wgan-gp", classes)
    bottom, channels_g, channels_d, halvings = at_resolution("mimicry-wgan-gp", LAYOUTS, image_shape)
    G = Generator(image_shape[0], z_dim, bottom, [scaled(n, width) for n in channels_g], upsample="bilinear")
    D = Discriminator(
        image_shape[0], [scaled(n, width) for n in channels_d], halvings, pool="mean", wide=False, activated=True
    )
    for player in (G, D):
        glorot(player, zero_biases=False, left=("shortcut", "output"))
    return G, D
