"""What D showed of itself in a probe, as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmark.metrics.geometry import effective_rank, mean_cosine


@dataclass(frozen=True)
class Look:
    """One batch of each side, as D saw it."""

    real: Tensor  # logits, as the loss's verdict has them
    fake: Tensor
    weight_grad: float
    feature_grads: list[float]  # by block
    features: list[tuple[Tensor, Tensor]]  # by block: real and fake, (B, C) each


def halves(joined: Tensor) -> tuple[Tensor, Tensor]:
    """Real and fake rows, (B, …) each, of (2·B, …)."""
    real, fake = joined.chunk(2)
    return real, fake


def norm(grads: Sequence[Tensor | None]) -> float:
    """‖·‖₂ of all of them as one vector; not a number where the loss depends on none."""
    there = [g.double().square().sum() for g in grads if g is not None]
    return torch.stack(there).sum().sqrt().item() if there else math.nan


def pooled(features: Tensor) -> Tensor:
    """(B, C, …) to (B, C)."""
    return features.flatten(2).mean(2) if features.dim() > 2 else features


def summarise(looks: list[Look], test: Tensor) -> dict[str, dict[str, float]]:
    """Every probe of ``PROBES``, from all batches; ``test``: the logits of held-out images."""
    logits = {
        "D_real": torch.cat([look.real for look in looks]),
        "D_fake": torch.cat([look.fake for look in looks]),
        "D_test": test,
    }
    found: dict[str, dict[str, Any]] = {name: spread(said.flatten()) for name, said in logits.items()}
    for name in ("fake", "test"):
        found[f"gap_real_{name}"] = {"value": abs(found["D_real"]["value"] - found[f"D_{name}"]["value"])}
    found["gap_fake_test"] = {"value": abs(found["D_fake"]["value"] - found["D_test"]["value"])}
    found["d_weight_grad"] = spread(torch.tensor([look.weight_grad for look in looks], dtype=torch.float64))
    blocks = range(len(looks[0].features))
    found["feature_grad"] = _mean_of(
        {f"block_{b + 1}": math.fsum(look.feature_grads[b] for look in looks) / len(looks) for b in blocks}
    )
    features = {
        f"{side}_{b + 1}": torch.cat([look.features[b][i] for look in looks]).cpu()
        for b in blocks
        for i, side in enumerate(("real", "fake"))
    }
    found["cosine"] = _mean_of({key: mean_cosine(f) for key, f in features.items()})
    found["effective_rank"] = _mean_of({key: effective_rank(f) for key, f in features.items()})
    return found


def spread(values: Tensor) -> dict[str, float]:
    """Mean, and standard deviation (n − 1) where there are several."""
    values = values.double()
    return {"value": values.mean().item(), **({"std": values.std().item()} if len(values) > 1 else {})}


def _mean_of(parts: dict[str, float]) -> dict[str, float]:
    return {"value": math.fsum(parts.values()) / len(parts) if parts else math.nan, **parts}
