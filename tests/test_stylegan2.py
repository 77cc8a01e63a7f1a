"""StyleGAN2: the official code's counts, images, logits and derivatives; what parts take hold of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods import chain
from benchmark.networks import stylegan2
from benchmark.networks.stylegan2_layers import unit_moment
from tests.conftest import recipe
from tests.every_method import after_a_step
from tests.plain_fastgan import count, stream
from tests.small_stylegan2 import ARGUMENTS, TRAINED, lively, pair

SIZES = (32, 64, 128, 256, 512, 1024)
# stylegan2-ada-pytorch d72cc7d, training/networks.py, counted: z and w of 512, three colours
COUNTS = {
    (32768, 8): {
        32: (21_523_475, 21_507_073),
        64: (27_032_600, 26_488_833),
        128: (29_328_669, 28_389_121),
        256: (30_034_338, 28_864_129),
        512: (30_276_583, 28_982_849),
        1024: (30_370_060, 29_012_513),
    },
    (16384, 8): {256: (24_767_458, 24_001_089)},  # its configuration paper256
    (32768, 2): {256: (28_458_402, 28_864_129)},
    (16384, 0): {256: (22_666_210, 24_001_089)},
}


@pytest.mark.parametrize(("channel_base", "mapping_layers"), COUNTS)
def test_parameter_counts_are_the_official_codes(channel_base: int, mapping_layers: int) -> None:
    for size, counts in COUNTS[channel_base, mapping_layers].items():
        with torch.device("meta"):
            G, D = pair(size, 512, channel_base=channel_base, channel_max=512, mapping_layers=mapping_layers)
        assert (count(G), count(D)) == counts and G.num_ws == 2 * size.bit_length() - 4


@pytest.mark.parametrize(
    ("channel_base", "width", "channels"),
    [
        (32768, 1, (512, 512, 512, 512, 512, 256, 128, 64, 32)),
        (16384, 1, (512, 512, 512, 512, 256, 128, 64, 32, 16)),
        (32768, 1 / 8, (64, 64, 64, 64, 64, 32, 16, 8, 4)),
        (16384, 1 / 64, (8, 8, 8, 8, 4, 2, 1, 1, 1)),  # never none: at 512 pixels half a channel, at 1024 a quarter
    ],
)
def test_channels_by_side(channel_base: int, width: float, channels: tuple[int, ...]) -> None:
    """From 4 to 1024 pixels: after each of G's blocks, before each of D's."""
    with torch.device("meta"):
        G, D = pair(1024, channel_base=channel_base, channel_max=512, width=width)
    assert (G.start.shape[1], *(len(b.conv2.bias) for b in G.blocks)) == channels
    assert (D.from_image.out_channels, *(b.conv2.out_channels for b in D.blocks)) == channels[::-1]
    assert [(b.conv1.in_channels, b.conv1.out_channels, b.skip.in_channels) for b in D.blocks] == [
        (c, c, c) for c in channels[:0:-1]
    ]


def even(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers in (−√3, √3) that no library draws: they are the same on every machine."""
    k = torch.arange(torch.Size(shape).numel()) + 7 * seed + 1
    return ((k * k * 2654435761 % 2**32).double() / 2**31 - 1).view(shape) * 3**0.5


def filled(player: nn.Module) -> nn.Module:
    with torch.no_grad():
        for n, p in enumerate(player.double().parameters()):
            p.copy_(even(p.shape, n))
    return player


def test_images_and_path_gradients_are_the_official_codes() -> None:
    """stylegan2-ada-pytorch d72cc7d, ``Generator`` with these weights, its ``noise_const`` ours, all of its float32
    float64, its operations ``impl='ref'``, run on a CPU. Path lengths: of ``ws``, by fixed noise.
    """
    G = filled(pair()[0])

    def noises(ws: Tensor, draws: object) -> Iterator[Tensor]:
        return (even((side, side), side).expand(len(ws), 1, -1, -1) for side in (4, 8, 8, 16, 16, 32, 32))

    G._noises = noises
    ws = G.styles(even((4, 6), 100), None).detach().requires_grad_()
    x = G.synthesis(ws, None)
    expected = [-4.453227544539098, 0.9941487678588639, 1.5062769656815311, -1.505311389652634]
    assert [x[i].item() for i in ((0, 0, 0, 0), (1, 1, 0, 31), (2, 2, 15, 16), (3, 0, 31, 31))] == pytest.approx(
        expected, rel=1e-9
    )
    assert (x.mean().item(), x.std().item()) == pytest.approx((-0.5616321975746266, 3.836505487481288), rel=1e-9)
    (gradient,) = torch.autograd.grad((x * even(x.shape, 100)).sum(), ws)
    assert gradient.square().sum(2).mean(1).sqrt().tolist() == pytest.approx(
        [152.7694654306731, 128.16862819671425, 99.05692444413302, 114.72313070321927], rel=1e-9
    )


