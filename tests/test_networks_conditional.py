"""BigGAN against the sources' parameter counts, a plain formulation written here, and what its parts promise."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.catalogue import plugin
from benchmark.errors import GanbenchError
from benchmark.methods import spectral_norm
from benchmark.networks import biggan, biggan_blocks

CIFAR: dict[str, Any] = dict(ch=64, head="projection", attention=0, shared_dim=0, z_chunks=1, init="N02")
OMNI = CIFAR | dict(head="omni")
IMAGENET_64 = CIFAR | dict(attention=32, shared_dim=128, z_chunks=5, init="orthogonal")
IMAGENET_128 = IMAGENET_64 | dict(attention=64, z_chunks=6)


def pair(size: int, args: dict[str, Any], classes: int = 3, width: float = 1 / 16, z_dim: int = 30) -> tuple[Any, Any]:
    """A narrow pair in float64, with every gain of attention away from the 0 at which it begins."""
    torch.manual_seed(0)
    G, D = biggan.build((3, size, size), z_dim, classes, width=width, **args)
    for module in (*G.modules(), *D.modules()):
        if isinstance(module, biggan.Attention):
            nn.init.constant_(module.gain, 0.7)
    return G.double(), D.double()


def batch(D: nn.Module, size: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    return torch.rand(2 * classes, 3, size, size, dtype=torch.float64) * 2 - 1, torch.arange(2 * classes) % classes


@pytest.mark.parametrize(
    ("size", "args", "classes", "counts"),
    [
        (32, CIFAR, 10, (4_304_387, 4_207_361)),
        (32, CIFAR, 100, (4_580_867, 4_230_401)),
        (32, OMNI | dict(ch=256), 10, (62_044_163, 67_162_124)),
        (64, IMAGENET_64, 1000, (31_969_540, 20_571_842)),  # the facts give 31.97 M and 20.57 M
        (128, IMAGENET_128 | dict(ch=96), 1000, (70_433_988, 87_982_370)),
    ],
)
def test_parameter_counts_are_the_sources(
    size: int, args: dict[str, Any], classes: int, counts: tuple[int, int]
) -> None:
    with torch.device("meta"):
        G, D = biggan.build((3, size, size), 128 if size == 32 else 120, classes, width=1.0, **args | dict(init="N02"))
    assert tuple(sum(p.numel() for p in player.parameters()) for player in (G, D)) == counts


@pytest.mark.parametrize(
    ("size", "args"), [(32, CIFAR), (32, OMNI), (64, IMAGENET_64), (128, IMAGENET_128)], ids=["32", "omni", "64", "128"]
)
def test_shapes_taps_and_gradients_to_every_parameter(size: int, args: dict[str, Any]) -> None:
    G, D = pair(size, args, width=2 / size)
    labels = torch.arange(3)
    x = G.eval()(torch.randn(3, 30, dtype=torch.float64), labels)
    taps: list[Tensor] = []
    logits = D(x, labels, taps)
    assert x.shape == (3, 3, size, size) and x.abs().max() <= 1
    assert logits.shape == ((3, 5) if args["head"] == "omni" else (3,))
    assert [t.shape[2] for t in taps] == biggan.block_sizes(size)[1] and all(len(t) == 3 for t in taps)
    torch.testing.assert_close(D(x, labels), logits)
    logits.square().sum().backward()
    for player in (G, D):
        assert not [name for name, p in player.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize(("size", "args"), [(32, CIFAR), (32, OMNI), (64, IMAGENET_64)], ids=["32", "omni", "64"])
def test_second_derivatives_are_right(size: int, args: dict[str, Any]) -> None:
    """The gradient of ‖∂f/∂x‖² by D's weights, against a central difference along one direction."""
    _, D = pair(size, args, width=1 / 32)
    x, labels = batch(D, size)
    x.requires_grad_()

    def squared_norm() -> Tensor:
        return torch.autograd.grad(D(x, labels).square().sum(), x, create_graph=True)[0].square().sum()

    weights = [D.blocks[1].conv1.weight, D.blocks[2].conv2.weight, D.linear.weight]
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


def plain_discriminator(state: dict[str, Tensor], x: Tensor, labels: Tensor, size: int, attends: int) -> Tensor:
    """The D of BigGAN-PyTorch from a state dict: loops and F only, in the source's order."""
    sides, h = biggan.block_sizes(size)[1], x
    for n, side in enumerate(sides):
        block, halve = f"blocks.{n}.", side < h.shape[2]
        a = h if n == 0 else h * (h > 0)
        a = F.conv2d(a, state[block + "conv1.weight"], state[block + "conv1.bias"], padding=1)
        a = F.conv2d(a * (a > 0), state[block + "conv2.weight"], state[block + "conv2.bias"], padding=1)
        s = pool(h) if halve and n == 0 else h
        if block + "skip.weight" in state:
            s = F.conv2d(s, state[block + "skip.weight"], state[block + "skip.bias"])
        h = (pool(a) if halve else a) + (pool(s) if halve and n else s)
        if side == attends:
            h = plain_attention(state, f"attention.{n}.", h)
    h = (h * (h > 0)).sum(3).sum(2)
    logits = h @ state["linear.weight"].T + state["linear.bias"]
    return logits[:, 0] + torch.stack([state["embedding.weight"][y] @ row for y, row in zip(labels, h)])


