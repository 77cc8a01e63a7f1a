"""GN-GAN's CNNs (its code's ``models/dcgan.py``): a DCGAN generator, and seven convolutions without normalisation in D.

Three channels and 128 noises: G / D have 3,813,379 / 5,860,865 parameters at 32 pixels,
5,134,339 / 5,871,105 at 48. The weights there are N(0, 0.02); PGN-GAN's text says Kaiming's.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks.sizes import at_resolution, scaled, unconditional

VERSION = 1
SLOPE = 0.1
BOTTOMS = {32: 4, 48: 6}  # pixels a side of G's first and of D's last feature map, an eighth of the image's
G_CHANNELS = (512, 256, 128, 64)
D_CHANNELS = (64, 128, 128, 256, 256, 512, 512)


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float, init: Literal["kaiming", "N02"]
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W).

    Args:
        width: scales every channel count; the source is 1.0.
        init: weights from N(0, 2/fan-in) or N(0, 0.02²); biases are 0. The fan-in is the number of inputs that an
            output sums, which for a transposed convolution is not what PyTorch's initialisers take for it: with theirs,
            G's last layer would be 4.6 times too large and its tanh saturated from the start.

    Raises:
        GanbenchError: another resolution than 32 and 48, or classes, which the networks do not use.
    """
    unconditional("gn-cnn", classes)
    bottom = at_resolution("gn-cnn", BOTTOMS, image_shape)
    G = Generator(image_shape[0], z_dim, bottom, [scaled(n, width) for n in G_CHANNELS])
    D = Discriminator(image_shape[0], bottom, [scaled(n, width) for n in D_CHANNELS])
    for player in (G, D):
        kaiming(player) if init == "kaiming" else n02(player)
    return G, D


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images in [-1, 1].

    Linear to ``bottom`` x ``bottom``; before each further layer BatchNorm and ReLU; three transposed
    convolutions 4x4 of stride 2, one 3x3 of stride 1 to the image, tanh.
    """

    def __init__(self, image_channels: int, z_dim: int, bottom: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.bottom_shape = (channels[0], bottom, bottom)
        self.linear = nn.Linear(z_dim, channels[0] * bottom * bottom)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in channels)
        self.convs = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, stride=2, padding=1) for i, o in itertools.pairwise(channels)
        )
        self.convs.append(nn.ConvTranspose2d(channels[-1], image_channels, 3, padding=1))

    def forward(self, z: Tensor, labels: None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional."""
        h = self.linear(z).unflatten(1, self.bottom_shape)
        for norm, conv in zip(self.norms, self.convs):
            h = conv(F.relu(norm(h), inplace=True))
        return torch.tanh(h)


class Discriminator(nn.Module):
    """(B, C, H, W) images to (B,) logits: convolutions 3x3 and, of stride 2, 4x4 by turns, LeakyReLU(0.1), linear.

    ``taps`` gets the output of each activation.
    """

    piecewise_linear = True

    def __init__(self, image_channels: int, bottom: int, channels: Sequence[int]) -> None:
        super().__init__()
        pairs = zip([image_channels, *channels], channels)
        self.convs = nn.ModuleList(
            nn.Conv2d(i, o, 4, stride=2, padding=1) if n % 2 else nn.Conv2d(i, o, 3, padding=1)
            for n, (i, o) in enumerate(pairs)
        )
        self.head = nn.Linear(channels[-1] * bottom * bottom, 1)

    def forward(self, x: Tensor, labels: None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); activations work in place, on what the convolutions give. Unconditional."""
        for conv in self.convs:
            x = F.leaky_relu(conv(x), SLOPE, inplace=True)
            if taps is not None:
                taps.append(x)
        return self.head(x.flatten(1)).squeeze(1)


Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d


def n02(player: nn.Module) -> None:
    """Weights from N(0, 0.02²), biases 0."""
    for layer in _layers(player):
        nn.init.normal_(layer.weight, std=0.02)
        _zero(layer.bias)


def kaiming(player: nn.Module) -> None:
    """Weights from N(0, 2/fan-in), biases 0; edges, where an output sums fewer inputs, are not counted apart."""
    for layer in _layers(player):
        fan_in: float = layer.weight[0].numel()  # linear and Conv2d: (out, in, …)
        if isinstance(layer, nn.ConvTranspose2d):  # (in, out, k, k): of k·k taps an output meets one in stride²
            fan_in = layer.in_channels * math.prod(layer.kernel_size) / math.prod(layer.stride)
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in))
        _zero(layer.bias)


def _zero(bias: Tensor | None) -> None:
    if bias is not None:
        nn.init.zeros_(bias)


def _layers(player: nn.Module) -> list[Layer]:
    return [m for m in player.modules() if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))]
