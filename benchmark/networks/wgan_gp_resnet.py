"""WGAN-GP's ResNets for CIFAR-10 (Gulrajani et al. 2017, Appendix F; improved_wgan_training, ``gan_cifar_resnet.py``),
without classes.

128 channels in both players, BatchNorm in G, no normalisation in D (its penalty is a single
sample's), nearest upsampling, mean pooling. Glorot-uniform weights with gain √2 in the blocks' 3x3
convolutions and 1 elsewhere, biases 0. Three channels and 128 noises: 1,204,483 and 1,053,825
parameters (computed from the layers: the source prints none).
"""

from __future__ import annotations

from torch import nn

from benchmark.networks.residual import Discriminator, Generator, glorot
from benchmark.networks.sizes import at_resolution, scaled, unconditional

VERSION = 1


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, 32, 32); ``width`` scales every channel count, the paper is 1.0.

    Raises:
        GanbenchError: another resolution than 32, or classes, which the networks do not use.
    """
    unconditional("wgan-gp-resnet", classes)
    channels = [scaled(n, width) for n in at_resolution("wgan-gp-resnet", {32: (128, 128, 128, 128)}, image_shape)]
    G = Generator(image_shape[0], z_dim, 4, channels)
    D = Discriminator(image_shape[0], channels, 2, pool="mean", wide=False)
    for player in (G, D):
        glorot(player, zero_biases=True)
    return G, D
