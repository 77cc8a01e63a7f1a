"""FreGAN's alignment of high frequencies (Yang et al. 2022, section 3.4): G's maps must have those of D's maps.

    weight · Σ_s mean |HF of D's map of s pixels, of this step's real images − HF of G's map of s pixels|, s = 8, 16, 32

added to G's loss; D's are detached and paired with G's by their place in the batch, as FreGAN's code does.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Moment, Part

VERSION = 1


def build(*, weight: float) -> Part:
    """The part, for FreGAN's networks; ``weight``: of the sum."""
    return Alignment(weight)


class Alignment(Part):
    """Keeps D's high frequencies of the real images from D's step to G's."""

    needs_features = True
    needs_g_features = True

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.kept: list[Tensor] = []

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError where D has no high frequencies."""
        places = getattr(D, "aligned", None)
        if places is None:
            raise GanbenchError("hf-alignment is defined for fregan, whose D has high frequencies to align with", 2)
        self.places: tuple[int, ...] = places
        return G, D

    def d_penalty(self, moment: DMoment) -> None:
        """Adds nothing; keeps what G's step needs."""
        self.kept = [moment.real.features[place].detach() for place in self.places]

    def g_penalty(self, moment: Moment) -> Tensor:
        """The weighted sum over the three maps; raises GanbenchError in a step of G's before any of D's."""
        if not self.kept:
            raise GanbenchError("hf-alignment needs D's step before G's: player_order d-first", 2)
        apart = [F.l1_loss(made, real) for made, real in zip(moment.fake.g_features, self.kept, strict=True)]
        return self.weight * torch.stack(apart).sum()
