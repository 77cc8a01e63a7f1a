"""GN, PGN and GraN: their closed forms, the cheap G step against plain double backpropagation, and whole training
steps.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.catalogue import plugin, plugins
from benchmark.errors import GanbenchError
from benchmark.methods import gn, gran, hinge, pgn
from benchmark.methods.part import Part
from benchmark.metrics.jacobian import statistics
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.small_nets import Linear, Relus, assert_same_players, frozen, plain_steps, side, small_gan

PARTS: dict[str, Part] = {
    "gn": gn.build(),
    "pgn": pgn.build(form="released"),
    "pgn-appendix": pgn.build(form="appendix"),
    "gran": gran.build(tau=1.2, eps=1e-8),
}
SUITE = {
    "gn": ("gn", {}),
    "pgn": ("pgn", {"form": "released"}),
    "pgn-appendix": ("pgn", {"form": "appendix"}),
    "gran": ("gran", {"tau": 1.2, "eps": 1e-8}),
}
every_method = pytest.mark.parametrize("name", PARTS)


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def plainly(name: str, net: nn.Module, x: Tensor, labels: Tensor | None = None) -> Tensor:
    """f̂ as the papers write it, everything in the graph; x must carry gradient."""
    f = net(x, labels)
    (g,) = torch.autograd.grad(f.sum(), x, create_graph=True)
    g = g.reshape(len(x), -1)
    n = g.pow(2).sum(1).sqrt()
    if name == "gn":
        return f / (n + f.abs())
    if name == "gran":
        return f / 1.2 * n / (n**2 + 1e-8)
    m = (1 - g).pow(2).sum(1).sqrt() if name == "pgn" else n
    return (1 - f) / (m + (1 - f).abs())


def wrapped(name: str, net: nn.Module) -> nn.Module:
    return PARTS[name].build(nn.Identity(), net)[1]


def gradient_norm(D: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """D(x) and ‖∂D/∂x‖ of each sample, both (B,)."""
    x = x.detach().requires_grad_()
    out = D(x)
    (g,) = torch.autograd.grad(out.sum(), x)
    return out.detach(), g.flatten(1).norm(dim=1)


def pieces(scale: float = 1.0) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A ReLU net, images, and its f and g there."""
    net = Relus()
    with torch.no_grad():
        net.head.weight.mul_(scale)
        net.head.bias.mul_(scale)
    x = torch.randn(20, 3, 8, 8, requires_grad=True)
    f = net(x)
    (g,) = torch.autograd.grad(f.sum(), x)
    return net, x.detach(), f.detach(), g.flatten(1)


both_steps = pytest.mark.parametrize("step", [lambda net: net, frozen], ids=["D's parameters open", "frozen"])


@both_steps
def test_gn_is_bounded_and_its_gradient_norm_is_the_closed_form(step: Callable) -> None:
    net, x, f, g = pieces()
    out, norm = gradient_norm(wrapped("gn", step(net)), x)
    n = g.norm(dim=1)
    assert out.abs().max() < 1
    torch.testing.assert_close(norm, (n / (n + f.abs())).square(), rtol=1e-12, atol=1e-12)
    assert norm.max() <= 1


def test_gn_ignores_the_scale_of_the_last_layer_and_never_clips_the_hinge() -> None:
    net, x, _, _ = pieces()
    before = wrapped("gn", net)(x)
    with torch.no_grad():
        net.head.weight.mul_(37.5)
        net.head.bias.mul_(37.5)
    after = wrapped("gn", net)(x)
    torch.testing.assert_close(before, after, rtol=1e-12, atol=1e-12)
    real, fake = side(x, after[:10]), side(x, after[10:])
    loss = hinge.build(margin=1.0, margin_jitter=0.0).d_loss(real, fake)
    torch.testing.assert_close(loss, 2 - after[:10].mean() + after[10:].mean(), rtol=1e-12, atol=1e-12)


