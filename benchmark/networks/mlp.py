"""The MLP GAN of PyTorch-GAN's ``gan.py``, which the theory paper's Appendix C and Figure 2 follow.

G: z-128-256-512-1024-pixels, LeakyReLU(0.2), BatchNorm on the three middle layers, Tanh.
D: pixels-512-256-1, LeakyReLU(0.2); the sigmoid of the paper is applied by losses and metrics.
At 28x28 grey: 1,510,032 and 533,505 parameters.

BatchNorm's ``eps`` is 0.8: the source passes 0.8 as the second positional argument, which is eps,
not the momentum that was probably meant. It matters: with noise on [-0.01, 0.01] the variances
before BatchNorm are far below 0.8, so that it barely rescales (Table 1's first row).
"""

from __future__ import annotations

import itertools
import math

from torch import Tensor, nn

VERSION = 1
SLOPE = 0.2


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float, bn_eps: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W); ``width`` scales every hidden layer; the paper is 1.0 and
    0.8.
    """
    if classes is not None:
        raise ValueError("mlp is unconditional: leave out 'classes'")
    return Generator(image_shape, z_dim, width, bn_eps), Discriminator(image_shape, width)


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images in [-1, 1]."""

    def __init__(self, image_shape: tuple[int, int, int], z_dim: int, width: float, bn_eps: float) -> None:
        super().__init__()
        self.image_shape = image_shape
        sizes = [max(1, round(n * width)) for n in (128, 256, 512, 1024)]
        layers: list[nn.Module] = [nn.Linear(z_dim, sizes[0]), nn.LeakyReLU(SLOPE)]
        for fan_in, fan_out in itertools.pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out), nn.BatchNorm1d(fan_out, eps=bn_eps), nn.LeakyReLU(SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], math.prod(image_shape)), nn.Tanh())

    def forward(self, z: Tensor, labels: None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional."""
        return self.layers(z).unflatten(1, self.image_shape)


class Discriminator(nn.Module):
    """(B, C, H, W) images to (B,) logits."""

    piecewise_linear = True

    def __init__(self, image_shape: tuple[int, int, int], width: float) -> None:
        super().__init__()
        sizes = [max(1, round(n * width)) for n in (512, 256)]
        self.blocks = nn.ModuleList(nn.Linear(i, o) for i, o in zip([math.prod(image_shape), *sizes], sizes))
        self.activation = nn.LeakyReLU(SLOPE)
        self.head = nn.Linear(sizes[-1], 1)

    def forward(self, x: Tensor, labels: None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); ``taps`` gets each hidden layer, (B, width), after its activation. Unconditional."""
        h = x.flatten(1)
        for block in self.blocks:
            h = self.activation(block(h))
            if taps is not None:
                taps.append(h)
        return self.head(h).squeeze(1)
