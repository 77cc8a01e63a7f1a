"""The saturating (minimax) GAN loss: D as in ``non-saturating``, G minimises log(1−σ(D(G(z)))).

Goodfellow et al. 2014, equation 1; the theory paper's equation 1 and its V_g.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, d_scale: float) -> Loss:
    """``d_scale`` multiplies D's sum of the two halves: 1.0, or 0.5 for their mean."""
    return Saturating(d_scale)


class Saturating(Loss):
    """D: −log σ(f(x)) − log(1−σ(f(G(z)))), scaled; G: log(1−σ(f(G(z)))) = −softplus(f)."""

    def __init__(self, d_scale: float) -> None:
        self.d_scale = d_scale

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """Mean −log σ(f(x)) and mean −log(1−σ(f(G(z)))), each times ``d_scale``."""
        return self.d_scale * softplus(-real.logits).mean(), self.d_scale * softplus(fake.logits).mean()

    def d_loss(
        self, real: Side, fake: Side
    ) -> Tensor:  # scaled once: the sum of the halves to the last bit, at scales that are no power of two too
        """The halves' sum, times ``d_scale``, ()."""
        return self.d_scale * (softplus(-real.logits).mean() + softplus(fake.logits).mean())

    def g_loss(self, fake: Side) -> Tensor:
        """Mean log(1−σ(f(G(z)))), (), at most 0; ``d_scale`` has no part in it."""
        return -softplus(fake.logits).mean()
