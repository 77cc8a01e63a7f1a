"""The distances that decoders are trained by: values against a few lines written anew, shapes, gradients, meta."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods import perceptual
from benchmark.weights.known import KNOWN
from benchmark.weights.read import state

WIDTHS = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256), 14: (256, 256)}
WIDTHS |= {17: (256, 512), **dict.fromkeys((19, 21, 24, 26, 28), (512, 512))}  # VGG16's convolutions, as torchvision's
TAPS, POOLS = (2, 7, 14, 21, 28), (5, 10, 17, 24)
LITE = "efficientnet-lite0"


def here(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


needs_lpips = pytest.mark.skipif(not here("lpips"), reason="lpips is not installed")
needs_lite = pytest.mark.skipif(not here("efficientnet_lite_pytorch"), reason="efficientnet-lite is not installed")
FEATURES = [pytest.param("vgg16", marks=needs_lpips), pytest.param(LITE, marks=needs_lite)]


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Tensor]]:
    """A file of VGG16's layout and name with random numbers, which counts as the right one meanwhile."""
    torch.manual_seed(0)
    tensors = {}
    for n, (inputs, outputs) in WIDTHS.items():
        tensors[f"features.{n}.weight"] = torch.randn(outputs, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
        tensors[f"features.{n}.bias"] = torch.randn(outputs) * 0.1
    tensors |= {f"classifier.{n}.{kind}": torch.zeros(1) for n in (0, 3, 6) for kind in ("weight", "bias")}
    path = tmp_path_factory.mktemp("weights") / "vgg16-397923af.pth"
    torch.save(tensors, path, _use_new_zipfile_serialization=False)  # as the published file is
    own = dataclasses.replace(KNOWN["vgg16"], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KNOWN, "vgg16", own)
        patch.setenv("GANBENCH_WEIGHTS", str(path))
        yield tensors


def pair(size: int = 32, channels: int = 3) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    x = torch.rand(3, channels, size, size) * 2 - 1
    return x, (x + 0.3 * torch.randn_like(x)).clamp(-1, 1)


def unit(f: Tensor) -> Tensor:
    return f / f.norm(dim=1, keepdim=True)


def by_hand(x: Tensor, y: Tensor, vgg: dict[str, Tensor]) -> Tensor:
    """LPIPS v0.1 as the paper has it, layer by layer."""
    linear = state("lpips-vgg")
    mean, deviation = (
        torch.tensor(v, dtype=x.dtype).view(1, 3, 1, 1) for v in ([-0.030, -0.088, -0.188], [0.458, 0.448, 0.450])
    )
    found = torch.zeros(len(x), dtype=x.dtype)
    a, b = ((image - mean) / deviation for image in (x, y))
    for n in WIDTHS:
        if n in POOLS:
            a, b = F.max_pool2d(a, 2), F.max_pool2d(b, 2)
        w, bias = (vgg[f"features.{n}.{kind}"].to(x.dtype) for kind in ("weight", "bias"))
        a, b = F.conv2d(a, w, bias, padding=1).relu(), F.conv2d(b, w, bias, padding=1).relu()
        if n in TAPS:
            v = linear[f"lin{TAPS.index(n)}.model.1.weight"].to(x.dtype).flatten()
            found += ((unit(a) - unit(b)).square() * v.view(1, -1, 1, 1)).sum(1).mean((1, 2))
    return found


@needs_lpips
@pytest.mark.parametrize("size", [32, 40])
def test_lpips_is_the_papers_formula_on_vgg16s_maps(vgg: dict[str, Tensor], size: int) -> None:
    x, y = (t.double() for t in pair(size))
    network = perceptual.distance("vgg16").double()
    with torch.no_grad():
        found = network(x, y)
        assert found.shape == (3,) and found.min() > 0
        torch.testing.assert_close(found, by_hand(x, y, vgg), rtol=1e-6, atol=0)


@needs_lpips
def test_the_linear_weights_are_the_published_ones() -> None:
    """Five of them, none negative, by their hash; the package's own default is version 0.1."""
    linear = state("lpips-vgg")
    assert {name: tuple(t.shape) for name, t in linear.items()} == {
        f"lin{n}.model.1.weight": (1, width, 1, 1) for n, width in enumerate((64, 128, 256, 512, 512))
    }
    assert all(t.min() >= 0 and t.max() > 0 for t in linear.values())


@needs_lpips
@pytest.mark.parametrize("spoil", ["a layer is missing", "a layer has another shape"])
def test_a_file_of_another_layout_is_no_vgg16(
    vgg: dict[str, Tensor], spoil: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "features.17.weight"
    changed = {k: t for k, t in vgg.items() if k != name or "shape" in spoil}
    changed |= {name: vgg[name][:, :8]} if "shape" in spoil else {}
    path = tmp_path / "vgg16-397923af.pth"
    torch.save(changed, path)
    monkeypatch.setitem(
        KNOWN, "vgg16", dataclasses.replace(KNOWN["vgg16"], sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    )
    monkeypatch.setenv("GANBENCH_WEIGHTS", str(path))
    with pytest.raises((KeyError, RuntimeError), match="features.17.weight|slice4.17.weight"):
        perceptual.distance("vgg16")


@needs_lite
def test_the_proxy_is_the_same_without_linear_weights_on_lite0s_five_scales() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    whole = EfficientNet.from_name(LITE)
    whole.load_state_dict(state(LITE))
    whole.double().eval()
    x, y = (t.double() for t in pair(64))
    maps: list[Tensor] = []
    hooks = [block.register_forward_hook(lambda m, i, out: maps.append(out)) for block in whole._blocks]
    with torch.no_grad():
        for images in (x, y):
            whole.extract_features(((images + 1) * 127.5 - 127) / 128)
        found = perceptual.distance(LITE).double()(x, y)
    assert len(hooks) == 16
    last = [n for n in range(16) if n == 15 or maps[n].shape[2] != maps[n + 1].shape[2]]
    assert [tuple(maps[n].shape[1:]) for n in last] == [
        (16, 32, 32),
        (24, 16, 16),
        (40, 8, 8),
        (112, 4, 4),
        (320, 2, 2),
    ]
    expected = sum((unit(maps[n]) - unit(maps[16 + n])).square().sum(1).mean((1, 2)) for n in last)
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize("features", FEATURES)
def test_a_distance_is_one_is_frozen_and_passes_gradients_on(features: str, vgg: dict[str, Tensor]) -> None:
    network = perceptual.distance(features)
    assert not any(p.requires_grad for p in network.parameters()) and not network.training
    assert not any(m.training for m in network.modules())
    x, y = pair()
    y.requires_grad_()
    found = network(x, y)
    found.sum().backward()
    assert y.grad is not None and y.grad.isfinite().all() and (y.grad.flatten(1).norm(dim=1) > 0).all()
    with torch.no_grad():
        assert torch.equal(network(x, x), torch.zeros(3))
        torch.testing.assert_close(network(y, x), found, rtol=1e-5, atol=0)
        torch.testing.assert_close(network(x[1:2], y[1:2]), found[1:2], rtol=1e-4, atol=0)
        further = (x + 2 * (y - x)).clamp(-1, 1)
        assert (network(x, further) > found).all()


@pytest.mark.parametrize("features", FEATURES)
def test_grey_is_three_equal_colours(features: str, vgg: dict[str, Tensor]) -> None:
    network, (x, y) = perceptual.distance(features), pair(channels=1)
    with torch.no_grad():
        torch.testing.assert_close(network(x, y), network(x.expand(-1, 3, -1, -1), y.expand(-1, 3, -1, -1)))


@pytest.mark.parametrize("features", FEATURES)
def test_making_it_draws_nothing_and_leaves_nothing_on_meta(features: str, vgg: dict[str, Tensor]) -> None:
    before = torch.random.get_rng_state()
    network = perceptual.distance(features)
    assert torch.equal(before, torch.random.get_rng_state())
    assert {t.device.type for t in (*network.parameters(), *network.buffers())} == {"cpu"}


@pytest.mark.parametrize("features", FEATURES)
def test_its_work_is_counted_without_its_weights(features: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> dict[str, Tensor]:
        raise AssertionError(f"{name} was read")

    monkeypatch.setattr(perceptual, "state", refuse)
    with torch.device("meta"):
        network: nn.Module = perceptual.distance(features)
    network.to("meta")  # as a part's networks are moved
    x = torch.empty(2, 3, 64, 64, device="meta", requires_grad=True)
    found = network(x, x)
    found.sum().backward()
    assert found.shape == (2,) and x.grad is not None and x.grad.device.type == "meta"
    if features == "vgg16":
        convolutions = {tuple(p.shape) for p in network.parameters() if p.shape[-1] == 3}
        assert convolutions == {(o, i, 3, 3) for i, o in WIDTHS.values()}
        assert sum(p.numel() for p in network.parameters()) == 14_714_688 + 1_472  # VGG16's features and the five


def test_an_unknown_network_is_named_with_the_nearest() -> None:
    with pytest.raises(GanbenchError, match="no features 'vgg'; did you mean 'vgg16'") as error:
        perceptual.distance("vgg")
    assert error.value.exit_code == 2
