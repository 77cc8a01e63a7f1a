"""The harness's training step of each method against a plain loop of the same networks, as ratios in one run.

    python -m tests.speed.methods [--width 1.0] [--batch 64] [--rounds 5] [--methods "NSGAN,GraND-GAN"]

The methods are those of the papers' CIFAR-10 tables, at their network, batch and width, with one D
step a G step; those of CHAIN's few-shot table at 128 pixels, with the proxy of LPIPS; and StyleGAN2
of its 100-shot table at 64 pixels, with and without DiffAugment and CHAIN. The plain loop is what one
would write for that method alone: one function, Adam fused, D frozen in the G step. ``GN``, ``PGN``
and ``GraN`` are written there as their authors' code does it, by double backpropagation in both
steps. One round times a step of each in turn, in CPU seconds of one thread; ratios are taken round by
round, so that a drifting machine moves both.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import relu, softplus

from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.sampler import Sampler
from benchmark.train.step import train_step
from tests import plain_few_shot, plain_stylegan2

PEER = "a plain loop of each method; GN, PGN and GraN as their authors' code has them"
SHORT = "--width 0.125 --batch 8 --rounds 1 --methods NSGAN,NSGAN-SN,GraND-GAN,GN-GAN"

METHODS = {
    "NSGAN": ("gran", "2", ""),
    "NSGAN-SN": ("gran", "2", ""),
    "WGAN-GP": ("gran", "2", ""),
    "GraND-GAN": ("gran", "2", ""),
    "GN-GAN": ("pgn", "II", "ResNet"),
    "PGN-GAN": ("pgn", "II", "ResNet"),
    "LSGAN": ("sdp", "I", ""),
    "LSGAN-SDP": ("sdp", "I", ""),
    "FastGAN": ("chain", "fewshot", ""),
    "FreGAN": ("chain", "fewshot", ""),
    "FastGAN-D_big": ("chain", "fewshot", ""),
    "FastGAN-D_big+CHAIN": ("chain", "fewshot", ""),
    "StyleGAN2": ("chain", "100shot", ""),
    "StyleGAN2+CHAIN": ("chain", "100shot", ""),
    "DA": ("chain", "100shot", ""),
    "DA+CHAIN": ("chain", "100shot", ""),
}
FEW = {"fewshot": ("shells", 128), "100shot": ("obama", 64)}
"""Tables of few images -> a set of theirs, and pixels."""


def recipe_of(method: str, width: float, batch: int | None) -> Recipe:
    """The paper's CIFAR-10 recipe, with one D step a G step and no average; or the few-shot one, smaller."""
    paper, table, backbone = METHODS[method]
    few = table in FEW
    wanted = (table, method, backbone, FEW[table][0] if few else "cifar10")
    cells = load(Path(f"suites/{paper}.yaml")).cells
    r = next(c.recipe for c in cells if (c.table, c.method, c.backbone, c.dataset) == wanted)
    changes = {"batch_d": batch, "batch_g": batch} if batch else {}
    changed = {"sdp": {"start": 0}, "reconstruction": {"features": "efficientnet-lite0"}}
    return dataclasses.replace(
        r,
        network=(r.network[0], r.network[1] | {"width": width}),
        n_dis=1,
        ema=r.ema if few else None,
        resolution=FEW[table][1] if few else r.resolution,
        lr_decay=None,
        parts=tuple((name, given | changed.get(name, {})) for name, given in r.parts),
        **changes,
    )


def images_of(recipe: Recipe) -> np.ndarray:
    """(N, 3, H, W) bytes of noise."""
    shape = (2000 if recipe.resolution == 32 else 100, 3, recipe.resolution, recipe.resolution)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def harness(recipe: Recipe) -> Callable[[], None]:
    """The step as ``train/run.py`` makes it, its sampler included."""
    gan = Gan(recipe, 0)
    images = images_of(recipe)
    sampler = Sampler(images, np.zeros(len(images), np.int64), recipe.batch_d, True, 0, gan.device, bool(recipe.hflip))
    return lambda: train_step(gan, sampler.next) and None


def normalised(name: str, D: nn.Module, x: Tensor) -> Tensor:
    """f̂ by the sources' double backpropagation."""
    if not x.requires_grad:
        x.requires_grad_()
    f = D(x, None)
    (g,) = torch.autograd.grad(f.sum(), x, create_graph=True)
    g = g.flatten(1)
    if name == "gn":
        return f / (g.norm(dim=1) + f.abs())
    if name == "pgn":
        return (1 - f) / ((1 - g).norm(dim=1) + (1 - f).abs())
    n = g.norm(dim=1)
    return f / 1.2 * n / (n.square() + 1e-8)


