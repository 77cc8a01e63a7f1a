"""Players with what StyleGAN2's parts ask of a network, of 8x8 images and a few hundred parameters: styles with mixing,
noise maps, stem and rest, trunk and head, and a block of D whose filter and activation come after its convolutions; and
pairs in training of them.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.methods.part import DMoment, Moment, Side
from benchmark.recipe import Recipe
from benchmark.train import gan as gan_module
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe

Z, W, CHANNELS = 6, 5, 4


class EqualConv(nn.Conv2d):
    """A convolution whose weights are scaled when it is called; no bias."""

    def __init__(self, inner: int, outer: int, kernel: int, padding: int) -> None:
        super().__init__(inner, outer, kernel, padding=padding, bias=False)
        nn.init.normal_(self.weight)
        self.scale = 1 / math.sqrt(inner * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, padding=self.padding)


def filtered(x: Tensor, stride: int, padding: int = 0) -> Tensor:
    """By (1, 3, 3, 1) on both axes, without flips: it is even."""
    one = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
    kernel = (one[:, None] * one).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, stride=stride, padding=padding, groups=x.shape[1])


class Block(nn.Module):
    """A residual block of D with the three convolutions of StyleGAN2's; it halves after them."""

    halve = True

    def __init__(self, inner: int, outer: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = EqualConv(inner, inner, 3, 1), EqualConv(inner, outer, 3, 2)
        self.skip: nn.Module = EqualConv(inner, outer, 1, 0)
        self.bias1, self.bias2 = nn.Parameter(torch.randn(inner) / 9), nn.Parameter(torch.randn(outer) / 9)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(x) + self.bias1.view(-1, 1, 1), 0.2)
        h = F.leaky_relu(filtered(self.conv2(h), 2) + self.bias2.view(-1, 1, 1), 0.2)
        return (h + filtered(self.skip(x), 2, 1)) * math.sqrt(0.5)


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rgb = nn.Conv2d(3, CHANNELS, 1)
        self.blocks = nn.ModuleList([Block(CHANNELS, CHANNELS)])
        self.hidden, self.last = nn.Linear(CHANNELS * 16 + 1, 7), nn.Linear(7, 1)

    def trunk(self, x: Tensor) -> Tensor:
        return self.blocks[0](F.leaky_relu(self.rgb(x), 0.2))

    def features(self, h: Tensor) -> Tensor:
        spread = (h.var(0, unbiased=False) + 1e-8).sqrt().mean().expand(len(h), 1)
        return F.leaky_relu(self.hidden(torch.cat([h.flatten(1), spread], 1)), 0.2)

    def head(self, h: Tensor) -> Tensor:
        return self.last(self.features(h))[:, 0]

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        h = self.trunk(x)
        features = self.features(h)
        if taps is not None:
            taps += [h, features]
        return self.last(features)[:, 0]


class Generator(nn.Module):
    draws_noise = True
    num_ws = 2

    def __init__(self) -> None:
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(Z, W), nn.LeakyReLU(0.2))
        self.first, self.scale = nn.Linear(W, CHANNELS * 16), nn.Linear(W, CHANNELS)
        self.rgb = nn.Conv2d(CHANNELS, 3, 3, padding=1)

    def styles(self, z: Tensor, rng: torch.Generator) -> Tensor:
        other = torch.randn(z.shape, generator=rng).to(z)
        return torch.stack([self.mapping(z), self.mapping(other if self.training else z)], 1)

    def stem(self, ws: Tensor, rng: torch.Generator) -> Tensor:
        h = self.first(ws[:, 0]).view(-1, CHANNELS, 4, 4)
        return torch.tanh(h + 0.1 * torch.randn(4, 4, generator=rng).to(h))

    def rest(self, h: Tensor, ws: Tensor, rng: torch.Generator) -> Tensor:
        h = F.interpolate(h * (1 + self.scale(ws[:, 1]))[..., None, None], scale_factor=2)
        return torch.tanh(self.rgb(h + 0.1 * torch.randn(8, 8, generator=rng).to(h)))

    def synthesis(self, ws: Tensor, rng: torch.Generator) -> Tensor:
        return self.rest(self.stem(ws, rng), ws, rng)

    def forward(self, z: Tensor, labels: Tensor | None, rng: torch.Generator) -> Tensor:
        return self.synthesis(self.styles(z, rng), rng)


def build(image_shape: tuple[int, int, int], z_dim: int, classes: int | None) -> tuple[nn.Module, nn.Module]:
    assert image_shape == (3, 8, 8) and z_dim == Z and classes is None
    return Generator(), Discriminator()


COLOUR = ("diffaugment", {"policy": "color,translation", "random_order": False})
ADV = {"gamma": 0.01, "steps": 1, "sign": "released", "d_features": "trunk", "g_features": "stem"}
CHAIN = {
    "version": "batch",
    "norm": "arms",
    "weight": 20.0,
    "p0": 0.1,
    "tau": 0.5,
    "delta_p": 0.1,
    "start": 0,
    "decay": 0.9,
    "eps": 1e-5,
    "blocks": "all",
}


def small(*parts: tuple[str, dict[str, Any]], **changes: Any) -> Recipe:
    fields = dict(
        network=("stand-in", {}),
        parts=parts,
        resolution=8,
        channels=3,
        z_dim=Z,
        z_distribution="normal",
        loss=("non-saturating", {"d_scale": 1.0}),
        batch_d=4,
        batch_g=4,
        share_fakes=False,
        beta1=0.0,
        beta2=0.99,
        lr_g=1e-2,
        lr_d=1e-2,
    )
    return dataclasses.replace(recipe(), **(fields | changes))


def pair(*parts: tuple[str, dict[str, Any]], **changes: Any) -> Gan:
    return Gan(small(*parts, **changes), seed=3)


def images(count: int = 4, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def train(gan: Gan, steps: int) -> Gan:
    for _ in range(steps):
        train_step(gan, lambda: (images(seed=gan.step), None))
    return gan


def state(gan: Gan) -> dict[str, Tensor]:
    return {f"{n}.{k}": v for n in ("G", "D") for k, v in getattr(gan, n).state_dict().items()}


def apart(a: nn.Module, b: nn.Module) -> float:
    return max((x - y).abs().max().item() for x, y in zip(a.parameters(), b.parameters()))


def d_moment(gan: Gan) -> DMoment:
    with torch.no_grad():
        fakes = gan.fakes(4).images
    sides = []
    for x in (images(), fakes):
        taps: list[Tensor] = []
        sides.append(Side(x, x, gan.D(x, None, taps), taps))
    loss = gan.loss.d_loss(*sides)
    return DMoment(0, gan.G, gan.D, *sides, sides[0].images, gan.loss, loss, gan.rng["augment"], None, gan.augment)


def g_moment(gan: Gan) -> Moment:
    """Of G's step, D having judged the fakes."""
    fakes = gan.fakes(4)
    side = Side(fakes.images, fakes.images, gan.D(fakes.images), [], z=fakes.z)
    loss = gan.loss.g_loss(side)
    return Moment(0, gan.G, gan.D, None, side, images(), gan.loss, loss, gan.rng["augment"], None, gan.augment)


def put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes these players the network ``stand-in``."""
    real = gan_module.plugin

    class Found:
        def load(self) -> Any:
            return sys.modules[__name__]

    monkeypatch.setattr(gan_module, "plugin", lambda room, name: Found() if name == "stand-in" else real(room, name))
