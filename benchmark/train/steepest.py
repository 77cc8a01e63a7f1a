"""How steep D is at most (PGN-GAN, contribution 2 and Theorem 6: ‖∇ₓf̂(x)‖ ≤ 1 everywhere).

    grad_most   max ‖∇ₓf̂(x)‖₂, with f̂ what D answers, over real images, fakes, and points between: an eighth, three,
                five and seven eighths of the way from each fake to a real image

One point above a bound disproves it; none proves it, so that this is a lower bound of the Lipschitz constant. Where D
couples the images of a batch, ∇ₓf̂ is that of the batch's sum, as in ``slopes.py``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmark.train.gan import Gan
from benchmark.train.slopes import gradients
from benchmark.train.twin import Shown

BETWEEN = (0.0, 0.125, 0.375)
"""By how much of the way each side is moved towards the other: from both, these are all of the points."""


def steepest(twin: Callable[[], Gan], real: Shown, fake: Shown) -> Tensor:
    """(1,) ‖∇ₓf̂‖ at the steepest point of a batch; not a number where one is.

    Args:
        twin: gives the pair, the same each time.
    """
    found = []
    for way in BETWEEN:
        sides = (torch.lerp(real[0], fake[0], way), real[1]), (torch.lerp(fake[0], real[0], way), fake[1])
        found += [g.detach().flatten(1).norm(dim=1) for g in gradients(twin(), *sides)[2]]
    return torch.cat(found).max().view(1)
