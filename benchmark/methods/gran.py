"""GraN (GraN-GAN, equation 20): f̂ = (f/τ)·‖∇f‖/(‖∇f‖² + ε), in both steps, for discriminators and critics alike.

On a piecewise linear D, ‖∇f̂‖ = K·‖∇f‖²/(‖∇f‖² + ε) with K = 1/τ: constant but for ε, within each
piece. GraND takes σ(f̂) as its discriminator, GraNC f̂ as its critic; the output has no bound.
"""

from __future__ import annotations

import functools

from torch import Tensor, nn

from benchmark.methods.input_gradient import InputGradientNormalised
from benchmark.methods.part import Part

VERSION = 1


def build(*, tau: float, eps: float) -> Part:
    """``tau``: τ = 1/K for the Lipschitz constant K within a piece; ``eps``: ε, beside the squared gradient norm."""
    return GraN(tau, eps)


def formula(f: Tensor, g: Tensor, tau: float, eps: float) -> Tensor:
    """f (B,) and g (B, C·H·W) to f̂ (B,)."""
    n = g.norm(dim=1)
    return f / tau * n / (n.square() + eps)


class GraN(Part):
    """D answers f̂."""

    needs_second_order = True

    def __init__(self, tau: float, eps: float) -> None:
        self.tau, self.eps = tau, eps

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """G as it is; D within what answers f̂."""
        return G, InputGradientNormalised(D, functools.partial(formula, tau=self.tau, eps=self.eps), "gran")
