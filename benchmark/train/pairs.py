"""Realistic fakes and the real images nearest to them (GAN-SDP, section III: equations 3, 4 and 11 to 14).

Of a batch, the ``K`` fakes with the highest scores, G(z'), each with the nearest real image x' (Euclidean, in pixels):

    pair_gap           (D(G(z')) − D(x'))², which equation 12 bounds from below where D tells them apart
    pair_feature_gap   Σ_j ‖D̂_j(G(z')) − D̂_j(x')‖², of which equation 7 bounds each block's, D̂ as equation 6 prints it
    pair_slope         |D(x') − D(G(z'))| / ‖x' − G(z')‖₂, the quotient of equations 11 and 13
    pair_grad          ‖∇ₓD‖₂ at x' (equation 14)

The mean over all pairs, and the largest. Where D couples the images of a batch, ∇ₓD is that of the batch's sum.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.methods.part import one_logit
from benchmark.methods.sdp import aggregated, nearest
from benchmark.train.gan import Gan
from benchmark.train.probed import halves
from benchmark.train.twin import Shown, judge

K = 5
"""Pairs of a batch: the paper's first k, at every step and for methods without SDP too."""


def pairs(twin: Gan, real: Shown, fake: Shown) -> dict[str, Tensor]:
    """Each quantity, (K,), of one batch."""
    images = real[0].detach().clone().requires_grad_()
    of_real, of_fake, maps = judge(twin, (images, real[1]), fake)
    on_real, on_fake = (one_logit(twin.loss.verdict(side), "a pair's gap") for side in (of_real, of_fake))
    (slope,) = torch.autograd.grad(on_real.sum(), images, retain_graph=True)
    best = on_fake.detach().topk(min(K, len(on_fake))).indices
    near = nearest(fake[0][best], real[0])
    gap = (on_fake[best] - on_real[near]).detach()
    apart = torch.zeros_like(gap)
    for block in maps:
        seen_real, seen_fake = (aggregated(side.detach(), "squared") for side in halves(torch.cat(block)))
        apart = apart + (seen_fake[best] - seen_real[near]).square().sum(1)
    distance = (fake[0][best] - real[0][near]).flatten(1).norm(dim=1)
    return {
        "pair_gap": gap.square(),
        "pair_feature_gap": apart,
        "pair_slope": gap.abs() / distance,
        "pair_grad": slope.flatten(1).norm(dim=1)[near],
    }


def means(found: list[dict[str, Tensor]]) -> dict[str, dict[str, float]]:
    """Every quantity of ``pairs`` over all batches."""
    joined = {name: torch.cat([batch[name] for batch in found]).double() for name in found[0]}
    return {name: {"value": v.mean().item(), "largest": v.max().item()} for name, v in joined.items()}
