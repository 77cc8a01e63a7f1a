"""Small players with what StyleGAN2's give: maps of noise and mixing from a stream, a mapping, taps of D; and a harness
that builds them.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.recipe import Recipe
from benchmark.train import gan as gan_module
from tests.conftest import recipe


class G(nn.Module):
    """16 pixels, three channels; takes one number of ``rng`` a call."""

    draws_noise = True

    def __init__(self, z_dim: int) -> None:
        super().__init__()
        self.mapping = nn.Linear(z_dim, 8)
        self.body, self.last = nn.Linear(8, 6 * 64), nn.Conv2d(6, 3, 3, padding=1)
        self.seen: list[Tensor] = []  # the noises of each call

    def synthesis(self, w: Tensor, rng: torch.Generator) -> Tensor:
        own = torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=rng, device="cpu")))
        x = F.interpolate(self.body(w).relu().view(-1, 6, 8, 8), scale_factor=2)
        return self.last(x + 0.1 * torch.randn(len(w), 1, 16, 16, generator=own, device="cpu").to(x)).tanh()

    def forward(self, z: Tensor, labels: Tensor | None, rng: torch.Generator) -> Tensor:
        self.seen.append(z.detach().clone())
        return self.synthesis(self.mapping(z), rng)


class D(nn.Module):
    """Taps: two maps, then (B, 12) features, as StyleGAN2's D gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 12, 4, 2, 1)])
        self.flat, self.last = nn.Linear(12 * 16, 12), nn.Linear(12, 1)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        found = []
        for block in self.blocks:
            x = F.leaky_relu(block(x), 0.2)
            found.append(x)
        found.append(F.leaky_relu(self.flat(x.flatten(1)), 0.2))
        if taps is not None:
            taps.extend(found)
        return self.last(found[-1]).squeeze(1)


class Flat(D):
    """Gives no map."""

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        found: list[Tensor] = []
        logits = super().forward(x, labels, found)
        if taps is not None:
            taps.append(found[-1])
        return logits


def stand_in(monkeypatch: pytest.MonkeyPatch, judge: type[D] = D) -> None:
    """Every recipe's ``network: small`` is the two."""
    real = gan_module.plugin

    class Found:
        def load(self) -> Found:
            return self

        def build(self, shape: tuple[int, int, int], z_dim: int, classes: int | None) -> tuple[nn.Module, nn.Module]:
            return G(z_dim), judge()

    monkeypatch.setattr(gan_module, "plugin", lambda room, name: Found() if name == "small" else real(room, name))


def small(*parts: tuple[str, dict[str, object]], **changes: object) -> Recipe:
    """Of them, six images a step, with StyleGAN2's order of players."""
    fields: dict[str, object] = dict(
        resolution=16, channels=3, network=("small", {}), z_dim=5, z_distribution="normal", share_fakes=False,
        parts=parts, batch_d=6, batch_g=6, epochs=None, steps=100, beta1=0.0, beta2=0.99, lr_g=2e-3, lr_d=2e-3,
    )  # fmt: skip
    return recipe(**(fields | changes))
