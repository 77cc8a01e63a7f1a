"""The gradient penalty on interpolates (WGAN-GP, Gulrajani et al. 2017): λ·mean (‖∇f(x̂)‖ − K)², or its positive part
alone.

x̂ = x + α(G(z) − x) with α uniform on [0, 1), one for each pair of a real and a fake image of the step,
and f the raw output of D, in one more pass through D as it is (spectral norm iterates, BatchNorm
sees the batch of interpolates). K is 1 in the paper; GraN's † rows tune it.
``sides: two`` is the paper's penalty, ``one`` the variant of its section 4, which punishes norms above K only.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from benchmark.methods.part import DMoment, Part, one_logit

VERSION = 1


def build(*, weight: float, target: float, sides: Literal["two", "one"]) -> Part:
    """``weight``: λ; ``target``: K; ``sides``: whether norms below K cost, too."""
    return GradientPenalty(weight, target, sides)


class GradientPenalty(Part):
    """A term of D's loss; G's step is plain. Of a conditional pair the interpolates take the real images' classes."""

    needs_second_order = needs_own_passes = True

    def __init__(self, weight: float, target: float, sides: str) -> None:
        self.weight, self.target, self.sides = weight, target, sides

    def d_penalty(self, moment: DMoment) -> Tensor:
        """λ·mean over the batch, (); raises GanbenchError where D gives several logits an image."""
        real, fake = moment.real.seen.detach(), moment.fake.seen.detach()
        alpha = torch.rand(len(real), 1, 1, 1, generator=moment.rng).to(real)
        x = (real + alpha * (fake - real)).requires_grad_()
        f = one_logit(moment.D(x, moment.real.labels), "gradient-penalty")
        (g,) = torch.autograd.grad(f.sum(), x, create_graph=True)
        excess = g.flatten(1).norm(dim=1) - self.target
        return self.weight * (excess if self.sides == "two" else excess.relu()).square().mean()
