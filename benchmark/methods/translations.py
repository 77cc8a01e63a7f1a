"""Random translations of what D sees: the theory paper's augmentation (Appendix E, Table 2).

Every image, real and fake, is followed by ``copies`` shifted ones; or fake ones alone (section 5). The shift of each
axis is drawn from the discrete uniform {−s, …, s}, whose variance is s(s+1)/3: s = 2 is σ = √2, s = 8 is σ = √24.
Pixels that come in from outside are background.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.methods.part import Part

VERSION = 1


def build(*, shift: int, copies: int, fill: float, of: Literal["both", "fake"] = "both") -> Part:
    """``shift``: s in pixels; ``copies``: shifted images beside each original; ``fill``: background in [-1, 1];
    ``of``: "both", or generated images alone (section 5).
    """
    return Translations(shift, copies, fill, of)


class Translations(Part):
    """(B, C, H, W) to ((1 + copies)·B, C, H, W): the originals, then the first copies, and so on."""

    def __init__(self, shift: int, copies: int, fill: float, of: str) -> None:
        self.shift, self.copies, self.fill, self.of = shift, copies, fill, of

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """Both kinds alike, or fakes alone; every copy of every image gets a shift of its own on each axis."""
        if real and self.of == "fake":
            return images
        batch = len(images)
        offsets = torch.randint(0, 2 * self.shift + 1, (2, self.copies * batch), generator=rng, device=rng.device)
        return torch.cat([images, translate(images, offsets.to(images.device), self.shift, self.fill)])


def translate(images: Tensor, offsets: Tensor, shift: int, fill: float) -> Tensor:
    """Windows of the padded images.

    Args:
        images: (B, C, H, W).
        offsets: (2, n·B) integers in [0, 2·shift]: where the window's top and left edges lie in the
            images padded by ``shift``; ``shift`` is no translation. Entry i belongs to image i mod B.
    """
    batch, channels, height, width = images.shape
    padded = F.pad(images, (shift,) * 4, value=fill)
    wide = width + 2 * shift
    rows = (offsets[0][:, None] + torch.arange(height, device=images.device)) * wide  # (nB, H)
    columns = offsets[1][:, None] + torch.arange(width, device=images.device)  # (nB, W)
    index = (rows[:, :, None] + columns[:, None, :]).view(-1, batch, height * width)  # (n, B, H·W)
    index = index.permute(1, 0, 2).reshape(batch, 1, -1).expand(-1, channels, -1)  # (B, C, n·H·W)
    windows = padded.flatten(2).gather(2, index)
    return windows.view(batch, channels, -1, height, width).permute(2, 0, 1, 3, 4).reshape(-1, channels, height, width)
