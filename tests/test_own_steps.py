"""Moments that lazy regularisation, R1 and the like need: a step of its own, gradients of images before augmentation,
what was drawn, copies of players that are ready.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from benchmark.methods.part import DMoment, Moment, Part
from benchmark.recipe import Recipe
from benchmark.train import gan as gan_module
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe


class Lazy(Part):
    """Weight decay by steps of its own: D's every second, G's every third."""

    d_every, g_every = 2, 3
    needs_image_grad = True

    def __init__(self) -> None:
        self.said: list[str] = []
        self.images: list[Tensor] = []

    def ready(self, G: nn.Module, D: nn.Module) -> None:
        self.said.append(f"ready {next(G.parameters()).device}")

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        self.scale = torch.rand(len(images), 1, generator=rng)
        return images * self.scale.view(-1, *[1] * (images.dim() - 1)).to(images.device)

    def drawn(self) -> dict[str, Tensor]:
        return {"scale": self.scale}

    def d_penalty(self, moment: DMoment) -> Tensor:
        (gradient,) = torch.autograd.grad(moment.real.logits.sum(), moment.real.images, create_graph=True)
        (of_seen,) = torch.autograd.grad(moment.real.logits.sum(), moment.real.seen, create_graph=True)
        scale = moment.real.drawn["scale"].view(-1, 1, 1, 1)
        torch.testing.assert_close(gradient, of_seen * scale)
        assert not torch.equal(moment.real.drawn["scale"], moment.fake.drawn["scale"])
        return gradient.square().sum()

    def d_own(self, moment: DMoment) -> Tensor:
        self.said.append(f"D {moment.step}")
        assert moment.augment(moment.real_images, True).shape == moment.real_images.shape
        return torch.stack([p.square().sum() for p in moment.D.parameters()]).sum()

    def g_own(self, moment: Moment) -> Tensor:
        self.said.append(f"G {moment.step}")
        assert not any(p.requires_grad for p in moment.D.parameters())
        return torch.stack([p.square().sum() for p in moment.G.parameters()]).sum()


@pytest.fixture
def lazy(monkeypatch: pytest.MonkeyPatch) -> Lazy:
    """The part, which every recipe's ``parts: [lazy]`` is."""
    part, real = Lazy(), gan_module.plugin

    class Found:
        def load(self) -> Found:
            return self

        def build(self) -> Part:
            return part

    monkeypatch.setattr(gan_module, "plugin", lambda room, name: Found() if name == "lazy" else real(room, name))
    return part


def test_steps_of_its_own_come_every_so_many_and_are_the_optimisers(lazy: Lazy) -> None:
    r: Recipe = dataclasses.replace(recipe(), parts=(("lazy", {}),))
    gan = Gan(r, 0)
    stepped: list[str] = []
    for name, optimiser in (("D", gan.opt_D), ("G", gan.opt_G)):
        optimiser.register_step_post_hook(lambda *_, name=name: stepped.append(name))
    x = torch.rand(r.batch_d, 1, 28, 28) * 2 - 1
    for _ in range(7):
        train_step(gan, lambda: (x, None))
    assert lazy.said[0] == "ready cpu"
    assert sorted(lazy.said[1:]) == sorted([*(f"D {n}" for n in (0, 2, 4, 6)), *(f"G {n}" for n in (0, 3, 6))])
    assert stepped.count("D") == 7 * r.n_dis + 4 * r.n_dis and stepped.count("G") == 7 + 3


def test_ds_own_beta2(lazy: Lazy) -> None:
    gan = Gan(dataclasses.replace(recipe(), beta2_d=0.5), 0)
    assert gan.opt_D.param_groups[0]["betas"][1] == 0.5 and gan.opt_G.param_groups[0]["betas"][1] == recipe().beta2
    assert "beta2_d" not in recipe().to_json(), "so that no key changes"
