"""What the few-shot rows ask of a step: decoders and a frozen distance, high frequencies, noise inside G, fakes that
both players see.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import chain, hf_alignment, reconstruction
from benchmark.methods.part import DMoment, Moment, Side
from benchmark.networks import fastgan, fregan
from benchmark.plan.count import count
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.load import load
from benchmark.train.evaluate import _generated, _sampled
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import ROOT

CELLS = {c.id.split("/")[2]: c for c in load(Path(ROOT / "suites/chain.yaml"), "ci").cells if c.table == "fewshot"}
GIVEN = {"features": "efficientnet-lite0", "reduction": "sum", "spectral_norm": True, "weight": 2.0}


def recipe(method: str, **changes: object) -> Recipe:
    return dataclasses.replace(CELLS[method].recipe, **changes)


def reals(r: Recipe, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(r.batch_d, 3, r.resolution, r.resolution, generator=rng) * 2 - 1


def steps(gan: Gan, count: int) -> list[float]:
    return [float(x) for n in range(count) for x in train_step(gan, lambda n=n: (reals(gan.recipe, gan.step), None))]


def moment(D: nn.Module, x: Tensor, rng: torch.Generator) -> DMoment:
    taps: list[Tensor] = []
    logits = D(x, None, taps)
    real = Side(x, x, logits, taps)
    return DMoment(0, nn.Identity(), D, real, real, x, None, torch.zeros(()), rng)


class Plain(nn.Module):
    """A distance that can be written down: mean squared difference by image."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return (x - y).square().mean((1, 2, 3))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_reconstruction_is_the_sum_over_decoders(reduction: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "distance", lambda name: Plain())
    _, D = fastgan.build((3, 128, 128), 8, None, d="bn", width=0.125)
    part = reconstruction.build(decoders="whole,small,quadrant", **{**GIVEN, "reduction": reduction})
    part.build(nn.Identity(), D)
    part.decoders.eval()
    x = torch.rand(3, 3, 128, 128) * 2 - 1
    m = moment(D, x, torch.Generator().manual_seed(1))
    place = int(torch.randint(4, (), generator=torch.Generator().manual_seed(1)))
    found = part.d_penalty(m)
    rows, columns = [(slice(0, 64), slice(64, 128))[n] for n in (place // 2, place % 2)]
    half = [(slice(0, 8), slice(8, 16))[n] for n in (place // 2, place % 2)]
    taps = {name: m.real.features[at] for name, (at, _) in D.decodable.items()}
    pairs = [
        (part.decoders["whole"](taps["whole"]), x),
        (part.decoders["small"](taps["small"]), x[..., ::2, ::2]),
        (part.decoders["quadrant"](taps["quadrant"][..., half[0], half[1]]), x[..., rows, columns]),
    ]
    by_image = [(a - b).square().flatten(1).mean(1) for a, b in pairs]
    assert [tuple(a.shape[2:]) for a, _ in pairs] == [(128, 128), (64, 64), (64, 64)]
    expected = 2.0 * sum(d.sum() if reduction == "sum" else d.mean() for d in by_image)
    torch.testing.assert_close(found, expected)
    found.backward()
    assert all(p.grad is not None for p in part.decoders.parameters()), "decoders learn"
    assert D.stem[0].weight.grad.abs().sum() > 0, "and D's trunk through them"


def test_every_quadrant_is_the_same_place_of_map_and_image() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert [reconstruction.quadrant(x, n)[0, 0, 0, 0].item() for n in range(4)] == [0, 2, 8, 10]


@pytest.mark.parametrize(
    ("decoders", "d", "words"),
    [
        ("whole,smal", "bn", "no map 'smal'; did you mean 'small'"),
        ("whole,small", "big", "no map 'small'"),
        ("whole,whole", "big", "names one twice"),
    ],
)
def test_decoders_that_there_are_none_of_are_refused(decoders: str, d: str, words: str) -> None:
    G, D = fastgan.build((3, 64, 64), 8, None, d=d, width=0.0625)
    with pytest.raises(GanbenchError, match=words) as error:
        reconstruction.build(decoders=decoders, **GIVEN).build(G, D)
    assert error.value.exit_code == 2


def test_a_d_without_decoders_or_high_frequencies_is_refused() -> None:
    for part, words in (
        (reconstruction.build(decoders="whole", **GIVEN), "none to decode"),
        (hf_alignment.build(weight=1.0), "defined for fregan"),
    ):
        with pytest.raises(GanbenchError, match=words):
            part.build(nn.Identity(), nn.Linear(2, 2))


def test_alignment_is_l1_of_gs_high_frequencies_to_ds_of_the_real_images_detached() -> None:
    G, D = fregan.build((3, 128, 128), 8, None, width=0.0625)
    part = hf_alignment.build(weight=0.5)
    part.build(G, D)
    with pytest.raises(GanbenchError, match="d-first"):
        part.g_penalty(Moment(0, G, D, None, Side(*[torch.zeros(1)] * 3, []), None, None, None, None))
    m = moment(D, torch.rand(4, 3, 128, 128), torch.Generator())
    assert part.d_penalty(m) is None
    made: list[Tensor] = []
    G(torch.randn(4, 8), None, torch.Generator(), made)
    fake = Side(*[torch.zeros(1)] * 3, [], g_features=tuple(made))
    found = part.g_penalty(Moment(0, G, D, None, fake, None, None, None, None))
    of_d = [m.real.features[at] for at in D.aligned]
    expected = 0.5 * sum((a - b).abs().sum() / a.numel() for a, b in zip(made, of_d))
    torch.testing.assert_close(found, expected)
    found.backward()
    assert D.stem[0].weight.grad is None and G.start.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("method", CELLS)
def test_the_heads_are_trained_and_saved_with_d_and_the_distance_with_nothing(method: str) -> None:
    gan = Gan(recipe(method), 0)
    part = next(p for p in gan.parts if isinstance(p, reconstruction.Reconstruction))
    trained = {id(p) for group in gan.opt_D.param_groups for p in group["params"]}
    assert {id(p) for p in part.decoders.parameters()} <= trained
    assert not {id(p) for p in part.distance.parameters()} & trained
    assert not part.distance.training and not any(p.requires_grad for p in part.distance.parameters())
    convolutions = [m for player in (gan.G, gan.judges) for m in player.modules() if isinstance(m, nn.Conv2d)]
    assert all(hasattr(m, "u") for m in convolutions), "spectral norm on every one, the decoders' too"
    before = [p.clone() for p in part.distance.parameters()], [p.clone() for p in part.decoders.parameters()]
    steps(gan, 1)
    assert all(torch.equal(a, b) for a, b in zip(before[0], part.distance.parameters()))
    assert not any(torch.equal(a, b) for a, b in zip(before[1], part.decoders.parameters()) if b.dim() == 4)
    saved = gan.state_dict()
    assert [len(heads) for heads in saved["heads"]] == [len(part.decoders.state_dict())]


@pytest.mark.parametrize(
    "method", [pytest.param(m, marks=() if m == "FastGAN-D_big+CHAIN" else pytest.mark.slow) for m in CELLS]
)
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(method: str) -> None:
    """Noise maps, quadrants, margins and augmentations included."""
    whole = Gan(recipe(method), 3, total_steps=4)
    losses = steps(whole, 4)
    first = Gan(recipe(method), 3, total_steps=4)
    begun = steps(first, 2)
    second = Gan(recipe(method), 3, total_steps=4)
    second.load_state_dict(first.state_dict())
    assert begun + steps(second, 2) == losses
    for a, b in zip(whole.G.state_dict().values(), second.G.state_dict().values()):
        assert torch.equal(a, b)


@pytest.mark.parametrize("method", ["FastGAN", "FreGAN", "FastGAN-D_big"])
def test_what_both_players_see_of_a_steps_fakes(method: str) -> None:
    """FastGAN's code: one augmentation for both; FreGAN's: fresh noise maps and augmentations from the same noises."""
    gan = Gan(recipe(method), 0)
    seen: list[Tensor] = []
    noises: list[Tensor] = []
    inner_D, inner_G = gan.D.forward, gan.G.forward

    def D(x, *more):
        seen.append((x[0] if isinstance(x, tuple) else x).detach().clone())
        return inner_D(x, *more)

    def G(z, *more, **named):
        noises.append(z.clone())
        return inner_G(z, *more, **named)

    gan.D.forward, gan.G.forward = D, G
    steps(gan, 1)
    (_, in_d_step, in_g_step) = seen
    assert torch.equal(in_d_step, in_g_step) == (method != "FreGAN")
    assert len(noises) == (2 if method == "FreGAN" else 1) and torch.equal(noises[0], noises[-1])


def test_measuring_is_a_function_of_seed_and_step_and_disturbs_nothing() -> None:
    cell = CELLS["FastGAN"]
    gan = Gan(cell.recipe, 0)
    protocol: Protocol = dataclasses.replace(cell.protocol, generated=8)
    before = {name: rng.get_state() for name, rng in gan.rng.items()}

    def images(seed: int, step: int) -> Tensor:
        with torch.no_grad(), _sampled(gan, protocol) as G:
            return torch.cat(list(_generated(gan, G, protocol, seed, step)()))

    a, b, c = images(0, 5), images(0, 5), images(0, 6)
    assert a.shape[1:] == (3, gan.recipe.resolution, gan.recipe.resolution), "the large image"
    assert torch.equal(a, b) and not torch.equal(a, c)
    assert all(torch.equal(before[name], rng.get_state()) for name, rng in gan.rng.items())


@pytest.mark.parametrize("blocks", ["down", "1,2,3,4,5"])
def test_chain_puts_fifteen_layers_into_the_big_d_at_1024_pixels(blocks: str) -> None:
    given = dict(CELLS["FastGAN-D_big+CHAIN"].recipe.parts)["chain"] | {"blocks": blocks}
    with torch.device("meta"):
        G, D = fastgan.build((3, 1024, 1024), 256, None, d="big", width=1.0)
        chain.build(**given).build(G, D)
    layers = [name for name, m in D.named_modules() if isinstance(m, chain.ChainLayer)]
    assert len(layers) == 15 and all(name.startswith("blocks.") for name in layers)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"share_fakes": False}, "augment_once needs share_fakes"),
        ({"augment_once": None, "share_noise": True}, "share_noise needs"),
        ({"share_fakes": False, "augment_once": None, "share_noise": True, "batch_g": 2}, "share_noise needs equal"),
    ],
)
def test_values_that_do_not_go_together(changes: dict[str, object], words: str) -> None:
    with pytest.raises(GanbenchError, match=words):
        recipe("FastGAN", **changes)


def test_the_small_image_is_what_the_large_one_is_augmented_apart_from() -> None:
    gan = Gan(recipe("FastGAN"), 0)
    fakes = gan.fakes(4)
    shown = gan.augment_fakes(fakes)
    assert [len(x) for x in shown] == [4, 4] and shown[1].shape[2] == gan.recipe.resolution // 2
    assert not torch.equal(F.interpolate(shown[0], shown[1].shape[2]), shown[1])


@pytest.mark.slow
def test_the_plan_holds_the_distance_in_memory_and_not_in_checkpoints() -> None:
    r = recipe("FastGAN-D_big")
    given = dict(r.parts)["reconstruction"]
    lpips = dataclasses.replace(
        r, parts=tuple((n, given | {"features": "vgg16"} if n == "reconstruction" else a) for n, a in r.parts)
    )
    proxy, vgg = count(r, 4), count(lpips, 4)
    assert vgg.checkpoint == proxy.checkpoint and vgg.memory - proxy.memory > 40e6, "59 MB of VGG16 against 14"


def test_chain_acts_in_the_four_steps_of_ci() -> None:
    gan = Gan(recipe("FastGAN-D_big+CHAIN"), 0)
    steps(gan, 2)
    assert gan.parts[-1].shared.p > 0
