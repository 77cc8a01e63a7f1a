"""What this machine takes for pieces of work: measured, fitted and kept in the user's cache folder.

A processor's seconds are taken to be a sum over the terms of ``Work``: FLOPs of convolutions and of matrix products,
bytes, and operations, each times a cost. The costs are fitted to measured steps of ``REPRESENTATIVE`` recipes,
relative errors weighing alike. Only CPU time of this process counts on a CPU, so that other load does not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from benchmark.metrics import extractors
from benchmark.plan.devices import Device, this_device
from benchmark.plan.work import Work
from benchmark.recipe import Recipe
from benchmark.train.gan import Gan
from benchmark.train.step import train_step

STEPS_S = 1.5  # seconds of steps that are timed, after the first
FEWEST, MOST = 2, 30  # steps

_COMMON: dict[str, Any] = dict(
    dataset="shapes", split="train", data_percent=100.0, z_distribution="normal", z_scale=1.0, n_dis=1, steps=1000, drop_last=True, player_order="d-first", share_fakes=False,
    d_pass="separate", optimizer="adam", lr_g=2e-4, lr_d=2e-4, beta1=0.0, beta2=0.9, adam_eps=1e-8, precision="float32", channels=3, loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}),
)  # fmt: skip
_SNGAN: dict[str, Any] = {"pool": "sum", "upsample": "nearest", "shortcut": "raw", "head": "linear"}
_BIGGAN: dict[str, Any] = {"width": 0.125, "ch": 64, "head": "projection", "attention": 0, "shared_dim": 0, "z_chunks": 1, "init": "N02"}
_SN = ("spectral-norm", {"player": "D"})


def _recipe(network: tuple[str, dict[str, Any]], resolution: int, batch: int, **changes: Any) -> Recipe:
    return Recipe(**(_COMMON | {"network": network, "resolution": resolution, "batch_d": batch, "batch_g": batch, "z_dim": 128} | changes))


REPRESENTATIVE: dict[str, Recipe] = {
    "mlp": _recipe(("mlp", {"width": 1.0, "bn_eps": 0.8}), 28, 64, channels=1, z_dim=100, loss=("non-saturating", {"d_scale": 0.5}), parts=(_SN,)),
    "resnet, tiny batch": _recipe(("sngan-resnet", {"width": 0.0625, **_SNGAN}), 32, 4, parts=(_SN,)),
    "resnet, narrow": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 32, 32, parts=(_SN,)),
    "resnet, penalty": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 32, 16, parts=(("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"}),)),
    "resnet, normalised gradient": _recipe(("sngan-resnet", {"width": 0.125, **_SNGAN}), 48, 16, parts=(("gn", {}),)),
    "resnet, wide": _recipe(("sngan-resnet", {"width": 0.5, **_SNGAN}), 32, 8, parts=(_SN,)),
    "convolutions": _recipe(("dcgan", {"width": 0.25, "g_norm": "batch", "d_norm": "batch"}), 32, 32),
    "many layers": _recipe(("biggan", _BIGGAN), 32, 8, classes=10, d_pass="joint", parts=(_SN, ("spectral-norm", {"player": "G"}))),
    "mlp, large batch": _recipe(("mlp", {"width": 1.0, "bn_eps": 0.8}), 28, 512, channels=1, z_dim=100, parts=(_SN,)),
    "resnet, large images": _recipe(("sngan-resnet", {"width": 0.0625, **_SNGAN}), 128, 4),
}
"""Steps from a hundredth of a second to about one: bound by calls, by bytes, by narrow and by wide convolutions."""


def step_seconds(recipe: Recipe, device: str = "cpu", budget_s: float = STEPS_S) -> tuple[float, float]:
    """Seconds of a step once under way (the median), and of the first one with all that it sets up; on random images.

    Returns:
        CPU seconds of this process on "cpu", with as many threads as torch has; wall seconds elsewhere.
    """
    clock, wait = _clock(device)
    shape = (recipe.batch_d, recipe.channels, recipe.resolution, recipe.resolution)
    began = clock()
    gan = Gan(recipe, 0, device, total_steps=1000)
    real = torch.rand(shape).mul_(2).sub_(1).to(device)
    labels = torch.randint(recipe.classes or 1, (recipe.batch_d,)).to(device)

    def step() -> float:
        mark = clock()
        train_step(gan, lambda: (real, labels))
        wait()
        return clock() - mark

    step()
    first = clock() - began
    taken: list[float] = []
    while len(taken) < FEWEST or (sum(taken) < budget_s and len(taken) < MOST):
        taken.append(step())
    return float(np.median(taken)), first


def _clock(device: str) -> tuple[Callable[[], float], Callable[[], None]]:
    if device == "cpu":
        return time.process_time, lambda: None
    return time.perf_counter, torch.cuda.synchronize


def fit(name: str, measured: list[tuple[Work, float]]) -> Device:
    """The device whose seconds are nearest to ``measured``, relative errors weighing alike; no cost is negative.

    Args:
        measured: work and seconds, of at least as many pieces as there are costs.
    """
    rows = np.array([[w.padded if name == "cpu" else w.conv, w.matmul, w.bytes, w.calls] for w, _ in measured])
    seconds = np.array([s for _, s in measured])
    scale = rows.max(0)
    scale[scale == 0] = 1.0
    costs = nnls(rows / scale / seconds[:, None], np.ones(len(seconds)))[0] / scale
    return Device(name, *(float(c) for c in costs), padded=name == "cpu")


def calibrate(device: str = "cpu") -> Iterator[tuple[str, float, Device | None]]:
    """Measure this machine: after each recipe its name and seconds a step; at the end the fitted device, which the caller keeps.

    About half a minute on one free core.
    """
    from benchmark.plan.count import count

    this_device(device)
    if device == "cpu":
        torch.set_num_threads(1)
    measured, starts = [], []
    for name, recipe in REPRESENTATIVE.items():
        seconds, first = step_seconds(recipe, device)
        measured.append((count(recipe, 1000).step, seconds))
        starts.append(first - seconds)
        yield name, seconds, None
    fitted = fit(device, measured)
    images = {name: seconds for name in extractors.names() if (seconds := image_seconds(name, device)) is not None}
    off = max(abs(fitted.seconds(work) / seconds - 1) for work, seconds in measured)
    yield "largest error of the fit", off, dataclasses.replace(fitted, start_s=float(np.median(starts)), image_s=images)


def image_seconds(features: str, device: str = "cpu") -> float | None:
    """An image of 32 pixels through a feature extractor, in batches as it measures them; None where its weights are not here."""
    if extractors.missing(features):
        return None
    extractor = extractors.load(features, device=device)
    clock, wait = _clock(device)
    images = torch.rand(extractor.batch, 3, 32, 32, device=device) * 255
    taken = []
    with torch.no_grad():
        for _ in range(4):
            mark = clock()
            extractor.module(images)
            wait()
            taken.append(clock() - mark)
    return float(np.median(taken[1:])) / len(images)
