"""What the methods of the normalised and regularised family cost: a D step and a G step of each, relative to the plain
GAN.

    python tests/speed/penalties.py [--network gn-resnet] [--width 0.25] [--batch 64] [--batch-g 128] [--rounds 7]
    [--steps 1] [--device cuda]

All methods train the same network with the same loss (hinge), through the harness's own ``d_step``
and ``g_step`` on noise images. One round times a block of steps of each in turn, and ratios are taken
round by round, so that a drifting machine moves all: in CPU seconds of one thread, or in wall
seconds on a GPU. ``GN naive`` is GN with double backpropagation in the G step, too.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, g_step

PEER = "the plain GAN's D step and G step"
SHORT = "--width 0.25 --batch 16 --batch-g 16 --rounds 1"

METHODS = {
    "plain": [],
    "SN": [("spectral-norm", {"player": "D"})],
    "GP": [("gradient-penalty", {"weight": 10.0, "target": 1.0, "sides": "two"})],
    "GN naive": [("gn", {})],
    "GN cheap": [("gn", {})],
    "PGN": [("pgn", {"form": "released"})],
    "GraN": [("gran", {"tau": 1.2, "eps": 1e-8})],
    "CR": [("consistency", {"weight": 5.0, "flip": 0.5, "shift": 0.2, "fill": -1.0})],
    "GN + CR": [("gn", {}), ("consistency", {"weight": 5.0, "flip": 0.5, "shift": 0.2, "fill": -1.0})],
    "SDP": [("sdp", {"weight": 0.01, "start": 0, "k": 5, "k_every": 5000, "norm": "squared"})],
    "aw": [("adaptive-weights", {"alpha1": 0.5, "alpha2": 0.75, "delta": 0.05, "epsilon": 0.05})],
}
UNCONDITIONAL = ("pgn", "gran", "sdp", "theory")


def base(network: str) -> Recipe:
    """The first unconditional recipe of the suites that trains ``network``."""
    cells = (c for name in UNCONDITIONAL for c in load(Path(f"suites/{name}.yaml")).cells)
    found = next((c.recipe for c in cells if c.recipe.network[0] == network and c.recipe.classes is None), None)
    if found is None:
        raise SystemExit(f"no unconditional recipe of {', '.join(UNCONDITIONAL)} trains {network!r}")
    return found


def pair(recipe: Recipe, method: str, device: str) -> Gan:
    gan = Gan(dataclasses.replace(recipe, parts=tuple(METHODS[method])), 0, device)
    if method == "GN naive":
        gan.D.net.piecewise_linear = False
    return gan


def steps(gan: Gan) -> tuple[Callable[[], object], Callable[[], object]]:
    """A D step, the making of its fakes included, and a G step."""
    r = gan.recipe
    x = torch.rand(r.batch_d, r.channels, r.resolution, r.resolution, device=gan.device) * 2 - 1

    def d() -> None:
        with torch.no_grad():
            fakes = gan.fakes(r.batch_d)
        d_step(gan, (x, None), fakes)

    return d, lambda: g_step(gan, gan.fakes(r.batch_g), x)


def seconds(step: Callable[[], object], count: int, device: str) -> float:
    clock = time.process_time if device == "cpu" else time.perf_counter
    _wait(device)
    began = clock()
    for _ in range(count):
        step()
    _wait(device)
    return (clock() - began) / count


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def main() -> None:
    """Print milliseconds and ratios, a line a method."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--network", default="mlp", help="by its name in the suites")
    arguments.add_argument("--width", type=float, default=1.0)
    arguments.add_argument("--resolution", type=int, help="the recipe's if not given")
    arguments.add_argument("--batch", type=int, default=64, help="real images, and fakes of a D step")
    arguments.add_argument("--batch-g", type=int, default=64)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--steps", type=int, default=1, help="a block's")
    arguments.add_argument("--device", default="cpu")
    a = arguments.parse_args()
    torch.set_num_threads(1)
    recipe = base(a.network)
    recipe = dataclasses.replace(
        recipe,
        network=(a.network, recipe.network[1] | {"width": a.width}),
        resolution=a.resolution or recipe.resolution,
        loss=("hinge", {"margin": 1.0, "margin_jitter": 0.0}),
        batch_d=a.batch,
        batch_g=a.batch_g,
        share_fakes=False,
        ema=None,
    )
    print(
        f"{a.network} {recipe.network[1]}, {recipe.channels}x{recipe.resolution}x{recipe.resolution}, batch "
        f"{a.batch} / {a.batch_g}, {recipe.d_pass} D pass, {a.device}"
    )
    gans = {name: steps(pair(recipe, name, a.device)) for name in METHODS}
    times: dict[tuple[str, int], list[float]] = {(name, player): [] for name in METHODS for player in (0, 1)}
    for round_ in range(a.rounds + 1):
        for (name, player), taken in times.items():
            measured = seconds(gans[name][player], a.steps, a.device)
            if round_:  # the first warms up
                taken.append(measured)
    for name in METHODS:
        cells = []
        for player, label in ((0, "D"), (1, "G")):
            ratios = sorted(t / p for t, p in zip(times[name, player], times["plain", player]))
            cells.append(
                f"{label} {statistics.median(times[name, player]) * 1e3:9.2f} ms "
                f"{statistics.median(ratios):5.2f}x ({ratios[0]:.2f} to {ratios[-1]:.2f})"
            )
        print(f"{name:9} {'   '.join(cells)}")


if __name__ == "__main__":
    main()
