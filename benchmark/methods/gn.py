"""Gradient normalisation (Wu et al. 2021, GN-GAN, equation 8): f̂ = f / (‖∇f‖ + |f|), in both steps.

As released (GNGAN-PyTorch, ``models/gradnorm.py``): the L2 norm of ∂f/∂x over a sample's pixels and
channels, and no ε anywhere, so that f = 0 with ∇f = 0 gives NaN. |f̂| < 1, and on a piecewise linear
D ‖∇f̂‖ = (‖∇f‖/(‖∇f‖ + |f|))² ≤ 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from benchmark.methods.input_gradient import InputGradientNormalised
from benchmark.methods.part import Part

VERSION = 1


def build() -> Part:
    """No arguments."""
    return GradientNormalisation()


def formula(f: Tensor, g: Tensor) -> Tensor:
    """f (B,) and g (B, C·H·W) to f̂ (B,)."""
    return f / (g.norm(dim=1) + f.abs())


class GradientNormalisation(Part):
    """D answers f̂."""

    needs_second_order = True

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """G as it is; D within what answers f̂."""
        return G, InputGradientNormalised(D, formula, "gn")
