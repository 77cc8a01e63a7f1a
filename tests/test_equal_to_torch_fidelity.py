"""Our numbers beside torch-fidelity's own API on the same images, and beside the exact distance where the two part."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.data.shapes import render
from benchmark.metrics import extractors
from benchmark.metrics.extract import extract
from benchmark.metrics.extractors import efficientnet_lite0
from benchmark.metrics.fidelity import fidelity
from benchmark.metrics.frechet import Moments, MomentSum, frechet_distance
from benchmark.metrics.measure import measure
from benchmark.recipe import Protocol
from tests.conftest import protocol

LITE = "efficientnet-lite0"
NUMBER = itertools.count()


class Remembering(torch.nn.Module):
    """A network that passes a batch which it has seen, byte for byte, only once: both APIs ask for the same ones."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network, self.seen = network, {}

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        key = (x.shape, x.dtype, x.contiguous().numpy().tobytes())
        if key not in self.seen:
            self.seen[key] = self.network(x)
        return self.seen[key]


@pytest.fixture(scope="module")
def lite() -> torch.nn.Module:
    if problem := extractors.missing(LITE):
        pytest.skip(problem)
    return Remembering(extractors.load(LITE).module)


@pytest.fixture(scope="module")
def small() -> torch.nn.Module:
    """48 features that never fall below 0, as those of the papers' network, and 10 logits of them."""
    torch.manual_seed(0)
    body = torch.nn.Sequential(
        torch.nn.Conv2d(3, 48, 5, stride=3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    head = torch.nn.Linear(48, 10)

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = body, head

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            features = self.body(x.float() / 64 - 2)
            return features, 9 * self.head(features)

    return Small().eval().requires_grad_(False)


def images(n: int, seed: int, channels: int = 3, noise: int = 40) -> torch.Tensor:
    """uint8 shapes with noise."""
    pixels, _ = render("train", n, 10, 32, channels)
    added = np.random.default_rng(seed).integers(0, noise, pixels.shape)
    return torch.from_numpy(np.clip(pixels.astype(int) + added, 0, 255).astype(np.uint8))


class Images(torch.utils.data.Dataset):
    """Images as torch-fidelity takes them: (3, H, W) uint8 each."""

    def __init__(self, x: torch.Tensor) -> None:
        self.x = x.expand(-1, 3, -1, -1)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.x[i]


def theirs(module: torch.nn.Module, a: torch.Tensor, b: torch.Tensor, p: Protocol, size: int) -> dict[str, float]:
    """What ``torch_fidelity.calculate_metrics`` says, with the network as a feature extractor of its own."""

    class Wrapped(fidelity("feature_extractor_base").FeatureExtractorBase):
        def __init__(self, name: str, features_list: list[str], **kwargs: Any) -> None:
            super().__init__(name, features_list)
            self.module = module

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(dict(zip("fp", self.module(x)))[k] for k in self.features_list)

        get_provided_features_list = staticmethod(lambda: ("f", "p"))
        get_default_feature_layer_for_metric = staticmethod(lambda metric: "p" if metric == "isc" else "f")
        can_be_compiled = staticmethod(lambda: False)
        get_dummy_input_for_compile = staticmethod(lambda: None)

    name = f"wrapped-{next(NUMBER)}"
    fidelity("registry").register_feature_extractor(name, Wrapped)
    return fidelity("metrics").calculate_metrics(
        input1=Images(a),
        input2=Images(b),
        feature_extractor=name,
        isc=True,
        fid=True,
        kid=True,
        prc=True,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        batch_size=size,
        isc_splits=p.is_splits,
        kid_subsets=p.kid_subsets,
        kid_subset_size=p.kid_subset_size,
        samples_find_deep=False,
    )


def both(
    module: torch.nn.Module,
    a: torch.Tensor,
    b: torch.Tensor,
    batch: int,
    splits: int = 3,
    subsets: tuple[int, int] = (4, 50),
    size: int = extractors.BATCH,
) -> tuple[dict[str, float], dict[str, float]]:
    """Ours (in batches of ``batch`` from their source) and theirs, ``size`` images at a time through the network; all
    but FID are held to one another here.
    """
    p = protocol(
        metrics=("IS", "FID", "KIDx1000", "precision", "recall"),
        is_splits=splits,
        kid_subsets=subsets[0],
        kid_subset_size=subsets[1],
        jac_G_every_epochs=None,
        every_epochs=None,
    )
    extractor = extractors.Extractor("wrapped", "", 0, module, size)
    found = measure(p, *(extract(lambda x=x: iter(x.split(batch)), extractor, "round") for x in (a, b)))
    other = theirs(module, a, b, p, size)
    assert found["IS"]["value"] > 1.001  # a score that says something
    assert found["IS"]["value"] == pytest.approx(other["inception_score_mean"], abs=1e-9)
    assert found["IS"]["std"] == pytest.approx(other["inception_score_std"], abs=1e-9)
    assert found["KIDx1000"]["value"] == pytest.approx(1000 * other["kernel_inception_distance_mean"], abs=1e-6)
    assert found["KIDx1000"]["std"] == pytest.approx(1000 * other["kernel_inception_distance_std"], abs=1e-6)
    assert (found["precision"]["value"], found["recall"]["value"]) == (other["precision"], other["recall"])
    return found, other


def exact(a: torch.Tensor, b: torch.Tensor) -> float:
    """The distance of two sets of features without any covariance: Tr (Σa Σb)^½ is the nuclear norm of Xa Xbᵀ."""
    x, y = a.double(), b.double()
    mean = ((x.mean(0) - y.mean(0)) ** 2).sum()
    x, y = (x - x.mean(0)) / math.sqrt(len(x) - 1), (y - y.mean(0)) / math.sqrt(len(y) - 1)
    return float(mean + (x**2).sum() + (y**2).sum() - 2 * torch.linalg.matrix_norm(x @ y.T, "nuc"))


def moments(x: np.ndarray) -> Moments:
    sums = MomentSum()
    sums.add(x)
    return sums.moments()


def statistics(x: np.ndarray) -> dict[str, np.ndarray]:
    """As torch-fidelity has them."""
    return fidelity("metric_fid").fid_features_to_statistics(torch.from_numpy(x))


def their_distance(a: np.ndarray, b: np.ndarray) -> float:
    return fidelity("metric_fid").fid_statistics_to_metric(statistics(a), statistics(b), verbose=False)[
        "frechet_inception_distance"
    ]


@pytest.mark.parametrize(
    ("n", "m", "batch", "splits", "subsets", "channels"),
    [
        (400, 400, 64, 3, (4, 50), 3),
        (1111, 500, 1, 10, (10, 450), 3),
        (333, 777, 97, 7, (3, 332), 1),
        (640, 321, 1000, 1, (50, 20), 3),
    ],
)
def test_every_number_equals_torch_fidelitys(
    small: torch.nn.Module, n: int, m: int, batch: int, splits: int, subsets: tuple[int, int], channels: int
) -> None:
    ours, other = both(small, images(n, 1, channels), images(m, 2, channels, noise=120), batch, splits, subsets)
    assert ours["FID"]["value"] == pytest.approx(other["frechet_inception_distance"], rel=1e-6)


@pytest.mark.slow
def test_every_number_of_the_proxy_equals_torch_fidelitys(lite: torch.nn.Module) -> None:
    ours, other = both(lite, images(1400, 1), images(1300, 2), 31, 10, (10, 500), efficientnet_lite0.CPU_BATCH)
    assert ours["FID"]["value"] == pytest.approx(other["frechet_inception_distance"], rel=1e-6)


@pytest.mark.parametrize(("n", "m", "batch"), [pytest.param(300, 300, 64, marks=pytest.mark.slow), (257, 199, 31)])
def test_with_fewer_images_than_dimensions_ours_is_exact_and_torch_fidelitys_near(
    lite: torch.nn.Module, n: int, m: int, batch: int
) -> None:
    """Not to 1e-6: torch-fidelity sums the real parts of the roots of all 1,280 eigenvalues of Σa Σb. All but m − 1 of
    them are 0 and come out as rounding errors, about 1e-16 of the largest, whose roots are 1e-8 of the largest root and
    never
    negative: its value is too low by their sum. Turning the features, which changes no distance, changes that sum.
    """
    a, b = images(n, 1), images(m, 2)
    ours, other = both(lite, a, b, batch)
    x, y = (torch.cat([lite(part)[0] for part in z.split(64)]).double() for z in (a, b))
    right = exact(x, y)
    assert ours["FID"]["value"] == pytest.approx(right, rel=1e-9)
    assert other["frechet_inception_distance"] == pytest.approx(right, rel=5e-6)

    roots = np.sqrt(
        np.linalg.eigvals(statistics(x.numpy())["sigma"] @ statistics(y.numpy())["sigma"]).astype(complex)
    ).real
    surplus = 2 * np.sort(roots)[: x.shape[1] - min(n, m) + 1].sum()
    assert other["frechet_inception_distance"] + surplus == pytest.approx(right, rel=1e-6) and surplus > 1e-6 * right

    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(x.shape[1], x.shape[1])))[0]
    turned = x.numpy() @ turn, y.numpy() @ turn
    assert abs(their_distance(*turned) - other["frechet_inception_distance"]) > 1e-6 * right
    assert frechet_distance(*map(moments, turned)) == pytest.approx(right, rel=1e-9)


