"""The soft hinge loss of GraNC-GAN: softplus in the place of the hinge's relu (GraN paper, section 6).

It lies above the hinge with margin 1, by ln 2 a term at most.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from benchmark.methods.part import Loss, Side

VERSION = 1


def build() -> Loss:
    """No arguments."""
    return SoftHinge()


class SoftHinge(Loss):
    """D: mean softplus(1 − f(x)) + mean softplus(1 + f(G(z))); G: −mean f(G(z))."""

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """Mean softplus(1 − f(x)) and mean softplus(1 + f(G(z))), each ()."""
        return softplus(1 - real.logits).mean(), softplus(1 + fake.logits).mean()

    def g_loss(self, fake: Side) -> Tensor:
        """−mean f(G(z)), (), as the hinge's."""
        return -fake.logits.mean()
