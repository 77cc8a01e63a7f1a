"""Improved precision and recall (Kynkäänniemi et al. 2019): the share of one side within the other's
3-nearest-neighbour balls.
"""

from __future__ import annotations

import torch

from benchmark.errors import GanbenchError
from benchmark.metrics.fewest import NEIGHBOURHOOD
from benchmark.metrics.fidelity import fidelity


def precision_recall(generated: torch.Tensor, real: torch.Tensor) -> tuple[float, float]:
    """Precision (generated within real) and recall (real within generated) of features (N, D).

    Raises:
        GanbenchError: a side has too few features for a neighbourhood.
    """
    if min(len(generated), len(real)) <= NEIGHBOURHOOD:
        raise GanbenchError(f"precision and recall need more than {NEIGHBOURHOOD} images a side")
    found = fidelity("metric_prc").prc_features_to_metric(
        generated, real, prc_neighborhood=NEIGHBOURHOOD, prc_batch_size=10000, save_cpu_ram=True, verbose=False
    )
    return found["precision"], found["recall"]
