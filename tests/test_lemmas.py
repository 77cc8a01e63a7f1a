"""Probes of CHAIN's lemmas and theorems: closed forms, and plain autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.methods.part import Loss
from benchmark.metrics.names import LEMMAS
from benchmark.train.gan import Gan
from benchmark.train.lemmas import EPS, lemma, lemmas, loss_halves, top_eigenvalue
from benchmark.train.probes import Probes
from benchmark.train.twin import judge, twin_of
from tests.conftest import protocol, recipe
from tests.test_dataeff_training import EAGER, conditional

COLOUR = read("shapes", "train", 32, 3, images=24)


def images(seed: int, size: int = 6) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, 32, 32, generator=rng) / 2, torch.arange(size)


@pytest.mark.parametrize("scale", [1.0, -3.0])
def test_top_eigenvalue_of_a_quadratic(scale: float) -> None:
    """½·scale·⟨w, A w⟩ over two tensors: the eigenvalue of A that is largest in size, whatever its sign; 0 where the
    loss is linear.
    """
    q = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(0)))[0]
    a = q @ torch.diag(torch.tensor([5.0, -1, 0.5, 0.1, 0])) @ q.T
    w = [nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(1, 2))]
    flat = torch.cat([p.flatten() for p in w])
    assert top_eigenvalue(scale * flat @ a @ flat / 2, w) == pytest.approx(abs(scale) * 5, rel=1e-4)
    assert top_eigenvalue(flat.sum(), w) == 0


def test_halves_and_features_of_a_plain_net() -> None:
    """Real and fake gradients apart; σ, ψ and the centred cosine by their definitions."""
    gan = Gan(conditional(classes=10, parts=()), 0)
    real, fake = images(1), images(2)
    found = lemma(lambda: twin_of(gan, 0, 0, 0), real, fake, sharp=True)
    of_real, of_fake, maps = judge(twin_of(gan, 0, 0, 0), real, fake)
    for name, loss in zip(("real", "fake"), gan.loss.d_halves(of_real, of_fake)):
        grads = torch.autograd.grad(loss, list(gan.D.parameters()), retain_graph=True, allow_unused=True)
        length = math.sqrt(sum(g.square().sum().item() for g in grads if g is not None))
        assert found[f"d_weight_grad_{name}"] == pytest.approx(length, rel=1e-4)
        assert found[f"hessian_{name}"] > 0
    sigmas, ratios, cosines = [], [], []
    for side in (m for block in maps for m in block):
        y = side.detach().double().permute(1, 0, 2, 3).flatten(1)
        sigmas.append(1 / (y.var(1, unbiased=False) + EPS).sqrt().min().item())
        psi = (y.square().mean(1) + EPS).sqrt()
        ratios.append((psi.min() / psi).mean().item())
        pooled = side.detach().double().mean((2, 3))
        unit = nn.functional.normalize(pooled - pooled.mean(0), dim=1)
        cosines.append(((unit @ unit.T).sum() - len(unit)).item() / (len(unit) * (len(unit) - 1)))
    joined = lemmas([found], LEMMAS)
    assert joined["inverse_sigma"]["value"] == pytest.approx(sum(sigmas) / len(sigmas), rel=1e-4)
    assert joined["psi_ratio"]["value"] == pytest.approx(sum(ratios) / len(ratios), rel=1e-4)
    assert joined["cosine_centred"]["value"] == pytest.approx(sum(cosines) / len(cosines), abs=1e-5)
    assert all(math.isnan(joined[m]["value"]) for m in ("chain_p", "chain_r", "chain_grad_ratio")), "without CHAIN"


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_chain_shrinks_the_gradient_that_goes_through_it(p: float) -> None:
    """By the slides' bound at most 1 with the batch's statistics, and 1 where nothing is normalised."""
    gan = Gan(conditional(classes=10, parts=(("chain", EAGER | {"version": "batch"}),)), 0)
    gan.parts[0].shared.p, gan.parts[0].r = p, 0.25
    joined = lemmas([lemma(lambda: twin_of(gan, 0, 0, 0), images(1), images(2), sharp=True)], LEMMAS)
    assert (joined["chain_p"]["value"], joined["chain_r"]["value"]) == (p, 0.25)
    ratio = joined["chain_grad_ratio"]["value"]
    assert ratio == 1 if p == 0 else 0 < ratio < 1
    assert joined["hessian_real"]["value"] > 0


def test_what_has_no_second_derivative_has_no_hessian() -> None:
    r = conditional(classes=10, parts=(("chain", EAGER),))
    asked = protocol(metrics=LEMMAS, probe_images=8, every_epochs=None, jac_G_every_epochs=None)
    found = Probes(r, asked, COLOUR).measure(Gan(r, 0), 0, 0)
    assert found["hessian_real"] == found["hessian_fake"] == {"value": None} and set(found) == set(LEMMAS)
    assert found["d_weight_grad_real"]["value"] is not None and found["chain_grad_ratio"]["value"] is not None


def test_a_loss_that_is_no_sum_is_refused() -> None:
    gan = Gan(recipe(parts=()), 0)
    gan.loss = Loss()
    with pytest.raises(GanbenchError, match="half"):
        loss_halves(gan, None, None)
