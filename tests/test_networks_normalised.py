"""The networks of the normalised GANs, held against the facts on their sources and against formulations written here in
the sources' order of operations.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp, vmap
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import spectral_norm
from benchmark.networks import gn_cnn, gn_resnet, mimicry_wgan_gp, sngan_cnn, sngan_resnet, wgan_gp_resnet
from benchmark.networks.residual import ConditionalBatchNorm, DownBlock, UpBlock
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe

SNGAN = {"pool": "sum", "upsample": "nearest", "shortcut": "raw", "head": "linear"}
MIMICRY = {"pool": "sum", "upsample": "bilinear", "shortcut": "activated", "head": "linear"}
PROJECTION = SNGAN | {"head": "projection"}
NAMES = {
    gn_cnn: "gn-cnn",
    gn_resnet: "gn-resnet",
    sngan_cnn: "sngan-cnn",
    sngan_resnet: "sngan-resnet",
    wgan_gp_resnet: "wgan-gp-resnet",
    mimicry_wgan_gp: "mimicry-wgan-gp",
}
CASES = [  # every network at every resolution: module, arguments, classes, pixels
    *((gn_cnn, {"init": init}, None, s) for init in ("kaiming", "N02") for s in (32, 48)),
    *((gn_resnet, {"init": "kaiming"}, None, s) for s in (32, 48, 64, 128, 256)),
    *((sngan_cnn, {}, None, s) for s in (32, 48)),
    *((sngan_resnet, SNGAN, None, s) for s in (32, 48, 64, 128)),
    *((sngan_resnet, MIMICRY, None, s) for s in (32, 48, 64, 128)),
    (sngan_resnet, PROJECTION, 7, 32),
    (wgan_gp_resnet, {}, None, 32),
    *((mimicry_wgan_gp, {}, None, s) for s in (32, 48, 64, 128)),
]
FAMILIES = [case for case in CASES if case[3] == 32]
IDS = [f"{NAMES[m]}-{'-'.join(map(str, args.values()))}-{size}" for m, args, _, size in CASES]
FAMILY_IDS = [name for name in IDS if name.endswith("-32")]
every_case = pytest.mark.parametrize(("module", "args", "classes", "size"), CASES, ids=IDS)
every_family = pytest.mark.parametrize(("module", "args", "classes", "size"), FAMILIES, ids=FAMILY_IDS)


def pair(
    module, args: dict, classes: int | None, size: int, width: float = 0.0625, channels: int = 3, z_dim: int = 9
) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    return module.build((channels, size, size), z_dim, classes, width=width, **args)


def labels_of(classes: int | None, count: int) -> Tensor | None:
    return None if classes is None else torch.arange(count) % classes


def stirred(player: nn.Module) -> nn.Module:
    """In float64 and eval mode, with biases, scales and running statistics that are not their initial 0 and 1, and
    visible weights.
    """
    player.double().eval()
    with torch.no_grad():
        for name, tensor in itertools.chain(player.named_parameters(), player.named_buffers()):
            if tensor.dim() == 1 or "scale" in name or "shift" in name:
                tensor.uniform_(0.5, 1.5) if "var" in name or (
                    "norm" in name and "weight" in name
                ) else tensor.uniform_(-0.5, 0.5)
            elif tensor.dim() > 1:
                tensor.mul_(0.1 / tensor.std())
    return player


def count(player: nn.Module) -> int:
    return sum(p.numel() for p in player.parameters())


# Parameters and shapes


@pytest.mark.parametrize(
    ("module", "args", "size", "G_count", "D_count"),
    [
        (gn_cnn, {"init": "N02"}, 32, 3_813_379, 5_860_865),
        (gn_cnn, {"init": "kaiming"}, 48, 5_134_339, 5_871_105),
        (gn_resnet, {"init": "kaiming"}, 32, 4_276_739, 1_053_825),
        (gn_resnet, {"init": "kaiming"}, 48, 4_878_083, 4_859_073),
        (gn_resnet, {"init": "N02"}, 128, 32_150_787, 38_419_137),
        (gn_resnet, {"init": "kaiming"}, 256, 37_135_107, 43_401_409),
        (sngan_resnet, MIMICRY, 32, 4_276_739, 1_053_825),
        (sngan_resnet, MIMICRY, 48, 4_878_083, 10_141_441),
        (sngan_resnet, MIMICRY, 64, 12_220_675, 10_141_441),
        (sngan_resnet, MIMICRY, 128, 32_150_787, 29_017_857),
        (mimicry_wgan_gp, {}, 32, 4_276_739, 1_053_825),
        (mimicry_wgan_gp, {}, 48, 4_878_083, 10_141_441),
        (mimicry_wgan_gp, {}, 64, 12_220_675, 10_141_441),
        (mimicry_wgan_gp, {}, 128, 32_150_787, 29_017_857),
        (sngan_resnet, SNGAN, 32, 4_276_739, 1_053_824),  # no bias in D's last layer
    ],
)
def test_parameter_counts_are_the_sources(module, args: dict, size: int, G_count: int, D_count: int) -> None:
    with torch.device("meta"):
        G, D = module.build((3, size, size), 128, None, width=1.0, **args)
    assert (count(G), count(D)) == (G_count, D_count)


def conv(fan_in: int, fan_out: int, k: int) -> int:
    return (fan_in * k * k + 1) * fan_out


def test_parameter_counts_from_the_layers_where_the_sources_print_none() -> None:
    with torch.device("meta"):
        cnn_G, cnn_D = sngan_cnn.build((3, 48, 48), 128, None, width=1.0)
        wgan_G, wgan_D = wgan_gp_resnet.build((3, 32, 32), 128, None, width=1.0)
        class_G, class_D = sngan_resnet.build((3, 32, 32), 128, 10, width=1.0, **PROJECTION)
    widths = [3, 64, 64, 128, 128, 256, 256, 512]
    assert (
        count(cnn_D)
        == sum(conv(i, o, 4 if n % 2 else 3) for n, (i, o) in enumerate(itertools.pairwise(widths))) + 512 * 36 + 1
    )
    assert count(cnn_G) == 5_134_339
    block = 2 * 2 * 128 + 2 * conv(128, 128, 3) + conv(128, 128, 1)
    assert count(wgan_G) == (128 + 1) * 16 * 128 + 3 * block + 2 * 128 + conv(128, 3, 3)
    assert count(wgan_D) == 1_053_825
    assert count(class_G) == 4_276_739 + 3 * 2 * 2 * 256 * (10 - 1), (
        "a scale and a shift a class in both norms of each block, not in the last norm"
    )
    assert count(class_D) == 1_053_824 + 10 * 128


@every_case
def test_shapes_ranges_and_taps(module, args: dict, classes: int | None, size: int) -> None:
    """At a sixteenth of the width, for RGB and grey images."""
    for channels in (3, 1):
        G, D = pair(module, args, classes, size, channels=channels)
        y = labels_of(classes, 2)
        x = G(torch.randn(2, 9), y)
        assert x.shape == (2, channels, size, size) and x.abs().max() <= 1
        taps: list[Tensor] = []
        logits = D(x, y, taps)
        blocks = D.blocks if hasattr(D, "blocks") else D.convs
        assert logits.shape == (2,) and len(taps) == len(blocks) and torch.equal(logits, D(x, y))
        h = x
        for block, tap in zip(blocks, taps):
            h = block(h) if hasattr(D, "blocks") else F.leaky_relu(block(h), 0.1)
            assert torch.equal(h, tap), "a tap is a block's output, which no later block changes"


@every_case
def test_a_channel_is_left_at_any_width(module, args: dict, classes: int | None, size: int) -> None:
    with torch.device("meta"):
        G, D = module.build((3, size, size), 9, classes, width=1e-6, **args)
    z, y = (
        torch.zeros(2, 9, device="meta"),
        None if classes is None else torch.zeros(2, dtype=torch.long, device="meta"),
    )
    assert D(G(z, y), y).shape == (2,)


def test_the_maps_of_each_discriminator_are_as_large_as_the_sources() -> None:
    sides = {
        (sngan_resnet, 32): [16, 8, 8, 8],
        (sngan_resnet, 48): [24, 12, 6, 3, 3],
        (sngan_resnet, 64): [32, 16, 8, 4, 2],
        (sngan_resnet, 128): [64, 32, 16, 8, 4, 4],
        (gn_resnet, 32): [16, 8, 8, 8],
        (gn_resnet, 48): [24, 12, 6, 3],
        (gn_resnet, 64): [32, 16, 8, 4, 4],
        (gn_resnet, 128): [64, 32, 16, 8, 4, 4],
        (gn_resnet, 256): [128, 64, 32, 16, 8, 4, 4],
        (sngan_cnn, 48): [48, 24, 24, 12, 12, 6, 6],
        (wgan_gp_resnet, 32): [16, 8, 8, 8],
    }
    for (module, size), expected in sides.items():
        args = {sngan_resnet: MIMICRY, gn_resnet: {"init": "kaiming"}}.get(module, {})
        _, D = pair(module, args, None, size, width=0.01)
        taps: list[Tensor] = []
        D(torch.zeros(1, 3, size, size), None, taps)
        assert [t.shape[-1] for t in taps] == expected


@pytest.mark.parametrize("module", NAMES, ids=NAMES.values())
def test_wrong_resolutions_and_classes_are_said(module) -> None:
    args = {gn_cnn: {"init": "N02"}, gn_resnet: {"init": "N02"}, sngan_resnet: SNGAN}.get(module, {})
    for shape in ((3, 28, 28), (3, 32, 48)):
        with pytest.raises(
            GanbenchError, match=f"^{NAMES[module]} is not defined for images of {shape[1]}x{shape[2]} pixels: .*32"
        ):
            module.build(shape, 9, None, width=0.1, **args)
    with pytest.raises(GanbenchError, match=f"{NAMES[module]}.* classes"):
        module.build((3, 32, 32), 9, 10, width=0.1, **args)
    if module is sngan_resnet:
        with pytest.raises(GanbenchError, match="a projection needs classes"):
            module.build((3, 32, 32), 9, None, width=0.1, **PROJECTION)


# The same numbers as formulations in the sources' order


def bilinear(x: Tensor) -> Tensor:
    """x2 by its definition: an output's centre at (i + 1/2)/2 - 1/2, weights 1 - distance, clamped at the edge; as a
    matrix a side.
    """

    def matrix(side: int) -> Tensor:
        m = torch.zeros(2 * side, side, dtype=x.dtype)
        for i in range(2 * side):
            centre = min(max((i + 0.5) / 2 - 0.5, 0.0), side - 1.0)
            low = min(int(centre), side - 2) if side > 1 else 0
            m[i, low] += 1 - (centre - low)
            if side > 1:
                m[i, low + 1] += centre - low
        return m

    return torch.einsum("ih,nchw,jw->ncij", matrix(x.shape[2]), x, matrix(x.shape[3]))


def nearest(x: Tensor) -> Tensor:
    return torch.kron(x, torch.ones(2, 2, dtype=x.dtype))


def pool(x: Tensor) -> Tensor:
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def normed(x: Tensor, s: dict[str, Tensor], name: str, y: Tensor | None, eps: float) -> Tensor:
    """BatchNorm in eval mode; with classes, the scale and shift of each sample's."""
    inner = name if f"{name}.running_mean" in s else f"{name}.norm"
    mean, var = s[f"{inner}.running_mean"], s[f"{inner}.running_var"]
    h = (x - mean[:, None, None]) / (var + eps).sqrt()[:, None, None]
    if inner == name:
        return h * s[f"{name}.weight"][:, None, None] + s[f"{name}.bias"][:, None, None]
    return h * s[f"{name}.scale.weight"][y][:, :, None, None] + s[f"{name}.shift.weight"][y][:, :, None, None]


