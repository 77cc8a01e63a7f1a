"""FastGAN's blocks, gates, decoders, noise and initial weights, against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.networks.decoders import Decoder
from benchmark.networks.fastgan_blocks import Gate, Noise, NoisyUp, SumDown
from benchmark.networks.noise import generator
from tests import plain_fastgan as plain
from tests.plain_fastgan import KINDS, pair, stream


@torch.no_grad()
def test_a_skip_gets_the_activated_map() -> None:
    """The source's block with its in-place activation, module by module."""
    block = SumDown(4, 6)
    main = nn.Sequential(nn.LeakyReLU(0.2, inplace=True), block.conv1, nn.LeakyReLU(0.2), block.conv2, nn.AvgPool2d(2))
    skip = nn.Sequential(block.skip, nn.AvgPool2d(2))
    x = torch.randn(2, 4, 8, 8)
    ours = block(F.leaky_relu(x, 0.2))
    raw = block.skip(x)
    torch.testing.assert_close(ours, main(x) + skip(x))
    assert not torch.allclose(raw, block.skip(x))  # x has been activated


def test_gates_are_a_closed_form() -> None:
    """A small map of 2 everywhere, conv4 of 1/16, conv1 of 3: the gate is σ(3·2σ(2)); with weights 0 it is ½."""
    gate, large = Gate(1, 1).double(), torch.randn(2, 1, 6, 6).double()
    nn.init.constant_(gate.conv1.weight, 1 / 16)
    nn.init.constant_(gate.conv2.weight, 3)
    two = torch.tensor(2.0).double()
    expected = large * (3 * 2 * two.sigmoid()).sigmoid()
    for side in (4, 8, 32):
        torch.testing.assert_close(gate(two.expand(2, 1, side, side), large), expected)
    nn.init.zeros_(gate.conv2.weight)
    torch.testing.assert_close(gate(torch.randn(2, 1, 8, 8).double(), large), large / 2)


@torch.no_grad()
def test_a_decoder_equals_a_plain_formulation() -> None:
    decoder = Decoder(6, 3, 128, 8)
    s = plain.spread(decoder)
    for side in (8, 16):
        x = torch.randn(2, 6, side, side).double()
        h = plain.pool(x) if side == 16 else x
        for n in range(4):
            h = plain.up(s, f"ups.{n}", h)
        torch.testing.assert_close(decoder(x), torch.tanh(plain.conv(s, "to_image", h, padding=1)))
    assert [up.norm.num_features // 2 for up in Decoder(512, 3, 128, 64).ups] == [128, 64, 64, 32]
    assert [len(Decoder(6, 3, side, 8).ups) for side in (16, 32, 64)] == [1, 2, 3]


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_one_draw_a_call_makes_all_noise(kind: str) -> None:
    G, _ = pair(kind, 64)
    plain.spread(G)
    z = torch.randn(4, 5).double()

    def image(rng: torch.Generator, z: Tensor = z) -> Tensor:
        x = G(z, None, rng)
        return x if kind == "big" else x[0]

    assert G.draws_noise
    first, same = stream(), stream()
    before = torch.random.get_rng_state()
    one, two = image(first), image(first)
    assert torch.equal(torch.random.get_rng_state(), before), "the global stream has been used"
    assert torch.equal(one, image(stream())) and not torch.allclose(one, two)
    torch.randint(2**62, (2,), generator=same)
    assert torch.equal(first.get_state(), same.get_state())
    image(first, z[:2])
    torch.randint(2**62, (), generator=same)
    assert torch.equal(first.get_state(), same.get_state()), "what is taken depends on the batch"


def test_noise_is_one_map_an_image_and_begins_without_effect() -> None:
    noise, x = Noise(), torch.randn(3, 4, 5, 5)
    assert torch.equal(noise(x, stream()), x)
    nn.init.constant_(noise.weight, 0.5)
    added = (noise(x, stream()) - x).detach()
    torch.testing.assert_close(added, 0.5 * torch.randn(3, 1, 5, 5, generator=stream()).expand_as(x))
    G, _ = pair("bn", 1024)
    assert sum(isinstance(m, Noise) for m in G.modules()) == 8  # two in each noisy block
    assert {name for name, m in G.stages.items() if isinstance(m, NoisyUp)} == {"8", "32", "128", "512"}


def test_a_seed_for_the_meta_device() -> None:
    rng = generator(stream(), torch.device("meta"))
    assert torch.randn(2, generator=rng, device="meta").is_meta


@pytest.mark.parametrize("kind", KINDS)
def test_the_memory_layout_changes_no_number(kind: str) -> None:
    G, D = pair(kind, 64, width=1 / 8)
    z, seen = torch.randn(3, 5), []
    for layout in (torch.contiguous_format, torch.channels_last):
        images = G.to(memory_format=layout)(z, None, stream())
        seen.append([*(images if isinstance(images, tuple) else [images]), D.to(memory_format=layout)(images)])
    for a, b in zip(*seen):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_initialisation() -> None:
    G, D = pair("bn", 64, width=0.5)
    _, big = pair("big", 64, width=0.5)
    for conv in (G.start, G.stages["8"].conv1, D.downs[0].conv, D.gates["8"].conv1, big.blocks[0].conv1):
        assert conv.weight.std().item() == pytest.approx(0.02, rel=0.05) and abs(conv.weight.mean().item()) < 1e-3
    for norm in (G.start_norm, D.downs[1].norm):
        assert norm.weight.std().item() == pytest.approx(0.02, rel=0.2) and not norm.bias.any()
        assert norm.weight.mean().item() == pytest.approx(1, abs=0.01)
    for layer in (big.blocks[0].conv1, big.linear):  # as PyTorch draws them: uniform, ±1/√fan-in
        assert 0.5 < layer.bias.abs().max() * layer.weight[0].numel() ** 0.5 <= 1 or layer is big.linear
    assert all(m.bias is None for m in D.modules() if isinstance(m, nn.Conv2d))
