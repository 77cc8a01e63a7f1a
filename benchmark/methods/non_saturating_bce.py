"""The non-saturating GAN loss as PyTorch-GAN's ``gan.py`` computes it: ``BCELoss`` of the probabilities σ(f), not of
the logits f.

Equal to ``non-saturating`` but for rounding while |f| is small. Far out it is not: ``BCELoss`` stops its logarithms at
−100 and divides its gradient by at least 10⁻¹², so that in float32 nothing is learned where σ(f) rounds to 1 or to 0.
To D on a fake there is no gradient from f = 17 up, at a loss of 100; to D on a real image, and to G, it fades from f =
−28 down, and is 0 by −105.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy

from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, d_scale: float) -> Loss:
    """``d_scale`` multiplies D's sum of the two halves: 1.0, or 0.5 for their mean."""
    return NonSaturatingBce(d_scale)


class NonSaturatingBce(Loss):
    """D: BCE(σ(f(x)), 1) + BCE(σ(f(G(z))), 0), scaled; G: BCE(σ(f(G(z))), 1)."""

    def __init__(self, d_scale: float) -> None:
        self.d_scale = d_scale

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """BCE with target 1 on real and 0 on fake images, each times ``d_scale``."""
        return self.d_scale * _bce(real.logits, 1.0), self.d_scale * _bce(fake.logits, 0.0)

    def d_loss(
        self, real: Side, fake: Side
    ) -> Tensor:  # scaled once: the sum of the halves to the last bit, at scales that are no power of two too
        """The halves' sum, times ``d_scale``, ()."""
        return self.d_scale * (_bce(real.logits, 1.0) + _bce(fake.logits, 0.0))

    def g_loss(self, fake: Side) -> Tensor:
        """BCE of fakes with target 1, (); ``d_scale`` has no part in it."""
        return _bce(fake.logits, 1.0)


def _bce(logits: Tensor, target: float) -> Tensor:
    """() mean over the batch, NaN where one logit is: torch raises there (on a GPU for good), and a run that diverges
    is to be told as one.

    Outside autocast, which refuses it on a GPU.
    """
    if not logits.is_meta and torch.is_autocast_enabled(logits.device.type):
        with torch.autocast(logits.device.type, enabled=False):
            return _bce(logits, target)
    scores = logits.sigmoid()
    lost = scores.isnan()
    loss = binary_cross_entropy(scores.masked_fill(lost, 0.5), torch.full_like(logits, target))
    return loss.masked_fill(lost.any(), torch.nan)
