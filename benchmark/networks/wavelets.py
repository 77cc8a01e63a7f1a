"""Wavelets on maps, 2x2 places at a time: the Haar transform, and what FreGAN's players do with one.

The letters say what is done along height, then along width: L the sum, H the second less the first, each over √2. The
transform is orthonormal: it keeps energy, and its transpose is its inverse. FreGAN takes two of each band of a channel,
side by side: (B, C, H, W) to (B, 2C, H/2, W/2).
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def haar(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(B, C, H, W), sides even, to the bands LL, LH, HL and HH, each (B, C, H/2, W/2)."""
    a, b, c, d = x[..., ::2, ::2], x[..., ::2, 1::2], x[..., 1::2, ::2], x[..., 1::2, 1::2]
    return (a + b + c + d) / 2, (b + d - a - c) / 2, (c + d - a - b) / 2, (a + d - b - c) / 2


def inverse(low: Tensor, lh: Tensor, hl: Tensor, hh: Tensor) -> Tensor:
    """The bands (B, C, H, W) to (B, C, 2H, 2W)."""
    places = (low - lh - hl + hh, low + lh - hl - hh, low - lh + hl - hh, low + lh + hl + hh)
    return F.pixel_shuffle(torch.stack(places, 2).flatten(1, 2), 2) / 2


def high(x: Tensor) -> Tensor:
    """LH + HL + HH, (B, C, H/2, W/2). With d the last of four places that is ½(3d − a − b − c) = 2d − LL."""
    return 2 * (x[..., 1::2, 1::2] - F.avg_pool2d(x, 2))


def twice(x: Tensor) -> Tensor:
    """(B, C, H, W) to (B, 2C, H, W): each channel two times in a row."""
    return x.repeat_interleave(2, 1)


class Transform(Protocol):
    """A transform of maps with a number of channels."""

    def high(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the sum of its three high bands, (B, 2C, H/2, W/2)."""

    def around(self, x: Tensor) -> Tensor:
        """Through the transform and the inverse of Haar's: (B, 2C, H, W)."""


class Haar(nn.Module):
    """Haar's: around is where it began."""

    def __init__(self, channels: int) -> None:
        super().__init__()

    def high(self, x: Tensor) -> Tensor:
        """As ``Transform`` says."""
        return twice(high(x))

    def around(self, x: Tensor) -> Tensor:
        """As ``Transform`` says."""
        return twice(x)


class Drawn(nn.Module):
    """What the released code has in its place: each of 2C outputs has four filters N(0, 0.02²) of its own, for the
    bands. They are not trained.
    """

    filters: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filters", 0.02 * torch.randn(8 * channels, 1, 2, 2))  # band by band

    def high(self, x: Tensor) -> Tensor:
        """As ``Transform`` says."""
        return F.conv2d(x, self._bands()[1:].sum(0), stride=2, groups=x.shape[1])

    def around(self, x: Tensor) -> Tensor:
        """As ``Transform`` says."""
        low, lh, hl, hh = (F.conv2d(x, band, stride=2, groups=x.shape[1]) for band in self._bands())
        return inverse(low, lh, hl, hh)

    def _bands(self) -> Tensor:
        """(4, 2C, 1, 2, 2)."""
        return self.filters.unflatten(0, (4, -1))