def losses(recipe: Recipe) -> tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """D's and G's loss from logits."""
    return {
        "non-saturating": (lambda r, f: softplus(-r).mean() + softplus(f).mean(), lambda f: softplus(-f).mean()),
        "hinge": (lambda r, f: relu(1 - r).mean() + relu(1 + f).mean(), lambda f: -f.mean()),
        "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda f: -f.mean()),
        "least-squares": (
            lambda r, f: 0.5 * ((r - 1).square().mean() + f.square().mean()),
            lambda f: 0.5 * (f - 1).square().mean(),
        ),
    }[recipe.loss[0]]


def penalty(D: nn.Module, x: Tensor, fakes: Tensor) -> Tensor:
    """WGAN-GP's."""
    mixed = (x + torch.rand(len(x), 1, 1, 1) * (fakes - x)).requires_grad_()
    (g,) = torch.autograd.grad(D(mixed, None).sum(), mixed, create_graph=True)
    return 10 * (g.flatten(1).norm(dim=1) - 1).square().mean()


def sample_differences(
    real: Tensor, fake: Tensor, x: Tensor, fakes: Tensor, real_maps: list[Tensor], fake_maps: list[Tensor], k: int = 5
) -> Tensor:
    """GAN-SDP's equations 3 to 10 on scores and maps that are there already."""
    top = fake.topk(k).indices
    near = torch.cdist(fakes[top].detach().flatten(1), x.flatten(1)).argmin(1)
    total = (fake[top] - real[near]).square().sum()
    for a, b in zip(fake_maps, real_maps):
        a, b = a[top].amax((2, 3)), b[near].amax((2, 3))
        total = total + (a / a.square().sum(1, keepdim=True) - b / b.square().sum(1, keepdim=True)).square().sum()
    return 0.01 / k * total


def plain(recipe: Recipe) -> Callable[[], None]:
    """The method alone, in one function."""
    gan, data = Gan(recipe, 0), torch.from_numpy(images_of(recipe))
    if recipe.network[0] in ("fastgan", "fregan"):
        return plain_few_shot.step_of(gan, data)
    if recipe.network[0] == "stylegan2":
        return plain_stylegan2.step_of(gan, data)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(getattr(gan.D, "net", gan.D))
    opt_g, opt_d = (
        torch.optim.Adam(p.parameters(), lr, (recipe.beta1, recipe.beta2), fused=True)
        for p, lr in ((G, recipe.lr_g), (D, recipe.lr_d))
    )
    names, (d_loss, g_loss) = [name for name, _ in recipe.parts], losses(recipe)
    kind, sdp = next((n for n in names if n in ("gn", "pgn", "gran")), None), "sdp" in names
    batch, joint = recipe.batch_d, recipe.d_pass == "joint"

    def judge(x: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        return normalised(kind, D, x) if kind else D(x, None, maps)

    def step() -> None:
        x = data[torch.randint(0, len(data), (batch,))]
        if recipe.hflip:
            x = torch.where((torch.rand(batch) < 0.5)[:, None, None, None], x.flip(3), x)
        x = x.float().div_(127.5).sub_(1)
        real_maps, fake_maps = ([], []) if sdp else (None, None)
        opt_d.zero_grad()
        with torch.no_grad():
            fakes = G(torch.randn(batch, recipe.z_dim), None)
        real, fake = (
            judge(torch.cat([x, fakes])).split(batch) if joint else (judge(x, real_maps), judge(fakes, fake_maps))
        )
        loss = d_loss(real, fake)
        if "gradient-penalty" in names:
            loss = loss + penalty(D, x.detach(), fakes.detach())
        if sdp:
            loss = loss + sample_differences(real, fake, x, fakes, real_maps, fake_maps)
        loss.backward()
        opt_d.step()
        D.requires_grad_(False)
        opt_g.zero_grad()
        fakes = G(torch.randn(recipe.batch_g, recipe.z_dim), None)
        fake = judge(fakes, fake_maps := [] if sdp else None)
        loss = g_loss(fake)
        if sdp:
            with torch.no_grad():
                real = judge(x, real_maps := [])
            loss = loss + sample_differences(real, fake, x, fakes, real_maps, fake_maps)
        loss.backward()
        opt_g.step()
        D.requires_grad_(True)

    return step


def main() -> None:
    """Print seconds a step and the ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--width", type=float, default=1.0)
    arguments.add_argument("--batch", type=int, help="of both players; the paper's if not given")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--methods", default=",".join(METHODS))
    a = arguments.parse_args()
    torch.set_num_threads(1)
    for method in a.methods.split(","):
        recipe = recipe_of(method, a.width, a.batch)
        loops = harness(recipe), plain(recipe)
        times: list[list[float]] = [[], []]
        for round_ in range(a.rounds + 1):
            for step, taken in zip(loops, times):
                began = time.process_time()
                step()
                if round_:  # the first warms up
                    taken.append(time.process_time() - began)
        ratios = sorted(h / p for h, p in zip(*times))
        mine, theirs = (statistics.median(t) for t in times)
        print(
            f"{method:19} {recipe.network[0]:14} harness {mine:7.3f} s, plain {theirs:7.3f} s: "
            f"{statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
