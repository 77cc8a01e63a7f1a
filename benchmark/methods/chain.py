"""CHAIN (Ni and Koniusz, CVPR 2024): D's features normalised by their root mean squares, as far as D overfits.

After each convolution of D's residual blocks, on its output Y (B, C, H, W), with p in [0, 1]:

    0MR    λ·(p + p0)·Σ_c μ_c², μ the channels' means over batch and pixels: added to D's loss for real and for fake images, all
           layers together; not to G's
    ARMS   (1 − M)⊙Y + M⊙(Y/ψ)·ψ_min, ψ_c² = mean Y² + ε over batch and pixels, ψ_min their smallest over channels, without
           gradient. M is Bernoulli(p) for each image and channel, anew in each pass. No mean is subtracted, nothing is learnt
    p      rises by Δp where r > τ and falls where r < τ, once a D step. r is a running mean (0.9) of E[sign D(x)] over real images

Formulas and ``version: batch`` are the slides'. ``version: running`` is the default of the released code (FastGANDBig,
``chain_models.py``), which p0, the averaging of r and ``start`` are from too: with R a running mean of mean Y² that begins at 1
and has the current batch in it, Y is divided by √(R + ε) and multiplied by √(min_c R). Its gradient is defined, not derived:
dY = (g − Φ·Ŷ)/√(R + ε), where Ŷ = Y/√(R + ε), g is the gradient of the factor M⊙√(min_c R), and Φ a running mean of mean(Ŷ⊙g) that
begins at 0. R is kept for real and for fake images apart, fakes of D's and of G's step together; Φ for D's real, D's fake and G's
fake passes. While p is 0 no pass is normalised and neither moves.

Where: after conv1, conv2 and the skip's convolution, before pooling, of the blocks described in ``networks/__init__.py``. BigGAN's
first block pools before its skip's convolution: there the layer acts on what is pooled already. An identity skip gets none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import Moment, Part, View

VERSION = 1
R_DECAY = 0.9


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
) -> Part:
    """The part; needs ``d_pass: separate``.

    Args:
        version: whose statistics divide: the batch's, or running ones.
        norm: "arms", or one of the slides' ablations. They are named there and not defined, but for the first: "no-lipschitz" (−LC)
            leaves out ψ_min. "centred" (0C) has Y − μ in the place of Y and of 0MR, whatever p is; "adaptive-centred" (A0C)
            has it where M is 1 only (both chosen; μ is the batch's in both versions).
        weight: λ.
        p0: what is added to p where it multiplies λ.
        tau, delta_p: τ and Δp.
        start: D steps before r and p begin to move; both begin at 0.
        decay: of the running statistics; the batch version has none.
        eps: ε.
        blocks: "all", "down" (those that halve the image), or numbers from 1 with commas, in the order of D.
    """
    return Chain(version, norm, weight, p0, tau, delta_p, start, decay, eps, blocks)


class Chain(Part):
    """Puts the layers into D, and minds p."""

    needs_separate_passes = True

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
    ) -> None:
        self.version, self.norm, self.decay, self.eps, self.blocks = version, norm, decay, eps, blocks
        self.weight, self.p0, self.tau, self.delta_p, self.start = weight, p0, tau, delta_p, start
        self.shared = Shared()
        self.r, self.d_steps = 0.0, 0

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError if D has no residual blocks, not those that are asked for, or unknown modules in them."""
        for block in _chosen(D, self.blocks):
            for name in ("conv1", "conv2", "skip"):
                conv = getattr(block, name)
                if name == "skip" and (conv is None or isinstance(conv, nn.Identity)):
                    continue
                if not isinstance(conv, nn.Conv2d):
                    raise GanbenchError(
                        f"chain follows convolutions, and {name} of D's {type(block).__name__} is {type(conv).__name__}"
                    )
                layer = ChainLayer(conv.out_channels, self.shared, self.version, self.norm, self.decay, self.eps)
                setattr(block, name, nn.Sequential(conv, layer))
        return G, D

    def before_pass(self, view: View, rng: torch.Generator) -> None:
        """Tells the layers whose statistics count, what masks are drawn with, and whether 0MR does: not in G's step."""
        regularised = view != "g-fake" and self.norm in ("arms", "no-lipschitz") and self._strength() > 0
        self.shared.view, self.shared.rng, self.shared.regularised = view, rng, regularised

    def after_pass(self) -> None:
        """Until the next pass the layers refuse to be called."""
        self.shared.view = None

    def d_penalty(self, moment: Moment) -> Tensor | None:
        """0MR of this step's real and fake passes; nothing while its weight is 0."""
        squares, self.shared.squares = self.shared.squares, []
        return self._strength() * torch.stack(squares).sum() if squares else None

    def after_d(self, moment: Moment) -> None:
        """Moves r, then p by Δp; reads one number from D's device."""
        self.d_steps += 1
        if self.d_steps <= self.start:
            return
        sign = moment.criterion.verdict(moment.real).detach().sign().mean().item()
        self.r = R_DECAY * self.r + (1 - R_DECAY) * sign
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


@dataclass
class Shared:
    """What the layers must know of the pass that is under way, and what they leave for D's loss."""

    p: float = 0.0
    view: View | None = None  # None between the step's own passes
    rng: torch.Generator | None = None
    regularised: bool = False
    squares: list[Tensor] = field(default_factory=list)  # Σ_c μ_c² of each layer and pass of this D step


class ChainLayer(nn.Module):
    """(B, C, H, W) to (B, C, H, W)."""

    def __init__(self, channels: int, shared: Shared, version: str, norm: str, decay: float, eps: float) -> None:
        super().__init__()
        self.shared, self.norm, self.decay, self.eps = shared, norm, decay, eps
        self.running = version == "running"
        for side in ("real", "fake") if self.running else ():
            self.register_buffer(f"square_{side}", torch.ones(channels))
        for view in ("d_real", "d_fake", "g_fake") if self.running else ():
            self.register_buffer(f"gradient_{view}", torch.zeros(channels))

    def forward(self, y: Tensor) -> Tensor:
        """Raises GanbenchError in a pass that the training step has not announced: whose statistics it takes is not defined."""
        shared = self.shared
        if shared.view is None:
            raise GanbenchError(
                "chain: D is called outside the training step's own passes (by a metric or another part), where CHAIN is not defined"
            )
        if shared.regularised:
            shared.squares.append(y.mean((0, 2, 3), dtype=_at_least_float32(y)).square().sum())
        mean = (
            y.mean((0, 2, 3), keepdim=True)
            if self.norm == "centred" or (self.norm == "adaptive-centred" and shared.p > 0)
            else None
        )
        if mean is not None:
            y = y - mean
        if shared.p == 0:
            return y
        mask = (torch.rand(y.shape[:2], generator=shared.rng) <= shared.p).to(y.device, _at_least_float32(y))
        out = (
            self._running(y, mask, shared.view)
            if self.running
            else batch_arms(y, mask, self.eps, self.norm != "no-lipschitz")
        )
        return out + (1 - mask)[..., None, None].to(y.dtype) * mean if self.norm == "adaptive-centred" else out

    @torch.no_grad()
    def _statistics(self, y: Tensor, view: View) -> tuple[Tensor, Tensor]:
        """√(R + ε) and what Y/√(R + ε) is multiplied by, (C,) each, after R has taken in ``y``."""
        square = self.square_real if view == "d-real" else self.square_fake
        square.lerp_(y.square().mean((0, 2, 3), dtype=square.dtype), 1 - self.decay)
        psi = (square + self.eps).sqrt()
        return psi, torch.ones_like(psi) if self.norm == "no-lipschitz" else square.min().sqrt().expand_as(psi)

    def _running(self, y: Tensor, mask: Tensor, view: View) -> Tensor:
        psi, scale = self._statistics(y, view)
        return RunningArms.apply(y, mask, psi, scale, getattr(self, f"gradient_{view.replace('-', '_')}"), self.decay)


def batch_arms(y: Tensor, mask: Tensor, eps: float, lipschitz: bool) -> Tensor:
    """ARMS with the batch's statistics, as the slides print it; differentiable twice. Statistics of bfloat16 maps are taken in float32.

    Args:
        y: (B, C, H, W).
        mask: (B, C), 1 where Y is normalised and 0 where it is not.
        lipschitz: multiply by ψ_min; without, the ablation −LC.
    """
    psi = (y.square().mean((0, 2, 3), dtype=_at_least_float32(y)) + eps).sqrt()
    rate = (psi.min().detach() if lipschitz else 1.0) / psi
    return y * (mask * rate + (1 - mask))[..., None, None].to(y.dtype)


def _at_least_float32(y: Tensor) -> torch.dtype:
    return torch.promote_types(y.dtype, torch.float32)


class RunningArms(torch.autograd.Function):
    """ARMS by given statistics, with the running gradient of the module's docstring.

    Inputs: Y (B, C, H, W); the mask (B, C); ψ = √(R + ε) and the scale (C,); Φ (C,), which ``backward`` moves by ``decay``.
    One factor for each image and channel, (B, C), does all: only Y is kept for the gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, mask: Tensor, psi: Tensor, scale: Tensor, gradient: Tensor, decay: float
    ) -> Tensor:
        """Y·(M·scale/ψ + 1 − M), (B, C, H, W) in Y's precision."""
        gain = mask * (scale / psi)
        factor = gain + (1 - mask)
        ctx.save_for_backward(y, gain, factor, psi)
        ctx.gradient, ctx.decay = gradient, decay
        return y * factor[..., None, None].to(y.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Raises GanbenchError where a gradient of the gradient is prepared, for this one has no true derivative.

        The released code lets it through: the second-order terms are then wrong without a sign.
        """
        if torch.is_grad_enabled():
            raise GanbenchError(
                "chain: 'version: running' has no second-order gradient, which a gradient penalty needs; take 'version: batch'"
            )
        y, gain, factor, psi = ctx.saved_tensors
        phi = ((grad * y).mean((2, 3), dtype=gain.dtype) * gain).mean(0)
        ctx.gradient.lerp_(phi, 1 - ctx.decay)
        dy = grad * factor[..., None, None].to(y.dtype) - y * (ctx.gradient / psi.square())[:, None, None].to(y.dtype)
        return dy, None, None, None, None, None


def _chosen(D: nn.Module, blocks: str) -> list[nn.Module]:
    """D's residual blocks that ``blocks`` names."""
    found = [m for m in D.modules() if all(hasattr(m, name) for name in ("conv1", "conv2", "skip"))]
    if not found:
        raise GanbenchError("chain acts in residual blocks (conv1, conv2, skip), and this network's D has none", 2)
    if blocks in ("all", "down"):
        return [block for block in found if blocks == "all" or block.halve]
    names = [name.strip() for name in blocks.split(",")]
    if unknown := [name for name in names if name not in map(str, range(1, len(found) + 1))]:
        raise GanbenchError(
            f"chain: blocks is {blocks!r}: {unknown[0]!r} is none of 'all', 'down' and 1 to {len(found)}", 2
        )
    return [found[n] for n in sorted({int(name) - 1 for name in names})]