def plain_generator(
    state: dict[str, Tensor], z: Tensor, labels: Tensor, size: int, attends: int, chunks: int
) -> Tensor:
    """The G of BigGAN-PyTorch in training mode, by definition: BatchNorm from the batch's moments, doubling before the
    1x1.
    """
    parts = z.chunk(chunks, 1)
    h = (parts[0] @ state["linear.weight"].T + state["linear.bias"]).reshape(len(z), -1, 4, 4)
    n = 0
    while h.shape[2] < size:
        block = f"blocks.{n}."
        shared = (
            F.one_hot(labels, state["shared.weight"].shape[0]).double() @ state["shared.weight"]
            if "shared.weight" in state
            else None
        )
        if shared is not None and chunks > 1:
            shared = torch.cat([shared, parts[n + 1]], 1)

        def norm(h: Tensor, name: str) -> Tensor:
            gain, shift = (state[block + name + end] for end in (".gain.weight", ".shift.weight"))
            gain, shift = (gain[labels], shift[labels]) if shared is None else (shared @ gain.T, shared @ shift.T)
            return standardise(h) * (1 + gain)[:, :, None, None] + shift[:, :, None, None]

        a = double(F.relu(norm(h, "norm1")))
        a = F.conv2d(a, state[block + "conv1.weight"], state[block + "conv1.bias"], padding=1)
        a = F.conv2d(F.relu(norm(a, "norm2")), state[block + "conv2.weight"], state[block + "conv2.bias"], padding=1)
        h = a + F.conv2d(double(h), state[block + "skip.weight"], state[block + "skip.bias"])
        if h.shape[2] == attends:
            h = plain_attention(state, f"attention.{n}.", h)
        n += 1
    h = standardise(h) * state["norm.weight"][:, None, None] + state["norm.bias"][:, None, None]
    return torch.tanh(F.conv2d(F.relu(h), state["to_image.weight"], state["to_image.bias"], padding=1))


def plain_attention(state: dict[str, Tensor], name: str, x: Tensor) -> Tensor:
    """One image and one place at a time."""
    out = torch.zeros_like(x)
    query, key, value, last = (state[f"{name}{part}.weight"][:, :, 0, 0] for part in ("query", "key", "value", "out"))
    for b, image in enumerate(x):
        places = image.flatten(1)
        keys, values = (
            F.max_pool2d((w @ places).reshape(1, -1, *image.shape[1:]), 2)[0].flatten(1) for w in (key, value)
        )
        scores = (query @ places).T @ keys
        weights = scores.exp() / scores.exp().sum(1, keepdim=True)
        out[b] = (last @ (values @ weights.T)).reshape(image.shape)
    return x + state[name + "gain"] * out


