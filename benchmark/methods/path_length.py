"""Path length regularisation (Karras et al. 2020, StyleGAN2, section 3.2): steps in w make images change by an even
amount.

    n·weight·mean (ℓ − a)²,   ℓ² = mean over layers of ‖∂⟨G(ws), y⟩/∂ws‖²,   y of N(0, 1)/√(H·W)

as NVlabs' ``training/loss.py`` has it (phase Greg): a step of G's optimiser of its own in step 0 and every n-th G step,
after G's, on images of half as many noises, fresh ones, with style mixing and noise maps. a is a running mean of the
batches' mean ℓ (decay 0.01, from 0), which has the present batch in it and carries its gradient; what is remembered
carries none.

NVlabs' optimiser has lr·n/(n + 1) and β^(n/(n + 1)) throughout; here the recipe says so (``lr_g``, ``beta2``).

It needs a G with ``styles(z, rng)``, the ws (B, num_ws, w_dim) of ``forward``, mixed as in training, and
``synthesis(ws, rng)``. z and y come from the augmentation stream; z is normal, as StyleGAN2's is.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import Moment, Part

VERSION = 1
DECAY = 0.01
SHRINK = 2  # the batch is that many times smaller than G's


def build(*, weight: float, every: int) -> Part:
    """``weight``: of the squares; ``every``: n.

    Raises:
        GanbenchError: ``weight`` is below 0 or ``every`` below 1.
    """
    if weight < 0 or every < 1:
        raise GanbenchError(f"path-length needs weight >= 0 and every >= 1, found {weight} and {every}", 2)
    return PathLength(weight, every)


class PathLength(Part):
    """Steps of G's of their own, and one number that is remembered."""

    def __init__(self, weight: float, every: int) -> None:
        self.weight, self.every = weight, every
        self.g_every = every
        self.mean = torch.zeros(())  # a

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError where G has no styles."""
        if not all(hasattr(G, name) for name in ("styles", "synthesis")):
            raise GanbenchError("path-length is defined for a G with styles and synthesis, as stylegan2's", 2)
        return G, D

    def g_own(self, moment: Moment) -> Tensor:
        """n·weight·mean (ℓ − a)², (), and moves a."""
        G: Any = moment.G
        z, rng = moment.fake.z, moment.rng
        assert z is not None  # fakes of a step have theirs
        own = torch.randn(max(len(z) // SHRINK, 1), z.shape[1], generator=rng).to(z)
        ws = G.styles(own, rng)
        images = G.synthesis(ws, rng)
        y = torch.randn(images.shape, generator=rng).to(images) / math.sqrt(images.shape[2] * images.shape[3])
        (g,) = torch.autograd.grad((images * y).sum(), ws, create_graph=True)
        lengths = g.square().sum(2).mean(1).sqrt()
        mean = self.mean.to(lengths).lerp(lengths.mean(), DECAY)
        self.mean = mean.detach()
        return self.every * self.weight * (lengths - mean).square().mean()

    def state_dict(self) -> dict[str, Any]:
        """a."""
        return {"mean": self.mean}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """It may lie on another device: the next step takes it to its own."""
        self.mean = state["mean"]
