"""What this machine takes for pieces of work: measured, fitted and kept in the user's cache folder.

A processor's seconds are taken to be a sum over the terms of ``Work``: FLOPs of convolutions and of matrix products,
bytes, operations, and the slow ones among both, each times a cost. The costs are fitted to measured steps of
``REPRESENTATIVE`` recipes, relative errors weighing alike. Only CPU time of this process counts on a CPU, so that other
load does not.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median

import numpy as np
import torch
from scipy.optimize import nnls

from benchmark.data.read import read
from benchmark.metrics import extractors
from benchmark.metrics.images import batches, prepare
from benchmark.plan.devices import Device, this_device
from benchmark.plan.representative import REPRESENTATIVE
from benchmark.plan.work import Work
from benchmark.recipe import Protocol, Recipe
from benchmark.train.gan import Gan
from benchmark.train.layout import AUTO, is_channels_last
from benchmark.train.run import run
from benchmark.train.step import train_step

STEPS_S = 0.5  # seconds of steps that are timed in a round, after the first
FEWEST, MOST = 2, 30  # steps
PROXY = "efficientnet-lite0"  # what small runs are measured with
IMAGES = 256  # through a feature extractor
ROUNDS = 3  # in turn over all recipes, so that a slow spell of the machine is not one recipe's


def step_seconds(
    recipes: Mapping[str, Recipe], device: str = "cpu", budget_s: float = STEPS_S, rounds: int = ROUNDS
) -> dict[str, float]:
    """Seconds of a step of each recipe once under way, the median of each round and of the rounds; on random images.

    Args:
        budget_s: seconds of steps of a recipe in a round.

    Returns:
        CPU seconds of this process on "cpu", with as many threads as torch has; wall seconds elsewhere.
    """
    steps = {name: _step(recipe, device) for name, recipe in recipes.items()}
    taken: dict[str, list[float]] = {name: [] for name in recipes}
    for _ in range(rounds):
        for name, step in steps.items():
            step()
            found: list[float] = []
            while len(found) < FEWEST or (sum(found) < budget_s and len(found) < MOST):
                found.append(step())
            taken[name].append(median(found))
    return {name: median(found) for name, found in taken.items()}


def _step(recipe: Recipe, device: str) -> Callable[[], float]:
    """A training step on random images, in the memory layout of a run, which returns its seconds."""
    clock, wait = _clock(device)
    gan = Gan(recipe, 0, device, 1000, is_channels_last(AUTO, recipe.network[0], device))
    real = torch.rand(recipe.batch_d, recipe.channels, recipe.resolution, recipe.resolution).mul_(2).sub_(1)
    real = real.to(device, memory_format=gan.layout)
    labels = torch.randint(recipe.classes or 1, (recipe.batch_d,)).to(device)

    def step() -> float:
        """Seconds of the clock of ``device``, with all that was started finished."""
        mark = clock()
        train_step(gan, lambda: (real, labels))
        wait()
        return clock() - mark

    return step


def start_seconds(device: str = "cpu") -> float:
    """Seconds of a small run that are neither steps nor measurements; CPU seconds on "cpu".

    Of the second of two such runs: the first also imports what it needs, and measures the real images.
    """
    recipe = dataclasses.replace(REPRESENTATIVE["resnet, tiny batch"], images=64, steps=2)
    protocol = Protocol(metrics=("V_g",), generated=64, bn_mode="eval", weights="raw", checkpoint="last", std_of="none")
    if extractors.missing(PROXY) is None:
        protocol = dataclasses.replace(
            protocol, metrics=("FID",), features=PROXY, quantise="round", real_split="train", real=64
        )
    clock, _ = _clock(device)
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            mark = clock()
            data = read(recipe.dataset, recipe.split, recipe.resolution, recipe.channels, images=recipe.images)
            made = run(recipe, protocol, 0, data, Path(folder), device=device)
            spent = clock() - mark
    assert made is not None  # nothing stops it
    return spent - sum(
        made[key] for key in (("train_cpu_s", "eval_cpu_s") if device == "cpu" else ("train_s", "eval_s"))
    )


def _clock(device: str) -> tuple[Callable[[], float], Callable[[], None]]:
    if device == "cpu":
        return time.process_time, lambda: None
    return time.perf_counter, torch.cuda.synchronize


def fit(name: str, measured: list[tuple[Work, float]]) -> Device:
    """The device whose seconds are nearest to ``measured``, relative errors weighing alike; no cost is negative.

    Args:
        measured: work and seconds, of at least as many pieces as there are costs.
    """
    rows = np.array(
        [
            [w.padded if name == "cpu" else w.conv, w.matmul, w.bytes, w.calls, w.slow_bytes, w.convs]
            for w, _ in measured
        ]
    )
    seconds = np.array([s for _, s in measured])
    scale = rows.max(0)
    scale[scale == 0] = 1.0
    costs = nnls(rows / scale / seconds[:, None], np.ones(len(seconds)))[0] / scale
    conv, matmul, byte, call, slow_byte, conv_call = (float(c) for c in costs)
    return Device(name, conv, matmul, byte, call, slow_byte=slow_byte, conv_call=conv_call, padded=name == "cpu")


def calibrate(device: str = "cpu") -> Iterator[tuple[str, float, Device | None]]:
    """Measure this machine: after each recipe its name and seconds a step; at the end the fitted device, which the
    caller keeps.

    About a minute on one free core.
    """
    from benchmark.plan.count import count

    this_device(device)
    if device == "cpu":
        torch.set_num_threads(1)
    seconds = step_seconds(REPRESENTATIVE, device)
    yield from ((name, one, None) for name, one in seconds.items())
    measured = [(count(recipe, 1000).step, seconds[name]) for name, recipe in REPRESENTATIVE.items()]
    fitted = fit(device, measured)
    images = {name: one for name in extractors.names() if (one := image_seconds(name, device)) is not None}
    off = max(abs(fitted.seconds(work) / one - 1) for work, one in measured)
    yield "largest error of the fit", off, dataclasses.replace(fitted, start_s=start_seconds(device), image_s=images)


def image_seconds(features: str, device: str = "cpu") -> float | None:
    """An image of 32 pixels prepared for a feature extractor and sent through it, in batches as it measures them; None
    where its weights are not here.
    """
    if extractors.missing(features):
        return None
    extractor = extractors.load(features, device=device)
    clock, wait = _clock(device)
    images = torch.rand(IMAGES, 3, 32, 32).mul_(2).sub_(1)
    taken = []
    with torch.no_grad():
        for _ in range(ROUNDS):
            mark = clock()
            for batch in batches(prepare(lambda: iter([images]), "round", IMAGES), IMAGES, extractor.batch):
                extractor.module(batch.to(device))
            wait()
            taken.append(clock() - mark)
    return median(taken) / IMAGES