@both_steps
def test_pgn_released_is_bounded_and_its_gradient_norm_is_the_closed_form(step: Callable) -> None:
    net, x, f, g = pieces(5.0)
    out, norm = gradient_norm(wrapped("pgn", step(net)), x)
    m = (1 - g).norm(dim=1)
    assert out.abs().max() < 1
    torch.testing.assert_close(norm, g.norm(dim=1) * m / (m + (1 - f).abs()).square(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("slope", "norm"), [(0.9, 8.97), (0.99, 96.2)])
@both_steps
def test_pgn_released_breaks_the_papers_bound(step: Callable, slope: float, norm: float) -> None:
    """A linear D with all slopes alike, at f = 0.999 (d = 48): Theorem 6's bound is 1."""
    net = Linear(torch.full((48,), slope))
    x = torch.full((1, 3, 4, 4), 0.999 / (48 * slope))
    _, found = gradient_norm(wrapped("pgn", step(net)), x)
    assert found.item() == pytest.approx(norm, abs=0.05) and found > 1


def test_pgn_released_is_a_sign_where_all_slopes_are_one() -> None:
    x = torch.randn(9, 3, 4, 4)
    out, norm = gradient_norm(wrapped("pgn", Linear(torch.ones(48))), x)
    assert torch.equal(out, (1 - x.flatten(1).sum(1)).sign()) and norm.max() == 0


def test_pgn_released_starts_at_the_square_root_of_the_dimension() -> None:
    """m ≈ √d where gradients are small, so that f̂ ≈ (1 − f)/(√d + |1 − f|)."""
    net, x, _, _ = pieces(1e-4)
    with torch.no_grad():
        f, out = net(x), wrapped("pgn", net)(x)
    torch.testing.assert_close(out, (1 - f) / (192**0.5 + (1 - f).abs()), rtol=1e-4, atol=0)


def test_pgn_appendix_is_gn_of_one_minus_f() -> None:
    class Flipped(Relus):
        def forward(self, x, labels=None, taps=None):
            return 1 - super().forward(x, labels, taps)

    net, x, _, _ = pieces(5.0)
    flipped = Flipped()
    flipped.load_state_dict(net.state_dict())
    theirs, ours = wrapped("gn", flipped), wrapped("pgn-appendix", net)
    assert torch.equal(ours(x), theirs(x))
    for a, b in zip(gradient_norm(ours, x), gradient_norm(theirs, x)):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
    assert gradient_norm(ours, x)[1].max() <= 1


@both_steps
@pytest.mark.parametrize(("tau", "eps"), [(1.2, 1e-8), (1.2, 0.1), (5.0, 1e-6)])
def test_gran_makes_the_gradient_norm_constant_within_a_piece(step: Callable, tau: float, eps: float) -> None:
    net, x, _, g = pieces()
    _, D = gran.build(tau=tau, eps=eps).build(nn.Identity(), step(net))
    out, norm = gradient_norm(D, x)
    square = g.square().sum(1)
    torch.testing.assert_close(norm, square / (square + eps) / tau, rtol=1e-12, atol=1e-14)
    _, halved = gran.build(tau=2 * tau, eps=eps).build(nn.Identity(), net)
    torch.testing.assert_close(halved(x), out / 2, rtol=1e-12, atol=0)


def test_gran_ignores_large_scales() -> None:
    net, x, _, _ = pieces(100.0)
    out = wrapped("gran", net)(x)
    with torch.no_grad():
        net.head.weight.mul_(1e4)
        net.head.bias.mul_(1e4)
    torch.testing.assert_close(wrapped("gran", net)(x), out, rtol=1e-7, atol=0)


class Passes(torch.autograd.Function):
    """The identity, which counts how often a gradient comes through it."""

    count = 0

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        Passes.count += 1
        return Passes.apply(gradient)


class Counted(Relus):
    def forward(self, x, labels=None, taps=None):
        return super().forward(Passes.apply(x), labels, taps)


def to_generator(D: Callable[[Tensor], Tensor], seed: int = 0) -> tuple[Tensor, list[Tensor]]:
    """A G's loss through D and the gradient of G's parameters."""
    torch.manual_seed(seed)
    G = nn.Sequential(nn.Linear(4, 30), nn.ReLU(), nn.Linear(30, 192), nn.Tanh(), nn.Unflatten(1, (3, 8, 8)))
    loss = F.softplus(-D(G(torch.randn(16, 4)))).mean()
    return loss.detach(), list(torch.autograd.grad(loss, list(G.parameters())))


@every_method
@pytest.mark.parametrize("classes", [None, 4])
def test_cheap_g_step_equals_double_backpropagation(name: str, classes: int | None) -> None:
    """Values and G's gradients to 1e-10, with one backward pass through D instead of two and a half."""
    net = frozen(Counted(classes))
    labels = None if classes is None else torch.arange(16) % classes
    loss, exact = to_generator(lambda x: plainly(name, net, x, labels))
    naive, Passes.count = Passes.count, 0
    ours, found = to_generator(lambda x: wrapped(name, net)(x, labels))
    assert Passes.count == 1 < naive
    torch.testing.assert_close(ours, loss, rtol=1e-12, atol=1e-14)
    for a, b in zip(found, exact):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    assert max(g.abs().max() for g in exact) > 1e-5


@every_method
def test_cheap_form_has_the_second_derivatives_too(name: str) -> None:
    """A penalty on G that differentiates D's answer by the images and then by G."""
    net = frozen(Relus())
    curvatures = []
    for D in (wrapped(name, net), lambda x: plainly(name, net, x)):
        x = torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(3)).requires_grad_()
        (g,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
        curvatures.append(torch.autograd.grad(g.square().sum() + 0 * x.sum(), x)[0])  # GraN is linear in f: zero
    torch.testing.assert_close(*curvatures, rtol=1e-9, atol=1e-13)


def published_discriminators() -> list[str]:
    """Each network of the three papers' suites that a normalised D may be, by its name."""
    cells = (cell for suite in ("pgn", "gran", "sdp") for cell in load(Path(f"suites/{suite}.yaml")).cells)
    known = plugins("networks")
    return sorted({cell.recipe.network[0] for cell in cells} & known.keys())


@pytest.mark.parametrize("network", published_discriminators())
def test_cheap_g_step_is_exact_on_the_papers_networks(network: str) -> None:
    """D's answers and their gradients by the images, for a D that calls itself piecewise linear; a wrong claim shows
    here.
    """
    cells = (cell for suite in ("pgn", "gran", "sdp") for cell in load(Path(f"suites/{suite}.yaml")).cells)
    recipe = next(cell.recipe for cell in cells if cell.recipe.network[0] == network and cell.recipe.resolution == 32)
    _, D = (
        plugin("networks", network)
        .load()
        .build((3, 32, 32), 128, recipe.classes, **recipe.network[1] | {"width": 0.0625})
    )
    x = (torch.rand(4, 3, 32, 32) * 2 - 1).requires_grad_()
    labels = None if recipe.classes is None else torch.arange(4)
    D = frozen(D.double())
    for name in ("gn", "pgn", "gran"):
        ours, exact = wrapped(name, D)(x, labels), plainly(name, D, x, labels)
        torch.testing.assert_close(ours, exact, rtol=1e-10, atol=1e-12)
        a, b = (torch.autograd.grad(y.square().sum(), x)[0] for y in (ours, exact))
        torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-14)
        assert b.abs().max() > 0


