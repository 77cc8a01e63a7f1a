"""CHAIN's layer: ARMS by the batch's statistics, or by running ones.

``version: batch`` is the slides' formula (``chain.py``). ``version: running`` is what the released code's command has
(FastGANDBig, ``chain_models.py``): with R a running mean of mean Y² that begins at 1 and has the current batch in it, Y
is divided by √(R + ε) and multiplied by √(min_c R). Its gradient is defined, not derived: dY = (g − Φ·Ŷ)/√(R + ε),
where Ŷ = Y/√(R + ε), g is the gradient of the factor M⊙√(min_c R), and Φ a running mean of mean(Ŷ⊙g) that begins at 0.
R is kept for real and for fake images apart, fakes of D's and of G's step together; Φ for D's real, D's fake and G's
fake passes. While p is 0 no pass is normalised and neither moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import View


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
        self.square_real: Tensor
        self.square_fake: Tensor
        self.shared, self.norm, self.decay, self.eps = shared, norm, decay, eps
        self.running = version == "running"
        for side in ("real", "fake") if self.running else ():
            self.register_buffer(f"square_{side}", torch.ones(channels))
        for view in ("d_real", "d_fake", "g_fake") if self.running else ():
            self.register_buffer(f"gradient_{view}", torch.zeros(channels))

    def forward(self, y: Tensor) -> Tensor:
        """Raises GanbenchError in a pass that the training step has not announced: whose statistics it takes is not
        defined.
        """
        shared = self.shared
        if shared.view is None:
            raise GanbenchError(
                "chain: D is called outside the training step's own passes (by a metric or another part), "
                "where CHAIN is not defined"
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
        if mean is not None and self.norm == "adaptive-centred":
            return out + (1 - mask)[..., None, None].to(y.dtype) * mean
        return out

    @torch.no_grad()
    def _statistics(self, y: Tensor, view: View) -> tuple[Tensor, Tensor]:
        """√(R + ε) and what Y/√(R + ε) is multiplied by, (C,) each, after R has taken in ``y``."""
        square: Tensor = self.square_real if view == "d-real" else self.square_fake
        square.lerp_(y.square().mean((0, 2, 3), dtype=square.dtype), 1 - self.decay)
        psi = (square + self.eps).sqrt()
        return psi, torch.ones_like(psi) if self.norm == "no-lipschitz" else square.min().sqrt().expand_as(psi)

    def _running(self, y: Tensor, mask: Tensor, view: View) -> Tensor:
        psi, scale = self._statistics(y, view)
        gradient = getattr(self, f"gradient_{view.replace('-', '_')}")
        # torch does not annotate Function.apply
        return RunningArms.apply(y, mask, psi, scale, gradient, self.decay)  # type: ignore[no-untyped-call]


def batch_arms(y: Tensor, mask: Tensor, eps: float, lipschitz: bool) -> Tensor:
    """ARMS with the batch's statistics, as the slides print it; differentiable twice. Statistics of bfloat16 maps are
    taken in float32.

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

    Inputs: Y (B, C, H, W); the mask (B, C); ψ = √(R + ε) and the scale (C,); Φ (C,), which ``backward`` moves by
    ``decay``. One factor for each image and channel, (B, C), does all: only Y is kept for the gradient.
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
                "chain: 'version: running' has no second-order gradient, which a gradient penalty needs; "
                "take 'version: batch'"
            )
        y, gain, factor, psi = ctx.saved_tensors
        phi = ((grad * y).mean((2, 3), dtype=gain.dtype) * gain).mean(0)
        ctx.gradient.lerp_(phi, 1 - ctx.decay)
        dy = grad * factor[..., None, None].to(y.dtype) - y * (ctx.gradient / psi.square())[:, None, None].to(y.dtype)
        return dy, None, None, None, None, None
