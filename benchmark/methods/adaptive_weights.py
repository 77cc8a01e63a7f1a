"""Adaptive weights of D's loss on real and on fake images (awGAN, Zadorozhnyy et al. 2021, Algorithm 1: the normalised
version).

With ∇r, ∇f the gradients of the two halves by D's parameters and r, f D's mean scores σ(logit) on
real and fake images, D follows w_r∇r + w_f∇f, where

    r < α1 or r < f − δ     w_r = 1/‖∇r‖ + ε,  w_f = max(0, −⟨∇r,∇f⟩)/(‖∇f‖²‖∇r‖) + ε
    r > α2 and r > f − δ    the mirror image
    else                    w_r = 1/‖∇r‖ + ε,  w_f = 1/‖∇f‖ + ε

so that where the halves' gradients disagree, the step leaves the half that is well off where it is.
1e-4 is added to both squared norms, as in the released code (``aw_loss.py``).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from benchmark.methods.part import DMoment, Part

VERSION = 1
SQUARED_NORM_EPS = 1e-4


def build(*, alpha1: float, alpha2: float, delta: float, epsilon: float) -> Part:
    """α1 < α2 and δ: thresholds on mean scores; ε: added to both weights."""
    return AdaptiveWeights(alpha1, alpha2, delta, epsilon)


class AdaptiveWeights(Part):
    """Adds (w_r − 1)·half_r + (w_f − 1)·half_f to D's loss, which weighs its two halves; other parts' penalties are not
    weighed.
    """

    def __init__(self, alpha1: float, alpha2: float, delta: float, epsilon: float) -> None:
        self.alpha1, self.alpha2, self.delta, self.epsilon = alpha1, alpha2, delta, epsilon

    def d_penalty(self, moment: DMoment) -> Tensor:
        """(); costs a backward pass of each half through D. Raises TypeError for a loss that has no halves."""
        halves = moment.criterion.d_halves(moment.real, moment.fake)
        parameters = [p for p in moment.D.parameters() if p.requires_grad]
        r, f = (torch.autograd.grad(half, parameters, retain_graph=True, allow_unused=True) for half in halves)
        scores = [side.logits.detach().sigmoid().mean() for side in (moment.real, moment.fake)]
        w_r, w_f = self.weights(*torch.stack([_dot(r, r), _dot(f, f), _dot(r, f), *scores]).cpu().tolist())
        return (w_r - 1) * halves[0] + (w_f - 1) * halves[1]

    def weights(self, rr: float, ff: float, rf: float, real_score: float, fake_score: float) -> tuple[float, float]:
        """w_r and w_f from ‖∇r‖², ‖∇f‖², ⟨∇r,∇f⟩ and the mean scores in [0, 1]."""
        rr, ff = rr + SQUARED_NORM_EPS, ff + SQUARED_NORM_EPS
        w_r, w_f = rr**-0.5, ff**-0.5
        if real_score < self.alpha1 or real_score < fake_score - self.delta:
            w_f = max(0.0, -rf) / ff * w_r
        elif real_score > self.alpha2 and real_score > fake_score - self.delta:
            w_r = max(0.0, -rf) / rr * w_f
        return w_r + self.epsilon, w_f + self.epsilon


def _dot(a: Iterable[Tensor | None], b: Iterable[Tensor | None]) -> Tensor:
    return torch.stack([(p * q).sum() for p, q in zip(a, b) if p is not None and q is not None]).sum()
