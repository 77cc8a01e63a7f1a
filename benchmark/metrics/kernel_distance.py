"""Kernel inception distance (Bińkowski et al. 2018): unbiased MMD² with kernel (x·y/D + 1)³, over random subsets."""

from __future__ import annotations

import torch

from benchmark.errors import GanbenchError
from benchmark.metrics.fewest import PAIR
from benchmark.metrics.fidelity import SEED, fidelity


def kernel_distance(generated: torch.Tensor, real: torch.Tensor, subsets: int, subset_size: int) -> tuple[float, float]:
    """Mean and standard deviation over ``subsets`` pairs of ``subset_size`` features (N, D); may be slightly negative.

    Raises:
        GanbenchError: a subset has no pair, or a side has no more features than a subset (all would be the same).
    """
    if subset_size < PAIR:
        raise GanbenchError(f"KID subsets of {subset_size} have no pair of images: kid_subset_size is at least {PAIR}")
    if (fewest := min(len(generated), len(real))) <= subset_size:
        raise GanbenchError(f"KID subsets of {subset_size} need more than {fewest} images; lower kid_subset_size")
    settings = dict(
        kid_subsets=subsets,
        kid_subset_size=subset_size,
        kid_kernel="poly",
        kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None,
        kid_kernel_poly_coef0=1.0,
        rng_seed=SEED,
        verbose=False,
    )
    found = fidelity("metric_kid").kid_features_to_metric(generated, real, **settings)
    return found["kernel_inception_distance_mean"], found["kernel_inception_distance_std"]
