"""Losses, spectral norm and translations against independent formulations."""

import copy
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from benchmark.methods import non_saturating, non_saturating_bce, saturating, spectral_norm, translations
from benchmark.methods.part import Side
from benchmark.methods.translations import translate
from benchmark.networks import mlp


def said(logits: torch.Tensor) -> Side:
    nothing = torch.empty(0)
    return Side(nothing, nothing, logits, [])


def test_losses_equal_binary_cross_entropy() -> None:
    real, fake = torch.randn(50, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    bce = F.binary_cross_entropy
    d = 0.5 * (bce(real.sigmoid(), ones) + bce(fake.sigmoid(), zeros))
    for loss in (non_saturating.build(d_scale=0.5), saturating.build(d_scale=0.5)):
        torch.testing.assert_close(loss.d_loss(said(real), said(fake)), d)
    torch.testing.assert_close(non_saturating.build(d_scale=1.0).g_loss(said(fake)), bce(fake.sigmoid(), ones))
    torch.testing.assert_close(saturating.build(d_scale=1.0).g_loss(said(fake)), (1 - fake.sigmoid()).log().mean())


def test_losses_stay_finite_where_the_sigmoid_saturates() -> None:
    far = said(torch.tensor([-200.0, 200.0]))
    for loss in (non_saturating.build(d_scale=1.0), saturating.build(d_scale=1.0)):
        assert torch.isfinite(loss.d_loss(far, far)) and torch.isfinite(loss.g_loss(far))


FAR = (-110.0, -35.0, -28.0, -5.0, 0.0, 5.0, 20.0, 110.0)


def slope(loss: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(loss, at)[0]


def test_bce_of_probabilities_is_that_of_gan_py() -> None:
    """``BCELoss`` of ``Sigmoid`` as that file has them, in float32: losses and gradients, one by one and as a batch, to
    the last bit.
    """
    loss, sigmoid, bce = non_saturating_bce.build(d_scale=0.5), nn.Sigmoid(), nn.BCELoss()
    for values in (*([f] for f in FAR), list(FAR)):
        f = torch.tensor(values, requires_grad=True)
        valid, fake = torch.ones_like(f), torch.zeros_like(f)
        for ours, theirs in (
            (loss.g_loss(said(f)), bce(sigmoid(f), valid)),
            (loss.d_loss(said(f), said(f.detach())), (bce(sigmoid(f), valid) + bce(sigmoid(f.detach()), fake)) / 2),
            (loss.d_loss(said(f.detach()), said(f)), (bce(sigmoid(f.detach()), valid) + bce(sigmoid(f), fake)) / 2),
        ):
            assert torch.equal(ours, theirs) and torch.equal(slope(ours, f), slope(theirs, f)), values


def test_gradients_vanish_where_those_of_gan_py_do() -> None:
    """And nowhere in the loss on logits, which is otherwise the same."""

    def of(module: ModuleType, half: str, f: float) -> tuple[float, float]:
        loss, x = module.build(d_scale=1.0), torch.tensor([f], requires_grad=True)
        value = loss.g_loss(said(x)) if half == "G" else loss.d_halves(said(x), said(x))[half == "fake"]
        return value.item(), slope(value, x).item()

    assert of(non_saturating_bce, "fake", 20.0) == (100.0, 0.0) and of(non_saturating, "fake", 20.0) == (
        20.0,
        pytest.approx(1.0),
    )
    for half in ("G", "real"):
        assert of(non_saturating_bce, half, -28.0) == (28.0, pytest.approx(-0.69, abs=0.005)) and of(
            non_saturating, half, -28.0
        )[1] == pytest.approx(-1.0)
        assert of(non_saturating_bce, half, -110.0) == (100.0, 0.0) and of(non_saturating, half, -110.0) == (
            110.0,
            -1.0,
        )
        for f in (-5.0, 0.0, 5.0):
            assert of(non_saturating_bce, half, f) == pytest.approx(of(non_saturating, half, f), rel=1e-4)


def test_bce_of_a_diverged_d_is_not_a_number() -> None:
    """Where torch's own raises: the run is to end as diverged, not as failed."""
    bad, good = said(torch.tensor([0.5, torch.nan])), said(torch.tensor([0.5, -0.5]))
    loss = non_saturating_bce.build(d_scale=1.0)
    assert (
        loss.g_loss(bad).isnan()
        and loss.d_loss(bad, good).isnan()
        and loss.d_loss(good, bad).isnan()
        and loss.d_loss(good, good).isfinite()
    )


def test_bce_is_taken_outside_autocast() -> None:
    """Which refuses it on a GPU; on a CPU it could be told by nothing else than this."""
    seen: list[bool] = []
    with torch.autocast("cpu", torch.bfloat16), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            non_saturating_bce,
            "binary_cross_entropy",
            lambda *given: seen.append(torch.is_autocast_enabled("cpu")) or F.binary_cross_entropy(*given),
        )
        non_saturating_bce.build(d_scale=1.0).g_loss(said(torch.zeros(2)))
    assert seen == [False]


@pytest.mark.parametrize("rows", [4, 64], ids=["scales the output", "scales the weight"])
def test_spectral_norm_equals_torch(rows: int) -> None:
    """Outputs, gradients and u after several passes, in training and in eval mode; both ways of taking the quotient."""
    torch.manual_seed(0)
    theirs = nn.Sequential(nn.Linear(20, 15), nn.LeakyReLU(0.2), nn.Linear(15, 1)).double()
    ours = copy.deepcopy(theirs)
    spectral_norm.build(player="D").build(nn.Identity(), ours)
    for i in (0, 2):
        nn.utils.spectral_norm(theirs[i])
        ours[i].u, ours[i].v = theirs[i].weight_u.clone(), theirs[i].weight_v.clone()
    for training in (True, True, False, True):
        theirs.train(training), ours.train(training)
        x = torch.randn(rows, 20, dtype=torch.float64, requires_grad=True)
        a, b = theirs(x), ours(x)
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        targets = [x, theirs[0].weight_orig, theirs[2].weight_orig], [x, ours[0].weight, ours[2].weight]
        grads = [torch.autograd.grad(y.square().sum(), t, retain_graph=True) for y, t in zip((a, b), targets)]
        for p, q in zip(*grads):
            torch.testing.assert_close(p, q, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(theirs[0].weight_u, ours[0].u)


def test_spectral_norm_of_a_convolution_equals_torch() -> None:
    torch.manual_seed(0)
    theirs = nn.Conv2d(3, 8, 3, padding=1).double()
    ours = nn.Sequential(copy.deepcopy(theirs))
    spectral_norm.build(player="G").build(ours, nn.Identity())
    nn.utils.spectral_norm(theirs)
    ours[0].u, ours[0].v = theirs.weight_u.clone(), theirs.weight_v.clone()
    x = torch.randn(2, 3, 9, 9, dtype=torch.float64)
    torch.testing.assert_close(theirs(x), ours(x), rtol=1e-12, atol=1e-12)


def test_spectral_norm_bounds_the_discriminator() -> None:
    """After many power iterations: top singular value 1, logit 1-Lipschitz, ‖∂σ(f)/∂x‖ ≤ 1/4."""
    torch.manual_seed(0)
    _, D = mlp.build((1, 28, 28), 10, None, width=0.2, bn_eps=0.8)
    with torch.no_grad():
        for p in D.parameters():
            p.mul_(3)
    spectral_norm.build(player="D").build(nn.Identity(), D)
    x = torch.randn(30, 1, 28, 28, requires_grad=True)
    for _ in range(300):
        D(x)
    before = D.head.u.clone()
    D.eval()
    score = torch.sigmoid(D(x))
    assert torch.equal(D.head.u, before), "eval mode must not iterate"
    (g,) = torch.autograd.grad(score.sum(), x)
    assert g.flatten(1).norm(dim=1).max() <= 0.25 * 1.01
    for layer in (*D.blocks, D.head):
        sigma = torch.linalg.matrix_norm(layer.weight, 2) / torch.dot(layer.u, layer.weight @ layer.v)
        assert abs(sigma.item() - 1) < 1e-3


@given(shift=st.integers(1, 9), copies=st.integers(1, 4), channels=st.sampled_from([1, 3]), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_translations_move_pixels_and_fill_with_background(shift: int, copies: int, channels: int, seed: int) -> None:
    """Each copy equals a plain per-image crop of the padded image; the first B images are the originals."""
    rng = torch.Generator().manual_seed(seed)
    images = torch.randn(3, channels, 8, 6)
    offsets = torch.randint(0, 2 * shift + 1, (2, 3 * copies), generator=torch.Generator().manual_seed(seed))
    seen = translations.build(shift=shift, copies=copies, fill=-1.0).augment(images, True, rng)
    assert torch.equal(seen[:3], images) and len(seen) == 3 * (1 + copies)
    for i in range(3 * copies):
        top, left = offsets[:, i].tolist()
        padded = F.pad(images[i % 3], (shift,) * 4, value=-1.0)
        assert torch.equal(seen[3 + i], padded[:, top : top + 8, left : left + 6])


def test_translations_gradient_equals_finite_differences() -> None:
    offsets = torch.tensor([[0, 1, 4], [2, 3, 0]])
    images = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: translate(x, offsets, 2, -1.0), images)


@pytest.mark.parametrize(("shift", "variance"), [(2, 2.0), (8, 24.0)])
def test_translation_variance_is_the_papers_sigma_squared(shift: int, variance: float) -> None:
    """s(s+1)/3 on each axis: a bright pixel's mean squared displacement over many copies."""
    images = torch.full((1, 1, 33, 33), -1.0)
    images[0, 0, 16, 16] = 1.0
    seen = translations.build(shift=shift, copies=20_000, fill=-1.0).augment(
        images, False, torch.Generator().manual_seed(0)
    )[1:]
    spots = (seen > 0).nonzero()[:, 2:].double() - 16
    assert spots.abs().max() == shift
    torch.testing.assert_close(
        spots.square().mean(0), torch.full((2,), variance, dtype=torch.float64), rtol=0.03, atol=0
    )
