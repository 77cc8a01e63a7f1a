"""ADA's pipeline "bgc": pixel blits, geometry and colours of images, each with probability p (Karras et al. 2020,
Appendix B).

Constants, order and resampling are those of NVlabs' ``training/augment.py``. With probability p each, an image is

    flipped left to right (half of the times), turned by 0, 90, 180 or 270°, shifted by whole pixels (uniform, up to 1/8
    of the side); scaled by 2^(0.2·N), turned by any angle, stretched by 2^(0.2·N) along x and by its inverse along y,
    turned by any angle once more, and shifted (0.125·N of the side), where N is normal. Each of the two turns has
    probability 1 − √(1 − p), so that either has p; made brighter by 0.2·N, given 2^(0.5·N) of its contrast, its luma
    negated (half of the times), its hue turned by any angle, and given 2^N of its saturation, for values in [-1, 1];
    nothing is clipped.

The geometry is one affine map an image. It is carried out as in ``warp``; the colours are one matrix an image. Both are
linear in the images, so gradients flow through them, to any order that torch's ``grid_sample`` has (two, in the version
that we test with).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.errors import GanbenchError

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


@dataclass(frozen=True)
class Geometry:
    """What happens to each of B images, in this order; float64 on the CPU. y points down, positive angles turn x
    towards y on the way from result to image.
    """

    flip: Tensor  # (B,) 1: left to right; 0: not
    quarters: Tensor  # (B,) quarter turns
    shift: Tensor  # (B, 2) whole pixels, x and y
    scale: Tensor  # (B,)
    before: Tensor  # (B,) radians, before the stretch
    stretch: Tensor  # (B,) of x; y gets the inverse
    after: Tensor  # (B,) radians
    offset: Tensor  # (B, 2) pixels, x and y


@dataclass(frozen=True)
class Colour:
    """What happens to each of B images, in this order; (B,) each, float64 on the CPU."""

    brightness: Tensor  # added
    contrast: Tensor  # factor
    negate: Tensor  # 1: the luma changes its sign; 0: not
    hue: Tensor  # radians around the axis of greys
    saturation: Tensor  # factor


def augment(images: Tensor, p: float, rng: torch.Generator) -> Tensor:
    """(B, C, H, W) in [-1, 1], C 1 or 3, to the same shape. All draws are from ``rng``, and equally many whatever p
    is.
    """
    geometry = draw_geometry(len(images), p, images.shape[-2], images.shape[-1], rng)
    return recolour(warp(images, *inverse_map(geometry)), draw_colour(len(images), p, rng))


def draw_geometry(count: int, p: float, height: int, width: int, rng: torch.Generator) -> Geometry:
    """Of ``count`` images; a p above 1 acts as 1."""
    side = torch.tensor([width, height], dtype=torch.float64)
    p_turn = 1 - math.sqrt(1 - min(p, 1.0))
    return Geometry(
        flip=_sometimes(p, _uniform(rng, count).mul(2).floor(), 0.0, rng),
        quarters=_sometimes(p, _uniform(rng, count).mul(4).floor(), 0.0, rng),
        shift=_sometimes(p, (_uniform(rng, count, 2).mul(2).sub(1) * 0.125 * side).round(), 0.0, rng),
        scale=_sometimes(p, _normal(rng, count).mul(0.2).exp2(), 1.0, rng),
        before=_sometimes(p_turn, _uniform(rng, count).mul(2).sub(1) * math.pi, 0.0, rng),
        stretch=_sometimes(p, _normal(rng, count).mul(0.2).exp2(), 1.0, rng),
        after=_sometimes(p_turn, _uniform(rng, count).mul(2).sub(1) * math.pi, 0.0, rng),
        offset=_sometimes(p, _normal(rng, count, 2) * 0.125 * side, 0.0, rng),
    )


def draw_colour(count: int, p: float, rng: torch.Generator) -> Colour:
    """Of ``count`` images; a p above 1 acts as 1."""
    return Colour(
        brightness=_sometimes(p, _normal(rng, count) * 0.2, 0.0, rng),
        contrast=_sometimes(p, _normal(rng, count).mul(0.5).exp2(), 1.0, rng),
        negate=_sometimes(p, _uniform(rng, count).mul(2).floor(), 0.0, rng),
        hue=_sometimes(p, _uniform(rng, count).mul(2).sub(1) * math.pi, 0.0, rng),
        saturation=_sometimes(p, _normal(rng, count).exp2(), 1.0, rng),
    )


def inverse_map(g: Geometry) -> tuple[Tensor, Tensor]:
    """(B, 2, 2) A and (B, 2) b: what lies at x (pixels right of and below the centre) in the result comes from A·x +
    b.
    """
    mirror = torch.diag_embed(torch.stack([1 - 2 * g.flip, torch.ones_like(g.flip)], -1))
    blit = mirror @ _turn(g.quarters * (math.pi / 2))
    squeeze = torch.diag_embed(torch.stack([1 / g.stretch, g.stretch], -1) / g.scale[:, None])
    A = blit @ _turn(g.before) @ squeeze @ _turn(g.after)
    return A, -(A @ g.offset[..., None] + blit @ g.shift[..., None]).squeeze(-1)


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


def recolour(images: Tensor, c: Colour) -> Tensor:
    """(B, C, H, W) with the colours of ``c``; grey images have no hue and no saturation.

    The axis of greys v = (1, 1, 1)/√3 splits a colour into luma vvᵀx and chroma. All steps but brightness act on the
    two apart, and brightness is luma, so that everything together is M·x + m·(1, 1, 1).

    Raises:
        GanbenchError: C is neither 1 nor 3.
    """
    if images.shape[1] not in (1, 3):
        raise GanbenchError(f"ada's colours need 1 or 3 channels, found {images.shape[1]}")
    luma = c.contrast * (1 - 2 * c.negate)
    shift = (luma * c.brightness).to(images)[:, None, None, None]
    if images.shape[1] == 1:
        return images * luma.to(images)[:, None, None, None] + shift
    grey = torch.full((3, 3), 1 / 3, dtype=torch.float64)
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64) / math.sqrt(3)  # x -> v × x
    cos, sin = c.hue.cos()[:, None, None], c.hue.sin()[:, None, None]
    turn = cos * (torch.eye(3, dtype=torch.float64) - grey) + sin * cross
    M = luma[:, None, None] * grey + (c.contrast * c.saturation)[:, None, None] * turn
    return (M.to(images) @ images.flatten(2)).view_as(images) + shift


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


def _turn(angle: Tensor) -> Tensor:
    """(B,) radians to (B, 2, 2)."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], -1).view(-1, 2, 2)


def _sometimes(p: float, value: Tensor, neutral: float, rng: torch.Generator) -> Tensor:
    """``value`` (B, …) for each image with probability p, ``neutral`` for the others."""
    chosen = _uniform(rng, len(value)) < p
    return torch.where(chosen.view(-1, *[1] * (value.ndim - 1)), value, neutral)


def _uniform(rng: torch.Generator, *size: int) -> Tensor:
    return torch.rand(size, generator=rng, dtype=torch.float64)


def _normal(rng: torch.Generator, *size: int) -> Tensor:
    return torch.randn(size, generator=rng, dtype=torch.float64)