def test_of_many_images_torch_fidelitys_mean_is_a_float32_and_ours_is_not() -> None:
    """Of 50,000 images that lie close to those compared with, its distance depends on their order by more than 1e-6; on
    features in float64 it is ours.
    """
    rng = np.random.default_rng(0)
    a, b = (np.abs(rng.normal(size=(n, 32)) * 0.4).astype(np.float32) for n in (50_000, 10_000))
    ours = frechet_distance(moments(a), moments(b))
    orders = [their_distance(a[rng.permutation(len(a))], b) for _ in range(4)]
    assert max(orders) - min(orders) > 1e-6 * ours and orders == pytest.approx([ours] * 4, rel=1e-4)
    assert ours == pytest.approx(their_distance(a.astype(np.float64), b.astype(np.float64)), rel=1e-9)
    assert ours == pytest.approx(frechet_distance(moments(a[::-1]), moments(b)), rel=1e-9)


@pytest.mark.parametrize(
    ("n", "scale"), [(500, 0.05), (500, 1.5), (40, 0.05)]
)  # well conditioned, ill conditioned, rank deficient
def test_frechet_distance_equals_torch_fidelitys(n: int, scale: float) -> None:
    rng = np.random.default_rng(3)
    a, b = (rng.normal(size=(n, 64)) * np.exp(-scale * np.arange(64)) + rng.normal(size=64) for _ in range(2))
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(their_distance(a, b), rel=1e-6)
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(
        exact(torch.from_numpy(a), torch.from_numpy(b)), rel=1e-9
    )


@pytest.mark.parametrize(("n", "dead"), [(300, 0), (300, 9), (50, 9)])
def test_frechet_distance_is_exact_where_features_never_fire_or_images_are_few(n: int, dead: int) -> None:
    rng = np.random.default_rng(4)
    turn = np.linalg.qr(rng.normal(size=(96, 96)))[0]  # no axis is a principal one
    a, b = ((rng.normal(size=(n, 96)) * np.exp(-0.4 * np.arange(96))) @ turn + 0.01 * i for i in range(2))
    a[:, :dead], b[:, 5 : 5 + dead] = 0.5, 0.25
    assert frechet_distance(moments(a), moments(b)) == pytest.approx(
        exact(torch.from_numpy(a), torch.from_numpy(b)), rel=1e-9
    )
