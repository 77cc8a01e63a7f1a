"""The value of the game and its slopes (theory paper, sections 3 and 4): with f D's logit, D = σ(f) and
ψ1 = ψ3 = log.

    V_d         mean of log D(x) over training images x
    jac_D_real  ‖∂D(x)/∂x‖_F at training images (equation 4, beside ``jac_D`` at fakes): the mean, and the largest
    V_theta     ‖∂V/∂θ‖₂, θ D's weights (equation 5), of V = mean log D(x) + mean log(1 − D(G(z))) of one batch of
                each; std is over batches
    V_phi       ‖∂V/∂φ‖₂, φ G's weights, likewise
    V_d_gap     |V_d on held-out images − V_d on training images|, which stands for |V_d − V_{d,S}| of Corollary 1
    V_d_bound   Corollary 1's bound of it, L·B_x + √((log 4 − log δ²)/m), with m the training images, δ = 0.05, and
                B_x = 2, as pixels run from −1 to 1. L = L_ψ·L_d is the largest ‖∂log D(x)/∂x‖₁ over all images looked
                at, ‖·‖₁ being dual to the ‖·‖∞ of B_x: no constant, only the steepest point seen, so that the true
                bound is higher still

Item 2 of the corollary has no bound here: B_z of a normal distribution is infinite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from benchmark.methods.part import one_logit
from benchmark.train.gan import Gan
from benchmark.train.probed import norm, spread
from benchmark.train.twin import Shown, judge

DELTA = 0.05
B_X = 2.0


@dataclass(frozen=True)
class Value:
    """What one batch of training images, of held-out ones and of fakes shows."""

    real: Tensor  # log D(x), (B,)
    test: Tensor
    jacobian: Tensor  # ‖∂D/∂x‖, (B,), at training images
    steepest: float  # the largest ‖∂log D/∂x‖₁, training and held-out images
    theta: float
    phi: float


def value(twin: Gan, beside: Gan, real: Shown, test: Shown) -> Value:
    """One batch.

    Args:
        twin: judges the training images beside fakes of its own G.
        beside: its like, which judges the held-out ones.
    """
    made = twin.fakes(len(real[0]))
    fake = (made.images, made.labels)
    images = real[0].detach().clone().requires_grad_()
    of_real, of_fake, _ = judge(twin, (images, real[1]), fake)
    f = one_logit(twin.loss.verdict(of_real), "V")
    v = logsigmoid(f).mean() + logsigmoid(-one_logit(twin.loss.verdict(of_fake), "V")).mean()
    theta, phi = (
        norm(list(torch.autograd.grad(v, [*player.parameters()], retain_graph=True, allow_unused=True)))
        for player in (twin.D, twin.G)
    )
    unseen = test[0].detach().clone().requires_grad_()
    h = one_logit(beside.loss.verdict(judge(beside, (unseen, test[1]), (fake[0].detach(), fake[1]))[0]), "V")
    slopes = [
        torch.autograd.grad(logsigmoid(said).sum(), x, retain_graph=True)[0] for said, x in ((f, images), (h, unseen))
    ]
    (jacobian,) = torch.autograd.grad(torch.sigmoid(f).sum(), images)
    return Value(
        logsigmoid(f).detach(),
        logsigmoid(h).detach(),
        jacobian.flatten(1).norm(dim=1),
        max(g.flatten(1).abs().sum(1).max().item() for g in slopes),
        theta,
        phi,
    )


def values(found: list[Value], trained_on: int) -> dict[str, dict[str, Any]]:
    """Every quantity, over all batches; ``trained_on``: m."""
    real, test = (torch.cat([getattr(v, side) for v in found]).double().mean().item() for side in ("real", "test"))
    jacobian = torch.cat([v.jacobian for v in found]).double()
    by_batch = {key: spread(torch.tensor([getattr(v, key) for v in found])) for key in ("theta", "phi")}
    return {
        "V_d": spread(torch.cat([v.real for v in found])),
        "jac_D_real": {**spread(jacobian), "max": jacobian.max().item()},
        "V_theta": by_batch["theta"],
        "V_phi": by_batch["phi"],
        "V_d_gap": {"value": abs(real - test)},
        "V_d_bound": {"value": bound(max(v.steepest for v in found), trained_on)},
    }


def bound(lipschitz: float, trained_on: int) -> float:
    """Corollary 1, item 1."""
    return lipschitz * B_X + math.sqrt((math.log(4) - math.log(DELTA**2)) / trained_on)
