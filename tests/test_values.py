"""Probes of the theory paper's sections 3 and 4: closed forms, plain autograd, finite differences in the weights."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import logsigmoid

from benchmark.data.read import read
from benchmark.metrics.names import VALUES
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.probes import Probes
from benchmark.train.streams import stream
from benchmark.train.values import bound
from tests.conftest import protocol, recipe

DATA = read("shapes", "train", 28, 1, images=40)


def measured(gan: Gan) -> dict[str, dict[str, float]]:
    asked = protocol(metrics=VALUES, probe_images=16, every_epochs=None, jac_G_every_epochs=None)
    return Probes(gan.recipe, asked, DATA).measure(gan, 3, 0)  # type: ignore[return-value]


def batch(split: str) -> torch.Tensor:
    data = DATA if split == "train" else read("shapes", "test", 28, 1)
    chosen = np.random.default_rng(0).permutation(len(data.images))[:16]
    return torch.from_numpy(data.images[chosen]).float() / 127.5 - 1


def V(gan: Gan) -> torch.Tensor:
    """The value on the batch that is probed, with the same noises."""
    fake = gan.G(gan.noise(16, stream(3, "probe", "noise", 0, 0)))
    return logsigmoid(gan.D(batch("train"))).mean() + logsigmoid(-gan.D(fake)).mean()


def test_value_of_a_plain_pair() -> None:
    gan = Gan(recipe(parts=(), batch_d=16, batch_g=16), 0)
    found = measured(gan)
    x, t = batch("train").requires_grad_(), batch("test").requires_grad_()
    on_x, on_t = logsigmoid(gan.D(x)), logsigmoid(gan.D(t))
    steepest = max(
        torch.autograd.grad(on.sum(), at, retain_graph=True)[0].flatten(1).abs().sum(1).max().item()
        for on, at in ((on_x, x), (on_t, t))
    )
    jacobian = torch.autograd.grad(gan.D(x).sigmoid().sum(), x)[0].flatten(1).norm(dim=1)
    assert found["V_d"]["value"] == pytest.approx(on_x.mean().item(), rel=1e-5)
    assert found["V_d_gap"]["value"] == pytest.approx(abs(on_x.mean().item() - on_t.mean().item()), rel=1e-3)
    assert found["jac_D_real"]["value"] == pytest.approx(jacobian.mean().item(), rel=1e-4)
    assert found["jac_D_real"]["max"] == pytest.approx(jacobian.max().item(), rel=1e-4)
    assert found["V_d_bound"]["value"] == pytest.approx(bound(steepest, 40), rel=1e-4)


@pytest.mark.parametrize(("probe", "player"), [("V_theta", "D"), ("V_phi", "G")])
def test_slopes_in_the_weights_are_those_of_finite_differences(probe: str, player: str) -> None:
    """Along the gradient the value rises by the gradient's length."""
    gan = Gan(recipe(parts=(), batch_d=16, batch_g=16), 0)
    found = measured(gan)[probe]["value"]
    weights = list(getattr(gan, player).parameters())
    grads = torch.autograd.grad(V(gan), weights)
    ends = []
    for sign in (1, -1):
        with torch.no_grad():
            for p, g in zip(weights, grads):
                p += sign * 1e-2 * g / found
        ends.append(V(gan).item())
        with torch.no_grad():
            for p, g in zip(weights, grads):
                p -= sign * 1e-2 * g / found
    assert (ends[0] - ends[1]) / 2e-2 == pytest.approx(found, rel=2e-2)


def test_the_bound_as_printed() -> None:
    """By hand: L = 0, m = 100, δ = 0.05: √((ln 4 + 2·ln 20)/100) = √(7.3778)/10."""
    assert bound(0, 100) == pytest.approx(math.sqrt(7.37776) / 10, rel=1e-5)
    assert bound(0.25, 100) - bound(0, 100) == pytest.approx(0.5)


def test_section_4_has_the_runs_of_figure_1() -> None:
    for profile in ("full", "reduced", "ci"):
        cells = {(c.table, c.method): c for c in load(Path("suites/theory.yaml"), profile).cells}
        for method in ("none", "SN-G", "SN-D", "SN-both"):
            assert cells["section-4", method].recipe == cells["Fig1", method].recipe
