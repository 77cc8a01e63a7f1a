"""The hinge GAN loss: D by relu(m − f(x)) and relu(m + f(G(z))), G maximises D's output.

Lim and Ye 2017; Miyato et al. 2018 (SN-GAN), equations 16 and 17, with margin 1. FastGAN's code
draws the margin anew for every logit, uniformly from [margin, margin + margin_jitter).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import relu

from benchmark.errors import GanbenchError
from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, margin: float, margin_jitter: float) -> Loss:
    """``margin``: m, in logits; ``margin_jitter``: width of what is added to it at random, 0.0 for a fixed margin
    (nothing is drawn).

    Raises:
        GanbenchError: the margin is not above 0, or its jitter below 0.
    """
    if margin <= 0 or margin_jitter < 0:
        raise GanbenchError(
            f"hinge: margin is {margin:g}, margin_jitter {margin_jitter:g}: the one is above 0, the other at least 0", 2
        )
    return Hinge(margin, margin_jitter)


class Hinge(Loss):
    """D: mean relu(m − f(x)) + mean relu(m + f(G(z))); G: −mean f(G(z))."""

    def __init__(self, margin: float, margin_jitter: float) -> None:
        self.margin, self.margin_jitter = margin, margin_jitter

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """Mean relu(m − f(x)) and mean relu(m + f(G(z))), each (); m is drawn for every logit where it jitters."""
        of_real = relu(self._margin(real.logits) - real.logits).mean()
        return of_real, relu(self._margin(fake.logits) + fake.logits).mean()

    def g_loss(self, fake: Side) -> Tensor:
        """−mean f(G(z)), (); no margin."""
        return -fake.logits.mean()

    def _margin(self, logits: Tensor) -> Tensor | float:
        if self.margin_jitter == 0:
            return self.margin
        return self.margin + self.margin_jitter * torch.rand(logits.shape, generator=self.rng).to(logits)
