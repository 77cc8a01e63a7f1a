"""Losses, penalties and weights of the regularised family: closed forms, torchvision's pipeline, and whole training
steps.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import (
    adaptive_weights,
    consistency,
    dequantise,
    gradient_penalty,
    hinge,
    least_squares,
    non_saturating,
    non_saturating_bce,
    output_scale,
    saturating,
    sdp,
    soft_hinge,
    wasserstein,
)
from benchmark.methods.consistency import transform
from benchmark.methods.part import Loss, Moment, Side
from benchmark.metrics.fidelity import fidelity
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, g_step, train_step
from tests.conftest import recipe
from tests.small_nets import Linear, Relus, assert_same_players, frozen, moment, plain_steps, side, small_gan


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def images(count: int, size: int = 8) -> Tensor:
    return torch.rand(count, 3, size, size) * 2 - 1


def said(logits: Tensor) -> Side:
    return side(torch.empty(0), logits)


# Losses


def test_hinge_margins() -> None:
    loss = hinge.build(margin=1.0, margin_jitter=0.0)
    good, bad = torch.full((5,), 2.0), torch.full((5,), -2.0)
    assert loss.d_loss(said(good), said(bad)) == 0 and loss.d_loss(said(good * 0), said(bad * 0)) == 2
    assert loss.d_loss(said(bad), said(good)) == 6 and loss.g_loss(said(good)) == -2


def test_random_hinge_draws_a_margin_for_each_logit_from_the_given_stream() -> None:
    loss = hinge.build(margin=0.8, margin_jitter=0.2)
    loss.rng = torch.Generator().manual_seed(5)
    real, fake = torch.randn(4, 50), torch.randn(4, 50)
    again = torch.Generator().manual_seed(5)
    m, n = (0.8 + 0.2 * torch.rand(4, 50, generator=again) for _ in range(2))
    assert 0.8 <= m.min() < m.max() < 1
    torch.testing.assert_close(loss.d_loss(said(real), said(fake)), F.relu(m - real).mean() + F.relu(n + fake).mean())
    torch.testing.assert_close(loss.g_loss(said(fake)), -fake.mean())


def test_random_hinge_draws_from_the_runs_own_stream() -> None:
    before = torch.get_rng_state()
    first, again = (Gan(recipe(loss=("hinge", {"margin": 0.8, "margin_jitter": 0.2})), seed=2) for _ in range(2))
    losses = [gan.loss.d_loss(said(torch.zeros(9)), said(torch.zeros(9))) for gan in (first, again)]
    assert losses[0] == losses[1] and torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.rng["augment"].get_state(), again.rng["augment"].get_state())
    assert not torch.equal(first.rng["augment"].get_state(), Gan(recipe(), seed=2).rng["augment"].get_state())


def test_soft_hinge_lies_above_the_hinge_by_ln_2_at_most() -> None:
    real, fake = torch.linspace(-30, 30, 601), torch.linspace(-20, 40, 601)
    for a, b in zip(real, fake):
        soft = soft_hinge.build().d_halves(said(a[None]), said(b[None]))
        hard = hinge.build(margin=1.0, margin_jitter=0.0).d_halves(said(a[None]), said(b[None]))
        for s, h in zip(soft, hard):
            assert 0 <= s - h <= torch.tensor(2.0).log() + 1e-12
    assert soft_hinge.build().g_loss(said(fake)) == -fake.mean()
    torch.testing.assert_close(
        soft_hinge.build().d_loss(said(real), said(fake)),
        (1 + (1 - real).exp()).log().mean() + (1 + (1 + fake).exp()).log().mean(),
    )


def test_wasserstein_and_least_squares() -> None:
    real, fake = torch.randn(30), torch.randn(30)
    torch.testing.assert_close(wasserstein.build().d_loss(said(real), said(fake)), fake.mean() - real.mean())
    torch.testing.assert_close(wasserstein.build().g_loss(said(fake)), -fake.mean())
    loss = least_squares.build(real=0.9, fake=-0.3)
    torch.testing.assert_close(
        loss.d_loss(said(real), said(fake)), (((real - 0.9) ** 2).mean() + ((fake + 0.3) ** 2).mean()) / 2
    )
    torch.testing.assert_close(loss.g_loss(said(fake)), ((fake - 0.9) ** 2).mean() / 2)


@pytest.mark.parametrize(
    "loss",
    [
        non_saturating.build(d_scale=0.5),
        non_saturating.build(d_scale=1.0),
        saturating.build(d_scale=0.5),
        saturating.build(d_scale=0.3),
        non_saturating_bce.build(d_scale=0.3),
        hinge.build(margin=1.0, margin_jitter=0.0),
        soft_hinge.build(),
        wasserstein.build(),
        least_squares.build(real=1.0, fake=0.0),
    ],
)
def test_halves_are_of_one_side_each_and_add_up(loss: Loss) -> None:
    real, fake = torch.randn(20, requires_grad=True), torch.randn(20, requires_grad=True)
    of_real, of_fake = loss.d_halves(said(real), said(fake))
    torch.testing.assert_close(of_real + of_fake, loss.d_loss(said(real), said(fake)), rtol=1e-15, atol=0)
    for half, own, other in ((of_real, real, fake), (of_fake, fake, real)):
        (g,) = torch.autograd.grad(half, own, retain_graph=True)
        assert g.abs().max() > 0 and torch.autograd.grad(half, other, allow_unused=True) == (None,)


# Gradient penalty


@pytest.mark.parametrize(("slope", "target"), [(1.0, 1.0), (3.0, 1.0), (0.2, 1.0), (3.0, 0.8333), (0.8333, 0.8333)])
def test_gradient_penalty_of_a_linear_critic(slope: float, target: float) -> None:
    w = torch.randn(192)
    D = Linear(slope * w / w.norm(), b=2.0)
    penalty = gradient_penalty.build(weight=10.0, target=target, sides="two").d_penalty(moment(D, images(6), images(6)))
    one_sided = gradient_penalty.build(weight=10.0, target=target, sides="one").d_penalty(
        moment(D, images(6), images(6))
    )
    assert one_sided.item() == pytest.approx(10 * max(abs(slope) - target, 0) ** 2)
    torch.testing.assert_close(penalty, torch.tensor(10 * (slope - target) ** 2), rtol=1e-10, atol=1e-20)


class Seen(nn.Module):
    """Notes what it is shown."""

    def forward(self, x, labels=None, taps=None):
        self.x, self.labels = x, labels
        return x.square().flatten(1).sum(1)


def test_gradient_penalty_mixes_each_pair_by_its_own_alpha() -> None:
    real, fake, D = images(50), images(50), Seen()
    labels = torch.arange(50), torch.arange(50) + 1
    at = moment(D, real, fake, labels=labels)
    penalty = gradient_penalty.build(weight=2.0, target=1.0, sides="two").d_penalty(at)
    alpha = ((D.x - real) / (fake - real)).detach().flatten(1)
    torch.testing.assert_close(alpha, alpha[:, :1].expand_as(alpha), rtol=1e-7, atol=1e-9)
    assert alpha[:, 0].unique().numel() == 50 and 0 <= alpha.min() < 0.1 and 0.9 < alpha.max() < 1
    drawn = torch.rand(50, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(alpha[:, :1], drawn[:, :, 0, 0], rtol=1e-7, atol=1e-9)
    assert torch.equal(D.labels, labels[0])
    norms = 2 * (real + drawn * (fake - real)).flatten(1).norm(dim=1)
    torch.testing.assert_close(penalty, 2 * (norms - 1).square().mean())


# Consistency


def torchvision_transforms() -> ModuleType:
    fidelity("metric_kid")  # declares what a torchvision built for another torch lacks; nothing here uses it
    return importlib.import_module("torchvision.transforms")


@pytest.mark.parametrize("size", [32, 48])
def test_consistency_equals_torchvision_on_pil_images_bit_for_bit(size: int) -> None:
    """The pipeline of GN-GAN's code, image by image: 8-bit PIL, flip, affine shift with black, tensor, normalise."""
    T = torchvision_transforms().functional
    torch.set_default_dtype(torch.float32)
    levels = torch.randint(0, 256, (40, 3, size, size), dtype=torch.uint8)
    levels[0, 0].view(-1)[:256] = torch.arange(256)
    x = levels.float().div_(127.5).sub_(1)
    part, rng = consistency.build(weight=5.0, flip=0.5, shift=0.2, fill=-1.0), torch.Generator().manual_seed(1)
    flips, shifts = part.draw(size, size, len(x), rng)
    expected = []
    for image, flip, (right, down) in zip(x, flips.tolist(), shifts.t().tolist()):
        pil = T.to_pil_image((image + 1) / 2, "RGB")
        pil = T.affine(T.hflip(pil) if flip else pil, 0.0, [right, down], 1.0, [0.0, 0.0], fill=0)
        expected.append(T.normalize(T.to_tensor(pil), [0.5] * 3, [0.5] * 3))
    assert torch.equal(transform(x, flips, shifts, -1.0), torch.stack(expected))  # float32, to the bit
    assert 0 < flips.sum() < 40 and shifts.min() < 0 < shifts.max()


