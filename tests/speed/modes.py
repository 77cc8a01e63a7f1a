"""What the memory layout and mixed precision change in a training step's time, as ratios in one run.

    python tests/speed/modes.py [--profile reduced] [--rounds 5] [--only "gran NSGAN,chain BigGAN"]

One round times a whole step (all D steps, and the sampler) in each of the four modes in turn, in CPU seconds of one
thread; ratios are taken round by round, so that a drifting machine moves all. The first round warms up. The methods are
those of the papers' CIFAR-10 tables.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step

PEER = "the same step in float32 and torch's usual layout"
SHORT = '--rounds 1 --only "gran NSGAN,chain BigGAN"'

IMAGES = np.random.default_rng(0).integers(0, 256, (2000, 3, 32, 32), dtype=np.uint8)
MODES = {
    "float32": (False, "float32"),
    "channels-last": (True, "float32"),
    "bfloat16": (False, "bfloat16"),
    "both": (True, "bfloat16"),
}
METHODS = (
    "gran NSGAN,gran NSGAN-SN,gran GraND-GAN,gran NSGAN-GP,pgn GN-GAN,sdp LSGAN-SDP,chain BigGAN,chain "
    "BigGAN+CHAIN,chain LeCam+DA,chain OmniGAN+ADA"
)


def recipe_of(paper: str, method: str, profile: str) -> Recipe:
    """The method's CIFAR-10 recipe; of PGN-GAN's two backbones the ResNet."""
    cells = load(Path(f"suites/{paper}.yaml"), profile).cells
    return next(
        c.recipe for c in cells if (c.method, c.dataset) == (method, "cifar10") and c.backbone in ("", "ResNet")
    )


def loop(recipe: Recipe, channels_last: bool, precision: str) -> Callable[[], object]:
    """The step as ``train/run.py`` makes it."""
    gan = Gan(dataclasses.replace(recipe, precision=precision), 0, total_steps=1000, channels_last=channels_last)
    labels = np.random.default_rng(0).integers(0, recipe.classes or 2, len(IMAGES))
    sampler = Sampler(IMAGES, labels, recipe.batch_d, True, 0, gan.device, bool(recipe.hflip), gan.layout)
    return lambda: train_step(gan, sampler.next)


def main() -> None:
    """Print seconds, and how many times faster each mode is than float32 in the usual layout."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--profile", default="reduced")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", default=METHODS)
    a = arguments.parse_args()
    torch.set_num_threads(1)
    for name in a.only.split(","):
        recipe = recipe_of(*name.split(), a.profile)
        loops = {mode: loop(recipe, *how) for mode, how in MODES.items()}
        times: dict[str, list[float]] = {mode: [] for mode in MODES}
        for round_ in range(a.rounds + 1):
            for mode, step in loops.items():
                began = time.process_time()
                step()
                if round_:
                    times[mode].append(time.process_time() - began)
        ratios = {
            mode: statistics.median(p / t for p, t in zip(times["float32"], taken)) for mode, taken in times.items()
        }
        print(
            f"{name:20} {statistics.median(times['float32']):7.3f} s   "
            + "   ".join(f"{mode} {ratio:.2f}x" for mode, ratio in ratios.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
