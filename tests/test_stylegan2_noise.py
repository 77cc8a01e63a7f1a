"""StyleGAN2's noise maps and style mixing: functions of a run's stream, and of nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from benchmark.networks.stylegan2_layers import Filter, leaky
from benchmark.train.batches import Batch
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe
from tests.plain_fastgan import stream
from tests.small_stylegan2 import ARGUMENTS, TRAINED, lively, pair


@torch.no_grad()
def test_a_pass_takes_one_number_of_the_stream_and_follows_it() -> None:
    G = lively(pair(style_mixing=1)[0])
    z = torch.randn(4, 6)
    for mode in (True, False):
        used, one = stream(5), stream(5)
        G.train(mode)(z, None, used)
        torch.randint(2**62, (), generator=one)
        assert torch.equal(used.get_state(), one.get_state())
        assert torch.equal(G(z, None, stream(5)), G(z, None, stream(5)))
        assert not torch.equal(G(z, None, stream(5)), G(z, None, stream(6)))
    torch.manual_seed(1)
    x = G(z, None, stream(5))
    torch.manual_seed(2)
    assert torch.equal(G(z, None, stream(5)), x), "drawn from the global stream"


@torch.no_grad()
def test_noise_maps_are_the_streams_one_for_each_image_and_convolution() -> None:
    """What a device's generator gives, seeded with the stream's number: added, times its weight, before the bias."""
    G = lively(pair(style_mixing=0)[0])
    rng = stream(int(torch.randint(2**62, (), generator=stream(3))))
    taps: list[Tensor] = []
    x = G(torch.randn(2, 6), None, stream(3), taps)
    each, image = taps[0].unbind(1), None
    h = G.start.expand(2, -1, -1, -1)
    layers = [(G.first, 0), *((m, 2 * n + k) for n, b in enumerate(G.blocks) for k, m in ((1, b.conv1), (2, b.conv2)))]
    for styled, number in layers:
        h = styled.conv(h, each[number])
        noise = torch.randn(2, 1, *h.shape[2:], generator=rng)
        h = leaky(h + styled.strength * noise + styled.bias[:, None, None])
        if number % 2 == 0:
            share = (G.blocks[number // 2 - 1].to_image if number else G.first_image)(h, each[number + 1])
            image = share if image is None else Filter().doubled(image) + share
    torch.testing.assert_close(x, image, rtol=1e-4, atol=1e-4)


def mixed(G: Any, z: Tensor, seed: int) -> list[tuple[int, Tensor]]:
    """By image: how many layers its own w styles, and what styles the others, held to be one w."""
    taps: list[Tensor] = []
    G(z, None, stream(seed), taps)
    w, found = G.mapping(z), []
    for own, ws in zip(w, taps[0], strict=True):
        same = (ws == own).all(1)
        n = int(same.sum())
        assert same[:n].all() and (ws[n:] == ws[-1]).all()
        found.append((n, ws[-1]))
    return found


@torch.no_grad()
def test_styles_are_mixed_from_some_layer_on_for_each_image() -> None:
    G, _ = pair(style_mixing=1)
    z = torch.randn(400, 6)
    found = mixed(G, z, 1)
    assert {n for n, _ in found} == {*range(1, G.num_ws)}
    others = torch.stack([w for _, w in found])
    assert len(others.unique(dim=0)) == 400
    share = sum(n < G.num_ws for n, _ in mixed(pair(style_mixing=0.7)[0], z, 1)) / 400
    assert 0.6 < share < 0.8


@torch.no_grad()
def test_styles_are_mixed_from_the_same_layer_on_in_a_batch() -> None:
    G, _ = pair(style_mixing=0.5, mix_per="batch")
    z = torch.randn(3, 6)
    found = [mixed(G, z, seed) for seed in range(60)]
    assert all(len({n for n, _ in batch}) == 1 for batch in found)
    assert {batch[0][0] for batch in found} == {*range(1, G.num_ws + 1)}
    assert 15 < sum(batch[0][0] < G.num_ws for batch in found) < 45
    mixed_batch = next(batch for batch in found if batch[0][0] < G.num_ws)
    assert not torch.equal(mixed_batch[0][1], mixed_batch[1][1])


@torch.no_grad()
@pytest.mark.parametrize("mix_per", ["image", "batch"])
def test_nothing_is_mixed_in_eval_mode_at_probability_0_or_without_a_stream(mix_per: str) -> None:
    z = torch.randn(50, 6)
    always, never = pair(style_mixing=1, mix_per=mix_per)[0], pair(style_mixing=0, mix_per=mix_per)[0]
    for G, rng in ((always.eval(), stream()), (never, stream()), (pair(style_mixing=1)[0], None)):
        before = None if rng is None else rng.get_state()
        ws = G.styles(z, rng)
        assert torch.equal(ws, G.mapping(z)[:, None].expand(-1, G.num_ws, -1))
        assert rng is None or not torch.equal(before, rng.get_state())
    assert torch.equal(always(z, None, stream(1)), always.synthesis(always.styles(z, None), stream(1)))


def steps(gan: Gan, count: int) -> list[Tensor]:
    """Losses; every batch is the same."""
    x = torch.randn(8, 3, 32, 32, generator=stream(9))

    def next_real() -> Batch:
        return x, None

    return [loss for _ in range(count) for loss in train_step(gan, next_real)]


@pytest.mark.parametrize("mix_per", ["image", "batch"])
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(mix_per: str) -> None:
    network = ("stylegan2", ARGUMENTS | {"mix_per": mix_per})
    r = recipe(**(TRAINED | {"network": network}), parts=(), ema=0.9, ema_start=0, ema_buffers=True)
    whole, first, second = (lively_gan(Gan(r, seed, total_steps=4)) for seed in (3, 3, 4))
    losses = steps(whole, 4)
    begun = steps(first, 2)
    second.load_state_dict(first.state_dict())
    assert begun + steps(second, 2) == losses
    for a, b in ((whole.G, second.G), (whole.D, second.D), (whole.average.G, second.average.G)):
        assert all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def lively_gan(gan: Gan) -> Gan:
    torch.manual_seed(1)
    lively(gan.G)
    return gan
