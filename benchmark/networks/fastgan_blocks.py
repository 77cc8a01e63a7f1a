"""What FastGAN's and FreGAN's players and decoders are built of. Convolutions have no bias but where it is said."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.networks.sizes import scaled

SLOPE = 0.2  # of every leaky ReLU
BLOCKS = {64: 3, 128: 4, 256: 5, 512: 5, 1024: 5}  # by pixels a side: D's blocks, which end at 8x8


def unit(network: str, width: float) -> int:
    """The channels that all others are multiples or fractions of: the papers' 64, times ``width``.

    Raises:
        GanbenchError: a width that is no positive number.
    """
    if not 0 < width < math.inf:
        raise GanbenchError(f"{network}: width is {width}: give a number above 0; 1.0 is the paper's network", 2)
    return scaled(64, width)


def channels(share: float, unit: int) -> int:
    """``share`` of ``unit`` channels, at least 1. Doubling a whole share doubles the channels exactly."""
    return max(1, int(share * unit))


class Up(nn.Module):
    """(B, i, H, W) to (B, o, 2H, 2W): nearest 2x, conv3 to 2o channels, BatchNorm, gated linear unit."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(fan_in, 2 * fan_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2 * fan_out)

    def forward(self, x: Tensor, rng: torch.Generator | None = None) -> Tensor:
        """``rng`` is not looked at: blocks with noise and without it are called alike."""
        return F.glu(self.norm(self.conv(F.interpolate(x, scale_factor=2))), 1)


class NoisyUp(nn.Module):
    """``Up`` with noise before its BatchNorm, then once more the same without doubling."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, 2 * fan_out, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(fan_out, 2 * fan_out, 3, padding=1, bias=False)
        self.noise1, self.noise2 = Noise(), Noise()
        self.norm1, self.norm2 = nn.BatchNorm2d(2 * fan_out), nn.BatchNorm2d(2 * fan_out)

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """``rng``: a generator of x's device."""
        h = F.glu(self.norm1(self.noise1(self.conv1(F.interpolate(x, scale_factor=2)), rng)), 1)
        return F.glu(self.norm2(self.noise2(self.conv2(h), rng)), 1)


class Noise(nn.Module):
    """Adds one normal map an image, the same to all its channels, times a learnt number that begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """x (B, C, H, W); ``rng``: a generator of its device."""
        noise = torch.randn(len(x), 1, *x.shape[2:], generator=rng, dtype=x.dtype, device=x.device)
        return torch.addcmul(x, self.weight, noise)


class Gate(nn.Module):
    """Skip-layer excitation: a small map (B, i, h, h), h a multiple of 4, gives a factor in (0, 1) for each image and
    channel of a large one (B, o, H, W): mean pool to 4x4, conv4, swish, conv1, sigmoid.
    """

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, fan_out, 4, bias=False)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 1, bias=False)

    def forward(self, small: Tensor, large: Tensor) -> Tensor:
        """``large`` times the gates."""
        return large * self.conv2(F.silu(self.conv1(pooled(small, 4)))).sigmoid()


class MeanDown(nn.Module):
    """FastGAN's block of D, (B, i, H, W) to (B, o, H/2, W/2): the mean of two ways. One is conv4 with stride 2,
    BatchNorm, leaky ReLU, conv3, BatchNorm, leaky ReLU; the other mean pool, conv1, BatchNorm, leaky ReLU.
    """

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.down = halving(fan_in, fan_out)
        self.conv = nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(fan_out)
        self.direct = nn.Conv2d(fan_in, fan_out, 1, bias=False)
        self.direct_norm = nn.BatchNorm2d(fan_out)

    def forward(self, x: Tensor) -> Tensor:
        """x is left as it is."""
        h = leaky(self.norm(self.conv(self.down(x))))
        return (h + leaky(self.direct_norm(self.direct(F.avg_pool2d(x, 2))))) / 2


class SumDown(nn.Module):
    """FastGANDBig's block of D, (B, i, H, W) to (B, o, H/2, W/2), or o = i and the same size: conv3, leaky ReLU, conv3,
    plus a conv1 of the input (the input itself where the size stays), then mean pool. All with biases.

    It takes a map that has been through a leaky ReLU already. In that code each block begins with one that works in
    place, so that its skip, and whatever looks at the map later, gets the activated map too.
    """

    def __init__(self, fan_in: int, fan_out: int, halve: bool = True) -> None:
        super().__init__()
        self.halve = halve
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, padding=1)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, padding=1)
        self.skip = nn.Conv2d(fan_in, fan_out, 1) if halve else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The sum, not yet activated; x is left as it is."""
        h = self.conv2(leaky(self.conv1(x))) + self.skip(x)
        return F.avg_pool2d(h, 2) if self.halve else h


def halving(fan_in: int, fan_out: int) -> nn.Sequential:
    """Conv4 with stride 2, BatchNorm, leaky ReLU: (B, i, H, W) to (B, o, H/2, W/2)."""
    conv = nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(fan_out), nn.LeakyReLU(SLOPE, inplace=True))


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU, in a new tensor."""
    return F.leaky_relu(x, SLOPE)


def pooled(x: Tensor, side: int) -> Tensor:
    """(B, C, H, H), H a multiple of ``side``, to (B, C, side, side) by means: adaptive pooling, the same way each
    time on every device.
    """
    return F.avg_pool2d(x, x.shape[2] // side)


def initialise(network: nn.Module) -> None:
    """As FastGAN's code: convolutions' weights N(0, 0.02²), BatchNorms' N(1, 0.02²), their shifts 0; biases and linear
    layers as PyTorch draws them.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(module.weight, 0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.02)
            nn.init.zeros_(module.bias)