def generator(
    s: dict[str, Tensor], z: Tensor, y: Tensor | None, side: int, up: Callable[[Tensor], Tensor], eps: float
) -> Tensor:
    """Upsampling before every convolution, in the shortcut too, as all sources write it."""
    h = (z @ s["linear.weight"].T + s["linear.bias"]).reshape(len(z), -1, side, side)
    for b in sorted({name.split(".")[1] for name in s if name.startswith("blocks.")}, key=int):
        p = f"blocks.{b}."
        r = F.conv2d(
            up(normed(h, s, p + "norm1", y, eps).clamp(min=0)), s[p + "conv1.weight"], s[p + "conv1.bias"], padding=1
        )
        r = F.conv2d(
            normed(r, s, p + "norm2", y, eps).clamp(min=0), s[p + "conv2.weight"], s[p + "conv2.bias"], padding=1
        )
        h = r + F.conv2d(up(h), s[p + "shortcut.weight"], s[p + "shortcut.bias"])
    return F.conv2d(
        normed(h, s, "norm", None, eps).clamp(min=0), s["output.weight"], s["output.bias"], padding=1
    ).tanh()


def discriminator(
    s: dict[str, Tensor], x: Tensor, y: Tensor | None, halvings: int, mimicry: bool, total: bool
) -> Tensor:
    """With Mimicry's ReLU done in place, literally, and the shortcut's convolution before the pooling but in the first
    block.
    """
    h = x
    for b in range(len({name.split(".")[1] for name in s if name.startswith("blocks.")})):
        p, down = f"blocks.{b}.", b < halvings
        r = h
        if b > 0:
            h = h.clone()
            r = torch.relu_(h) if mimicry else torch.relu(h)
        r = F.conv2d(r, s[p + "conv1.weight"], s[p + "conv1.bias"], padding=1)
        r = F.conv2d(torch.relu(r), s[p + "conv2.weight"], s[p + "conv2.bias"], padding=1)
        r = pool(r) if down else r
        if b == 0:
            h = F.conv2d(pool(h), s[p + "shortcut.weight"], s[p + "shortcut.bias"])
        elif p + "shortcut.weight" in s:
            h = F.conv2d(h, s[p + "shortcut.weight"], s[p + "shortcut.bias"])
            h = pool(h) if down else h
        h = r + h
    h = torch.relu(h).flatten(2)
    h = h.sum(2) if total else h.mean(2)
    logits = h @ s["head.weight"][0] + s.get("head.bias", torch.zeros(1, dtype=x.dtype))
    return logits if y is None else logits + torch.einsum("nc,nc->n", h, s["projection.weight"][y])


