"""The Wasserstein critic's loss (Arjovsky et al. 2017, equation 3; WGAN-GP's code): differences of mean outputs."""

from __future__ import annotations

from torch import Tensor

from benchmark.methods.part import Loss, Side

VERSION = 1


def build() -> Loss:
    """No arguments."""
    return Wasserstein()


class Wasserstein(Loss):
    """D: −mean f(x) + mean f(G(z)); G: −mean f(G(z))."""

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """−mean f(x) and mean f(G(z)), each ()."""
        return -real.logits.mean(), fake.logits.mean()

    def g_loss(self, fake: Side) -> Tensor:
        """−mean f(G(z)), ()."""
        return -fake.logits.mean()
