"""The non-saturating GAN loss: D by binary cross-entropy, G maximises log σ(D(G(z))).

Goodfellow et al. 2014, section 3; the loss of PyTorch-GAN's ``gan.py``, whose D averages its two
halves (``d_scale: 0.5``). Written on logits: −log σ(f) = softplus(−f), −log(1−σ(f)) = softplus(f).
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, d_scale: float) -> Loss:
    """``d_scale`` multiplies D's sum of the two halves: 1.0, or 0.5 for their mean."""
    return NonSaturating(d_scale)


class NonSaturating(Loss):
    """D: −log σ(f(x)) − log(1−σ(f(G(z)))), scaled; G: −log σ(f(G(z)))."""

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
        """Mean −log σ(f(G(z))), (); ``d_scale`` has no part in it."""
        return softplus(-fake.logits).mean()
