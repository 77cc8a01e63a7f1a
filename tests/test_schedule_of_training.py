"""What happens around the step: the average of weights, the rates, weight decay, flips, labels, shared fakes."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.methods import spectral_layer, spectral_norm
from benchmark.train import run as room
from benchmark.train.average import Average
from benchmark.train.evaluate import evaluate, sample_grid
from benchmark.train.gan import Gan
from benchmark.train.run import run
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step
from tests.conftest import protocol, recipe

DATA = read("shapes", "train", 28, 1, images=200)
REAL = torch.rand(64, 1, 28, 28) * 2 - 1
AVERAGED = dict(ema=0.9, ema_start=3, ema_buffers=True)


def _train(gan: Gan, steps: int) -> list[dict[str, torch.Tensor]]:
    """G's state after each of so many steps on the same real batch."""
    states = []
    for _ in range(steps):
        train_step(gan, lambda: (REAL, None))
        states.append({k: v.clone() for k, v in gan.G.state_dict().items()})
    return states


@pytest.mark.parametrize("buffers", [True, False])
def test_the_average_is_the_closed_form(buffers: bool) -> None:
    """Pegged to G for the first three steps, then Σ 0.1·0.9^(n−i)·θ_i + 0.9^n·θ_2, buffers with it or G's own."""
    gan = Gan(recipe(**AVERAGED | {"ema_buffers": buffers}), 0)
    states = _train(gan, 6)
    for key, value in gan.average.G.state_dict().items():
        if not value.is_floating_point() or ("running" in key and not buffers):
            assert torch.equal(value, states[-1][key]), key
            continue
        expected = states[2][key] * 0.9**3 + sum(0.1 * 0.9 ** (5 - i) * states[i][key] for i in (3, 4, 5))
        torch.testing.assert_close(value, expected, rtol=1e-5, atol=1e-7, msg=key)
    assert not any(p.requires_grad for p in gan.average.G.parameters())


def test_an_average_with_decay_0_is_the_net_and_training_does_not_see_it() -> None:
    gan, plain = Gan(recipe(ema=0.0, ema_start=0, ema_buffers=True), 0), Gan(recipe(), 0)
    _train(gan, 3), _train(plain, 3)
    for key, value in gan.G.state_dict().items():
        assert torch.equal(value, gan.average.G.state_dict()[key]) and torch.equal(value, plain.G.state_dict()[key])


def test_a_protocol_samples_the_average_or_the_raw_weights() -> None:
    gan = Gan(recipe(**AVERAGED), 0)
    _train(gan, 8)
    raw, ema = (protocol(weights=w, metrics=("V_g",)) for w in ("raw", "ema"))
    mine, averaged = evaluate(gan, raw, 0, 8, 2, True), evaluate(gan, ema, 0, 8, 2, True)
    assert mine["V_g"] != averaged["V_g"] and sample_grid(gan, raw, 0) != sample_grid(gan, ema, 0)
    gan.G.load_state_dict(gan.average.G.state_dict())
    assert evaluate(gan, raw, 0, 8, 2, True)["V_g"] == averaged["V_g"]
    with pytest.raises(GanbenchError, match="keeps none"):
        evaluate(Gan(recipe(), 0), ema, 0, 8, 2, True)


def test_spectral_norm_of_an_average_is_of_the_averaged_weight() -> None:
    """The vectors follow G; one power iteration on the averaged weight brings σ to within 1 % of its largest singular
    value (with 978 of 1,000 seeds; always to 4 %).
    """
    G = nn.Sequential(nn.Linear(20, 30))
    spectral_norm.build(player="G").build(G, nn.Identity())
    for _ in range(50):
        G(torch.randn(4, 20))
    average = Average(G, 0.5, 0, True)
    with torch.no_grad():
        G[0].weight.add_(0.02 * torch.randn_like(G[0].weight))
    average.update(G, 0)
    spectral_layer.power_iteration(average.G)
    average.G.eval()
    weight = average.G[0].weight
    with torch.no_grad():
        mine = average.G(torch.eye(20)) - average.G[0].bias
    torch.testing.assert_close(torch.linalg.matrix_norm(mine, 2), torch.tensor(1.0), rtol=0.01, atol=0)
    torch.testing.assert_close(mine.t() * torch.linalg.matrix_norm(weight, 2), weight, rtol=0.01, atol=1e-4)


