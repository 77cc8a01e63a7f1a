"""Quantities of CHAIN's lemmas and theorems, of D on one batch of each side; means over batches, if not said otherwise.

    d_weight_grad_real, d_weight_grad_fake  ‖∂L_real/∂θ‖₂ and ‖∂L_fake/∂θ‖₂, the halves of D's adversarial loss (Lemma
                                            3.2)
    hessian_real, hessian_fake              |λ_max| of the halves' Hessians in θ, by ``ITERATIONS`` steps of power
                                            iteration on the first batch (Lemma 3.2); none where a part has no second
                                            derivative (CHAIN's running version)
    cosine_centred                          as ``cosine``, after the mean of each side's features has been taken from
                                            them (Theorem 3.1)
    inverse_sigma                           1/min_c σ_c of a block's maps, σ_c² = variance over batch and places + ε
                                            (Theorem 3.2): the mean over blocks and sides
    psi_ratio                               the mean of ψ_min/ψ_c over channels, blocks and sides, ψ_c² = mean square
                                            over batch and places + ε: what ARMS multiplies by where M is 1
    chain_grad_ratio                        ‖∂L/∂Y‖/‖∂L/∂Ẏ‖ through a CHAIN layer from Y to Ẏ, the mean over layers and
                                            passes
    chain_p, chain_r                        p and r of CHAIN as they stand

The last three are none without CHAIN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.chain import Chain
from benchmark.methods.chain_layer import ChainLayer
from benchmark.methods.part import Loss
from benchmark.metrics.geometry import mean_cosine
from benchmark.train.gan import Gan
from benchmark.train.probed import halves, norm, pooled
from benchmark.train.twin import Shown, judge

SHARP = ("hessian_real", "hessian_fake")
ITERATIONS = 20
EPS = 1e-5
SIDES = ("real", "fake")


def lemma(twin: Callable[[], Gan], real: Shown, fake: Shown, sharp: bool) -> dict[str, Any]:
    """What one batch shows; ``sharp``: with the Hessians, which are dear. ``features`` are for ``lemmas`` to join."""
    pair = twin()
    layers, hooks = _watched(pair.D)
    of_real, of_fake, maps = judge(pair, real, fake)
    for hook in hooks:
        hook.remove()
    losses = loss_halves(pair, of_real, of_fake)
    weights = list(pair.D.parameters())
    found: dict[str, Any] = {}
    for side, loss in zip(SIDES, losses):
        found[f"d_weight_grad_{side}"] = norm(
            list(torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True))
        )
        if sharp and not any(part.first_order_only for part in pair.parts):
            found[f"hessian_{side}"] = top_eigenvalue(loss, weights)
    sides = [side.detach() for block in maps for side in halves(torch.cat(block))]
    found["inverse_sigma"] = _mean([1 / _sigma(m).min().item() for m in sides])
    found["psi_ratio"] = _mean([(psi.min() / psi).mean().item() for psi in map(_psi, sides)])
    found["chain_grad_ratio"] = _through(sum(losses[1:], losses[0]), layers)
    for part in pair.parts:
        if isinstance(part, Chain):
            found |= {"chain_p": part.shared.p, "chain_r": part.r}
    return found | {"features": [pooled(m) for m in sides]}


def loss_halves(pair: Gan, *sides: Any) -> tuple[Tensor, Tensor]:
    """D's loss on real and on fake images; raises GanbenchError where it is no sum of the two."""
    if type(pair.loss).d_halves is Loss.d_halves:
        raise GanbenchError(f"the loss {pair.recipe.loss[0]} has no real and fake half to take apart", 2)
    real, fake = pair.loss.d_halves(*sides)
    return real, fake


def top_eigenvalue(loss: Tensor, weights: list[nn.Parameter]) -> float:
    """|λ| of the Hessian's eigenvalue that is largest in size: the length of H·v for v that power iteration ends at."""
    grads = torch.autograd.grad(loss, weights, create_graph=True, allow_unused=True)
    there = [(w, g) for w, g in zip(weights, grads) if g is not None and g.requires_grad]
    if not there:
        return 0.0  # linear in every weight
    rng = torch.Generator().manual_seed(0)
    v = [torch.randn(w.shape, generator=rng).to(w.device) for w, _ in there]
    size = 0.0
    for _ in range(ITERATIONS):
        length = norm(v)
        if length == 0:
            return 0.0
        along = sum(((g * (x / length)).sum() for (_, g), x in zip(there, v)), loss.new_zeros(()))
        moved = torch.autograd.grad(along, [w for w, _ in there], retain_graph=True, allow_unused=True)
        v = [torch.zeros_like(w) if m is None else m for (w, _), m in zip(there, moved)]
        size = norm(v)
    return size


def _watched(D: nn.Module) -> tuple[list[tuple[Tensor, Tensor]], list[Any]]:
    """A list that takes each CHAIN layer's Y and Ẏ of every pass, and the hooks that fill it."""
    seen: list[tuple[Tensor, Tensor]] = []

    def take(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        seen.append((given[0], out))

    return seen, [m.register_forward_hook(take) for m in D.modules() if isinstance(m, ChainLayer)]


def _through(loss: Tensor, layers: list[tuple[Tensor, Tensor]]) -> float:
    ratios = []
    for before, after in layers:
        into, out = torch.autograd.grad(loss, [before, after], retain_graph=True, allow_unused=True)
        if into is not None and out is not None and (length := norm([out])) > 0:
            ratios.append(norm([into]) / length)
    return _mean(ratios)


def _by_channel(maps: Tensor) -> Tensor:
    """(B, C, …) to (C, B·…), in float64."""
    return maps.double().transpose(0, 1).flatten(1)


def _sigma(maps: Tensor) -> Tensor:
    return (_by_channel(maps).var(1, unbiased=False) + EPS).sqrt()


def _psi(maps: Tensor) -> Tensor:
    return (_by_channel(maps).square().mean(1) + EPS).sqrt()


def _mean(numbers: list[float]) -> float:
    return math.fsum(numbers) / len(numbers) if numbers else math.nan


def lemmas(found: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Every quantity of ``names``, over all batches."""
    joined = [torch.cat(side) for side in zip(*(batch["features"] for batch in found))]
    means = {name: _mean([batch[name] for batch in found if name in batch]) for name in names}
    means["cosine_centred"] = _mean([mean_cosine(side - side.mean(0)) for side in joined])
    return {name: {"value": value} for name, value in means.items()}