def pool(x: Tensor) -> Tensor:
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def double(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def standardise(h: Tensor) -> Tensor:
    mean = h.mean((0, 2, 3), keepdim=True)
    return (h - mean) / ((h - mean).square().mean((0, 2, 3), keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize(("size", "args"), [(32, CIFAR), (64, IMAGENET_64)], ids=["32", "64"])
@torch.no_grad()
def test_both_players_equal_a_plain_formulation(size: int, args: dict[str, Any]) -> None:
    G, D = pair(size, args)
    x, labels = batch(D, size)
    z = torch.randn(6, 30, dtype=torch.float64)
    scaled = {
        k: v * 5 if "conv" in k or "embedding" in k else v for k, v in D.state_dict().items()
    }  # so that no term is lost
    D.load_state_dict(scaled)
    torch.testing.assert_close(
        D(x, labels), plain_discriminator(scaled, x, labels, size, args["attention"]), rtol=1e-10, atol=1e-12
    )
    plain = plain_generator(G.state_dict(), z, labels, size, args["attention"], args["z_chunks"])
    torch.testing.assert_close(G.train()(z, labels), plain, rtol=1e-10, atol=1e-12)


def test_the_projection_vanishes_with_a_zero_embedding() -> None:
    _, D = pair(32, CIFAR)
    x, labels = batch(D, 32)
    assert not torch.allclose(D(x, labels), D(x, labels.flip(0)), rtol=0, atol=1e-12)
    nn.init.zeros_(D.embedding.weight)
    taps: list[Tensor] = []
    assert torch.equal(D(x, labels, taps), D(x, labels.flip(0)))
    torch.testing.assert_close(D(x, labels), D.linear(taps[-1].relu().sum((2, 3)))[:, 0])


def test_conditional_batchnorm_has_gain_one_plus_its_embedding() -> None:
    norm = biggan_blocks.ConditionalBatchNorm(4, 3, 0).double()
    x, labels = torch.randn(6, 4, 5, 5, dtype=torch.float64), torch.arange(6) % 3
    for table in (norm.gain, norm.shift):
        nn.init.zeros_(table.weight)
    torch.testing.assert_close(norm(x, labels), standardise(x))
    nn.init.constant_(norm.gain.weight[1].detach(), 0.5)
    nn.init.constant_(norm.shift.weight[2].detach(), -3.0)
    expected = (
        standardise(x) * torch.tensor([1, 1.5, 1.0])[labels, None, None, None]
        + torch.tensor([0, 0, -3.0])[labels, None, None, None]
    )
    torch.testing.assert_close(norm(x, labels), expected)


def test_attention_begins_as_the_identity() -> None:
    x = torch.randn(2, 16, 8, 8)
    assert torch.equal(biggan.Attention(16)(x), x)


@pytest.mark.parametrize(
    ("size", "args", "linear"),
    [(32, CIFAR, True), (32, OMNI, True), (64, IMAGENET_64, False)],
    ids=["32", "omni", "64"],
)
def test_piecewise_linear_is_true_where_it_is_said(size: int, args: dict[str, Any], linear: bool) -> None:
    """The gradient by x stays what it is a little further on, or changes in proportion to the way."""
    _, D = pair(size, args)
    assert D.piecewise_linear is linear
    x, labels = batch(D, size)
    gradient = torch.func.grad(lambda x: D(x, labels).sum())
    here, there = gradient(x), gradient(x + 1e-8 * torch.randn_like(x))
    change = ((there - here).abs().max() / here.abs().max()).item()
    assert (change < 1e-13) is linear, change


def test_images_do_not_meet_in_the_discriminator() -> None:
    _, D = pair(64, IMAGENET_64)
    x, labels = batch(D, 64)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    torch.testing.assert_close(D(x[order], labels[order]), D(x, labels)[order])
    torch.testing.assert_close(torch.cat([D(x[:2], labels[:2]), D(x[2:], labels[2:])]), D(x, labels))


@pytest.mark.parametrize(
    ("init", "std"), [("N02", lambda w: 0.02), ("xavier", lambda w: (2 / (9 * (w.shape[0] + w.shape[1]))) ** 0.5)]
)
def test_initialisation(init: str, std: Any) -> None:
    torch.manual_seed(0)
    G, D = biggan.build((3, 32, 32), 128, 10, width=0.5, **CIFAR | dict(init=init))
    for conv in (G.blocks[0].conv1, D.blocks[1].conv2):
        assert conv.weight.std().item() == pytest.approx(std(conv.weight), rel=0.02)
        assert bool(conv.bias.any()) is (init != "xavier")
    assert D.embedding.weight.std() > 0


def test_orthogonal_initialisation() -> None:
    _, D = pair(32, CIFAR | dict(init="orthogonal"))
    rows = D.blocks[1].conv1.weight.flatten(1)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows), dtype=torch.float64), rtol=0, atol=1e-5)


def test_spectral_norm_takes_in_the_projection_but_not_the_embeddings_of_g() -> None:
    G, D = pair(64, IMAGENET_64)
    for player in ("D", "G"):
        spectral_norm.build(player=player).build(G, D)
    normed = {name for name, module in D.named_modules() if hasattr(module, "u")}
    assert normed == {
        name for name, module in D.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d, nn.Embedding))
    }
    assert not hasattr(G.shared, "u") and hasattr(G.blocks[0].norm1.gain, "u")


def test_spectral_norm_of_an_embedding_equals_torch() -> None:
    """Outputs and gradients, repeated labels included, over several passes and in eval mode."""
    torch.manual_seed(0)
    theirs, ours = nn.Embedding(7, 5).double(), nn.Sequential(nn.Embedding(7, 5)).double()
    ours[0].load_state_dict(theirs.state_dict())
    spectral_norm.build(player="D").build(nn.Identity(), ours)
    nn.utils.spectral_norm(theirs)
    ours[0].u, ours[0].v = theirs.weight_u.clone(), theirs.weight_v.clone()
    labels = torch.tensor([3, 3, 0, 6])
    for training in (True, True, False):
        theirs.train(training), ours.train(training)
        a, b = theirs(labels), ours(labels)
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        grads = [torch.autograd.grad(y.pow(3).sum(), w)[0] for y, w in ((a, theirs.weight_orig), (b, ours[0].weight))]
        torch.testing.assert_close(*grads, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "classes", "args", "says"),
    [
        ((3, 32, 32), None, CIFAR, "classes"),
        ((3, 48, 48), 10, CIFAR, "32x32, 64x64 or 128x128"),
        ((3, 32, 64), 10, CIFAR, "not 32x64"),
        ((3, 64, 64), 10, IMAGENET_64 | dict(z_chunks=4), "5 equal chunks"),
        ((3, 64, 64), 10, IMAGENET_64 | dict(shared_dim=0), "shared_dim"),
        ((3, 64, 64), 10, IMAGENET_64 | dict(attention=64), r"\[8, 16, 32\]"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    shape: tuple[int, int, int], classes: int | None, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(GanbenchError, match=says):
        biggan.build(shape, 30, classes, width=0.1, **args)


def test_the_linter_knows_its_choices() -> None:
    plugin("networks", "biggan").check(CIFAR | dict(width=1.0))
    with pytest.raises(GanbenchError, match="projection"):
        plugin("networks", "biggan").check(CIFAR | dict(width=1.0, head="projections"))