@pytest.mark.parametrize(("size", "largest"), [(32, 6), (48, 10)])
def test_consistency_draws_as_torchvision_does(size: int, largest: int) -> None:
    """Rounded uniform shifts: both ends rarer; the same frequencies as RandomAffine's, up to 4 standard errors."""
    RandomAffine = torchvision_transforms().RandomAffine
    part, count = consistency.build(weight=5.0, flip=0.3, shift=0.2, fill=-1.0), 40_000
    flips, shifts = part.draw(size, size, count, torch.Generator().manual_seed(0))
    assert shifts.abs().max() == largest and abs(flips.double().mean() - 0.3) < 4 * (0.21 / count) ** 0.5
    theirs = torch.tensor(
        [RandomAffine.get_params((0.0, 0.0), (0.2, 0.2), None, None, [size, size])[1] for _ in range(count)]
    ).t()
    for mine, other in zip(shifts, theirs):
        a, b = ((s + largest).bincount(minlength=2 * largest + 1) / count for s in (mine, other))
        assert (a - b).abs().max() < 4 * (2 / (2 * largest) / count) ** 0.5
    assert shifts[0].ne(shifts[1]).any()


def test_consistency_moves_right_and_down_and_fills() -> None:
    x = torch.full((1, 1, 4, 6), -1.0)
    x[0, 0, 1, 2] = 1.0
    moved = transform(x, torch.tensor([False]), torch.tensor([[3], [1]]), 0.25)
    assert moved[0, 0, 2, 5] == 1 and (moved == 0.25).sum() == 6 + 3 * 4 - 3 and moved.shape == x.shape
    flipped = transform(x, torch.tensor([True]), torch.zeros(2, 1, dtype=torch.long), 0.25)
    assert flipped[0, 0, 1, 3] == 1 and (flipped == 0.25).sum() == 0


