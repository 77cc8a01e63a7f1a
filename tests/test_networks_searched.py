"""AutoGAN's and E²GAN's derived networks and DCGAN against their sources' counts and plain formulations written
here.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import spectral_norm
from benchmark.networks import autogan, dcgan, e2gan

NORMED = dict(g_norm="batch", d_norm="batch")
PLAIN = dict(g_norm="none", d_norm="none")
PAIRS = [
    (autogan, 32, {}),
    (autogan, 48, {}),
    (e2gan, 32, {}),
    (e2gan, 48, {}),
    (dcgan, 32, NORMED),
    (dcgan, 64, NORMED),
    (dcgan, 64, PLAIN),
]
NAMES = ["autogan 32", "autogan 48", "e2gan 32", "e2gan 48", "dcgan 32", "dcgan 64", "dcgan 64 without norms"]
each_pair = pytest.mark.parametrize(("network", "size", "args"), PAIRS, ids=NAMES)


def pair(network: ModuleType, size: int, args: dict[str, str], width: float = 1 / 16) -> tuple[Any, Any]:
    torch.manual_seed(0)
    G, D = network.build((3, size, size), 12, None, width=width, **args)
    return G.double(), D.double()


def counts(network: ModuleType, size: int, z_dim: int, **args: str) -> tuple[int, ...]:
    with torch.device("meta"):
        players = network.build((3, size, size), z_dim, None, width=1.0, **args)
    return tuple(sum(p.numel() for p in player.parameters()) for player in players)


def test_parameter_counts_of_the_searched_networks() -> None:
    """AutoGAN's by hand: linear, six 3x3, two shortcuts and three incoming 1x1, last norm, last convolution."""
    conv, one, image = 256 * 256 * 9 + 256, 256 * 256 + 256, 512 + 256 * 27 + 3
    for size, bottom in ((32, 16), (48, 36)):
        assert counts(autogan, size, 128) == (
            129 * 256 * bottom + 6 * conv + 5 * one + image,
            1_053_825 - 1,
        )  # SN-GAN's D but for a bias
    assert counts(e2gan, 32, 128) == (4_867_331, 1_053_824) and counts(e2gan, 48, 128) == (5_527_811, 1_053_824)


def test_parameter_counts_of_dcgan() -> None:
    """PyTorch's DCGAN example has 3,576,704 and 2,765,568 without any bias: ours has one where no BatchNorm follows."""
    assert counts(dcgan, 64, 100, **NORMED) == (3_576_704 + 3, 2_765_568 + 64 + 1)
    widths = [
        128 * 16,
        4 * 16,
        2 * 16,
        16,
    ]  # fan-in times kernel of the 4x4 convolutions at 32 pixels, in units of 64 channels
    kernels = widths[0] * 256 + 64 * (64 * widths[1] * 2 + 64 * widths[2]) + 64 * 16 * 3
    assert counts(dcgan, 32, 128, **NORMED)[0] == kernels + 2 * (256 + 128 + 64) + 3
    assert counts(dcgan, 32, 128, **PLAIN)[0] == kernels + (256 + 128 + 64) + 3


