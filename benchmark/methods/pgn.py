"""Penalty gradient normalisation (PGN-GAN): f̂ = (1 − f) / (m + |1 − f|), in both steps, with m read in two ways.

``released``  m = ‖1 − ∇f‖, ones minus the gradient, element by element: Algorithm 1, Table I and the released
              code (EDGAN-PyTorch, ``models/gradnorm.py``). On a piecewise linear D
              ‖∇f̂‖ = ‖∇f‖·m/(m + |1 − f|)², which the paper's bound of 1 does not hold for; at small gradients m ≈ √d.
``appendix``  m = ‖∇(1 − f)‖ = ‖∇f‖: equations 11 to 14 and Theorem 6. It is GN of 1 − f.

f̂ falls where f rises; losses are GN's, so that D learns a low f on real images.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from benchmark.methods.input_gradient import InputGradientNormalised
from benchmark.methods.part import Part

VERSION = 1


def build(*, form: Literal["released", "appendix"]) -> Part:
    """``form``: which m."""
    return PenaltyGradientNormalisation(form)


def released(f: Tensor, g: Tensor) -> Tensor:
    """f (B,) and g (B, C·H·W) to f̂ (B,)."""
    h = 1 - f
    return h / ((1 - g).norm(dim=1) + h.abs())


def appendix(f: Tensor, g: Tensor) -> Tensor:
    """f (B,) and g (B, C·H·W) to f̂ (B,)."""
    h = 1 - f
    return h / (g.norm(dim=1) + h.abs())


class PenaltyGradientNormalisation(Part):
    """D answers f̂."""

    needs_second_order = True

    def __init__(self, form: str) -> None:
        self.formula = {"released": released, "appendix": appendix}[form]

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """G as it is; D within what answers f̂."""
        return G, InputGradientNormalised(D, self.formula, "pgn")