RESNETS = [
    (gn_resnet, {"init": "kaiming"}, None, 32, nearest, 2, False, 1e-5),
    (gn_resnet, {"init": "N02"}, None, 48, nearest, 4, False, 1e-5),
    (gn_resnet, {"init": "kaiming"}, None, 64, nearest, 4, False, 1e-5),
    (sngan_resnet, SNGAN, None, 48, nearest, 4, True, 2e-5),
    (sngan_resnet, MIMICRY, None, 32, bilinear, 2, True, 1e-5),
    (sngan_resnet, MIMICRY | {"pool": "mean"}, None, 64, bilinear, 5, False, 1e-5),
    (sngan_resnet, PROJECTION, 7, 32, nearest, 2, True, 2e-5),
    (wgan_gp_resnet, {}, None, 32, nearest, 2, False, 1e-5),
    (mimicry_wgan_gp, {}, None, 32, bilinear, 2, False, 1e-5),
    (mimicry_wgan_gp, {}, None, 48, bilinear, 4, False, 1e-5),
]


@pytest.mark.parametrize(("module", "args", "classes", "size", "up", "halvings", "total", "eps"), RESNETS)
def test_resnets_equal_the_sources_formulation(
    module, args: dict, classes: int | None, size: int, up, halvings: int, total: bool, eps: float
) -> None:
    G, D = map(stirred, pair(module, args, classes, size))
    y, z = labels_of(classes, 4), torch.randn(4, 9, dtype=torch.float64)
    x = G(z, y)
    assert 0.05 < x.std() < 0.95, "a saturated or a constant image would show nothing"
    torch.testing.assert_close(x, generator(G.state_dict(), z, y, 6 if size == 48 else 4, up, eps), rtol=0, atol=1e-12)
    noise = torch.randn(4, 3, size, size, dtype=torch.float64)
    mimicry = args.get("shortcut") == "activated" or module is mimicry_wgan_gp
    theirs = discriminator(D.state_dict(), noise, y, halvings, mimicry, total)
    torch.testing.assert_close(D(noise, y), theirs, rtol=1e-11, atol=1e-12)
    assert not torch.allclose(
        theirs, discriminator(D.state_dict(), noise, y, halvings, not mimicry, total), rtol=1e-4
    ), "the two shortcuts differ"