def test_consistency_passes_through_8_bits_as_the_source_does() -> None:
    """63 of the 256 levels come out one lower, the rest as they are; nothing leaves [-1, 1]."""
    levels = torch.arange(256, dtype=torch.float32).view(1, 1, 16, 16)
    out = transform(levels / 127.5 - 1, torch.tensor([False]), torch.zeros(2, 1, dtype=torch.long), -1.0)
    lost = levels - ((out + 1) * 127.5).round()
    assert lost.unique().tolist() == [0, 1] and lost.sum() == 63
    wild = transform(
        torch.tensor([-1.3, 1.3]).view(1, 1, 1, 2), torch.tensor([False]), torch.zeros(2, 1, dtype=torch.long), -1.0
    )
    assert wild.flatten().tolist() == [-1, 1]


def test_consistency_is_zero_without_moves_and_learns_through_both_terms() -> None:
    still, moving = (consistency.build(weight=5.0, flip=f, shift=s, fill=-1.0) for f, s in ((0.0, 0.0), (0.5, 0.2)))
    D, real, fake = Relus(), torch.randint(0, 2, (9, 3, 8, 8)) * 2.0 - 1, images(9)  # black and white survive 8 bits
    assert still.d_penalty(moment(D, real, fake)) == 0
    at = moment(D, real, fake)
    penalty = moving.d_penalty(at)
    flips, shifts = moving.draw(8, 8, 9, torch.Generator().manual_seed(0))
    moved = transform(real, flips, shifts, -1.0)
    expected = 5 * (D(moved) - D(real)).square().mean()
    torch.testing.assert_close(penalty, expected)
    for a, b in zip(*(torch.autograd.grad(p, list(D.parameters()), allow_unused=True) for p in (penalty, expected))):
        torch.testing.assert_close(a, b)
    assert moving.g_penalty(at) is None
    again = moment(D, real, images(9))
    torch.testing.assert_close(moving.d_penalty(again), penalty)  # fakes do not enter


