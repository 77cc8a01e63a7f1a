"""Inception score (Salimans et al. 2016): exp of the mean KL divergence of p(y|x) from p(y), over splits."""

from __future__ import annotations

import torch

from benchmark.errors import GanbenchError
from benchmark.metrics.fidelity import SEED, fidelity


def inception_score(logits: torch.Tensor, splits: int) -> tuple[float, float]:
    """Mean and standard deviation over ``splits`` parts of (N, classes) logits, shuffled as torch-fidelity does.

    Raises:
        GanbenchError: there are fewer images than splits.
    """
    if len(logits) < splits:
        raise GanbenchError(f"{len(logits)} images cannot be split into {splits} parts")
    found = fidelity("metric_isc").isc_features_to_metric(logits, splits, shuffle=True, rng_seed=SEED)
    return found["inception_score_mean"], found["inception_score_std"]