def test_logits_and_r1_are_the_official_codes() -> None:
    """As above, ``Discriminator``; R1's derivatives by three weights show that D is differentiated twice alike."""
    D = filled(pair()[1])
    x = even((8, 3, 32, 32), 100).requires_grad_()
    logits = D(x)
    assert logits[:4].tolist() == pytest.approx(
        [0.33372199278213, 0.3741633176894159, 0.33322590790325335, 0.4041553582556465], rel=1e-9
    )
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    r1 = gradient.square().sum((1, 2, 3))
    assert r1[:2].tolist() == pytest.approx([0.0017991440542447059, 0.0018128856601669627], rel=1e-9)
    r1.sum().backward()
    norms = [m.weight.grad.norm().item() for m in (D.blocks[0].conv1, D.linear, D.blocks[2].skip)]
    assert norms == pytest.approx([0.004272504616231927, 0.01309433851714899, 0.004436926663974774], rel=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_runs_and_every_parameter_learns(size: int) -> None:
    G, D = pair(size, channel_base=2048, channel_max=4)  # demodulation takes a lone channel's style away
    b = 3 if size < 256 else 1
    x = lively(G)(torch.randn(b, 6), None, stream())
    taps: list[Tensor] = []
    logits = D(x, None, taps)
    assert x.shape == (b, 3, size, size) and logits.shape == (b,)
    assert [t.shape[2] for t in taps[:-1]] == [size >> n for n in range(1, len(taps))] and taps[-2].shape[2] == 4
    assert taps[-1].shape == (b, 4) and torch.equal(D.linear(taps[-1]).squeeze(1), logits)
    logits.square().sum().backward()
    for player in (G, D):
        assert not [name for name, p in player.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@pytest.mark.parametrize("shape", [(1, 32, 32), (4, 64, 64)])
def test_any_number_of_colours(shape: tuple[int, int, int]) -> None:
    G, D = pair(shape=shape, mapping_layers=0)
    assert G(torch.randn(2, 6)).shape == (2, *shape) and D(torch.randn(2, *shape)).shape == (2,)


def test_full_size_passes_on_the_meta_device() -> None:
    with torch.device("meta"):
        G, D = pair(1024, 512, channel_base=32768, channel_max=512, mapping_layers=8)
        images = G(torch.empty(8, 512), None, stream())
        assert images.is_meta and D(images).shape == (8,)


@torch.no_grad()
def test_without_layers_the_mapping_is_z_normalised() -> None:
    z = torch.randn(3, 6)
    assert torch.equal(pair(mapping_layers=0)[0].mapping(z), unit_moment(z))


@torch.no_grad()
def test_players_are_their_halves() -> None:
    G, D = pair(64, style_mixing=1)
    lively(G), lively(D)
    taps: list[Tensor] = []
    x = G(torch.randn(6, 6), None, stream(2), taps)
    ws, h = taps
    assert ws.shape == (6, G.num_ws, G.w_dim) and h.shape == (6, 20, 4, 4)
    made = G.synthesis(ws, stream(4))
    assert torch.equal(G.rest(G.stem(ws, stream(4)), ws, stream(4)), made)
    assert torch.equal(G.rest(G.stem(ws, None), ws, None), G.synthesis(ws, None))
    assert not torch.allclose(G.rest(G.stem(ws, stream(4)) + 0.1, ws, stream(4)), made)
    maps: list[Tensor] = []
    logits = D(x, None, maps)
    assert torch.equal(D.trunk(x), maps[-2]) and torch.equal(D.head(maps[-2]), logits)


def test_a_path_goes_through_each_layers_own_style() -> None:
    G = lively(pair()[0])
    ws = torch.randn(2, G.num_ws, 6, requires_grad=True)
    (gradient,) = torch.autograd.grad(G.synthesis(ws, stream()).square().sum(), ws)
    assert (gradient.abs().sum(2) > 0).all() and len(gradient[0].unique(dim=0)) == G.num_ws


def test_r1_is_that_of_differences() -> None:
    """Its derivative along a direction in weight space."""
    D = lively(pair()[1].double())
    x, weight = torch.randn(4, 3, 32, 32).double().requires_grad_(), D.blocks[1].conv2.weight
    direction = torch.randn_like(weight)

    def r1() -> Tensor:
        (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
        return gradient.square().sum()

    (slope,) = torch.autograd.grad(r1(), weight)
    ends = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            weight += step * direction
        ends.append(r1().item())
        with torch.no_grad():
            weight -= step * direction
    assert (slope * direction).sum().item() == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5)


def test_weights_begin_at_their_spreads() -> None:
    G, D = pair(64, 64, channel_base=4096, channel_max=32)
    for m in (*G.layers, G.first.conv.style, D.hidden, D.blocks[0].conv1, G.blocks[0].conv1.conv):
        wanted = 100 if m in [*G.layers] else 1
        assert m.weight.std().item() == pytest.approx(wanted, rel=0.1) and abs(m.weight.mean().item()) < wanted / 10
    styles = [m for m in G.modules() if hasattr(m, "demodulate")]
    assert len(styles) == G.num_ws + len(G.blocks) and all((m.style.bias == 1).all() for m in styles)
    assert all(
        (p == 0).all() for n, p in G.named_parameters() if n.endswith((".bias", "strength")) and "style" not in n
    )
    with torch.no_grad():  # equalised: maps keep their scale from the first step on
        taps: list[Tensor] = []
        G(torch.randn(32, 64), None, stream(), taps)
        assert 0.5 < taps[1].square().mean() < 2


def test_a_step_is_the_same_in_both_layouts(float64: None) -> None:
    (plain, losses), (last, others) = (
        after_a_step(recipe(**TRAINED, parts=()), channels_last) for channels_last in (False, True)
    )
    torch.testing.assert_close(torch.stack(losses), torch.stack(others), rtol=1e-10, atol=1e-10)
    assert last.fakes(2).images.is_contiguous(memory_format=torch.channels_last)
    for a, b in ((plain.G, last.G), (plain.D, last.D)):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            torch.testing.assert_close(p.grad, q.grad, rtol=1e-9, atol=1e-12)
            assert q.dim() != 4 or q.grad.is_contiguous(memory_format=torch.channels_last)


def test_a_step_in_bfloat16_stays_near() -> None:
    (_, wide), (_, narrow) = (after_a_step(recipe(**TRAINED, parts=(), precision=p)) for p in ("float32", "bfloat16"))
    torch.testing.assert_close(torch.stack(narrow), torch.stack(wide), rtol=0.05, atol=0.05)


def test_layers_can_follow_each_convolution_of_every_block() -> None:
    G, D = pair(64)
    part = chain.build(
        version="batch", norm="arms", weight=1, p0=1, tau=0, delta_p=1, start=0, decay=0.9, eps=1e-5, blocks="down"
    )
    part.build(G, D)
    seen = []
    for block in D.blocks:
        for name in ("conv1", "conv2", "skip"):
            getattr(block, name)[1].register_forward_hook(lambda m, given, made: seen.append(given[0].shape[2]))
    part.before_pass("d-real", stream())
    D(torch.randn(4, 3, 64, 64)).sum().backward()
    assert sorted(seen, reverse=True) == [64, *[32] * 3, *[16] * 3, *[8] * 3, 4, 4]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"size": 16}, "set resolution to one of 32, 64, 128, 256, 512, 1024"),
        ({"size": 48}, "48x48"),
        ({"size": 2048}, "2048x2048"),
        ({"shape": (3, 32, 64)}, "32x64"),
        ({"width": 0.0}, "width is 0.0"),
        ({"width": -1.0}, "width is -1.0"),
        ({"width": float("nan")}, "width is nan"),
        ({"width": float("inf")}, "width is inf"),
        ({"channel_base": 0}, "channel_base is 0"),
        ({"channel_max": 0}, "channel_max is 0"),
        ({"mbstd_group": 0}, "mbstd_group is 0"),
        ({"mapping_layers": -1}, "mapping_layers is -1"),
        ({"style_mixing": -0.1}, "style_mixing is -0.1"),
        ({"style_mixing": 1.1}, "style_mixing is 1.1"),
        ({"style_mixing": float("nan")}, "style_mixing is nan"),
    ],
)
def test_what_cannot_be_built_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(GanbenchError, match=says) as error:
        pair(**arguments)
    assert error.value.exit_code == 2


def test_classes_are_refused() -> None:
    with pytest.raises(GanbenchError, match="unconditional") as error:
        stylegan2.build((3, 32, 32), 6, 10, **ARGUMENTS)
    assert error.value.exit_code == 2
