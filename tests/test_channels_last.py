"""The memory layout is no part of a run: every method gives the same numbers in both, a checkpoint of one goes on in
the other, and the record says which.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.data.read import read
from benchmark.train.gan import Gan
from benchmark.train.run import run
from benchmark.train.step import train_step
from tests.conftest import protocol, recipe
from tests.every_method import after_a_step, covering

DATA = read("shapes", "train", 32, 3, images=64)
SMALL = dict(
    resolution=32,
    channels=3,
    images=64,
    network=("gn-cnn", {"width": 0.1, "init": "kaiming"}),
    batch_d=16,
    batch_g=16,
    parts=(("spectral-norm", {"player": "D"}),),
)


METHODS = covering()


def assert_grads_agree(a: nn.Module, b: nn.Module) -> None:
    """Gradients, not weights: Adam's first step makes ±lr of the rounding error where a gradient is zero."""
    largest = max(p.grad.abs().max() for p in a.parameters() if p.grad is not None)
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None)
        assert p.grad is None or (p.grad - q.grad).abs().max() <= 1e-10 * largest


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_alike_in_both_layouts(float64: None, method: str) -> None:
    r = METHODS[method]
    (plain, losses), (last, others) = (after_a_step(r, channels_last) for channels_last in (False, True))
    assert torch.allclose(torch.stack(losses), torch.stack(others), rtol=1e-10, atol=1e-10)
    assert_grads_agree(plain.G, last.G)
    assert_grads_agree(plain.judges, last.judges)
    for p in (*last.G.parameters(), *last.judges.parameters()):  # torch's fused Adam reads both in the order of memory
        assert p.grad is None or p.dim() != 4 or p.grad.is_contiguous(memory_format=torch.channels_last)


def test_weights_maps_moments_and_the_average_lie_as_asked() -> None:
    gan, _ = after_a_step(recipe(**SMALL, ema=0.9, ema_start=0, ema_buffers=True), True)
    x = gan.fakes(4).images
    moments = [s["exp_avg"] for optimiser in (gan.opt_G, gan.opt_D) for s in optimiser.state.values()]
    for tensor in (x, *gan.G.parameters(), *gan.D.parameters(), *gan.average.G.parameters(), *moments):
        assert tensor.dim() != 4 or tensor.is_contiguous(memory_format=torch.channels_last)
    assert not x.is_contiguous(), "the images of this test cannot show the layout"


@pytest.mark.parametrize("first", [False, True])
def test_a_checkpoint_of_one_layout_goes_on_in_the_other(float64: None, first: bool) -> None:
    r = recipe(**SMALL, ema=0.9, ema_start=0, ema_buffers=True)
    saved, _ = after_a_step(r, first)
    state = copy.deepcopy(saved.state_dict())
    pair = []
    for channels_last in (first, not first):
        gan = Gan(r, 1, total_steps=4, channels_last=channels_last)
        gan.load_state_dict(copy.deepcopy(state))
        x = torch.linspace(-1, 1, 16 * 3 * 32 * 32).view(16, 3, 32, 32).contiguous(memory_format=gan.layout)
        train_step(gan, lambda: (x, None))
        pair.append(gan)
    for a, b in ((pair[0].opt_G, pair[1].opt_G), (pair[0].opt_D, pair[1].opt_D)):
        for s, t in zip(a.state.values(), b.state.values(), strict=True):
            for name in ("exp_avg", "exp_avg_sq"):
                assert torch.allclose(s[name], t[name], rtol=1e-6, atol=1e-12)
    for p, q in zip(pair[0].judges.parameters(), pair[1].judges.parameters(), strict=True):
        assert torch.allclose(p, q, rtol=0, atol=1e-9)
    for p in (*pair[1].G.parameters(), *pair[1].D.parameters()):
        assert p.dim() != 4 or p.is_contiguous(memory_format=pair[1].layout)


def test_the_segments_say_which_layout_and_a_run_may_change_it(tmp_path: Path) -> None:
    r, p = recipe(**SMALL), protocol(metrics=("V_g",), every_epochs=None, jac_G_every_epochs=None)
    run(r, p, 0, DATA, tmp_path, until_epoch=2, layout="channels-last")
    result = run(r, p, 0, DATA, tmp_path, layout="contiguous")
    assert [(s["from_step"], s["to_step"], s["channels_last"]) for s in result["segments"]] == [
        (0, 8, True),
        (8, 16, False),
    ]
    whole = run(r, p, 0, DATA, tmp_path / "plain", layout="contiguous")
    assert result["final"]["V_g"]["value"] == pytest.approx(whole["final"]["V_g"]["value"], rel=1e-3)
