"""What the memory layout changes in a whole training step, for every network and image size of the suites.

    python -m tests.speed.layout [--profile full] [--batch 32] [--rounds 3] [--only REGEX] [--device cuda] [--out FILE]

One line is the first recipe of the suites for each network, image size and set of parts that take gradients of
gradients or insert layers; at the profile's width, with one D step. One round times a step in each layout, in
alternating order, in CPU seconds of one thread (on a GPU: wall seconds); ratios are taken round by round, so that a
drifting machine moves both. A first step of each warms up. A ratio below 1 is a faster step with channels last.
``--batch`` is that of both players at 32 pixels, less for larger images (half at 64); 0 takes each recipe's own. Tiny
batches mislead: there the time goes into arranging weights.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import torch

from benchmark.catalogue import plugins
from benchmark.recipe import Recipe
from benchmark.records.provenance import processor
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.speed.penalties import seconds

PEER = "the same step with contiguous maps and weights"
SHORT = "--profile reduced --rounds 1 --only ^dcgan"

SUITES = ("gran", "pgn", "sdp", "chain", "theory")
TOLD = ("gradient-penalty", "gn", "pgn", "gran", "adaptive-weights", "chain", "ada", "sdp")
"""Parts that make a step another kind of work; of others the first recipe's are taken as they are."""


def kinds(profile: str) -> dict[str, Recipe]:
    """Name of a line -> its recipe."""
    found: dict[str, Recipe] = {}
    for suite in SUITES:
        for cell in load(Path(f"suites/{suite}.yaml"), None if profile == "full" else profile).cells:
            r = cell.recipe
            told = [name for name in dict.fromkeys(name for name, _ in r.parts) if name in TOLD]
            if r.network[0] in plugins("networks") and all(
                name in plugins("methods") for name, _ in (*r.parts, r.loss)
            ):
                found.setdefault(" ".join([r.network[0], str(r.resolution), *told]), r)
    return found


def step(recipe: Recipe, batch: int, device: str, channels_last: bool) -> Callable[[], object]:
    """A whole step on noise images that lie as the sampler would lay them."""
    if batch:
        size = max(2, round(batch * min(1.0, 32 / recipe.resolution)))
        recipe = dataclasses.replace(recipe, batch_d=size, batch_g=size)
    gan = Gan(dataclasses.replace(recipe, n_dis=1), 0, device, total_steps=1000, channels_last=channels_last)
    gan.step = 1  # past every part's start
    r = gan.recipe
    x = (torch.rand(r.batch_d, r.channels, r.resolution, r.resolution) * 2 - 1).to(device, memory_format=gan.layout)
    labels = torch.arange(r.batch_d, device=device) % (r.classes or 1)
    return lambda: train_step(gan, lambda: (x, labels))


def measure(recipe: Recipe, batch: int, device: str, rounds: int) -> tuple[float, list[float]]:
    """Seconds of a contiguous step, and the sorted ratios of channels last to it."""
    loops = [step(recipe, batch, device, last) for last in (False, True)]
    taken: list[list[float]] = [[], []]
    once = min(seconds(loop, 1, device) for loop in loops)
    count = max(1, min(50, round(0.3 / once)))
    for round_ in range(rounds):
        for which in (0, 1) if round_ % 2 else (1, 0):
            taken[which].append(seconds(loops[which], count, device))
    return statistics.median(taken[0]), sorted(b / a for a, b in zip(*taken))


def main() -> None:
    """Print the table, a line as soon as it is measured."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--profile", default="full")
    arguments.add_argument("--batch", type=int, default=32)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--threads", type=int, default=1)
    a = arguments.parse_args()
    torch.set_num_threads(a.threads)
    batch = f"batch {a.batch} at 32 pixels" if a.batch else "the recipes' batch"
    print(f"{processor() if a.device == 'cpu' else torch.cuda.get_device_name()}, torch {torch.__version__},")
    print(f"profile {a.profile}, {batch}, {a.rounds} rounds, threads {a.threads}\n")
    print("| network, pixels, parts | contiguous, ms | channels last : contiguous | range |\n|---|---|---|---|")
    for name, recipe in kinds(a.profile).items():
        if re.search(a.only, name):
            usual, ratios = measure(recipe, a.batch, a.device, a.rounds)
            middle = statistics.median(ratios)
            print(f"| {name} | {usual * 1e3:.1f} | {middle:.2f} | {ratios[0]:.2f} to {ratios[-1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