# SDP


def sdp_part(norm: str = "squared", **changes: int) -> sdp.SampleDifferences:
    return sdp.build(**({"weight": 0.01, "start": 3000, "k": 5, "k_every": 5000, "norm": norm} | changes))


def plain_sdp(D: nn.Module, real: Tensor, fake: Tensor, k: int, norm: str, detach_real: bool = False) -> Tensor:
    """Equations 3 to 8 and λ/k, pair by pair; λ = 0.01."""
    features_r, features_f = [], []
    score_r, score_f = D(real, None, features_r), D(fake, None, features_f)
    if detach_real:
        score_r, features_r = score_r.detach(), [f.detach() for f in features_r]
    total = torch.zeros(())
    for i in sorted(range(len(fake)), key=lambda i: -score_f[i].item())[:k]:
        j = min(range(len(real)), key=lambda j: (real[j] - fake[i]).square().sum().item())
        total = total + (score_f[i] - score_r[j]) ** 2
        for of_real, of_fake in zip(features_r, features_f):
            a, b = (v.max(dim=-1)[0].max(dim=-1)[0] if v.dim() == 3 else v for v in (of_real[j], of_fake[i]))
            a, b = (v / (v * v).sum() ** (1.0 if norm == "squared" else 0.5) for v in (a, b))
            total = total + ((a - b) ** 2).sum()
    return 0.01 / k * total


class Norm(nn.BatchNorm2d):
    def __init__(self) -> None:
        super().__init__(6)


@pytest.mark.parametrize("norm", ["squared", "unit"])
@pytest.mark.parametrize("middle", [nn.ReLU, Norm])
def test_sdp_equals_the_equations_in_both_steps(norm: str, middle: type[nn.Module]) -> None:
    """Also where D's BatchNorm makes a real image's score depend on its batch."""
    D, real, fake = Relus(middle=middle), images(16), images(16)
    at = moment(D, real, fake, step=10_000)
    ours, theirs = sdp_part(norm).d_penalty(at), plain_sdp(D, real, fake, 7, norm)
    torch.testing.assert_close(ours, theirs)
    assert ours > 0
    for a, b in zip(*(torch.autograd.grad(p, list(D.parameters())) for p in (ours, theirs))):
        torch.testing.assert_close(a, b)
    frozen(D)
    gradients = []
    for penalty in (
        lambda x: sdp_part(norm).g_penalty(g_moment(D, real, x)),
        lambda x: plain_sdp(D, real, x, 7, norm, detach_real=True),
    ):
        x = fake.clone().requires_grad_()
        gradients.append(torch.autograd.grad(penalty(x), x)[0])
    torch.testing.assert_close(*gradients)
    if middle is nn.ReLU:
        assert (gradients[0].flatten(1).norm(dim=1) > 0).sum() == 7  # only the pairs' fakes


def g_moment(D: nn.Module, real: Tensor, fake: Tensor) -> Moment:
    taps: list[Tensor] = []
    logits = D(fake, None, taps)
    return Moment(
        10_000, nn.Identity(), D, None, side(fake, logits, taps), real, Loss(), torch.zeros(()), torch.Generator()
    )


def test_sdp_is_zero_where_fakes_are_reals_and_ignores_their_order() -> None:
    D, real, fake, order = Relus(), images(16), images(16), torch.randperm(16)
    assert sdp_part().d_penalty(moment(D, real, real[order], step=5000)) == 0
    a, b = (sdp_part().d_penalty(moment(D, x, fake, step=5000)) for x in (real, real[order]))
    torch.testing.assert_close(a, b)


def test_sdp_starts_late_and_takes_more_pairs_with_time() -> None:
    D, real, fake = Relus(), images(8), images(8)
    assert sdp_part().d_penalty(moment(D, real, fake, step=2999)) is None
    assert sdp_part().d_penalty(moment(D, real, fake, step=3000)) is not None
    assert [sdp_part().pairs(s) for s in (3000, 4999, 5000, 9999, 10_000, 99_999, 100_000)] == [5, 5, 6, 6, 7, 24, 25]
    whole = sdp_part().d_penalty(moment(D, real, fake, step=100_000))  # k is cut at the batch
    torch.testing.assert_close(whole, plain_sdp(D, real, fake, 8, "squared"))


