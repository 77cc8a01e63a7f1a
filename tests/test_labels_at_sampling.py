"""A conditional pair is measured on uniform labels, drawn from a stream of their own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chi2, kstest
from torch import Tensor, nn

from benchmark.metrics import extractors
from benchmark.metrics.extract import extract
from benchmark.train import evaluate as room
from benchmark.train.evaluate import evaluate, sample_grid
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import protocol, recipe
from tests.test_networks_conditional import CIFAR

CLASSES = 10
BIGGAN = ("biggan", CIFAR | {"width": 1 / 16})


class Asked(nn.Module):
    """A generator that notes what it is asked for."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes, self.z, self.labels = classes, [], []

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        self.z.append(z)
        self.labels.append(labels)
        return torch.zeros(len(z), 3, 1, 1) + (labels / self.classes).view(-1, 1, 1, 1)


def pair(classes: int = CLASSES, seed: int = 0) -> Gan:
    return Gan(
        recipe(
            dataset="shapes", resolution=32, channels=3, network=BIGGAN, z_dim=8, classes=classes, batch_d=8, batch_g=8
        ),
        seed,
    )


def images(n: int, **changes: Any) -> Any:
    fields = dict(
        metrics=("FID",),
        generated=n,
        sample_batch=100,
        features="efficientnet-lite0",
        quantise="round",
        jac_G_every_epochs=None,
        every_epochs=None,
    )
    return protocol(**(fields | changes))


def sampled(gan: Gan, n: int, seed: int, step: int) -> tuple[Tensor, Tensor]:
    """The noises and labels of one measurement."""
    G = Asked(gan.recipe.classes)
    shown = torch.cat(list(room._generated(gan, G, images(n), seed, step)()))
    assert torch.equal(shown[:, 0, 0, 0], torch.cat(G.labels) / G.classes)  # the images are those of the labels
    return torch.cat(G.z), torch.cat(G.labels)


@pytest.mark.parametrize(("classes", "n"), [(10, 10_000), (100, 50_000), (7, 5_000)])
def test_labels_are_uniform_and_independent_of_one_another_and_of_the_noise(classes: int, n: int) -> None:
    """Each holds for 999 of 1,000 uniform draws; 20 steps together are as uneven as chance has it, neither more nor
    less.
    """
    gan = pair(classes)
    uneven = []
    for step in range(20):
        z, labels = sampled(gan, n, 0, step)
        assert len(labels) == n and labels.min() >= 0 and labels.max() < classes
        counts = torch.bincount(labels, minlength=classes).double()
        uneven.append(((counts - n / classes) ** 2 / (n / classes)).sum().item())
    assert chi2.ppf(5e-4, 20 * (classes - 1)) < sum(uneven) < chi2.ppf(1 - 5e-4, 20 * (classes - 1))
    assert kstest(uneven, chi2(classes - 1).cdf).pvalue > 1e-3
    follows = torch.bincount(labels[:-1] * classes + labels[1:], minlength=classes**2).double()
    expected = (n - 1) / classes**2
    assert ((follows - expected) ** 2 / expected).sum() < chi2.ppf(1 - 1e-3, classes**2 - 1)
    centred = nn.functional.one_hot(labels, classes).double() - 1 / classes
    assert ((centred.T @ z.double()) / n).abs().max() < 5 * (z.std() * (1 / classes) ** 0.5 / n**0.5)


def test_labels_are_a_function_of_seed_and_step_alone() -> None:
    gan = pair()
    z, labels = sampled(gan, 400, 0, 3)
    for _ in range(3):
        gan.fakes(8)
    again = sampled(gan, 400, 0, 3)
    assert torch.equal(again[0], z) and torch.equal(again[1], labels)
    for other in ((1, 3), (0, 4)):
        assert not torch.equal(sampled(gan, 400, *other)[1], labels)


@pytest.fixture
def measured_by_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pixels stand for features, so that a measurement takes no time."""

    class Pixels(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x.flatten(1)[:, 40:44].float(), x.flatten(1)[:, :5].float()

    pixels = extractors.Extractor("pixels", "", 4, Pixels())
    real = extract(
        lambda: iter([torch.randint(0, 256, (50, 3, 32, 32), generator=torch.Generator().manual_seed(0)).byte()]),
        pixels,
        None,
    )
    monkeypatch.setattr(room, "references", lambda *a: (pixels, real, None))


def _batches() -> Iterator[tuple[Tensor, Tensor]]:
    rng = torch.Generator().manual_seed(1)
    while True:
        yield torch.rand(8, 3, 32, 32, generator=rng) * 2 - 1, torch.randint(CLASSES, (8,), generator=rng)


@pytest.mark.parametrize("bn_mode", ["eval", "train"])
def test_measuring_a_conditional_pair_leaves_its_training_alone(bn_mode: str, measured_by_pixels: None) -> None:
    """Streams, weights and buffers after three steps are, bit for bit, those of a pair that was never looked at."""
    states = []
    for looks in (0, 2):
        gan, batches = pair(), _batches()
        for step in range(3):
            train_step(gan, lambda batches=batches: next(batches))
            for _ in range(looks):
                before = (
                    random.getstate(),
                    np.random.get_state()[1].tolist(),
                    torch.get_rng_state(),
                    {k: r.get_state() for k, r in gan.rng.items()},
                )
                found = evaluate(gan, images(40, bn_mode=bn_mode, sample_batch=8), 0, step, 0, False)
                sample_grid(gan, images(40, bn_mode=bn_mode), 0)
                assert found["FID"]["value"] > 0
                after = (
                    random.getstate(),
                    np.random.get_state()[1].tolist(),
                    torch.get_rng_state(),
                    {k: r.get_state() for k, r in gan.rng.items()},
                )
                assert (
                    before[:2] == after[:2]
                    and torch.equal(before[2], after[2])
                    and all(torch.equal(before[3][k], after[3][k]) for k in gan.rng)
                )
        states.append(gan.state_dict())
    _same(*states)


def _same(a: Any, b: Any) -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            _same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            _same(x, y)
    else:
        assert torch.equal(a, b) if isinstance(a, Tensor) else a == b