class Norm(nn.BatchNorm2d):
    def __init__(self) -> None:
        super().__init__(6)


class Honest(Relus):
    piecewise_linear = False


class Silent(nn.Module):
    """Says nothing about itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Relus(middle=nn.Softplus)

    def forward(self, x, labels=None, taps=None):
        return self.inner(x, labels, taps)


@every_method
@pytest.mark.parametrize(
    "net",
    [lambda: Honest(middle=nn.Tanh), lambda: Relus(middle=Norm), Silent],
    ids=["says it is not", "has BatchNorm", "says nothing"],
)
def test_g_step_goes_the_long_way_where_d_is_not_piecewise_linear(name: str, net: Callable[[], nn.Module]) -> None:
    net = frozen(net())
    loss, exact = to_generator(lambda x: plainly(name, net, x))
    ours, found = to_generator(wrapped(name, net))
    torch.testing.assert_close([ours, *found], [loss, *exact], rtol=1e-10, atol=1e-12)


@every_method
@pytest.mark.parametrize("open_", ["all", "head", "first"])
@pytest.mark.parametrize("images_carry", [False, True])
def test_d_step_equals_double_backpropagation(name: str, open_: str, images_carry: bool) -> None:
    """D's gradients through f̂, also where D is partly frozen, on real and fake images in one pass or two."""
    net, real, fake = Relus(), torch.randn(7, 3, 8, 8), torch.randn(5, 3, 8, 8)
    net.requires_grad_(open_ == "all")
    for part in {"head": [net.head], "first": [net.blocks[0]]}.get(open_, []):
        part.requires_grad_(True)
    parameters = [p for p in net.parameters() if p.requires_grad]

    def gradients(real: Tensor, fake: Tensor) -> list[Tensor]:
        loss = F.softplus(-real).mean() + F.softplus(fake).mean()
        return [loss.detach(), *torch.autograd.grad(loss, parameters)]

    exact = gradients(*(plainly(name, net, x.clone().requires_grad_()) for x in (real, fake)))
    D, both = wrapped(name, net), torch.cat([real, fake]).requires_grad_(images_carry)
    torch.testing.assert_close(gradients(*D(both).split([7, 5])), exact, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(gradients(D(real), D(fake)), exact, rtol=1e-10, atol=1e-12)
    assert not real.requires_grad and both.grad is None


@every_method
def test_feature_maps_pass_and_carry_gradient(name: str) -> None:
    net = Relus()
    for step in (lambda net: net, frozen):
        D, x, taps, inner = wrapped(name, step(net)), torch.randn(2, 3, 8, 8, requires_grad=True), [], []
        out = D(x, None, taps)
        net(x, None, inner)
        assert len(taps) == 2 and all(torch.equal(a, b) and a.requires_grad for a, b in zip(taps, inner))
        torch.testing.assert_close(out, plainly(name, net, x), rtol=1e-12, atol=1e-14)


@every_method
def test_probes_work_without_gradients_and_in_eval_mode(name: str) -> None:
    net, x, taps = Relus(), torch.randn(6, 3, 8, 8), []
    D = wrapped(name, net).eval()
    with torch.no_grad():
        out = D(x, None, taps)
    assert not out.requires_grad and not any(t.requires_grad for t in taps) and not x.requires_grad
    assert all(p.requires_grad and p.grad is None for p in net.parameters())
    torch.testing.assert_close(out, plainly(name, net, x.clone().requires_grad_()).detach(), rtol=1e-12, atol=1e-14)
    G = nn.Sequential(nn.Linear(4, 192), nn.Unflatten(1, (3, 8, 8))).eval()
    z = torch.randn(6, 4)
    _, norm = gradient_norm(lambda x: D(x).sigmoid(), G(z))
    torch.testing.assert_close(statistics(G, D, z, ["jac_D"])["jac_D"], norm, rtol=1e-10, atol=1e-14)


def test_the_wrapper_shows_the_net_and_is_not_piecewise_linear_itself() -> None:
    net = Relus()
    D = wrapped("gn", net)
    assert D.net is net and D.piecewise_linear is False and list(D.parameters()) == list(net.parameters())
    with pytest.raises(GanbenchError, match="one logit"):
        wrapped("gn", Relus(outputs=3))(torch.randn(2, 3, 8, 8))


LOSSES = {
    "hinge": (
        {"margin": 1.0, "margin_jitter": 0.0},
        lambda r, f: (1 - r).clamp_min(0).mean() + (1 + f).clamp_min(0).mean(),
        lambda f: -f.mean(),
    ),
    "non-saturating": (
        {"d_scale": 1.0},
        lambda r, f: (
            F.binary_cross_entropy_with_logits(r, torch.ones_like(r))
            + F.binary_cross_entropy_with_logits(f, torch.zeros_like(f))
        ),
        lambda f: F.binary_cross_entropy_with_logits(f, torch.ones_like(f)),
    ),
    "soft-hinge": (
        {},
        lambda r, f: (1 + (1 - r).exp()).log().mean() + (1 + (1 + f).exp()).log().mean(),
        lambda f: -f.mean(),
    ),
}


@every_method
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("d_pass", ["joint", "separate"])
def test_training_steps_equal_a_plain_formulation(name: str, loss: str, d_pass: str) -> None:
    """Three steps of G and six of D: every parameter and buffer."""
    args, d, g = LOSSES[loss]
    gan = small_gan(loss, args, SUITE[name], d_pass=d_pass)
    reals = [torch.rand(8, 3, 8, 8) * 2 - 1 for _ in range(6)]

    def d_loss(D: nn.Module, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        return d(plainly(name, D, real.clone().requires_grad_()), plainly(name, D, fake.clone().requires_grad_()))

    G, D = plain_steps(gan, gan.D.net, reals, d_loss, lambda D, fake, real: g(plainly(name, D, fake)))
    start, feed = copy.deepcopy(gan.D.net), iter(reals)
    for _ in range(3):
        train_step(gan, lambda: (next(feed), None))
    assert_same_players(gan, gan.D.net, G, D)
    moved = max((a - b).abs().max() for a, b in zip(start.parameters(), D.parameters()))
    assert moved > 1e-4


def shifted(images: Tensor, rng: torch.Generator) -> Tensor:
    """GN-GAN's augmentation, an image at a time: 8 bits, half of them flipped, up to a fifth of the side to anywhere,
    black beyond.
    """
    flips = torch.rand(len(images), generator=rng) < 0.5
    moves = ((2 * torch.rand(2, len(images), generator=rng) - 1) * 0.2 * images.shape[-1]).round().long()
    out = torch.full_like(images, -1.0)
    for i, image in enumerate(images):
        image = ((image + 1) / 2 * 255).floor() / 255 * 2 - 1
        image = image.flip(2) if flips[i] else image
        right, down = moves[:, i].tolist()
        height, width = image.shape[1:]
        rows, columns = range(max(0, down), min(height, height + down)), range(max(0, right), min(width, width + right))
        for row in rows:
            out[i, :, row, columns.start : columns.stop] = image[
                :, row - down, columns.start - right : columns.stop - right
            ]
    return out


@pytest.mark.parametrize(
    ("name", "cell_id"), [("pgn", "pgn/II/PGN-GAN-CR[CNN]/cifar10"), ("gn", "pgn/II/GN-GAN-CR[CNN]/cifar10")]
)
def test_the_cnns_with_consistency_train_as_a_plain_formulation_does(name: str, cell_id: str) -> None:
    """The suite's own recipes at reduced width, several steps: normalisation, consistency, loss and network
    together.
    """
    (cell,) = [c for c in load(Path("suites/pgn.yaml"), "reduced").cells if c.id == cell_id]
    gan = Gan(dataclasses.replace(cell.recipe, batch_d=6, batch_g=8), 0, total_steps=10)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D.net)
    opt_g, opt_d = (torch.optim.Adam(player.parameters(), 2e-4, (0.0, 0.9), foreach=False) for player in (G, D))
    noise, augment = torch.Generator(), torch.Generator()
    noise.set_state(gan.rng["noise"].get_state())
    augment.set_state(gan.rng["augment"].get_state())
    d, g = LOSSES[cell.recipe.loss[0]][1:]
    reals = [torch.rand(6, 3, 32, 32) * 2 - 1 for _ in range(4)]
    for real in reals:
        with torch.no_grad():
            fakes = G(torch.randn(6, 128, generator=noise))
        on_real = plainly(name, D, real.clone().requires_grad_())
        moved = plainly(name, D, shifted(real, augment).requires_grad_())
        opt_d.zero_grad()
        (d(on_real, plainly(name, D, fakes.requires_grad_())) + 5 * (moved - on_real).square().mean()).backward()
        opt_d.step()
        opt_g.zero_grad()
        g(plainly(name, D, G(torch.randn(8, 128, generator=noise)))).backward()
        opt_g.step()
    feed = iter(reals)
    for _ in reals:
        train_step(gan, lambda: (next(feed), None))
    assert_same_players(gan, gan.D.net, G, D)
