"""FreGAN (Yang et al. 2022): FastGAN with wavelets in both players.

G: the maps of 8, 16 and 32 pixels skip one stage each, around a wavelet transform and through a block of their own. D:
the high frequencies, LH + HL + HH, of its maps of 64, 32 and 16 pixels go through what is left of D and give 25 logits
each. The high frequencies that alignment compares are the last ``taps``: G's three, and those at ``D.aligned``.

The code's own size is 256; sizes are FastGAN's here, its choices for 128 and 64 pixels too (at 64 the last skip ends at
the image's convolution). The code's G also holds five layers that its training never calls; they are left out.

With 256 noises at 1024 pixels: G 35,666,624 parameters, D 8,388,704.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

from torch import Tensor, nn

from benchmark.networks.fastgan_blocks import BLOCKS, initialise, unit
from benchmark.networks.fastgan_discriminators import TwoImages
from benchmark.networks.fastgan_generator import Generator
from benchmark.networks.sizes import at_resolution, unconditional
from benchmark.networks.wavelets import Drawn, Haar, Transform

VERSION = 1
WAVELETS: dict[str, Callable[[int], nn.Module]] = {"haar": Haar, "released": Drawn}
JUDGED = (64, 32, 16)  # sides of the maps whose high frequencies D judges
ALIGNED = (8, 16, 32)  # and of those that are held against G's maps of 8, 16 and 32 pixels


def build(
    image_shape: tuple[int, int, int],
    z_dim: int,
    classes: int | None,
    *,
    width: float,
    wavelets: Literal["haar", "released"] = "haar",
) -> tuple[nn.Module, nn.Module]:
    """G and D for images of ``image_shape`` (C, H, W); both give and take two, as FastGAN's with ``d: bn``.

    Args:
        width: scales the 64 channels that all others are multiples or fractions of; the paper is 1.0.
        wavelets: "haar" is the paper's transform, whose inverse gives the map itself back. The code means it too, but
            its initialisation draws the weights of every convolution anew, and so those of the transforms, which are on
            the GPU by then: "released" has what comes of it, fixed random filters N(0, 0.02²) with Haar's inverse.

    Raises:
        GanbenchError: classes, another resolution than a power of two from 64 to 1024, or a width that is not above 0.
    """
    unconditional("fregan", classes)
    at_resolution("fregan", BLOCKS, image_shape)
    channels, size, _ = image_shape
    G = Generator(channels, z_dim, size, unit("fregan", width), small=True, wavelets=WAVELETS[wavelets])
    D = Discriminator(channels, size, unit("fregan", width), WAVELETS[wavelets])
    for player in (G, D):
        initialise(player)
    return G, D


class Discriminator(TwoImages):
    """(big, small) images to (B, 125) logits: FastGAN's 50, then those of the high frequencies.

    Attributes:
        aligned: where in ``taps`` the high frequencies stand that G's three taps are held against, in their order.
    """

    def __init__(self, image_channels: int, size: int, unit: int, wavelets: Callable[[int], nn.Module]) -> None:
        super().__init__(image_channels, size, unit)
        self.transforms = nn.ModuleDict({str(s): wavelets(self.widths[s]) for s in sorted({*JUDGED, *ALIGNED})})
        first = len(self.downs) + 1
        self.aligned = (first, first + 1, first + 2)

    def forward(
        self, x: Tensor | tuple[Tensor, Tensor], labels: Tensor | None = None, taps: list[Tensor] | None = None
    ) -> Tensor:
        """``taps`` gets FastGAN's, then the high frequencies: (B, 2C, 4, 4), (B, 2C, 8, 8), (B, 2C, 16, 16)."""
        own: list[Tensor] = []
        logits = super().forward(x, labels, own)
        if taps is not None:
            maps = dict(zip(self.sides[1:], own))
            taps += [*own, *(self._high(side, maps[side]) for side in ALIGNED)]
        return logits

    def further(self, side: int, h: Tensor) -> list[Tensor]:
        """25 logits of the map's high frequencies, which the blocks after the next one take for its output."""
        if side not in JUDGED:
            return []
        h = self._high(side, h)
        for down in self.downs[self.sides.index(side // 2) :]:
            h = down(h)
        return [self.judged(h)]

    def _high(self, side: int, h: Tensor) -> Tensor:
        return cast("Transform", self.transforms[str(side)]).high(h)
