"""The harness's training loop against plain hand-written loops of the same networks, as ratios in one run.

    python tests/speed/step.py [--rounds 15] [--steps 60] [--translations]

One round times a block of steps of each loop in turn, in CPU seconds of this process on one thread;
the ratio is taken round by round, so that a drifting machine moves both. Data: MNIST-shaped noise.

``lean``  the least that computes the same numbers: our layers, D frozen in the G step, fused Adam.
``plain`` as one would write it from gan.py: torch's own spectral_norm, BCE, fused Adam.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step

PEER = "plain hand-written loops of the same networks, one with torch's own spectral_norm"
SHORT = "--rounds 1 --steps 10"

IMAGES = np.random.default_rng(0).integers(0, 256, (60000, 1, 28, 28), dtype=np.uint8)


def harness(gan: Gan) -> Callable[[], None]:
    """The step as ``train/run.py`` makes it, its sampler included."""
    sampler = Sampler(IMAGES, np.zeros(60000, np.int64), 64, False, 0, gan.device)
    return lambda: train_step(gan, sampler.next) and None


def lean(gan: Gan) -> Callable[[], None]:
    """The same arithmetic in one function, without parts, moments or streams."""
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999), fused=True) for p in (G, D))
    augment, rng, data = gan.parts[-1].augment, torch.Generator(), torch.from_numpy(IMAGES)

    def step() -> None:
        x = data[torch.randint(0, 60000, (64,))].float().div_(127.5).sub_(1)
        for p in D.parameters():
            p.requires_grad_(False)
        opt_g.zero_grad()
        fakes = G(torch.randn(64, 100))
        F.softplus(-D(augment(fakes, False, rng))).mean().backward()
        opt_g.step()
        for p in D.parameters():
            p.requires_grad_(True)
        opt_d.zero_grad()
        (
            0.5
            * (F.softplus(-D(augment(x, True, rng))).mean() + F.softplus(D(augment(fakes.detach(), False, rng))).mean())
        ).backward()
        opt_d.step()

    return step


def plain(gan: Gan) -> Callable[[], None]:
    """gan.py's loop with torch's spectral_norm."""
    from benchmark.networks import mlp

    G, D = mlp.build((1, 28, 28), 100, None, width=1.0, bn_eps=0.8)
    for layer in [m for m in D.modules() if isinstance(m, nn.Linear)]:
        nn.utils.spectral_norm(layer)
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999), fused=True) for p in (G, D))
    augment, rng, data, bce = gan.parts[-1].augment, torch.Generator(), torch.from_numpy(IMAGES), nn.BCEWithLogitsLoss()
    seen = len(augment(torch.zeros(64, 1, 28, 28), True, rng))
    ones, zeros = torch.ones(seen), torch.zeros(seen)

    def step() -> None:
        x = data[torch.randint(0, 60000, (64,))].float().div_(127.5).sub_(1)
        opt_g.zero_grad()
        fakes = G(torch.randn(64, 100))
        bce(D(augment(fakes, False, rng)), ones).backward()
        opt_g.step()
        opt_d.zero_grad()
        ((bce(D(augment(x, True, rng)), ones) + bce(D(augment(fakes.detach(), False, rng)), zeros)) / 2).backward()
        opt_d.step()

    return step


def main() -> None:
    """Print milliseconds a step and the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--steps", type=int, default=60)
    arguments.add_argument("--translations", action="store_true", help="Table 2's step instead of Table 1's")
    a = arguments.parse_args()
    torch.set_num_threads(1)
    method = "sigma=sqrt(2)" if a.translations else "SN-D"
    recipe = next(c.recipe for c in load(Path("suites/theory.yaml")).cells if c.method == method)
    gan = Gan(recipe, 0)
    loops = {"harness": harness(gan), "lean": lean(gan), "plain": plain(gan)}
    times: dict[str, list[float]] = {name: [] for name in loops}
    for round_ in range(a.rounds + 1):
        for name, step in loops.items():
            began = time.process_time()
            for _ in range(a.steps):
                step()
            if round_:  # the first warms up
                times[name].append((time.process_time() - began) / a.steps * 1e3)
    for name, values in times.items():
        ratios = sorted(h / v for h, v in zip(times["harness"], values))
        print(
            f"{name:8} {statistics.median(values):7.2f} ms/step   harness / {name}: median "
            f"{statistics.median(ratios):.3f} (min {ratios[0]:.3f}, max {ratios[-1]:.3f})"
        )


if __name__ == "__main__":
    main()