def test_sdp_survives_a_dead_block_and_refuses_classes() -> None:
    D = Relus()
    with torch.no_grad():
        D.blocks[0].weight.zero_()
        D.blocks[0].bias.fill_(-1)
    penalty = sdp_part().d_penalty(moment(D, images(8), images(8), step=5000))
    gradients = torch.autograd.grad(penalty, list(D.parameters()), allow_unused=True)
    assert torch.isfinite(penalty) and all(g is None or g.isfinite().all() for g in gradients)
    with pytest.raises(GanbenchError, match="unconditional"):
        sdp_part().d_penalty(moment(Relus(3), images(8), images(8), labels=(torch.zeros(8, dtype=torch.long),) * 2))


# Adaptive weights


def adaptive(epsilon: float = 0.05) -> adaptive_weights.AdaptiveWeights:
    return adaptive_weights.build(alpha1=0.5, alpha2=0.75, delta=0.05, epsilon=epsilon)


@pytest.mark.parametrize(
    ("scores", "rf", "expected"),
    [
        ((0.4, 0.2), -3.0, ("r", "projected")),
        ((0.4, 0.2), 3.0, ("r", 0.0)),  # real images score low
        ((0.6, 0.7), -3.0, ("r", "projected")),
        ((0.6, 0.7), 3.0, ("r", 0.0)),  # or lower than fakes
        ((0.8, 0.2), -3.0, ("projected", "f")),
        ((0.8, 0.2), 3.0, (0.0, "f")),  # they are well off
        ((0.8, 0.9), -3.0, ("r", "projected")),  # high, but fakes are higher
        ((0.6, 0.2), -3.0, ("r", "f")),
        ((0.6, 0.2), 3.0, ("r", "f")),
        ((0.6, 0.62), 3.0, ("r", "f")),
    ],
)
def test_adaptive_weights_case_by_case(scores: tuple[float, float], rf: float, expected: tuple) -> None:
    """Algorithm 1, normalised, with ‖∇r‖² = 4, ‖∇f‖² = 9 and 1e-4 on both."""
    rr, ff = 4 + 1e-4, 9 + 1e-4
    weights = {"r": rr**-0.5, "f": ff**-0.5, 0.0: 0.0}
    projected = {0: 3.0 / (rr * ff**0.5), 1: 3.0 / (ff * rr**0.5)}
    want = [0.05 + (projected[i] if w == "projected" else weights[w]) for i, w in enumerate(expected)]
    found = adaptive().weights(4.0, 9.0, rf, *scores)
    assert found == pytest.approx(want, rel=1e-12) and min(found) > 0


def test_adaptive_gradient_is_the_weighted_one_and_orthogonal_where_gradients_disagree() -> None:
    """At scores below α1 (a new D), with ε = 0: the step does not move the fake half, up to the 1e-4 in ‖∇f‖²."""
    D, real, fake = Relus(), images(30), images(30)
    criterion = non_saturating.build(d_scale=1.0)
    with torch.no_grad():
        D.head.bias -= 3
    at = moment(D, real, fake, criterion=criterion)
    parameters = list(D.parameters())
    halves = criterion.d_halves(at.real, at.fake)
    r, f = (torch.cat([g.flatten() for g in torch.autograd.grad(h, parameters, retain_graph=True)]) for h in halves)
    assert r @ f < 0 and at.real.logits.sigmoid().mean() < 0.5
    part = adaptive(epsilon=0.0)
    total = criterion.d_loss(at.real, at.fake) + part.d_penalty(at)
    found = torch.cat([g.flatten() for g in torch.autograd.grad(total, parameters)])
    norm_r, norm_f = ((v @ v + 1e-4).sqrt() for v in (r, f))
    torch.testing.assert_close(found, r / norm_r - (r @ f) / (norm_f**2 * norm_r) * f, rtol=1e-9, atol=1e-12)
    assert abs(found @ f) <= 1.001e-4 / (f @ f) * abs(r @ f) / norm_r  # what the 1e-4 leaves of it


# Output scale, dequantisation, spectral norm


def test_output_scale_scales_logits_and_leaves_features() -> None:
    net, x, a, b = Relus(4), images(5), [], []
    labels = torch.arange(5) % 4
    _, D = output_scale.build(k=0.8333).build(nn.Identity(), net)
    torch.testing.assert_close(D(x, labels, a), 0.8333 * net(x, labels, b))
    assert all(torch.equal(p, q) for p, q in zip(a, b, strict=True)) and D.piecewise_linear is True
    assert output_scale.build(k=2.0).build(nn.Identity(), nn.Linear(1, 1))[1].piecewise_linear is False


