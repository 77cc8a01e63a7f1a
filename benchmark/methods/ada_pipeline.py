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

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.ada_warp import warp


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
