"""FastGAN and FastGAN-D_big: the sources' parameter counts, plain formulations in float64, noise, what parts read."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmark.catalogue import plugin
from benchmark.errors import GanbenchError
from benchmark.networks.fastgan_blocks import SumDown
from tests import plain_fastgan as plain
from tests.plain_fastgan import KINDS, SIZES, count, draws, pair, stream


@pytest.mark.parametrize(
    ("kind", "counts"), [("bn", (29_176_512, 8_388_704, 11_528_192)), ("big", (29_176_320, 10_647_897, 12_937_497))]
)
def test_parameter_counts_are_the_sources(kind: str, counts: tuple[int, int, int]) -> None:
    with torch.device("meta"):
        G, D = pair(kind, 1024, width=1.0, z_dim=256)
        decoders = [D.decoder(name) for name in D.decodable]
    assert (count(G), count(D), count(D, *decoders)) == counts


@pytest.mark.parametrize("kind", KINDS)
def test_full_size_passes_on_the_meta_device(kind: str) -> None:
    with torch.device("meta"):
        G, D = pair(kind, 1024, width=1.0, z_dim=256)
        images = G(torch.empty(8, 256), None, stream())
        assert D(images).shape == {"bn": (8, 50), "big": (8,), "fregan": (8, 125)}[kind]
    large = images if kind == "big" else images[0]
    assert large.shape == (8, 3, 1024, 1024) and large.is_meta


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_size_runs_and_every_parameter_learns(kind: str, size: int) -> None:
    """From D's logits to all of G and D, and from the decoders to themselves."""
    G, D = pair(kind, size)
    for player in (G, D):
        plain.spread(player)
    b, small = 1 if size > 256 else 2, min(128, size // 2)
    images = G(torch.randn(b, 5).double(), None, stream())
    if kind == "big":
        assert images.shape == (b, 3, size, size)
    else:
        assert isinstance(images, tuple)
        assert [x.shape for x in images] == [(b, 3, size, size), (b, 3, small, small)]
    taps: list[Tensor] = []
    logits = D(images, None, taps)
    assert logits.shape == {"bn": (b, 50), "big": (b,), "fregan": (b, 125)}[kind]
    made = {name: D.decoder(name).double()(taps[place]) for name, (place, _) in D.decodable.items()}
    assert {name: x.shape[1:] for name, x in made.items()} == {
        name: (3, min(128, side), min(128, side))
        for name, side in (("whole", size), ("quadrant", size // 2), ("small", small))
        if name in made
    }
    (logits.square().sum() + sum(x.square().sum() for x in made.values())).backward()
    for player in (G, D):
        assert not [name for name, p in player.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_taps_and_the_maps_that_decoders_read(kind: str, size: int) -> None:
    _, D = pair(kind, size, width=1 / 8)
    taps: list[Tensor] = []
    x = torch.randn(1, 3, size, size)
    assert torch.equal(D(x, None, taps), D(x))
    sides = [side for side in (128, 64, 32, 16, 8) if side < size]
    others = [] if kind == "big" else [8]
    assert [t.shape[2] for t in taps] == sides + others + ([4, 8, 16] if kind == "fregan" else [])
    expected = {"whole": (8, 64), "quadrant": (16, 32), "small": (8, 32)}
    assert {n: (taps[at].shape[2], taps[at].shape[1]) for n, (at, _) in D.decodable.items()} == {
        n: shape for n, shape in expected.items() if n != "small" or kind != "big"
    }
    assert all(taps[at].shape[1] == wide for at, wide in D.decodable.values())


@torch.no_grad()
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["bn", "big"])
def test_only_images_of_1024_pixels_end_in_tanh(kind: str, size: int) -> None:
    G, _ = pair(kind, size)
    for name, p in G.named_parameters():
        if name in ("to_image.weight", "to_small.weight"):
            nn.init.normal_(p, 0, 100)
    images = G(torch.randn(1, 5), None, stream())
    for x in images if isinstance(images, tuple) else (images,):
        assert (x.abs().max() <= 1) == (size == 1024)


@pytest.mark.parametrize("size", [64, 128, 512, 1024])
@torch.no_grad()
def test_the_generator_equals_a_plain_formulation(size: int) -> None:
    G, _ = pair("bn", size, width=1 / 16)
    s, z = plain.spread(G), torch.randn(2, 5).double()
    expected = plain.generator(s, z, size, draws(3))
    for x, y in zip(G(z, None, stream(3)), expected, strict=True):
        torch.testing.assert_close(x, y.tanh() if size == 1024 else y, rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_the_two_generators_differ_in_the_small_image_only() -> None:
    (two, _), (one, _) = pair("bn", 64), pair("big", 64)
    weights = two.state_dict()
    del weights["to_small.weight"]
    one.load_state_dict(weights)
    z = torch.randn(2, 5)
    assert torch.equal(one(z, None, stream()), two(z, None, stream())[0])


@torch.no_grad()
def test_the_discriminator_of_two_images_equals_a_plain_formulation() -> None:
    _, D = pair("bn", 256, width=1 / 16)
    s, big, small = plain.spread(D), torch.randn(3, 3, 256, 256).double(), torch.randn(3, 3, 128, 128).double()
    expected = plain.two_images(s, big, small)
    torch.testing.assert_close(D((big, small)), expected, rtol=1e-9, atol=1e-9)
    of_one = plain.two_images(s, big, big[..., ::2, ::2])
    torch.testing.assert_close(D(big), of_one, rtol=1e-9, atol=1e-9)
    assert not torch.allclose(of_one[:, 25:], expected[:, 25:]) and torch.equal(of_one[:, :25], expected[:, :25])


@torch.no_grad()
def test_the_residual_discriminator_equals_a_plain_formulation_with_activations_in_place() -> None:
    _, D = pair("big", 1024, width=1 / 8)
    s, image = plain.spread(D), torch.randn(1, 3, 1024, 1024).double()
    taps: list[Tensor] = []
    logits, maps = plain.residual(s, image)
    before = image.clone()
    torch.testing.assert_close(D(image, None, taps), logits, rtol=1e-9, atol=1e-9)
    assert torch.equal(image, before)
    for tap, m in zip(taps, maps, strict=True):
        torch.testing.assert_close(tap, m, rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_the_stems_at_512_and_256_pixels() -> None:
    """One convolution from the image to 256x256, and nothing else than at 1024 after it."""
    for size, stride in ((512, 2), (256, 1)):
        for kind in KINDS:
            _, D = pair(kind, size)
            x = torch.randn(1, 3, size, size)
            conv = D.stem if kind == "big" else D.stem[0]
            assert (conv.stride[0], conv.out_channels, len(list(D.stem.modules()))) == (
                stride,
                1,
                1 if kind == "big" else 3,
            )
            assert D.stem(x).shape[2:] == (256, 256)


@pytest.mark.parametrize("size", SIZES)
def test_the_blocks_that_methods_number(size: int) -> None:
    """At 1024 pixels five, of three convolutions each. The stem's, which halves too, and the last are none of them."""
    _, D = pair("big", size)
    assert len(D.blocks) == {64: 3, 128: 4}.get(size, 5)
    convolutions = [m for b in D.blocks for m in (b.conv1, b.conv2, b.skip)]
    assert all(type(m) is nn.Conv2d for m in convolutions) and all(b.halve for b in D.blocks)
    others = [m for m in D.modules() if isinstance(m, SumDown) and m not in set(D.blocks)]
    assert [m.halve for m in others] == ([True, False] if size == 1024 else [False])
    if size == 1024:
        assert len(convolutions) == 15
    hooked: list[int] = []
    for block in D.blocks:  # called as modules, and nothing pooled on the way out
        block.conv2.register_forward_hook(lambda m, args, out: hooked.append(args[0].shape[2] - out.shape[2]))
        block.skip.register_forward_hook(lambda m, args, out: hooked.append(args[0].shape[2] - out.shape[2]))
    with torch.no_grad():
        D(torch.randn(1, 3, size, size))
    assert hooked == [0] * 2 * len(D.blocks)


@pytest.mark.parametrize("kind", ["bn", "fregan"])
def test_other_discriminators_have_no_blocks_for_methods(kind: str) -> None:
    _, D = pair(kind, 64)
    assert not hasattr(D, "blocks") and not [m for m in D.modules() if hasattr(m, "skip")]


@pytest.mark.parametrize("build", ["fastgan", "fregan"])
@pytest.mark.parametrize(
    ("shape", "classes", "width", "says"),
    [
        *(((3, n, n), None, 1.0, f"{n}x{n} pixels: set resolution to one of 64, 128, 256") for n in (32, 96, 2048)),
        ((3, 64, 128), None, 1.0, "64x128"),
        ((3, 64, 64), 10, 1.0, "unconditional"),
        *(((3, 64, 64), None, w, "width is .*above 0") for w in (0.0, -1.0, float("nan"), float("inf"))),
    ],
)
def test_what_the_networks_cannot_have_is_refused(
    build: str, shape: tuple[int, int, int], classes: int | None, width: float, says: str
) -> None:
    arguments = {"d": "bn", "width": width} if build == "fastgan" else {"width": width}
    with pytest.raises(GanbenchError, match=says) as raised:
        plugin("networks", build).load().build(shape, 5, classes, **arguments)
    assert raised.value.exit_code == 2 and build in str(raised.value)


def test_the_linter_knows_its_choices() -> None:
    plugin("networks", "fastgan").check({"d": "big", "width": 1.0})
    plugin("networks", "fregan").check({"width": 1.0})
    plugin("networks", "fregan").check({"width": 1.0, "wavelets": "released"})
    with pytest.raises(GanbenchError, match="released"):
        plugin("networks", "fregan").check({"width": 1.0, "wavelets": "release"})
    with pytest.raises(GanbenchError, match="big"):
        plugin("networks", "fastgan").check({"d": "bigg", "width": 1.0})
