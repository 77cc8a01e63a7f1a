"""DiffAugment (Zhao et al. 2020): random, differentiable changes of what D sees, of real and fake images, in both
steps.

The formulas are those of the authors' ``DiffAugment_pytorch.py``; images are in [-1, 1] and nothing is cut off at ±1:

    color        x + U(−½, ½); then the distance from each pixel's mean over channels times U(0, 2);
                 then the distance from the image's mean times U(½, 1½)
    translation  by whole pixels of U{−s, …, s} on each axis, s = ⌊side/8 + ½⌋; zeros come in
    cutout       a square of half the side is zeroed; its centre is uniform over the image, so that the border may cut
                 it

Every image has draws of its own. Zero is grey.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmark.errors import GanbenchError, nearest
from benchmark.methods.part import Part
from benchmark.methods.translations import translate

VERSION = 1


def build(*, policy: str, random_order: bool) -> Part:
    """``policy``: names of the above, with commas, in the order in which they act; ``random_order``: all five functions
    that the policy comes to are shuffled anew for each batch, as FastGANDBig's fork does.

    Raises:
        GanbenchError: the policy has no name, an unknown one, or one twice.
    """
    names = policy.split(",")
    for name in names:
        if name not in FUNCTIONS:
            raise GanbenchError(f"diffaugment has no policy {name!r}{nearest(name, FUNCTIONS)}", 2)
    if len(set(names)) < len(names):
        raise GanbenchError(f"diffaugment: policy {policy!r} names one augmentation twice", 2)
    return DiffAugment(names, random_order)


class DiffAugment(Part):
    """(B, C, H, W) to (B, C, H, W)."""

    def __init__(self, names: list[str], random_order: bool) -> None:
        self.functions = [(name, function) for name in names for function in FUNCTIONS[name]]
        self.draws = tuple(names)
        self.random_order = random_order
        self.said: list[list[Tensor]] = []

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """The chosen functions one after the other, in their order or (``random_order``) in one drawn for the batch."""
        order = (
            torch.randperm(len(self.functions), generator=rng).tolist()
            if self.random_order
            else range(len(self.functions))
        )
        self.said = [[] for _ in self.functions]
        for n in order:
            images = self.functions[n][1](images, rng, self.said[n])
        return images

    def drawn(self) -> dict[str, Tensor]:
        """By the policy's names, each in [0, 1] and in the same columns whatever the order was.

        color        (B, 3): brightness b + ½, saturation s/2, contrast c − ½
        translation  (B, 2): by rows and by columns, from s pixels down or right (0) to s up or left (1); ½ is none
        cutout       (B, 2): the row and the column of the square's centre; 0 is the first, 1 the last that is drawn
        """
        said: dict[str, list[Tensor]] = {}
        for (name, _), one in zip(self.functions, self.said):
            said.setdefault(name, []).extend(one)
        return {name: torch.cat(columns, 1) for name, columns in said.items()}


Function = Callable[[Tensor, torch.Generator, "list[Tensor] | None"], Tensor]
"""(B, C, H, W) and a stream on the CPU to (B, C, H, W); a list, where there is one, takes what was drawn, (B, n)."""


def brightness(images: Tensor, rng: torch.Generator, said: list[Tensor] | None = None) -> Tensor:
    """x + b, b of U(−½, ½)."""
    return images + _uniform(images, rng, said) - 0.5


def saturation(images: Tensor, rng: torch.Generator, said: list[Tensor] | None = None) -> Tensor:
    """m + s·(x − m), s of U(0, 2), m the pixel's mean over channels: it stays."""
    mean = images.mean(1, keepdim=True)
    return torch.lerp(mean, images, 2 * _uniform(images, rng, said))


def contrast(images: Tensor, rng: torch.Generator, said: list[Tensor] | None = None) -> Tensor:
    """m + c·(x − m), c of U(½, 1½), m the image's mean over channels and pixels: it stays."""
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, _uniform(images, rng, said) + 0.5)


def translation(images: Tensor, rng: torch.Generator, said: list[Tensor] | None = None) -> Tensor:
    """Shifted by up to an eighth of the side on each axis."""
    shift = int(images.shape[2] / 8 + 0.5)
    offsets = torch.randint(0, 2 * shift + 1, (2, len(images)), generator=rng).to(images.device)
    _say(said, offsets.t() / max(2 * shift, 1))
    return translate(images, offsets, shift, 0.0)


def cutout(images: Tensor, rng: torch.Generator, said: list[Tensor] | None = None) -> Tensor:
    """A square of half the side, ⌊side/2 + ½⌋ pixels, is zeroed."""
    side = images.shape[2]
    size = int(side / 2 + 0.5)
    last = side - size % 2
    centres = torch.randint(0, last + 1, (2, len(images), 1), generator=rng).to(images.device)
    _say(said, centres[..., 0].t() / max(last, 1))
    distance = (
        torch.arange(side, device=images.device) - centres + size // 2
    )  # (2, B, side): from the square's first row, column
    inside = (distance >= 0) & (distance < size)
    return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.0)


FUNCTIONS: dict[str, list[Function]] = {
    "color": [brightness, saturation, contrast],
    "translation": [translation],
    "cutout": [cutout],
}


def _uniform(images: Tensor, rng: torch.Generator, said: list[Tensor] | None) -> Tensor:
    """(B, 1, 1, 1) draws of U(0, 1)."""
    u = torch.rand(len(images), 1, 1, 1, generator=rng).to(images)
    _say(said, u.flatten(1))
    return u


def _say(said: list[Tensor] | None, drawn: Tensor) -> None:
    if said is not None:
        said.append(drawn)