def test_linear_decay_equals_torchs_scheduler() -> None:
    """Factor 1 − max(s − start, 0)/(total − start) at step s, for both players; with weight decay as Adam's L2 term."""
    r = recipe(
        lr_decay="linear",
        lr_decay_start=2,
        weight_decay_g=0.1,
        weight_decay_d=0.01,
        player_order="d-first",
        share_fakes=False,
    )
    gan = Gan(r, 0, total_steps=6)
    other = torch.optim.Adam([nn.Parameter(torch.zeros(1))], lr=r.lr_g)
    scheduler = torch.optim.lr_scheduler.LambdaLR(other, lambda s: 1 - max(s - 2, 0) / 4)
    assert (gan.opt_G.param_groups[0]["weight_decay"], gan.opt_D.param_groups[0]["weight_decay"]) == (0.1, 0.01)
    for _ in range(6):
        train_step(gan, lambda: (REAL, None))
        assert (
            gan.opt_G.param_groups[0]["lr"]
            == gan.opt_D.param_groups[0]["lr"]
            == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12)
        )
        other.step()
        scheduler.step()
    with pytest.raises(GanbenchError, match="number of steps"):
        Gan(r, 0)


def test_every_image_is_flipped_about_every_other_time_and_the_same_for_a_position() -> None:
    plain, flipped = (
        Sampler(DATA.images, DATA.labels, 50, True, 0, torch.device("cpu"), hflip=h) for h in (False, True)
    )
    turned = []
    for _ in range(40):
        (x, y), (fx, fy) = plain.next(), flipped.next()
        assert torch.equal(y, fy)
        same, mirrored = ((fx == other).flatten(1).all(1) for other in (x, x.flip(3)))
        assert (same | mirrored).all()
        turned.append((mirrored & ~same).float().mean().item())
    assert abs(np.mean(turned) - 0.5) < 0.05
    again = Sampler(DATA.images, DATA.labels, 50, True, 0, torch.device("cpu"), hflip=True)
    again.position = flipped.position
    assert torch.equal(again.next()[0], flipped.next()[0])


def test_shared_fakes_with_d_first_equal_a_plain_loop(float64: None) -> None:
    """FastGAN's order: one batch of fakes; D steps on them detached, then G through the new D."""
    gan = Gan(recipe(player_order="d-first", parts=()), 0)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    opt_G, opt_D = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999)) for p in (G, D))
    rng = torch.Generator()
    rng.set_state(gan.rng["noise"].get_state())
    softplus, real = nn.functional.softplus, REAL.double()
    for _ in range(3):
        train_step(gan, lambda: (real, None))
        fakes = G(torch.rand(64, 10, generator=rng) * 2 - 1)
        opt_D.zero_grad()
        (0.5 * (softplus(-D(real)).mean() + softplus(D(fakes.detach())).mean())).backward()
        opt_D.step()
        opt_G.zero_grad()
        softplus(-D(fakes)).mean().backward()
        opt_G.step()
    for mine, theirs in ((gan.G, G), (gan.D, D)):
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(mine.state_dict()[key], value, rtol=1e-9, atol=1e-11, msg=key)


def test_a_run_with_all_of_it_resumes_to_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    r = recipe(**AVERAGED, lr_decay="linear", lr_decay_start=4, weight_decay_g=0.01, hflip=True, player_order="d-first")
    p = protocol(weights="ema", metrics=("V_g",))
    whole = run(r, p, 0, DATA, tmp_path / "whole")
    monkeypatch.setattr(room, "CHECK_STEPS", 1)
    for stop in (5, 11):
        assert run(r, p, 0, DATA, tmp_path / "stopped", tick=lambda done, todo, stop=stop: done == stop) is None
    resumed = run(r, p, 0, DATA, tmp_path / "stopped")
    assert all(resumed[k] == whole[k] for k in ("status", "final", "history", "samples"))


def test_images_on_disk_give_the_same_batches_as_in_memory(tmp_path: Path) -> None:
    """A mapped array is read a batch at a time, never whole."""
    np.save(tmp_path / "images.npy", DATA.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="c")
    there, here = (
        Sampler(images, DATA.labels, 64, False, 0, torch.device("cpu"), hflip=True) for images in (mapped, DATA.images)
    )
    assert there.images.data_ptr() == mapped.ctypes.data and here.images.data_ptr() != DATA.images.ctypes.data
    for _ in range(9):
        assert all(torch.equal(a, b) for a, b in zip(there.next(), here.next(), strict=True))
