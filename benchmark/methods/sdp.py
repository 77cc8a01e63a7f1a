"""Sample differences penalisation (GAN-SDP, equations 3 to 10 and Algorithm 1).

From step t on, the k fakes of the batch with the highest scores are each paired with the nearest
real image of the batch (Euclidean, in pixels), and both players add λ/k times the sum over pairs of

    (D(fake) − D(real))²  +  Σ_j ‖D̂_j(fake) − D̂_j(real)‖²,    D̂_j = v/‖v‖² (equation 6) or v/‖v‖,

with v the global max pool of the feature map of D's block j. k grows by one every ``k_every`` steps,
counted from 0 as in Algorithm 1. In G's step D's answers on real images are constants.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Moment, Part, one_logit

VERSION = 1
SMALLEST = 1e-12  # of what D̂ divides by: a block all of whose channels are dead gives zero


def build(*, weight: float, start: int, k: int, k_every: int, norm: Literal["squared", "unit"]) -> Part:
    """``weight``: λ; ``start``: t, in G steps; ``k``: pairs at step 0; ``k_every``: G steps between its increases
    (I_p); ``norm``: "squared" divides as equation 6 prints, "unit" makes D̂ a unit vector, its likely intent.
    """
    return SampleDifferences(weight, start, k, k_every, norm)


class SampleDifferences(Part):
    """A term of both players' losses. For unconditional pairs only: raises GanbenchError for others."""

    needs_features = needs_own_passes = True

    def __init__(self, weight: float, start: int, k: int, k_every: int, norm: str) -> None:
        self.weight, self.start, self.k, self.k_every, self.norm = weight, start, k, k_every, norm

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """λ/k·Σ over pairs, (), on D's own pass; None before step t. Raises GanbenchError for a conditional pair."""
        if self._early(moment):
            return None
        return self._differences(moment, moment.real.seen, moment.real.logits, moment.real.features)

    def g_penalty(self, moment: Moment) -> Tensor | None:
        """As ``d_penalty``, with one more pass of real images through D, without gradient."""
        if self._early(moment):
            return None
        features: list[Tensor] = []
        with (
            torch.no_grad()
        ):  # the whole batch, not the nearest ones alone: with BatchNorm D must judge them as its own step did
            logits = moment.D(moment.real_images, None, features)
        return self._differences(moment, moment.real_images, logits, features)

    def pairs(self, step: int) -> int:
        """k at a step."""
        return self.k + step // self.k_every

    def _early(self, moment: Moment) -> bool:
        if moment.fake.labels is not None:
            raise GanbenchError("sdp is defined for unconditional pairs: leave out 'classes'", 2)
        return moment.step < self.start

    def _differences(self, moment: Moment, real: Tensor, logits: Tensor, features: list[Tensor]) -> Tensor:
        fake = moment.fake
        scores = one_logit(fake.logits, "sdp")
        best = scores.detach().topk(min(self.pairs(moment.step), len(scores))).indices
        near = nearest(fake.seen.detach()[best], real.detach())
        total = (scores[best] - logits[near]).square().sum()
        for of_fake, of_real in zip(fake.features, features, strict=True):
            of_pair = aggregated(of_fake[best], self.norm), aggregated(of_real[near], self.norm)
            total = total + (of_pair[0] - of_pair[1]).square().sum()
        return self.weight / len(best) * total


def nearest(fakes: Tensor, real: Tensor) -> Tensor:
    """Which of ``real`` (B, …) is nearest to each of ``fakes`` (k, …): (k,)."""
    return torch.cdist(fakes.flatten(1), real.flatten(1), compute_mode="donot_use_mm_for_euclid_dist").argmin(1)


def aggregated(feature: Tensor, norm: str) -> Tensor:
    """(k, C, …) feature maps to D̂, (k, C)."""
    pooled = feature.flatten(2).amax(2) if feature.dim() > 2 else feature
    pooled = pooled.to(torch.promote_types(pooled.dtype, torch.float32))
    square = pooled.square().sum(1, keepdim=True).clamp_min(SMALLEST)
    return pooled / (square if norm == "squared" else square.sqrt())
