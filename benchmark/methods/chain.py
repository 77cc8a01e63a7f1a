"""CHAIN (Ni and Koniusz, CVPR 2024): D's features normalised by their root mean squares, as far as D overfits.

After each convolution of D's residual blocks, on its output Y (B, C, H, W), with p in [0, 1]:

    0MR    λ·(p + p0)·Σ_c μ_c², μ the channels' means over batch and pixels: added to D's loss for real and for fake
           images, all layers together; not to G's
    ARMS   (1 − M)⊙Y + M⊙(Y/ψ)·ψ_min, ψ_c² = mean Y² + ε over batch and pixels, ψ_min their smallest over channels,
           without gradient. M is Bernoulli(p) for each image and channel, anew in each pass. No mean is subtracted,
           nothing is learnt
    p      rises by Δp where r > τ and falls where r < τ, once a D step. r is a running mean of E[sign D(x)] over real
           images, by ``r_decay``; the slides' r is each batch's own (0)

Formulas and ``version: batch`` are the slides'. ``version: running`` (``chain_layer.py``) is what the command of the
released code has (FastGANDBig, ``chain_models.py``), which p0, the averaging of r and ``start`` are from too.

Where: after conv1, conv2 and the skip's convolution, before pooling, of the blocks described in
``networks/__init__.py``. BigGAN's first block pools before its skip's convolution: there the layer acts on what is
pooled already. An identity skip gets none.

StyleGAN2's conv2 and skip halve the map themselves, by a filter before them (``stylegan2_discriminator.py``): there,
too, the layer acts on what is halved already, before the activation (chosen: no such code is released).

R1 goes through the layers twice: it needs ``version: batch``, and is taken by D's own pass (``every: 1``).
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.chain_layer import ChainLayer, Shared
from benchmark.methods.follow import follow_convolutions
from benchmark.methods.part import DMoment, Part, View

VERSION = 1


def build(
    *,
    version: Literal["batch", "running"],
    norm: Literal["arms", "no-lipschitz", "centred", "adaptive-centred"],
    weight: float,
    p0: float,
    tau: float,
    delta_p: float,
    start: int,
    decay: float,
    eps: float,
    blocks: str,
    r_decay: float = 0.9,
) -> Part:
    """The part; needs ``d_pass: separate``.

    Args:
        version: whose statistics divide: the batch's, or running ones.
        norm: "arms", or one of the slides' ablations. They are named there and not defined, but for the first:
            "no-lipschitz" (−LC) leaves out ψ_min. "centred" (0C) has Y − μ in the place of Y and of 0MR, whatever p is;
            "adaptive-centred" (A0C) has it where M is 1 only (both chosen; μ is the batch's in both versions).
        weight: λ.
        p0: what is added to p where it multiplies λ.
        tau, delta_p: τ and Δp.
        start: D steps before r and p begin to move; both begin at 0.
        decay: of the running statistics; the batch version has none.
        eps: ε.
        blocks: "all", "down" (those that halve the image), or numbers from 1 with commas, in the order of D.
        r_decay: of r, in [0, 1); a recipe that leaves it out has the released code's 0.9.

    Raises:
        GanbenchError: an ``r_decay`` with which r would not move, or not settle.
    """
    if not 0 <= r_decay < 1:
        raise GanbenchError(f"chain: r_decay is {r_decay:g}: at least 0 and less than 1", 2)
    return Chain(version, norm, weight, p0, tau, delta_p, start, decay, eps, blocks, r_decay)


class Chain(Part):
    """Puts the layers into D, and minds p."""

    needs_separate_passes = step_passes_only = True

    def __init__(
        self,
        version: str,
        norm: str,
        weight: float,
        p0: float,
        tau: float,
        delta_p: float,
        start: int,
        decay: float,
        eps: float,
        blocks: str,
        r_decay: float,
    ) -> None:
        self.version, self.norm, self.decay, self.eps, self.blocks = version, norm, decay, eps, blocks
        self.first_order_only = version == "running"
        self.weight, self.p0, self.tau, self.delta_p, self.start = weight, p0, tau, delta_p, start
        self.r_decay = r_decay
        self.shared = Shared()
        self.r, self.d_steps = 0.0, 0

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError if D has no residual blocks, not those that are asked for, or unknown modules in
        them.
        """

        def layer(channels: int) -> nn.Module:
            return ChainLayer(channels, self.shared, self.version, self.norm, self.decay, self.eps)

        follow_convolutions(D, self.blocks, layer, "chain")
        return G, D

    def before_pass(self, view: View, rng: torch.Generator) -> None:
        """Tells the layers whose statistics count, what masks are drawn with, and whether 0MR does: not in G's step."""
        regularised = view != "g-fake" and self.norm in ("arms", "no-lipschitz") and self._strength() > 0
        self.shared.view, self.shared.rng, self.shared.regularised = view, rng, regularised

    def after_pass(self) -> None:
        """Until the next pass the layers refuse to be called."""
        self.shared.view = None

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """0MR of this step's real and fake passes; nothing while its weight is 0."""
        squares, self.shared.squares = self.shared.squares, []
        return self._strength() * torch.stack(squares).sum() if squares else None

    def after_d(self, moment: DMoment) -> None:
        """Moves r, then p by Δp; reads one number from D's device."""
        self.d_steps += 1
        if self.d_steps <= self.start:
            return
        sign = moment.criterion.verdict(moment.real).detach().sign().mean().item()
        self.r = self.r_decay * self.r + (1 - self.r_decay) * sign
        step = math.copysign(self.delta_p, self.r - self.tau) if self.r != self.tau else 0.0
        self.shared.p = min(max(self.shared.p + step, 0.0), 1.0)

    def _strength(self) -> float:
        return self.weight * (self.shared.p + self.p0)

    def state_dict(self) -> dict[str, Any]:
        """The running statistics are buffers of D."""
        return {"p": self.shared.p, "r": self.r, "d_steps": self.d_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """p, r and the count of D steps."""
        self.shared.p, self.r, self.d_steps = state["p"], state["r"], state["d_steps"]
