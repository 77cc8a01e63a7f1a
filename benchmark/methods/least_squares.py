"""The least-squares GAN loss (Mao et al. 2017, equation 2, with c = b: G aims at D's target for real images)."""

from __future__ import annotations

from torch import Tensor

from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, real: float, fake: float) -> Loss:
    """``real``, ``fake``: D's targets, b and a; the usual ones are 1.0 and 0.0."""
    return LeastSquares(real, fake)


class LeastSquares(Loss):
    """D: ½ mean (f(x) − b)² + ½ mean (f(G(z)) − a)²; G: ½ mean (f(G(z)) − b)². f is linear, without a sigmoid."""

    def __init__(self, real: float, fake: float) -> None:
        self.real, self.fake = real, fake

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """½ mean (f(x) − b)² and ½ mean (f(G(z)) − a)², each ()."""
        return 0.5 * (real.logits - self.real).square().mean(), 0.5 * (fake.logits - self.fake).square().mean()

    def g_loss(self, fake: Side) -> Tensor:
        """½ mean (f(G(z)) − b)², ()."""
        return 0.5 * (fake.logits - self.real).square().mean()
