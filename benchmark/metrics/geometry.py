"""How features lie to one another: (N, C), one row an image, to one number. Neither is centred: CHAIN's point is what
centring does to both.
"""

from __future__ import annotations

import torch
from torch import Tensor


def mean_cosine(features: Tensor) -> float:
    """Mean cosine similarity of all pairs of different rows of (N, C); a row of zeros has cosine 0 with any.

    As in Theorem 3.1 of CHAIN's slides, which takes it over pairs before and after centring. Not a number for fewer
    than two rows.
    """
    unit = torch.nn.functional.normalize(features.double(), dim=1)
    n = len(unit)
    pairs = unit.sum(0).square().sum() - unit.square().sum()
    return (pairs / (n * (n - 1))).item() if n > 1 else float("nan")


def effective_rank(features: Tensor) -> float:
    """exp(−Σ p log p) with p = σ/Σσ, σ the singular values of (N, C): from 1 (one direction) to min(N, C) (all of one
    length).

    Source: Roy and Vetterli, The effective rank (EUSIPCO 2007). Not a number where all features are 0, or one is not
    finite.
    """
    if not torch.isfinite(features).all():
        return float("nan")
    sigma = torch.linalg.svdvals(features.double())
    p = sigma / sigma.sum()
    return torch.special.entr(p).sum().exp().item()
