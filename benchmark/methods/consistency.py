"""Consistency regularisation (CR-GAN, Zhang et al. 2020) as GN-GAN's code has it: λ·mean (D(T(x)) − D(x))² on real
images.

T goes through 8-bit images: (x + 1)/2 is cut down to a level (63 of the 256 levels come out one lower,
by the rounding of 255·(x + 1)/2), flipped left to right with some probability, and shifted on each axis by
a whole number of pixels, the rounded value of U(−s·side, s·side); what comes in from outside is ``fill``.
Here for the whole batch at once and bit-equal to torchvision's pipeline on PIL images, given the draws.
Both terms carry gradient; D(x) is the one of the adversarial loss.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.methods.part import DMoment, Part

VERSION = 1


def build(*, weight: float, flip: float, shift: float, fill: float) -> Part:
    """``weight``: λ; ``flip``: its probability; ``shift``: s, the largest shift as a share of the side; ``fill``: in
    [-1, 1].
    """
    return Consistency(weight, flip, shift, fill)


class Consistency(Part):
    """A term of D's loss, with one more pass of the real images through D."""

    needs_own_passes = True

    def __init__(self, weight: float, flip: float, shift: float, fill: float) -> None:
        self.weight, self.flip, self.shift, self.fill = weight, flip, shift, fill

    def d_penalty(self, moment: DMoment) -> Tensor:
        """λ·mean over the batch, (); what T(x) is drawn with comes from the augmentation stream."""
        real = moment.real
        count, _, height, width = real.seen.shape
        flips, shifts = self.draw(height, width, count, moment.rng)
        moved = transform(real.seen.detach(), flips.to(real.seen.device), shifts.to(real.seen.device), self.fill)
        return self.weight * (moment.D(moved, real.labels) - real.logits).square().mean()

    def draw(self, height: int, width: int, count: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Which images are flipped, (count,) bool, and by how many pixels each is shifted right and down, (2, count)
        integers.
        """
        flips = torch.rand(count, generator=rng) < self.flip
        reach = self.shift * torch.tensor([[width], [height]])
        shifts = ((2 * torch.rand(2, count, generator=rng) - 1) * reach).round().long()
        return flips, shifts


def transform(images: Tensor, flips: Tensor, shifts: Tensor, fill: float) -> Tensor:
    """T, given its draws.

    Args:
        images: (B, C, H, W) in [-1, 1]; what lies outside is cut off.
        flips: (B,) bool.
        shifts: (2, B) integers: pixels to the right and down, after the flip.
    """
    levels = ((images + 1) / 2 * 255).clamp(0, 255).floor()
    eight_bit = (levels / 255 - 0.5) / 0.5
    count, channels, height, width = images.shape
    columns = torch.arange(width, device=images.device) - shifts[0, :, None]  # (B, W): where each pixel comes from
    rows = torch.arange(height, device=images.device) - shifts[1, :, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    columns = torch.where(flips[:, None], width - 1 - columns, columns).clamp(0, width - 1)
    sample = torch.arange(count, device=images.device)[:, None, None, None]
    channel = torch.arange(channels, device=images.device)[:, None, None]
    moved = eight_bit[sample, channel, rows.clamp(0, height - 1)[:, None, :, None], columns[:, None, None, :]]
    return torch.where(inside[:, None], moved, torch.full_like(moved, fill))
