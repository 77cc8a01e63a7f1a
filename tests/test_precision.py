"""Mixed precision: a value of the recipe, in every method; only passes and losses have it, and nothing that lasts."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from benchmark.collate.judging.tier import tier_of
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.keys import run_key
from benchmark.methods.chain_layer import RunningArms, batch_arms
from benchmark.plan.count import count
from benchmark.recipe import Recipe
from benchmark.suite.lint import lint
from benchmark.suite.load import load
from benchmark.suite.nodes import SuiteError
from benchmark.train.evaluate import sample_grid
from benchmark.train.gan import Gan
from benchmark.train.run import run
from benchmark.train.step import g_step
from tests.conftest import protocol, recipe
from tests.every_method import SUITES, after_a_step, covering
from tests.test_tier import whole

METHODS = covering()
RESNET = dict(
    resolution=32,
    channels=3,
    images=64,
    network=("gn-resnet", {"width": 0.0625, "init": "kaiming"}),
    loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}),
    parts=(),
    batch_d=16,
    batch_g=16,
    player_order="d-first",
    share_fakes=False,
)
NORMALISED = {"gn": {}, "pgn": {"form": "released"}, "gran": {"tau": 1.2, "eps": 1e-8}}


def mixed(r: Recipe) -> Recipe:
    return dataclasses.replace(r, precision="bfloat16")


def grads(player: nn.Module) -> Tensor:
    """All of them as one vector."""
    return torch.cat([p.grad.flatten() for p in player.parameters() if p.grad is not None])


def cosine(a: nn.Module, b: nn.Module) -> float:
    return torch.cosine_similarity(grads(a), grads(b), dim=0).item()


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_in_it_near_float32(method: str) -> None:
    """Second-order gradients included. One step's direction is D's own to a few degrees; what lasts is float32."""
    (plain, _), (gan, losses) = after_a_step(METHODS[method]), after_a_step(mixed(METHODS[method]))
    assert all(torch.isfinite(loss) and loss.dtype == torch.float32 for loss in losses)
    lasting = [*gan.G.state_dict().values(), *gan.judges.state_dict().values(), grads(gan.G), grads(gan.judges)]
    lasting += [
        s[name]
        for optimiser in (gan.opt_G, gan.opt_D)
        for s in optimiser.state.values()
        for name in ("exp_avg", "exp_avg_sq")
    ]
    assert all(t.dtype != torch.bfloat16 and torch.isfinite(t).all() for t in lasting)
    assert not torch.equal(grads(gan.judges), grads(plain.judges)), "nothing was computed in bfloat16"
    assert cosine(gan.judges, plain.judges) > 0.9


@pytest.mark.parametrize("part", NORMALISED)
def test_the_exact_g_step_stays_exact(part: str) -> None:
    """One backward against double backpropagation, both in bfloat16, through the same D: they differ by rounding, as
    bfloat16 from float32.
    """
    found = []
    for piecewise_linear, precision in ((True, "bfloat16"), (False, "bfloat16"), (True, "float32")):
        gan = Gan(recipe(**RESNET | {"parts": ((part, NORMALISED[part]),), "precision": precision}), 0)
        gan.D.net.piecewise_linear = piecewise_linear
        fakes = gan.fakes(16)
        g_step(gan, fakes, fakes.images.detach())
        found.append(gan.G)
    cheap, naive, exact = found
    assert cosine(cheap, naive) > 0.99 and cosine(cheap, exact) > 0.98
    assert grads(cheap).norm().item() == pytest.approx(grads(naive).norm().item(), rel=0.05)


def test_spectral_norm_iterates_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside autocast, which takes this product in bfloat16 on a GPU, and as it is on a CPU."""
    product, seen = torch.mv, []
    monkeypatch.setattr(torch, "mv", lambda *given: seen.append(torch.is_autocast_enabled("cpu")) or product(*given))
    after_a_step(mixed(recipe()))
    assert seen and not any(seen)


@pytest.mark.parametrize("version", ["batch", "running"])
def test_chain_takes_bfloat16_maps_and_keeps_its_statistics_in_float32(version: str) -> None:
    torch.manual_seed(0)
    y = torch.randn(8, 6, 5, 5) * torch.linspace(0.5, 2, 6)[:, None, None]
    mask, found = (torch.rand(8, 6) < 0.5).float(), []
    for dtype in (torch.float32, torch.bfloat16):
        x, phi = y.to(dtype, copy=True).requires_grad_(), torch.zeros(6)
        psi = (y.square().mean((0, 2, 3)) + 1e-5).sqrt()
        out = (
            batch_arms(x, mask, 1e-5, True)
            if version == "batch"
            else RunningArms.apply(x, mask, psi, psi.min().expand(6), phi, 0.9)
        )
        out.float().square().sum().backward()
        assert out.dtype == x.grad.dtype == dtype and phi.dtype == torch.float32
        found.append((out.detach().float(), x.grad.float(), phi))
    for a, b in zip(*found):
        assert torch.allclose(a, b, rtol=0.02, atol=0.02 * a.abs().max().item())


def test_samples_are_made_in_float32() -> None:
    """The same weights give the same images, whatever they were trained in."""
    assert sample_grid(Gan(mixed(recipe()), 0), protocol(), 0) == sample_grid(Gan(recipe(), 0), protocol(), 0)


def test_a_run_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    r, p, data = mixed(recipe()), protocol(metrics=("V_g",)), read("shapes", "train", 28, 1, images=200)
    whole_run = run(r, p, 0, data, tmp_path / "whole")
    run(r, p, 0, data, tmp_path / "parts", until_epoch=1)
    assert run(r, p, 0, data, tmp_path / "parts")["final"] == whole_run["final"]
    with pytest.raises(GanbenchError, match="precision: 'float32' != 'bfloat16'"):
        run(recipe(), p, 0, data, tmp_path / "parts")


def test_it_is_part_of_what_names_a_run_and_costs_at_most_what_float32_does() -> None:
    keys = {run_key(r, "c", "s", 0, {}) for r in (recipe(), mixed(recipe()))}
    assert len(keys) == 2 and count(mixed(recipe()), 10) == count(recipe(), 10)


def test_an_unknown_precision_is_refused_where_it_stands(tmp_path: Path) -> None:
    text = Path("suites/sdp.yaml").read_text(encoding="utf-8")
    (tmp_path / "sdp.yaml").write_text(text.replace("precision: bfloat16", "precision: bfloat61", 1), encoding="utf-8")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "precision: bfloat16" in row)
    with pytest.raises(SuiteError, match=rf"sdp.yaml:{line}:.*precision is 'bfloat61'; did you mean 'bfloat16'"):
        load(tmp_path / "sdp.yaml")
    with pytest.raises(GanbenchError, match="precision is 'flaot32'; did you mean 'float32'"):
        Gan(recipe(precision="flaot32"), 0)


@pytest.mark.parametrize("name", SUITES)
def test_profile_mixed_is_the_paper_but_for_its_precision(name: str) -> None:
    suite = load(Path(f"suites/{name}.yaml"))
    for cell in load(suite.path, "mixed").cells:
        assert cell.recipe == mixed(cell.full_recipe) and cell.protocol == cell.full_protocol
    tier = tier_of(cell, whole(cell, recipe=cell.recipe))
    assert tier.name == "proxy" and [d.field for d in tier.fields] == ["precision"] and not tier.judged
    assert lint([suite.path]) == []
