"""What the methods cost beside the plain GAN: a whole training step of each (one D step, one G step), as ratios in one
run.

    python -m tests.speed.relative regularised [--width 1.0] [--batch 8] [--rounds 3] [--device cuda]
    python -m tests.speed.relative data-efficient [--width 1.0] [--batch 50] [--rounds 3]
    python -m tests.speed.relative 100-shot [--width 0.25] [--batch 8] [--rounds 3]

    regularised       GN-GAN's ResNet at 32 pixels, hinge loss: plain, and each method of PGN-GAN, GraN-GAN and GAN-SDP
    data-efficient    CHAIN's BigGAN for CIFAR at d = 256, spectral norm in both players: plain, and with each method of
                      that table, under way: p of ADA and CHAIN is 1/2, LeCam has begun
    100-shot          CHAIN's StyleGAN2 at 64 pixels: plain (with R1 in every step, as DiffAugment's), and each row of
                      that table, under way; 16 steps at a time, among which are all that come every 4 or 16

All methods of a table train the same network on the same noise images, through the harness's own ``train_step``. One
round times a step of each in turn, and ratios are taken round by round, so that a drifting machine moves all: in CPU
seconds of one thread, or in wall seconds on a GPU. The first round warms up. A line gives the median step, and the
ratio's median and range.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from collections.abc import Callable
from pathlib import Path

import torch

from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.speed.penalties import METHODS, base, pair, seconds

PEER = "the plain GAN's whole step"
SHORT = "regularised --width 0.125 --batch 4 --rounds 1"

SEPARATE = "plain, separate passes"
CHAIN = dict(norm="arms", weight=20.0, p0=0.0, tau=0.5, delta_p=0.001, start=0, decay=0.9, eps=1e-5, blocks="all")
ADA = ("ada", dict(pipe="bgc", target=0.6, kimg=500.0, every=4, schedule="adaptive"))
OMNI = ("omni", dict(margin=0.0, gamma=1.0))
DATA_EFFICIENT = {
    "plain": [],
    "DiffAugment": [("diffaugment", dict(policy="translation,cutout", random_order=False))],
    "ADA": [ADA],
    "LeCam": [("lecam", dict(weight=0.3, decay=0.9, start=0))],
    SEPARATE: [],
    "CHAIN (batch)": [("chain", CHAIN | {"version": "batch"})],
    "CHAIN (running)": [("chain", CHAIN | {"version": "running"})],
    "Omni + ADA": [ADA],
}


def regularised(width: float, batch: int, device: str) -> dict[str, Gan]:
    """The pairs of the first table."""
    r = base("gn-resnet")
    r = dataclasses.replace(
        r,
        network=("gn-resnet", r.network[1] | {"width": width}),
        loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}),
        batch_d=batch,
        batch_g=batch,
        n_dis=1,
        share_fakes=False,
        ema=None,
        lr_decay=None,
    )
    return {name: pair(r, name, device) for name in METHODS}


def data_efficient(width: float, batch: int, device: str) -> dict[str, Gan]:
    """The pairs of the second table."""
    cell = next(c for c in load(Path("suites/chain.yaml")).cells if (c.table, c.method) == ("cifar", "BigGAN"))
    plain = dataclasses.replace(cell.recipe, batch_d=batch, batch_g=batch, n_dis=1, ema=None, lr_decay=None)
    found = {}
    for name, parts in DATA_EFFICIENT.items():
        omni = name.startswith("Omni")
        network = ("biggan", plain.network[1] | {"width": width} | ({"head": "omni"} if omni else {}))
        d_pass = "separate" if name == SEPARATE or name.startswith("CHAIN") else "joint"
        r = dataclasses.replace(
            plain, network=network, parts=(*plain.parts, *parts), d_pass=d_pass, **({"loss": OMNI} if omni else {})
        )
        found[name] = under_way(Gan(r, 0, device, total_steps=1000))
    return found


def hundred_shot(width: float, batch: int, device: str) -> dict[str, Gan]:
    """The pairs of the third table; KD-DLGAN with the proxy of its teacher."""
    cells = load(Path("suites/chain.yaml")).cells
    found = {}
    for cell in (c for c in cells if (c.table, c.dataset) == ("100shot", "obama")):
        r = cell.recipe
        parts = tuple(
            (n, a | {"teacher": "efficientnet-lite0", "size": 64} if n == "kd-dlgan" else a) for n, a in r.parts
        )
        r = dataclasses.replace(
            r,
            network=(r.network[0], r.network[1] | {"width": width}),
            resolution=64,
            batch_d=batch,
            batch_g=batch,
            parts=parts,
        )
        name = "plain" if cell.method == "StyleGAN2" else cell.method
        found[name] = under_way(Gan(r, 0, device, total_steps=1000))
    return found


def under_way(gan: Gan) -> Gan:
    """With the adaptive strengths in the middle of their range."""
    for (name, _), part in zip(gan.recipe.parts, gan.parts):
        if name == "ada":
            part.p = 0.5
        elif name == "chain":
            part.shared.p = 0.5
    return gan


def step(gan: Gan) -> Callable[[], object]:
    """A whole step on noise images."""
    r: Recipe = gan.recipe
    x = torch.rand(r.batch_d, r.channels, r.resolution, r.resolution, device=gan.device) * 2 - 1
    labels = torch.arange(r.batch_d, device=gan.device) % (r.classes or 1)
    return lambda: train_step(gan, lambda: (x, labels))


TABLES = {
    "regularised": (regularised, 8, 1),
    "data-efficient": (data_efficient, 50, 1),
    "100-shot": (hundred_shot, 8, 16),
}
"""What makes a table's pairs, its batch, and how many steps are timed together."""


def main() -> None:
    """Print seconds and ratios, a line a method."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("table", choices=TABLES)
    arguments.add_argument("--width", type=float, default=1.0)
    arguments.add_argument("--batch", type=int, help="of both players (default: 8, 50 and 8)")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--device", default="cpu")
    a = arguments.parse_args()
    torch.set_num_threads(1)
    make, batch, together = TABLES[a.table]
    steps = {name: step(gan) for name, gan in make(a.width, a.batch or batch, a.device).items()}
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(a.rounds + 1):
        for name, one in steps.items():
            measured = seconds(one, together, a.device)
            if round_:
                times[name].append(measured)
        print(f"round {round_} done", flush=True)
    print(f"{a.table}, width {a.width}, batch {a.batch or batch}, {a.rounds} rounds, {a.device}")
    for name, taken in times.items():
        ratios = sorted(t / p for t, p in zip(taken, times["plain"]))
        print(
            f"{name:22} {statistics.median(taken):8.3f} s {statistics.median(ratios):6.2f}x ({ratios[0]:.2f} "
            f"to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
