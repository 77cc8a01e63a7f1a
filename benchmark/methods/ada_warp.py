"""Moving images by an affine map each, resampled through the wavelet sym6: the geometry of ADA's pipeline."""

from __future__ import annotations

import functools

import torch
from torch import Tensor
from torch.nn import functional as F

SYM6 = (  # low-pass filter of the orthogonal wavelet "symlet 6"
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
TAPS = len(SYM6)
BORDER = TAPS // 4  # pixels around the image that downsampling needs


def warp(images: Tensor, A: Tensor, b: Tensor) -> Tensor:
    """Images moved by the maps of ``inverse_map``: reflected at the borders, upsampled twice by sym6, sampled
    bilinearly, and downsampled.

    Up- and downsampling by an orthogonal wavelet undo one another, so that A = 1 and b = 0, or a b of whole pixels,
    blur nothing. A reversed axis (a flip, a half turn) is exact only so far as sym6 is symmetric: it is off by a tenth
    of a pixel. The reflection is as wide as the batch needs, up to side − 1, where it ends: beyond lies 0. NVlabs'
    width leaves out that shrunken images need more.

    Args:
        images: (B, C, H, W).
        A: (B, 2, 2) and
        b: (B, 2), on the CPU, in pixels.
    """
    height, width = images.shape[-2:]
    canvas = torch.tensor([width, height], dtype=torch.float64) + 2 * BORDER  # (x, y), in pixels
    margin_x, margin_y = _margins(A, b, width, height)
    padded = torch.tensor([width + 2 * margin_x, height + 2 * margin_y], dtype=torch.float64)
    b = b + (A.sum(-1) - 1) / 4  # sym6 has its middle half a sample, a quarter of a pixel, off the centre
    theta = torch.cat([A * canvas / padded[:, None], (2 * b / padded)[..., None]], -1).to(
        images
    )  # for coordinates in [-1, 1]
    size = [len(images), 1, 2 * height + 4 * BORDER, 2 * width + 4 * BORDER]
    up = _upsampling(height, margin_y).to(images) @ images @ _upsampling(width, margin_x).to(images).T
    moved = F.grid_sample(up, F.affine_grid(theta, size, align_corners=False), align_corners=False)
    return _downsampling(height).to(images) @ moved @ _downsampling(width).to(images).T


def _margins(A: Tensor, b: Tensor, width: int, height: int) -> tuple[int, int]:
    """Pixels to reflect, at the left and right and at the top and bottom, so that more would change no image: at most
    side − 1.
    """
    half = torch.tensor([width, height], dtype=torch.float64) / 2
    reach = (A.abs() @ (half + BORDER) + b.abs()).amax(0)  # of the canvas, from the centre
    margins = (reach - half + BORDER + 1).ceil().long()  # and of the upsampling filter, and of the bilinear one
    return min(max(int(margins[0]), 0), width - 1), min(max(int(margins[1]), 0), height - 1)


@functools.lru_cache(maxsize=128)
def _upsampling(side: int, margin: int) -> Tensor:
    """(2·(side + 2·margin), side) matrix: reflect, put a zero after each sample, convolve with sym6 (sum 2)."""
    samples = side + 2 * margin
    source = torch.arange(-margin, side + margin).abs()
    source = torch.minimum(source, 2 * (side - 1) - source)
    place = torch.arange(2 * samples)[:, None] + TAPS // 2 - 1 - torch.arange(TAPS)  # among the samples and their zeros
    row, tap = ((place % 2 == 0) & (place >= 0) & (place < 2 * samples)).nonzero(as_tuple=True)
    matrix = torch.zeros(2 * samples, side, dtype=torch.float64)
    return matrix.index_put_((row, source[place[row, tap] // 2]), 2 * _filter()[tap], accumulate=True)


@functools.lru_cache(maxsize=16)
def _downsampling(side: int) -> Tensor:
    """(side, 2·(side + 2·BORDER)) matrix: correlate with sym6 (sum 1), keep every other sample, crop."""
    matrix = torch.zeros(side, 2 * side + 4 * BORDER, dtype=torch.float64)
    row = torch.arange(side)[:, None]
    matrix[row, 2 * row + 1 + torch.arange(TAPS)] = _filter()
    return matrix


def _filter() -> Tensor:
    taps = torch.tensor(SYM6, dtype=torch.float64)
    return taps / taps.sum()
