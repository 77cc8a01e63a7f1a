"""AutoGAN's derived network A (Gong et al. 2019, Figure 4; ``models/autogan_cifar10_a.py``): no search, only what it
found.

G: 4x4 (32 pixels) or 6x6 (48) maps of 256 channels, three cells of 256 without any norm, BatchNorm, ReLU, conv, tanh.
Each cell doubles the size; its first half is also handed to later cells. D: SN-GAN's ResNet of 128 channels, with a sum
pool and a last linear layer without bias; its spectral norm is the part ``spectral-norm``. At 32 pixels: G 4,405,251,
D 1,053,824 parameters.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.networks.biggan_blocks import DownBlock

VERSION = 1
SIZES = (32, 48)


def build(
    image_shape: tuple[int, int, int], z_dim: int, classes: int | None, *, width: float
) -> tuple[nn.Module, nn.Module]:
    """G and D for square images of 32 or 48 pixels; ``width`` 1.0 is 256 channels in G and 128 in D.

    Raises:
        GanbenchError: another resolution, or classes, which this pair does not know.
    """
    check("autogan", image_shape, classes)
    G, D = (
        Generator(image_shape, z_dim, max(1, round(256 * width))),
        Discriminator(image_shape[0], max(1, round(128 * width))),
    )
    for player in (G, D):
        player.apply(initialise)
    return G, D


def check(name: str, image_shape: tuple[int, int, int], classes: int | None) -> None:
    """Raises GanbenchError (exit 2) for what neither searched pair can do."""
    if classes is not None:
        raise GanbenchError(f"{name} is unconditional: leave out the recipe's 'classes'", 2)
    if image_shape[1] not in SIZES or image_shape[1] != image_shape[2]:
        raise GanbenchError(f"{name} makes images of 32x32 or 48x48 pixels, not {image_shape[1]}x{image_shape[2]}", 2)


class Cell(nn.Module):
    """(B, N, H, W) to (B, N, 2H, 2W), and the maps that it hands to later cells, (B, N, 2H, 2W).

    ReLU, doubling, conv, plus a 1x1 of each earlier cell's handed-on maps, ReLU, conv, plus (``shortcut``) a 1x1 of the
    input.

    What is handed on already contains the maps that came in: the source adds those in place, to the very tensor that it
    hands on. It reads as if it did not, and the images differ.
    """

    def __init__(self, channels: int, mode: Literal["nearest", "bilinear"], incoming: int, shortcut: bool) -> None:
        super().__init__()
        self.mode = mode
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.skip = nn.Conv2d(channels, channels, 1) if shortcut else None
        self.incoming = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(incoming))

    def forward(self, x: Tensor, earlier: list[Tensor]) -> tuple[Tensor, Tensor]:
        """``earlier``: the maps handed on by all cells before, first to last, (B, N, h, h) of any size."""
        size = 2 * x.shape[2]
        handed = self.conv1(self._resize(x.relu(), size))
        for conv, maps in zip(self.incoming, earlier, strict=True):
            handed = handed + self._resize(
                conv(maps), size
            )  # a 1x1 and a resize commute: the source resizes first, for more work
        h = self.conv2(handed.relu())
        return h if self.skip is None else h + self._resize(self.skip(x), size), handed

    def _resize(self, x: Tensor, size: int) -> Tensor:
        return F.interpolate(x, size=(size, size), mode=self.mode)


class Generator(nn.Module):
    """(B, z_dim) noise to (B, C, H, W) images in [-1, 1]."""

    def __init__(self, image_shape: tuple[int, int, int], z_dim: int, channels: int) -> None:
        super().__init__()
        self.bottom = image_shape[1] // 8
        self.linear = nn.Linear(z_dim, channels * self.bottom**2)
        self.cell1 = Cell(channels, "nearest", incoming=0, shortcut=True)
        self.cell2 = Cell(channels, "bilinear", incoming=1, shortcut=True)
        self.cell3 = Cell(channels, "nearest", incoming=2, shortcut=False)
        self.norm = nn.BatchNorm2d(channels)
        self.to_image = nn.Conv2d(channels, image_shape[0], 3, padding=1)

    def forward(self, z: Tensor, labels: None = None) -> Tensor:
        """(B, z_dim) to (B, C, H, W); unconditional."""
        h = self.linear(z).unflatten(1, (-1, self.bottom, self.bottom))
        h, handed1 = self.cell1(h, [])
        h, handed2 = self.cell2(h, [handed1])
        h, _ = self.cell3(h, [handed1, handed2])
        return self.to_image(self.norm(h).relu()).tanh()


class Discriminator(nn.Module):
    """(B, C, H, W) images to (B,) logits, by four residual blocks, of which the first two halve the image."""

    piecewise_linear: bool = True

    def __init__(self, image_channels: int, channels: int) -> None:
        super().__init__()
        first = DownBlock(image_channels, channels, halve=True, first=True)
        self.blocks = nn.ModuleList([first, *(DownBlock(channels, channels, halve=n == 0) for n in range(3))])
        self.head = nn.Linear(channels, 1, bias=False)

    def forward(self, x: Tensor, labels: None = None, taps: list[Tensor] | None = None) -> Tensor:
        """(B, C, H, W) to (B,); ``taps`` gets the output of each block. Unconditional."""
        for block in self.blocks:
            x = block(x)
            if taps is not None:
                taps.append(x)
        return self.head(x.relu().sum((2, 3))).squeeze(1)


def initialise(module: nn.Module) -> None:
    """As the source's ``weights_init``: convolutions Xavier-uniform, BatchNorm's gains N(1, 0.02²); all else as PyTorch
    begins.
    """
    if isinstance(module, nn.Conv2d):
        nn.init.xavier_uniform_(module.weight)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)