@each_pair
def test_shapes_taps_and_gradients_to_every_parameter(network: ModuleType, size: int, args: dict[str, str]) -> None:
    G, D = pair(network, size, args)
    for player in (G, D):
        player.eval()  # in training mode BatchNorm takes the gradient of a bias before it to exactly 0
    x = G(torch.randn(4, 12, dtype=torch.float64), None)
    taps: list[Tensor] = []
    logits = D(x, None, taps)
    assert x.shape == (4, 3, size, size) and x.abs().max() <= 1 and logits.shape == (4,)
    halvings = [size // 2, size // 4, size // 8, size // 16] if size == 64 else [size // 2, size // 4, size // 8]
    assert [t.shape[2] for t in taps] == (
        halvings if network is dcgan else [size // 2, size // 4, size // 4, size // 4]
    )
    assert torch.equal(D(x), logits)
    logits.square().sum().backward()
    for player in (G, D):
        assert not [name for name, p in player.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@each_pair
def test_second_derivatives_are_right(network: ModuleType, size: int, args: dict[str, str]) -> None:
    """The gradient of ‖∂f/∂x‖² by D's weights, against a central difference along one direction."""
    _, D = pair(network, size, args, width=1 / 32)
    x = (torch.rand(4, 3, size, size, dtype=torch.float64) * 2 - 1).requires_grad_()

    def squared_norm() -> Tensor:
        return torch.autograd.grad(D(x).sum(), x, create_graph=True)[0].square().sum()

    weights = [p for p in D.parameters() if p.ndim == 4]
    grads = torch.autograd.grad(squared_norm(), weights)
    step, ways = (
        1e-8,
        [torch.randn_like(w) * w.detach().std() for w in weights],
    )  # so small that no unit crosses its kink
    values = []
    for sign in (1, -2):  # to +step, then to -step
        with torch.no_grad():
            for w, way in zip(weights, ways):
                w += sign * step * way
        values.append(squared_norm().item())
    slope = sum((g * way).sum().item() for g, way in zip(grads, ways))
    assert slope == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5) and slope != 0


@each_pair
def test_piecewise_linear_is_true_where_it_is_said(network: ModuleType, size: int, args: dict[str, str]) -> None:
    """The gradient by x stays what it is a little further on, or changes in proportion to the way."""
    _, D = pair(network, size, args)
    assert D.piecewise_linear is (args != NORMED)
    x = torch.rand(4, 3, size, size, dtype=torch.float64) * 2 - 1
    here, there = (
        torch.autograd.grad(D(at.requires_grad_()).sum(), at)[0] for at in (x.clone(), x + 1e-8 * torch.randn_like(x))
    )
    change = ((there - here).abs().max() / here.abs().max()).item()
    assert (change < 1e-13) is D.piecewise_linear, change


def plain_autogan(state: dict[str, Tensor], z: Tensor, in_place: bool) -> Tensor:
    """AutoGAN's G in training mode as its source runs it: resizing before every 1x1, the incoming maps added in
    place.
    """

    def conv(h: Tensor, name: str) -> Tensor:
        weight = state[name + ".weight"]
        return F.conv2d(h, weight, state[name + ".bias"], padding=weight.shape[2] // 2)

    h = (z @ state["linear.weight"].T + state["linear.bias"]).reshape(
        len(z), state["norm.weight"].shape[0], *2 * [autogan_bottom(state)]
    )
    handed: list[Tensor] = []
    for cell, mode in (("cell1", "nearest"), ("cell2", "bilinear"), ("cell3", "nearest")):
        a = conv(F.interpolate(F.relu(h), scale_factor=2, mode=mode), cell + ".conv1")
        b = a if in_place else a.clone()
        for n, maps in enumerate(handed):
            b += conv(F.interpolate(maps, size=a.shape[2:], mode=mode), f"{cell}.incoming.{n}")
        handed.append(a)
        b = conv(F.relu(b), cell + ".conv2")
        if cell + ".skip.weight" in state:
            b += conv(F.interpolate(h, scale_factor=2, mode=mode), cell + ".skip")
        h = b
    return torch.tanh(conv(F.relu(batch_norm(state, "norm", h)), "to_image"))


def autogan_bottom(state: dict[str, Tensor]) -> int:
    return round((len(state["linear.bias"]) / len(state["norm.bias"])) ** 0.5)


def batch_norm(state: dict[str, Tensor], name: str, h: Tensor) -> Tensor:
    mean = h.mean((0, 2, 3), keepdim=True)
    h = (h - mean) / ((h - mean).square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()
    return h * state[name + ".weight"][:, None, None] + state[name + ".bias"][:, None, None]


@pytest.mark.parametrize("size", [32, 48])
@torch.no_grad()
def test_autogan_hands_on_what_came_in_as_its_source_does(size: int) -> None:
    """Equal to the in-place formulation, and not to the one that it seems to be."""
    G, _ = pair(autogan, size, {})
    z = torch.randn(4, 12, dtype=torch.float64)
    state = {k: v.clone() for k, v in G.state_dict().items()}
    image = G(z)
    torch.testing.assert_close(image, plain_autogan(state, z, in_place=True), rtol=1e-10, atol=1e-12)
    assert (image - plain_autogan(state, z, in_place=False)).abs().max() > 0.01


@pytest.mark.parametrize("size", [32, 48])
@torch.no_grad()
def test_autogan_and_e2gan_share_the_d_of_sngan(size: int) -> None:
    """Against a plain formulation with the source's order of pooling."""
    _, D = pair(autogan, size, {})
    state, x = D.state_dict(), torch.rand(4, 3, size, size, dtype=torch.float64) * 2 - 1

    def conv(h: Tensor, n: int, name: str) -> Tensor:
        weight = state[f"blocks.{n}.{name}.weight"]
        return F.conv2d(h, weight, state[f"blocks.{n}.{name}.bias"], padding=weight.shape[2] // 2)

    h = F.avg_pool2d(conv(F.relu(conv(x, 0, "conv1")), 0, "conv2"), 2) + conv(F.avg_pool2d(x, 2), 0, "skip")
    h = F.avg_pool2d(conv(F.relu(conv(F.relu(h), 1, "conv1")), 1, "conv2"), 2) + F.avg_pool2d(conv(h, 1, "skip"), 2)
    for n in (2, 3):
        h = h + conv(F.relu(conv(F.relu(h), n, "conv1")), n, "conv2")
    torch.testing.assert_close(D(x), F.relu(h).flatten(2).sum(2) @ state["head.weight"][0], rtol=1e-10, atol=1e-12)
    assert type(pair(e2gan, size, {})[1]) is type(D)


@torch.no_grad()
def test_e2gan_equals_a_plain_reading_of_its_architecture_vector() -> None:
    """A cell is (pre or post, norm, up, shortcut, incoming); what the vector says is decoded here, not in the
    network.
    """
    G, _ = pair(e2gan, 32, {})
    state, z = G.state_dict(), torch.randn(4, 12, dtype=torch.float64)

    def conv(h: Tensor, name: str) -> Tensor:
        weight = state[name + ".weight"]
        return F.conv2d(h, weight, state[name + ".bias"], padding=weight.shape[2] // 2)

    def up(h: Tensor, kind: int, name: str) -> Tensor:
        if kind == 2:
            return F.conv_transpose2d(h, state[name + ".weight"], state[name + ".bias"], stride=2)
        return F.interpolate(h, scale_factor=2, mode=("bilinear", "nearest")[kind])

    h = (z @ state["linear.weight"].T + state["linear.bias"]).reshape(4, 16, 4, 4)
    handed: list[Tensor] = []
    for n, (pre, norm, kind, shortcut, incoming) in enumerate(
        ((0, 1, 0, 1, ""), (0, 1, 2, 1, "0"), (0, 1, 0, 1, f"{2:02b}"))
    ):
        assert (pre, norm, shortcut) == (0, 1, 1)
        cell = f"cell{n + 1}."
        a = F.relu(batch_norm(state, cell + "norm1", conv(up(h, kind, cell + "up1"), cell + "conv1")))
        handed.append(a)
        for flag, maps in zip(incoming, handed):
            if flag == "1":
                a = a + conv(F.interpolate(maps, size=a.shape[2:], mode="bilinear"), cell + "incoming")
        a = F.relu(batch_norm(state, cell + "norm2", conv(a, cell + "conv2")))
        h = a + conv(up(h, kind, cell + "up2"), cell + "skip")
    image = torch.tanh(conv(F.relu(batch_norm(state, "norm", h)), "to_image"))
    torch.testing.assert_close(G(z), image, rtol=1e-10, atol=1e-12)


def test_initialisation() -> None:
    """Xavier-uniform convolutions and N(1, 0.02²) gains for the searched ones; N(0, 0.02²) and the same gains for
    DCGAN.
    """
    torch.manual_seed(0)
    G, D = e2gan.build((3, 32, 32), 128, None, width=1.0)
    for conv in (G.cell1.conv1, D.blocks[1].conv1):
        assert conv.weight.abs().max().item() == pytest.approx((6 / (9 * 2 * len(conv.weight))) ** 0.5, rel=1e-3)
    assert G.cell2.up1.weight.abs().max().item() == pytest.approx(
        (1 / (256 * 4)) ** 0.5, rel=1e-3
    )  # PyTorch's own: not a Conv2d
    gains = torch.cat([m.weight for m in G.modules() if isinstance(m, nn.BatchNorm2d)])
    assert gains.mean().item() == pytest.approx(1, abs=0.003) and gains.std().item() == pytest.approx(0.02, rel=0.1)
    for player in dcgan.build((3, 64, 64), 128, None, width=1.0, **NORMED):
        for m in player.modules():
            if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
                assert m.weight.std().item() == pytest.approx(0.02, rel=0.05)


def test_dcgan_norms_are_where_its_paper_has_them() -> None:
    G, D = pair(dcgan, 64, NORMED)
    assert [m.num_features for m in G.modules() if isinstance(m, nn.BatchNorm2d)] == [32, 16, 8, 4]
    assert [m.num_features for m in D.modules() if isinstance(m, nn.BatchNorm2d)] == [8, 16, 32]
    for player in pair(dcgan, 64, PLAIN):
        assert not [m for m in player.modules() if isinstance(m, nn.BatchNorm2d)]
    slopes = {m.negative_slope for m in D.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}


def test_spectral_norm_reaches_every_layer_of_autogans_d() -> None:
    G, D = pair(autogan, 32, {})
    spectral_norm.build(player="D").build(G, D)
    assert {n for n, m in D.named_modules() if hasattr(m, "u")} == {
        n for n, m in D.named_modules() if isinstance(m, (nn.Linear, nn.Conv2d))
    }


@pytest.mark.parametrize(
    ("network", "args", "size", "says"),
    [(autogan, {}, 64, "48x48"), (e2gan, {}, 28, "e2gan"), (dcgan, NORMED, 48, "64x64")],
)
def test_what_is_not_offered_is_refused(network: ModuleType, args: dict[str, str], size: int, says: str) -> None:
    with pytest.raises(GanbenchError, match=says):
        network.build((3, size, size), 12, None, width=0.1, **args)
    with pytest.raises(GanbenchError, match="unconditional"):
        network.build((3, 32, 32), 12, 10, width=0.1, **args)