def test_dequantise_adds_uniform_noise_to_real_images_only() -> None:
    part, rng = dequantise.build(width=2 / 256), torch.Generator().manual_seed(0)
    x = images(50, 16)
    assert part.augment(x, False, rng) is x
    noise = part.augment(x, True, rng) - x
    torch.testing.assert_close(
        noise, 2 / 256 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0)), rtol=1e-9, atol=1e-12
    )
    assert noise.min() >= -1e-15 and noise.max() < 2 / 256 and abs(noise.mean() - 1 / 256) < 1e-4


def test_spectral_norm_iterates_in_both_steps() -> None:
    """One power iteration a pass: D's u moves in the D step (real and fake) and again in G's, as in Mimicry's code."""
    gan = small_gan(
        "hinge", {"margin": 1.0, "margin_jitter": 0.0}, ("spectral-norm", {"player": "D"}), d_pass="separate"
    )
    layer = gan.D.blocks[1]

    def iterated(u: Tensor, times: int) -> Tensor:
        for _ in range(times):
            v = F.normalize(layer.weight.detach().flatten(1).t() @ u, dim=0)
            u = F.normalize(layer.weight.detach().flatten(1) @ v, dim=0)
        return u

    expected = iterated(layer.u.clone(), 2)
    d_step(gan, (images(8), None), gan.fakes(8).detached())  # both passes come before the weights move
    torch.testing.assert_close(layer.u, expected)
    expected = iterated(layer.u.clone(), 1)
    g_step(gan, gan.fakes(8), images(8))
    torch.testing.assert_close(layer.u, expected)


# Whole training steps


