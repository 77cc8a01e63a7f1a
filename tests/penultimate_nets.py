"""Stand-ins for StyleGAN2's pair: a D whose last tap is the input of its last linear layer, and a G with it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.recipe import Recipe
from benchmark.train import gan as gan_module
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe

SIDE, C = 16, 12


class D(nn.Module):
    """(B, 3, H, W) to (B,); taps are two maps and φ (B, 12)."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 10, 3, 2, 1)])
        self.inner, self.outer = nn.Linear(10, C), nn.Linear(C, 1)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        found = []
        for block in self.blocks:
            x = F.leaky_relu(block(x), 0.2)
            found.append(x)
        found.append(F.leaky_relu(self.inner(x.mean((2, 3))), 0.2))
        if taps is not None:
            taps += found
        return self.outer(found[-1]).squeeze(1)


class G(nn.Module):
    """(B, 6) to (B, 3, 16, 16)."""

    def __init__(self) -> None:
        super().__init__()
        self.start, self.image = nn.Linear(6, 8 * 16), nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        h = F.interpolate(self.start(z).view(-1, 8, 4, 4).relu(), SIDE)
        return self.image(h).tanh()


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every recipe's network ``stand-in`` is the pair."""
    real = gan_module.plugin
    found = SimpleNamespace(load=lambda: SimpleNamespace(build=lambda shape, z_dim, classes: (G(), D())))
    monkeypatch.setattr(gan_module, "plugin", lambda room, name: found if name == "stand-in" else real(room, name))


def recipe_of(*parts: tuple[str, dict], **changes: object) -> Recipe:
    given = dict(network=("stand-in", {}), parts=parts, resolution=SIDE, channels=3, z_dim=6, z_distribution="normal")
    return recipe(**{**given, "share_fakes": False, "batch_d": 8, "batch_g": 8, **changes})


def reals(count: int, seed: int) -> Tensor:
    """(B, 3, 16, 16) in [−0.5, 0.5], coarse, as G's are."""
    rng = torch.Generator().manual_seed(seed)
    return F.interpolate(torch.rand(count, 3, 4, 4, generator=rng) - 0.5, SIDE, mode="bilinear")


def steps(gan: Gan, count: int) -> list[float]:
    """Losses of the next steps, on real images that go by the step."""
    batch = gan.recipe.batch_d
    return [float(x) for _ in range(count) for x in train_step(gan, lambda: (reals(batch, gan.step), None))]


def assert_resumes(r: Recipe) -> None:
    """A run that is stopped after two of four steps goes on to the same bits."""
    whole = Gan(r, 3, total_steps=4)
    losses = steps(whole, 4)
    first = Gan(r, 3, total_steps=4)
    begun = steps(first, 2)
    second = Gan(r, 4, total_steps=4)
    second.load_state_dict(first.state_dict())
    assert begun + steps(second, 2) == losses
    for a, b in ((whole.G, second.G), (whole.judges, second.judges)):
        for one, other in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
            assert torch.equal(one, other)
