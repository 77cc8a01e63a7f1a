"""FreGAN's wavelets and what they add to FastGAN's players, against closed forms and plain formulations in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from benchmark.networks.wavelets import haar, high, inverse, twice
from tests import plain_fastgan as plain
from tests.plain_fastgan import SIZES, count, draws, pair, stream


def test_the_haar_transform_is_orthonormal() -> None:
    x = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    bands = haar(x)
    assert all(band.shape == (2, 3, 4, 3) for band in bands)
    torch.testing.assert_close(sum(band.square().sum() for band in bands), x.square().sum())
    torch.testing.assert_close(inverse(*bands), x, rtol=0, atol=1e-14)
    matrix = torch.stack(haar(torch.eye(4, dtype=torch.float64).reshape(4, 1, 2, 2))).flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(4, dtype=torch.float64), rtol=0, atol=1e-15)


def test_haar_equals_convolutions_with_the_papers_filters() -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    expected = plain.bands_of(x)
    for name, band in zip(("LL", "LH", "HL", "HH"), haar(x)):
        torch.testing.assert_close(twice(band), expected[name])
    torch.testing.assert_close(twice(high(x)), expected["LH"] + expected["HL"] + expected["HH"])
    torch.testing.assert_close(plain.from_bands(expected), twice(x))  # there and back is the map itself


def test_high_frequencies_of_a_constant_are_none_and_the_bands_see_their_direction() -> None:
    assert not high(torch.full((1, 2, 4, 4), 3.0)).any()
    columns = torch.tensor([-1.0, 1.0]).repeat(4, 2)[None, None]
    low, along_width, along_height, both = haar(columns)
    assert not low.any() and not along_height.any() and not both.any() and torch.equal(along_width, 2 + 0 * low)
    assert torch.equal(haar(columns.mT)[2], along_width)


def test_parameter_counts_are_the_sources() -> None:
    """Of the layers of models.py (kobeshegu/FreGAN_NeurIPS2022) that its training calls: FastGAN's G, and three blocks
    that double (a 3x3 convolution to twice the channels, BatchNorm on those); D's transforms have fixed filters.
    """
    with torch.device("meta"):
        G, D = pair("fregan", 1024, width=1.0, z_dim=256)
        decoders = [D.decoder(name) for name in D.decodable]
    blocks = sum(9 * i * 2 * o + 2 * 2 * o for i, o in ((1024, 256), (512, 128), (256, 128)))
    assert count(G) == 29_176_512 + blocks == 35_666_624
    assert (count(D), count(D, *decoders)) == (8_388_704, 11_528_192)


@pytest.mark.parametrize(
    ("size", "wavelets"), [(64, "haar"), (128, "haar"), (256, "haar"), (64, "released"), (256, "released")]
)
@torch.no_grad()
def test_the_generator_equals_a_plain_formulation(size: int, wavelets: str) -> None:
    G, _ = pair("fregan", size, width=1 / 16, wavelets=wavelets)
    s, z = plain.spread(G), torch.randn(2, 5).double()
    for x, y in zip(G(z, None, stream(3)), plain.generator(s, z, size, draws(3)), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("wavelets", ["haar", "released"])
@torch.no_grad()
def test_the_discriminator_equals_a_plain_formulation(wavelets: str) -> None:
    _, D = pair("fregan", 256, width=1 / 16, wavelets=wavelets)
    s, big, small = plain.spread(D), torch.randn(3, 3, 256, 256).double(), torch.randn(3, 3, 128, 128).double()
    torch.testing.assert_close(D((big, small)), plain.two_images(s, big, small, high=True), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("size", "wavelets"), [*((size, "haar") for size in SIZES), (64, "released")])
@torch.no_grad()
def test_the_aligned_maps_have_equal_shapes_in_both_players(size: int, wavelets: str) -> None:
    G, D = pair("fregan", size, width=1 / 16, wavelets=wavelets)
    of_G: list[Tensor] = []
    of_D: list[Tensor] = ["not D's"]  # taps may hold something already
    images = G(torch.randn(1, 5), None, stream(), of_G)
    D(images, None, of_D)
    of_D = of_D[1:]
    assert [t.shape[1:] for t in of_G] == [(64, 4, 4), (32, 8, 8), (16, 16, 16)]
    assert [of_D[n].shape for n in D.aligned] == [t.shape for t in of_G]
    wholes = [of_D[D.decodable[name][0]] for name in ("whole", "quadrant")]
    for n, side, m in zip(D.aligned, ["8", "16"], wholes):
        filters = D.state_dict().get(f"transforms.{side}.filters")
        bands = plain.bands_of(m.double(), filters if filters is None else filters.double())
        torch.testing.assert_close(of_D[n].double(), bands["LH"] + bands["HL"] + bands["HH"], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_gs_taps_are_of_the_maps_before_the_skips_are_added() -> None:
    G, _ = pair("fregan", 64, width=1 / 16)
    maps: list[Tensor] = []
    for name in ("8", "16", "32"):
        G.stages[name].register_forward_hook(lambda m, args, out: maps.append(out))
    taps: list[Tensor] = []
    G(torch.randn(2, 5), None, stream(), taps)
    for tap, m in zip(taps, maps, strict=True):
        assert torch.equal(tap, twice(high(m)))


def test_released_filters_are_drawn_saved_and_not_trained() -> None:
    G, D = pair("fregan", 64, width=0.25, wavelets="released")
    haar_G, haar_D = pair("fregan", 64, width=0.25)
    for player, plain_player, sides in ((G, haar_G, ("8", "16", "32")), (D, haar_D, ("8", "16", "32", "64"))):
        assert [name for name, _ in player.named_parameters()] == [name for name, _ in plain_player.named_parameters()]
        extra = {name: v for name, v in player.state_dict().items() if name not in plain_player.state_dict()}
        assert sorted(extra) == sorted(f"transforms.{side}.filters" for side in sides)
        for filters in extra.values():
            assert filters.std().item() == pytest.approx(0.02, rel=0.1) and abs(filters.mean().item()) < 2e-3
    assert D.transforms["64"].filters.shape == (4 * 32, 1, 2, 2)


@torch.no_grad()
def test_d_judges_high_frequencies_with_its_own_layers_in_the_sources_order() -> None:
    """Before each map's own way on: the passes through shared layers come in the order in which power iterations see
    them.
    """
    _, D = pair("fregan", 256)
    called: list[int] = []
    for n, down in enumerate(D.downs):
        down.register_forward_hook(lambda *_, n=n: called.append(n))
    D.places.register_forward_hook(lambda *_: called.append(9))
    D(torch.randn(1, 3, 256, 256))
    assert called == [0, 1, 3, 4, 9, 2, 4, 9, 3, 9, 4, 9]
