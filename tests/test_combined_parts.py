"""Parts beside others, in other orders and networks: what does not go together is refused, the rest does as it says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods.chain_layer import ChainLayer
from benchmark.methods.heads import width
from benchmark.methods.input_gradient import InputGradientNormalised
from benchmark.recipe import Recipe
from benchmark.train import step
from benchmark.train.gan import Gan
from tests.conftest import recipe

BIGGAN = (
    "biggan",
    {"width": 0.0625, "ch": 64, "head": "projection", "attention": 0, "shared_dim": 0, "z_chunks": 1, "init": "xavier"},
)
GN_RESNET = ("gn-resnet", {"width": 0.0625, "init": "kaiming"})
STYLEGAN2 = (
    "stylegan2",
    {"width": 0.0625, "channel_base": 16384, "mapping_layers": 2, "style_mixing": 0.9, "mbstd_group": 4},
)
FASTGAN = ("fastgan", {"d": "big", "width": 0.0625})
CHAIN = (
    "chain",
    {
        "version": "batch",
        "norm": "arms",
        "weight": 20.0,
        "p0": 0.0,
        "tau": 0.5,
        "delta_p": 0.001,
        "start": 0,
        "decay": 0.0,
        "eps": 1e-5,
        "blocks": "all",
    },
)


def of(network: tuple[str, dict], *parts: tuple[str, dict], **changes: object) -> Recipe:
    fields: dict = {"resolution": 32, "channels": 3, "batch_d": 4, "batch_g": 4, "player_order": "d-first"}
    return recipe(**fields | {"share_fakes": False, "drop_last": True, "network": network, "parts": parts} | changes)


def real(gan: Gan) -> tuple[torch.Tensor, torch.Tensor | None]:
    n = gan.recipe.resolution
    images = torch.rand(4, 3, n, n, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return images, None if gan.recipe.classes is None else torch.arange(4)


def test_spectral_norm_refuses_layers_that_are_derived_from_those_that_it_knows() -> None:
    with pytest.raises(GanbenchError, match=r"spectral-norm does not know D's .*, Equal(Conv2d|Linear)"):
        Gan(of(STYLEGAN2, ("spectral-norm", {"player": "D"})), 0)


def test_what_d_keeps_frozen_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    players = Gan._players

    def with_frozen(self: Gan, seed: int) -> tuple[nn.Module, nn.Module]:
        G, D = players(self, seed)
        D.blocks[1].conv1.requires_grad_(False)
        return G, D

    monkeypatch.setattr(Gan, "_players", with_frozen)
    gan = Gan(of(GN_RESNET), 0)
    frozen, learning = gan.D.blocks[1].conv1.weight, gan.D.blocks[1].conv2.weight
    before = frozen.clone(), learning.clone()
    for _ in range(3):
        step.train_step(gan, lambda: real(gan))
    assert torch.equal(frozen, before[0]) and not frozen.requires_grad and not torch.equal(learning, before[1])


@pytest.mark.parametrize("order", ["d-first", "g-first"])
@pytest.mark.parametrize("once", [False, True])
def test_both_players_see_the_same_augmented_fakes_where_a_recipe_says_so(
    order: str, once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, torch.Tensor] = {}
    judge = step._judge

    def spy(gan: Gan, side, view) -> None:
        seen[view] = side.seen.detach().clone()
        judge(gan, side, view)

    monkeypatch.setattr(step, "_judge", spy)
    augment = ("diffaugment", {"policy": "color,translation", "random_order": False})
    gan = Gan(of(GN_RESNET, augment, share_fakes=True, augment_once=once or None, player_order=order), 0)
    step.train_step(gan, lambda: real(gan))
    assert torch.equal(seen["g-fake"], seen["d-fake"]) is once


def test_with_chain_in_d_the_gradient_in_x_is_not_taken_for_constant() -> None:
    gan = Gan(of(BIGGAN, CHAIN, ("gn", {}), classes=10), 0)
    assert isinstance(gan.D, InputGradientNormalised)
    gan.D.requires_grad_(False)
    assert not gan.D._linear_in_x_alone()
    plain = Gan(of(BIGGAN, ("gn", {}), classes=10), 0)
    plain.D.requires_grad_(False)
    assert plain.D._linear_in_x_alone()


def test_chain_acts_in_the_same_blocks_whatever_stands_before_it() -> None:
    scale = ("output-scale", {"k": 1.0})
    names = [
        sorted(
            name.removeprefix("net.")
            for name, m in Gan(of(FASTGAN, *parts, resolution=64), 0).D.named_modules()
            if isinstance(m, ChainLayer)
        )
        for parts in ((CHAIN, scale), (scale, CHAIN), (("gn", {}), scale, CHAIN))
    ]
    assert names[0] and names[0] == [n.removeprefix("net.") for n in names[1]]
    assert names[0] == [n.removeprefix("net.") for n in names[2]]


@pytest.mark.parametrize(("network", "classes", "side"), [(BIGGAN, 10, 32), (STYLEGAN2, None, 32)])
def test_heads_read_what_ds_last_linear_layer_reads(network: tuple[str, dict], classes: int | None, side: int) -> None:
    assert width(Gan(of(network, classes=classes, resolution=side), 0).D, "x") > 0


@pytest.mark.parametrize(("network", "side"), [(GN_RESNET, 32), (FASTGAN, 64)])
def test_a_d_whose_last_linear_layer_reads_something_else_has_no_heads(network: tuple[str, dict], side: int) -> None:
    with pytest.raises(GanbenchError, match="this network's reads another"):
        width(Gan(of(network, ("output-scale", {"k": 1.0}), resolution=side), 0).D, "augself")
