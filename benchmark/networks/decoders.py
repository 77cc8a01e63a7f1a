"""The decoders that FastGAN's D is trained with: from one of its maps back to the image that it saw."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from benchmark.networks.fastgan_blocks import Up, channels, initialise, pooled

SHARES = (2, 1, 1, 1 / 2)  # of the unit of the players, after each block


class Decoder(nn.Module):
    """(B, C, H, H) maps, H a multiple of 8, to (B, image channels, side, side) in [-1, 1]: mean pool to 8x8, a block
    for each doubling, conv3, tanh. Four doublings, to 128 pixels, are the code's; for fewer the last blocks are left
    out. BatchNorm and initial weights as in FastGAN's players; apply spectral norm as to D.
    """

    def __init__(self, fan_in: int, image_channels: int, side: int, unit: int) -> None:
        super().__init__()
        doublings = (side // 8).bit_length() - 1
        widths = [fan_in, *(channels(share, unit) for share in SHARES[:doublings])]
        self.ups = nn.Sequential(*(Up(i, o) for i, o in pairwise(widths)))
        self.to_image = nn.Conv2d(widths[-1], image_channels, 3, padding=1, bias=False)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """A map, or a quadrant of one."""
        return self.to_image(self.ups(pooled(x, 8))).tanh()
