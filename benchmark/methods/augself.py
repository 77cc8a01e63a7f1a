"""AugSelf-GAN (Hou et al. 2023): D must say how an image was augmented, with another sign for fakes; G must have D say
it of fakes as of real images.

With φ D's penultimate features (``heads.py``), T an augmentation and ω what it drew, in [0, 1] (``Part.drawn``), each
of the augmentations that ``predicts`` names has a linear head h, trained with D, on φ(T(x)) − φ(x):

    d_weight · Σ (mean (h(x) − ω)², x real, + mean (h(x) + ω)², x fake)             added to D's loss
    g_weight · Σ (mean (h(x) − ω)² − mean (h(x) + ω)²) = −4 · g_weight · Σ mean h·ω   added to G's, x fake

D sees the images as they were before augmentation too, in a pass of its own in both steps; gradients go through both.
So it is in the authors' code (``augself-stylegan2/training/loss.py``; BigGAN's is the same with other layers). Lazy
regularisation has no part in it.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError, nearest
from benchmark.methods.heads import head, penultimate, width
from benchmark.methods.part import DMoment, Moment, Part, Side

VERSION = 1
COLUMNS = {"color": 3, "translation": 2, "cutout": 2}
"""Of ω, by the name of what ``diffaugment`` draws."""


def build(*, predicts: str, d_weight: float, g_weight: float, heads: Literal["equalised", "spectral-norm"]) -> Part:
    """The part, beside ``diffaugment``, which must act before it.

    Args:
        predicts: names of augmentations with commas: of color, translation, cutout, those of ``diffaugment``'s policy.
        d_weight: of the sum in D's loss.
        g_weight: of the sum in G's.
        heads: "equalised" is the StyleGAN2 code's layer, "spectral-norm" the BigGAN code's.

    Raises:
        GanbenchError: a name is unknown, or there twice; or a weight is negative.
    """
    if min(d_weight, g_weight) < 0:
        raise GanbenchError(f"augself's weights are at least 0, found {d_weight:g} and {g_weight:g}", 2)
    names = [name.strip() for name in predicts.split(",")]
    for name in names:
        if name not in COLUMNS:
            raise GanbenchError(f"augself predicts no {name!r}{nearest(name, COLUMNS)}", 2)
    if len(set(names)) < len(names):
        raise GanbenchError(f"augself: predicts {predicts!r} names one augmentation twice", 2)
    return AugSelf(names, d_weight, g_weight, heads)


class AugSelf(Part):
    """Owns the heads."""

    needs_features = needs_own_passes = True

    def __init__(self, names: list[str], d_weight: float, g_weight: float, kind: str) -> None:
        self.names, self.d_weight, self.g_weight, self.kind = names, d_weight, g_weight, kind
        self.needs_drawn = tuple(names)

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError for a D that ends in no linear layer."""
        inputs = width(D, "augself")
        self.heads = nn.ModuleDict({name: head(self.kind, inputs, COLUMNS[name]) for name in self.names})
        return G, D

    def modules(self) -> list[nn.Module]:
        """The heads."""
        return [self.heads]

    def d_penalty(self, moment: DMoment) -> Tensor:
        """Both sides' squared errors, of fakes from −ω."""
        errors = [*self.errors(moment.D, moment.real, 1), *self.errors(moment.D, moment.fake, -1)]
        return self.d_weight * torch.stack(errors).sum()

    def g_penalty(self, moment: Moment) -> Tensor:
        """The squared errors from ω less those from −ω, written out: their squares cancel."""
        found = [(said * drawn).mean() for said, drawn in self.answers(moment.D, moment.fake)]
        return -4 * self.g_weight * torch.stack(found).sum()

    def errors(self, D: nn.Module, side: Side, sign: int) -> list[Tensor]:
        """Mean squared differences of heads and sign · ω, one an augmentation."""
        return [(said - sign * drawn).square().mean() for said, drawn in self.answers(D, side)]

    def answers(self, D: nn.Module, side: Side) -> list[tuple[Tensor, Tensor]]:
        """What each head says and what was drawn, (A·B, n) both.

        Raises:
            GanbenchError: G gives several images.
        """
        if side.small:
            raise GanbenchError("augself is defined for a G that gives one image", 2)
        before: list[Tensor] = []
        D(side.images, None if side.labels is None else side.labels[: len(side.images)], before)
        copies = len(side.seen) // len(side.images)
        apart = penultimate(side.features) - penultimate(before).repeat(copies, 1)
        return [(self.heads[name](apart).to(side.seen.dtype), side.drawn[name]) for name in self.names]