def plain_gp(weight: float, target: float) -> Callable:
    def penalty(D: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        alpha = torch.rand(len(real), 1, 1, 1, generator=rng)
        x = (alpha * fake + (1 - alpha) * real).requires_grad_()
        (g,) = torch.autograd.grad(D(x), x, torch.ones(len(x)), create_graph=True)
        return weight * ((g.pow(2).sum(dim=(1, 2, 3)).sqrt() - target) ** 2).mean()

    return penalty


def plain_cr(D: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    flips, shifts = consistency.build(weight=5.0, flip=0.5, shift=0.2, fill=-1.0).draw(8, 8, len(real), rng)
    return 5 * F.mse_loss(D(transform(real, flips, shifts, -1.0)), D(real))


def plain_dequantised(d: Callable, penalty: Callable) -> Callable:
    def d_loss(D: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        real = real + torch.rand(real.shape, generator=rng) / 128
        return d(D(real), D(fake)) + penalty(D, real, fake, rng)

    return d_loss


def plain_adaptive(D: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """The weighted loss, its weights from whole gradients as ``aw_loss.py`` takes them."""
    r, f = F.softplus(-D(real)).mean(), F.softplus(D(fake)).mean()
    gr, gf = (
        torch.cat([g.flatten() for g in torch.autograd.grad(h, list(D.parameters()), retain_graph=True)])
        for h in (r, f)
    )
    w = adaptive().weights(
        (gr @ gr).item(),
        (gf @ gf).item(),
        (gr @ gf).item(),
        D(real).sigmoid().mean().item(),
        D(fake).sigmoid().mean().item(),
    )
    return w[0] * r + w[1] * f


def hinge_d(r: Tensor, f: Tensor) -> Tensor:
    return (1 - r).clamp_min(0).mean() + (1 + f).clamp_min(0).mean()


def critic_d(r: Tensor, f: Tensor) -> Tensor:
    return f.mean() - r.mean()


def squares_d(r: Tensor, f: Tensor) -> Tensor:
    return ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2


HINGE = ("hinge", {"margin": 1.0, "margin_jitter": 0.0})
SDP_EARLY = ("sdp", {"weight": 0.01, "start": 1, "k": 3, "k_every": 1, "norm": "squared"})
CASES: dict[str, tuple] = {  # loss, parts, D's plain loss, G's
    "WGAN-GP": (
        ("wasserstein", {}),
        [("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"})],
        lambda D, x, y, rng: critic_d(D(x), D(y)) + plain_gp(10, 1)(D, x, y, rng),
        lambda D, y, x: -D(y).mean(),
    ),
    "WGAN-GP, dequantised": (
        ("wasserstein", {}),
        [("gradient-penalty", {"weight": 10.0, "target": 0.5, "sides": "two"}), ("dequantise", {"width": 0.0078125})],
        plain_dequantised(critic_d, plain_gp(10, 0.5)),
        lambda D, y, x: -D(y).mean(),
    ),
    "hinge": (HINGE, [], lambda D, x, y, rng: hinge_d(D(x), D(y)), lambda D, y, x: -D(y).mean()),
    "hinge, scaled": (
        HINGE,
        [("output-scale", {"k": 0.8333})],
        lambda D, x, y, rng: hinge_d(0.8333 * D(x), 0.8333 * D(y)),
        lambda D, y, x: -0.8333 * D(y).mean(),
    ),
    "hinge-CR": (
        HINGE,
        [("consistency", {"weight": 5.0, "flip": 0.5, "shift": 0.2, "fill": -1.0})],
        lambda D, x, y, rng: hinge_d(D(x), D(y)) + plain_cr(D, x, y, rng),
        lambda D, y, x: -D(y).mean(),
    ),
    "LSGAN": (
        ("least-squares", {"real": 1.0, "fake": 0.0}),
        [],
        lambda D, x, y, rng: squares_d(D(x), D(y)),
        lambda D, y, x: ((D(y) - 1) ** 2).mean() / 2,
    ),
    "aw": (
        ("non-saturating", {"d_scale": 1.0}),
        [("adaptive-weights", {"alpha1": 0.5, "alpha2": 0.75, "delta": 0.05, "epsilon": 0.05})],
        plain_adaptive,
        lambda D, y, x: F.softplus(-D(y)).mean(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_training_steps_equal_a_plain_formulation(name: str) -> None:
    """Three steps of G and six of D: every parameter and buffer."""
    loss, parts, d_loss, g_loss = CASES[name]
    gan = small_gan(*loss, *parts, d_pass="separate")
    inner = gan.D.net if any(part == "output-scale" for part, _ in parts) else gan.D
    compare(gan, inner, d_loss, g_loss)


@pytest.mark.parametrize("step", [0, 1], ids=["before it starts", "after"])
def test_training_steps_with_sdp_equal_a_plain_formulation(step: int) -> None:
    """One step each, since k grows: k = 3 + step pairs after step 1, and none before."""
    gan = small_gan("least-squares", {"real": 1.0, "fake": 0.0}, SDP_EARLY, step=step)
    d_extra = (lambda D, x, y: plain_sdp(D, x, y, 4, "squared")) if step else (lambda D, x, y: 0)
    g_extra = (lambda D, y, x: plain_sdp(D, x, y, 4, "squared", detach_real=True)) if step else (lambda D, y, x: 0)
    compare(
        gan,
        gan.D,
        lambda D, x, y, rng: squares_d(D(x), D(y)) + d_extra(D, x, y),
        lambda D, y, x: ((D(y) - 1) ** 2).mean() / 2 + g_extra(D, y, x),
        steps=1,
    )


def compare(gan: Gan, inner: nn.Module, d_loss: Callable, g_loss: Callable, steps: int = 3) -> None:
    reals = [images(8) for _ in range(2 * steps)]
    start = copy.deepcopy(inner)
    G, D = plain_steps(gan, inner, reals, d_loss, g_loss)
    feed = iter(reals)
    for _ in range(steps):
        train_step(gan, lambda: (next(feed), None))
    assert_same_players(gan, inner, G, D)
    assert max((a - b).abs().max() for a, b in zip(start.parameters(), inner.parameters())) > 1e-4


def test_parts_of_the_suites_take_the_arguments_that_these_tests_give() -> None:
    """Every loss and part that the three papers' suites name is one of ours, with the same arguments."""
    from pathlib import Path

    from benchmark.catalogue import plugin
    from benchmark.suite.load import load

    names = set()
    for suite in ("pgn", "gran", "sdp"):
        for cell in load(Path(f"suites/{suite}.yaml")).cells:
            for name, args in (cell.recipe.loss, *cell.recipe.parts):
                plugin("methods", name).check(args)
                assert args.keys() == plugin("methods", name).arguments.keys(), f"{suite}: {name}"
                names.add(name)
    assert len(names) >= 14, names
