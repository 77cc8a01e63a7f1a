"""DCGAN (Radford et al. 2016) at 32 and 64 pixels: the "standard CNN" of GAN-SDP, which gives no more than the name.

At 64 pixels as the paper's Figure 1 has it, with the channel counts of the widespread PyTorch version: 4x4 maps of 512
channels, doubled in size and halved in channels to 64, then to the image; D mirrors G. At 32 pixels one stage less,
from 4x4 maps of 256 channels, as WGAN-GP's CIFAR CNN. Kernels of 4x4, LeakyReLU(0.2) in D, BatchNorm in all stages but
G's last and D's first. A convolution has a bias where no BatchNorm follows. Weights N(0, 0.02²), BatchNorm's gains N(1,
0.02²).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from benchmark.errors import GanbenchError

VERSION = 1
STAGES = {32: 3, 64: 4}
SLOPE = 0.2


def build(
    image_shape: tuple[int, int, int],
    z_dim: int,
    classes: int | None,
    *,
    width: float,
    g_norm: Literal["batch", "none"],
    d_norm: Literal["batch", "none"],
) -> tuple[nn.Module, nn.Module]:
    """G and D for square images of 32 or 64 pixels; ``width`` 1.0 is 64 channels beside the image.

    Raises:
        GanbenchError: another resolution, or classes, which this pair does not know.
    """
    size = image_shape[1]
    if classes is not None:
        raise GanbenchError("dcgan is unconditional: leave out the recipe's 'classes'", 2)
    if size not in STAGES or image_shape[2] != size:
        raise GanbenchError(f"dcgan makes images of 32x32 or 64x64 pixels, not {size}x{image_shape[2]}", 2)
    widths = [max(1, round(64 * 2**n * width)) for n in range(STAGES[size])]
    G = Generator(image_shape[0], z_dim, widths[::-1], g_norm == "batch")
    D = Discriminator(image_shape[0], widths, d_norm == "batch")
    for player in (G, D):
        player.apply(_initialise)
    return G, D


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images in [-1, 1]; ``widths`` from the 4x4 maps on."""

    def __init__(self, channels: int, z_dim: int, widths: list[int], norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n, (fan_in, fan_out) in enumerate(zip([z_dim, *widths], widths)):
            stride, padding = (1, 0) if n == 0 else (2, 1)
            layers += [nn.ConvTranspose2d(fan_in, fan_out, 4, stride, padding, bias=not norm)]
            layers += [nn.BatchNorm2d(fan_out), nn.ReLU()] if norm else [nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], channels, 4, 2, 1), nn.Tanh())

    def forward(self, z: Tensor, labels: None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional."""
        return self.layers(z[..., None, None])


class Discriminator(nn.Module):
    """(B, C, H, W) images to (B,) logits; ``widths`` from the image on. ``piecewise_linear`` is True on an instance
    without BatchNorm.
    """

    piecewise_linear: bool = False

    def __init__(self, channels: int, widths: list[int], norm: bool) -> None:
        super().__init__()
        self.piecewise_linear = not norm
        self.blocks = nn.ModuleList()
        for n, (fan_in, fan_out) in enumerate(zip([channels, *widths], widths)):
            normed = norm and n > 0
            conv = nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=not normed)
            self.blocks.append(nn.Sequential(conv, *([nn.BatchNorm2d(fan_out)] if normed else []), nn.LeakyReLU(SLOPE)))
        self.head = nn.Conv2d(widths[-1], 1, 4)

    def forward(self, x: Tensor, labels: None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); ``taps`` gets the output of each stage. Unconditional."""
        for block in self.blocks:
            x = block(x)
            if taps is not None:
                taps.append(x)
        return self.head(x).flatten()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