@pytest.mark.parametrize(("module", "size"), [(gn_cnn, 32), (gn_cnn, 48), (sngan_cnn, 32), (sngan_cnn, 48)])
def test_cnns_equal_a_formulation_by_patches(module, size: int) -> None:
    """Convolutions as products with unfolded patches; a transposed one as a convolution of the dilated image with the
    turned kernel.
    """
    G, D = map(stirred, pair(module, {"init": "N02"} if module is gn_cnn else {}, None, size))

    def convolve(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
        k = weight.shape[-1]
        patches = F.unfold(x, k, padding=0, stride=stride)
        return (weight.flatten(1) @ patches + bias[:, None]).unflatten(2, ((x.shape[2] - k) // stride + 1, -1))

    z = torch.randn(3, 9, dtype=torch.float64)
    s = G.state_dict()
    h = (z @ s["linear.weight"].T + s["linear.bias"]).reshape(3, -1, size // 8, size // 8)
    for i, stride in enumerate((2, 2, 2, 1)):
        h = normed(h, s, f"norms.{i}", None, 1e-5).clamp(min=0)
        dilated = h.new_zeros(*h.shape[:2], *(stride * (n - 1) + 1 for n in h.shape[2:]))
        dilated[..., ::stride, ::stride] = h
        weight = s[f"convs.{i}.weight"].flip(2, 3).transpose(0, 1)
        h = convolve(F.pad(dilated, [weight.shape[-1] - 2] * 4), weight, s[f"convs.{i}.bias"], 1)
    torch.testing.assert_close(G(z), h.tanh(), rtol=0, atol=1e-12)
    x = torch.randn(3, 3, size, size, dtype=torch.float64)
    h, s = x, D.state_dict()
    for i in range(7):
        h = convolve(F.pad(h, [1] * 4), s[f"convs.{i}.weight"], s[f"convs.{i}.bias"], 1 + i % 2)
        h = torch.maximum(h, 0.1 * h)
    torch.testing.assert_close(D(x), h.flatten(1) @ s["head.weight"][0] + s["head.bias"], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("activated", "expected"), [(True, (0.0, 2.0, 0.0, 4.0)), (False, (-1.0, 2.0, -3.0, 4.0))])
def test_mimicrys_shortcut_gets_the_activated_input(activated: bool, expected: tuple[float, ...]) -> None:
    block = DownBlock(1, 1, 1, down=False, first=False, activated=activated)
    for p in block.parameters():
        nn.init.zeros_(p)
    x = torch.tensor([-1.0, 2.0, -3.0, 4.0]).view(1, 1, 2, 2)
    assert block(x).flatten().tolist() == list(expected)
    assert x.flatten().tolist() == [-1.0, 2.0, -3.0, 4.0], "the block's input is another block's feature map"


# Initial weights


def test_glorot_weights_and_whose_biases() -> None:
    """Uniform up to gain·√(6/(fan-in + fan-out)), gain √2 in the blocks' 3x3 convolutions; SN-GAN's biases 0, Mimicry's
    not.

    In its WGAN-GP, shortcuts and G's last layer are as PyTorch draws them: uniform up to 1/√(fan-in).
    """
    for module, args in (
        (sngan_resnet, PROJECTION),
        (sngan_resnet, MIMICRY),
        (wgan_gp_resnet, {}),
        (mimicry_wgan_gp, {}),
    ):
        for player in pair(module, args, 7 if args is PROJECTION else None, 32, width=0.25, z_dim=32):
            for name, layer in player.named_modules():
                if isinstance(layer, (nn.Linear, nn.Conv2d)):
                    area = layer.weight[0, 0].numel()
                    gain = 2 if "conv" in name else 1
                    bound = (6 * gain / (area * sum(layer.weight.shape[:2]))) ** 0.5
                    if module is mimicry_wgan_gp and ("shortcut" in name or name == "output"):
                        bound = layer.weight[0].numel() ** -0.5
                    assert layer.weight.abs().max() <= bound * 1.0001
                    if layer.weight.numel() > 2000:
                        assert layer.weight.abs().max() > 0.99 * bound
                        torch.testing.assert_close(layer.weight.std().item(), bound / 3**0.5, rtol=0.05, atol=0)
                    assert layer.bias is None or (not layer.bias.any()) == (
                        args is not MIMICRY and module is not mimicry_wgan_gp
                    )
                elif isinstance(layer, ConditionalBatchNorm):
                    assert (layer.scale.weight == 1).all() and not layer.shift.weight.any()


def test_kaiming_and_n02_weights() -> None:
    for module in (gn_cnn, gn_resnet):
        for init in ("kaiming", "N02"):
            for player in pair(module, {"init": init}, None, 32, width=0.5, z_dim=128):
                for layer in player.modules():
                    if isinstance(layer, (nn.Linear, nn.Conv2d)):
                        expected = (2 / layer.weight[0].numel()) ** 0.5 if init == "kaiming" else 0.02
                        if layer.weight.numel() > 2000:
                            torch.testing.assert_close(layer.weight.std().item(), expected, rtol=0.05, atol=0)
                        assert not layer.bias.any()


def test_kaiming_keeps_the_variance_through_transposed_convolutions() -> None:
    """ReLU of unit normals has E[h²] = 1/2, so that weights of variance 2/fan-in give variance 1, away from the
    edges.
    """
    G, _ = pair(gn_cnn, {"init": "kaiming"}, None, 32, width=0.25)
    for layer in G.convs:
        with torch.no_grad():
            out = layer(torch.randn(40, layer.in_channels, 10, 10).relu())[..., 2:-2, 2:-2]
        torch.testing.assert_close(out.square().mean().item(), 1.0, rtol=0.3, atol=0)


# Gradients


@every_case
def test_gradient_reaches_every_parameter(module, args: dict, classes: int | None, size: int) -> None:
    """BatchNorm in eval mode: in training mode it takes the gradient of the biases before it away."""
    G, D = pair(module, args, classes, size, width=0.125 if size < 100 else 0.0625)
    G, D = stirred(G), stirred(D)
    samples = classes or 2
    y = labels_of(classes, samples)
    D(G(torch.randn(samples, 9, dtype=torch.float64), y), y).square().sum().backward()
    for player in (G, D):
        for name, p in player.named_parameters():
            assert p.grad is not None and p.grad.isfinite().all() and p.grad.any(), name


@every_family
def test_discriminators_that_say_so_are_piecewise_linear(
    module, args: dict, classes: int | None, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second derivative, f(x + δ) = f(x) + ⟨∇f(x), δ⟩ within a piece, another ∇f in another; with smooth activations
    there is a second derivative.
    """
    _, D = pair(module, args, classes, size)
    assert type(D).piecewise_linear is True
    stirred(D)
    y = labels_of(classes, 5)
    x = torch.randn(5, 3, size, size, dtype=torch.float64, requires_grad=True)
    direction = torch.randn_like(x)

    def derivatives(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        f = D(x, y)
        (g,) = torch.autograd.grad(f.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad((g * direction).sum(), x, materialize_grads=True)
        return f.detach(), g.detach(), second

    f, g, second = derivatives(x)
    assert g.any() and not second.any()
    step = 1e-7 * direction
    torch.testing.assert_close(
        D(x + step, y) - f, (g * step).sum((1, 2, 3)), rtol=0, atol=1e-6 * (g.norm() * step.norm()).item()
    )
    assert not torch.allclose(derivatives(x + direction)[1], g, rtol=1e-3)
    monkeypatch.setattr(F, "relu", lambda h, inplace=False: F.softplus(h))
    monkeypatch.setattr(F, "leaky_relu", lambda h, slope, inplace=False: slope * h + (1 - slope) * F.softplus(h))
    assert derivatives(x)[2].any(), "a curved network must not pass"


@every_family
def test_double_backward_of_a_gradient_penalty(module, args: dict, classes: int | None, size: int) -> None:
    """‖∇ₓD‖², differentiated by a weight of the first and of the last layer, against finite differences."""
    _, D = pair(module, args, classes, size, width=0.02)
    stirred(D)
    y = labels_of(classes, 2)
    x = torch.randn(2, 3, size, size, dtype=torch.float64, requires_grad=True)
    first = "blocks.0.conv1.weight" if hasattr(D, "blocks") else "convs.0.weight"

    def penalty(a: Tensor, b: Tensor) -> Tensor:
        (g,) = torch.autograd.grad(functional_call(D, {first: a, "head.weight": b}, (x, y)).sum(), x, create_graph=True)
        return g.square().sum()

    weights = [D.get_parameter(name).detach().clone().requires_grad_() for name in (first, "head.weight")]
    assert torch.autograd.gradcheck(penalty, weights, eps=1e-7, atol=1e-6, rtol=1e-4)


@every_family
def test_generators_differentiate_twice_and_forwards(module, args: dict, classes: int | None, size: int) -> None:
    """Second derivatives against finite differences; the Jacobian's columns by jvp under vmap, as the metric takes
    them, against autograd.
    """
    G, _ = pair(module, args, classes, size, width=0.03, z_dim=3)
    stirred(G)
    y = labels_of(classes, 2)
    z = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 3, size, size, dtype=torch.float64)
    assert torch.autograd.gradgradcheck(lambda z: (G(z, y) * weight).sum((1, 2, 3)), z, eps=1e-7, atol=1e-5, rtol=1e-3)
    columns = vmap(lambda v: jvp(lambda z: G(z, y), (z.detach(),), (v.expand_as(z),))[1])(
        torch.eye(3, dtype=torch.float64)
    )
    (g,) = torch.autograd.grad((G(z, y) * weight).sum(), z)
    torch.testing.assert_close(torch.einsum("kncij,ncij->nk", columns, weight), g)


# With the rest


def test_a_class_changes_both_players() -> None:
    G, D = map(stirred, pair(sngan_resnet, PROJECTION, 3, 32))
    z, zeros, ones = (
        torch.randn(2, 9, dtype=torch.float64),
        torch.zeros(2, dtype=torch.long),
        torch.ones(2, dtype=torch.long),
    )
    x = G(z, zeros)
    assert not torch.allclose(x, G(z, ones)) and not torch.allclose(D(x, zeros), D(x, ones))
    with torch.no_grad():
        D.projection.weight.zero_()
    assert torch.equal(D(x, zeros), D(x, ones)), "without the embedding the projection vanishes"


@every_family
def test_spectral_norm_reaches_every_layer_of_the_discriminator(
    module, args: dict, classes: int | None, size: int
) -> None:
    """Then, without biases, no weight's scale matters: each is divided by its own σ."""
    G, D = pair(module, args, classes, size)
    weighted = [m for m in D.modules() if isinstance(m, (nn.Linear, nn.Conv2d, nn.Embedding))]
    spectral_norm.build(player="D").build(G, D)
    assert all(hasattr(m, "u") for m in weighted) and not any(hasattr(m, "u") for m in G.modules())
    stirred(D)
    x, y = torch.randn(3, 3, size, size, dtype=torch.float64), labels_of(classes, 3)
    with torch.no_grad():
        for m in weighted:
            if getattr(m, "bias", None) is not None:
                m.bias.zero_()
        D.train()(x, y)  # u and v of these weights
        before = D.eval()(x, y)
        for m in weighted:
            m.weight.mul_(3.0)
        torch.testing.assert_close(D(x, y), before, rtol=1e-10, atol=1e-12)
        assert before.any()


def test_spectral_norm_of_an_embedding_equals_torch_and_spares_the_generators() -> None:
    torch.manual_seed(0)
    theirs = nn.Embedding(5, 8).double()
    ours = nn.Sequential(nn.Embedding(5, 8).double())
    ours.load_state_dict({"0.weight": theirs.weight})
    spectral_norm.build(player="D").build(nn.Identity(), ours)
    nn.utils.spectral_norm(theirs)
    ours[0].u, ours[0].v = theirs.weight_u.clone(), theirs.weight_v.clone()
    y = torch.tensor([0, 4, 4, 2])
    for _ in range(3):
        a, b = theirs(y), ours(y)
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
        grads = (
            torch.autograd.grad(a.square().sum(), theirs.weight_orig)[0],
            torch.autograd.grad(b.square().sum(), ours[0].weight)[0],
        )
        torch.testing.assert_close(*grads, rtol=1e-10, atol=1e-12)
    G, _ = pair(sngan_resnet, PROJECTION, 7, 32)
    spectral_norm.build(player="G").build(G, nn.Identity())
    assert hasattr(G.linear, "u") and not any(hasattr(m, "u") for m in G.modules() if isinstance(m, nn.Embedding))


@every_family
def test_a_training_step_changes_both_players(module, args: dict, classes: int | None, size: int) -> None:
    gan = Gan(
        recipe(
            network=(NAMES[module], {"width": 0.0625, **args}),
            resolution=size,
            channels=3,
            classes=classes,
            z_dim=9,
            batch_d=4,
            batch_g=4,
            epochs=None,
            steps=1,
            n_dis=2,
            player_order="d-first",
            share_fakes=False,
            d_pass="joint",
        ),
        seed=0,
    )
    before = [p.clone() for player in (gan.G, gan.D) for p in player.parameters()]
    losses = train_step(gan, lambda: (torch.rand(4, 3, size, size) * 2 - 1, labels_of(classes or 1, 4)))
    after = [p for player in (gan.G, gan.D) for p in player.parameters()]
    assert all(loss.isfinite() for loss in losses) and sum(
        not torch.equal(p, q) for p, q in zip(before, after)
    ) > 0.9 * len(after)


def test_blocks_are_the_classes_that_methods_may_look_for() -> None:
    G, D = pair(sngan_resnet, MIMICRY, None, 32)
    assert all(type(b) is UpBlock for b in G.blocks) and all(type(b) is DownBlock for b in D.blocks)
    assert {type(m) for m in D.modules() if list(m.parameters(recurse=False))} == {nn.Conv2d, nn.Linear}, (
        "exact types: spectral norm looks for them"
    )
