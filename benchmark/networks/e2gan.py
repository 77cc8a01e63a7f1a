"""E²GAN's derived network (Tian et al. 2020): no search, only what it found.

Its code runs on AutoGAN's search space with the architecture vector 0 1 0 1 | 0 1 2 1 0 | 0 1 0 1 2
(``eval/exps/derive.sh``): three cells that convolve before BatchNorm and ReLU, each with a 1x1 shortcut; they double by
bilinear interpolation, by a transposed convolution, and bilinearly again; the third also takes in the first one's maps.
G and D are otherwise AutoGAN's.

The released class holds every operation that could have been found, 14,315,267 parameters at 32 pixels. Those that the
found network uses are built here: 4,867,331 at 32 pixels, 5,527,811 at 48.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks.autogan import Discriminator, check, initialise

VERSION = 1


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for square images of 32 or 48 pixels; ``width`` 1.0 is 256 channels in G and 128 in D.

    Raises:
        GanbenchError: another resolution, or classes, which this pair does not know.
    """
    check("e2gan", image_shape, classes)
    G, D = (
        Generator(image_shape, z_dim, max(1, round(256 * width))),
        Discriminator(image_shape[0], max(1, round(128 * width))),
    )
    for player in (G, D):
        player.apply(initialise)
    return G, D


class Cell(nn.Module):
    """(B, N, H, W) to (B, N, 2H, 2W), and its first half's maps, (B, N, 2H, 2W).

    Doubling, conv, BatchNorm, ReLU; plus a 1x1 of incoming maps (``incoming``); conv, BatchNorm, ReLU; plus a 1x1 of
    the input, doubled. Where a transposed convolution doubles, the shortcut has one of its own.
    """

    def __init__(self, channels: int, deconv: bool, incoming: bool) -> None:
        super().__init__()
        self.up1, self.up2 = (nn.ConvTranspose2d(channels, channels, 2, 2) if deconv else None for _ in range(2))
        self.conv1, self.conv2 = (nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.norm1, self.norm2 = (nn.BatchNorm2d(channels) for _ in range(2))
        self.skip = nn.Conv2d(channels, channels, 1)
        self.incoming = nn.Conv2d(channels, channels, 1) if incoming else None

    def forward(self, x: Tensor, maps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``maps``: of the first cell, (B, N, h, h) of any size, for a cell that has ``incoming``."""
        first = self.norm1(self.conv1(self._double(x, self.up1))).relu()
        h = first
        if self.incoming is not None:
            h = h + _bilinear(
                self.incoming(maps), h.shape[2]
            )  # a 1x1 and an interpolation commute; this order is less work
        h = self.norm2(self.conv2(h)).relu()
        skip = _bilinear(self.skip(x), 2 * x.shape[2]) if self.up2 is None else self.skip(self.up2(x))
        return h + skip, first

    def _double(self, x: Tensor, up: nn.Module | None) -> Tensor:
        return _bilinear(x, 2 * x.shape[2]) if up is None else up(x)


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images in [-1, 1]."""

    def __init__(self, image_shape: tuple[int, int, int], z_dim: int, channels: int) -> None:
        super().__init__()
        self.bottom = image_shape[1] // 8
        self.linear = nn.Linear(z_dim, channels * self.bottom**2)
        self.cell1 = Cell(channels, deconv=False, incoming=False)
        self.cell2 = Cell(channels, deconv=True, incoming=False)
        self.cell3 = Cell(channels, deconv=False, incoming=True)
        self.norm = nn.BatchNorm2d(channels)
        self.to_image = nn.Conv2d(channels, image_shape[0], 3, padding=1)

    def forward(self, z: Tensor, labels: None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional."""
        h = self.linear(z).unflatten(1, (-1, self.bottom, self.bottom))
        h, maps = self.cell1(h)
        h, _ = self.cell2(h)
        h, _ = self.cell3(h, maps)
        return self.to_image(self.norm(h).relu()).tanh()


def _bilinear(x: Tensor, size: int) -> Tensor:
    return F.interpolate(x, size=(size, size), mode="bilinear")
