"""The harness's training step against that of other people's own code, at the paper's width, as ratios in one run.

    python -m tests.speed.peers --code DIR [mimicry-sngan mimicry-wgan-gp gngan diffaugment] [--batch 8] [--rounds 5]

``DIR`` holds checkouts: ``mimicry`` (kwotsin), ``GNGAN-PyTorch`` (basiclab), ``data-efficient-gans`` (mit-han-lab).
One that is not there is left out, which is said. A round times a whole step (the recipe's D steps and a G step) on
noise images of 32 pixels: the peer's, ours in contiguous memory, and ours as it runs (``auto``), in CPU seconds of one
thread; ratios are taken round by round, so that a drifting machine moves all. The first round warms up.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.layout import AUTO, CONTIGUOUS, is_channels_last
from benchmark.train.step import train_step
from tests.speed.penalties import seconds

PEER = "Mimicry's SN-GAN and WGAN-GP, GNGAN-PyTorch, DiffAugment's BigGAN, where their code is here"
SHORT = "--rounds 1 --batch 2"

Step = Callable[[], object]
AUGMENT = "translation,cutout"


def toggle(player: nn.Module, on: bool) -> None:
    """Whether a player's weights take gradients."""
    for parameter in player.parameters():
        parameter.requires_grad = on


@torch.no_grad()
def follow(average: nn.Module, G: nn.Module) -> None:
    """The running average as both peers that keep one take it."""
    for kept, live in zip(average.state_dict().values(), G.state_dict().values()):
        kept.copy_(kept * 0.9999 + live * (1 - 0.9999))


def mimicry(kind: str, r: Recipe, x: Tensor, labels: Tensor) -> Step:
    """``train_step`` of its two players, in the order of its trainer."""
    nets = importlib.import_module(f"torch_mimicry.nets.{kind}.{kind}_32")
    name = {"sngan": "SNGAN", "wgan_gp": "WGANGP"}[kind]
    G, D = getattr(nets, f"{name}Generator32")(), getattr(nets, f"{name}Discriminator32")()
    opt_G, opt_D = (torch.optim.Adam(player.parameters(), 2e-4, (0.0, 0.9)) for player in (G, D))
    log, cpu = SimpleNamespace(add_metric=lambda *what, **more: None), torch.device("cpu")

    def step() -> None:
        G.train_step(real_batch=(x, labels), netD=D, optG=opt_G, log_data=log, device=cpu)
        for _ in range(r.n_dis):
            D.train_step(real_batch=(x, labels), netG=G, optD=opt_D, log_data=log, device=cpu)

    return step


def gngan(r: Recipe, x: Tensor, labels: Tensor) -> Step:
    """The loop of its ``train.py``, which itself asks for a GPU."""
    resnet, losses = importlib.import_module("models.resnet"), importlib.import_module("losses")
    normalize = importlib.import_module("models.gradnorm").normalize_gradient
    G, average, D = resnet.ResGenerator32(128, 1), resnet.ResGenerator32(128, 1), resnet.ResDiscriminator32(1)
    opt_G, opt_D = (torch.optim.Adam(p.parameters(), 2e-4, (0.0, 0.9)) for p in (G, D))
    loss_fn, zeros = losses.HingeLoss(), torch.zeros(max(r.batch_d, r.batch_g), dtype=torch.int64)

    def step() -> None:
        for _ in range(r.n_dis):
            opt_D.zero_grad()
            with torch.no_grad():
                fake = G(torch.randn(r.batch_d, 128), zeros[: r.batch_d]).detach()
            pred = normalize(D, torch.cat([x, fake]), y=zeros[:1].expand(2 * r.batch_d))
            loss, one, other = loss_fn(*torch.split(pred, [r.batch_d, r.batch_d]))
            loss.backward()
            opt_D.step()
            _ = loss.item(), one.item(), other.item()
        toggle(D, False)
        opt_G.zero_grad()
        y = zeros[: r.batch_g]
        loss_fn(normalize(D, G(torch.randn(r.batch_g, 128), y), y=y)).backward()
        opt_G.step()
        toggle(D, True)
        follow(average, G)

    return step


def diffaugment(r: Recipe, x: Tensor, labels: Tensor) -> Step:
    """Its ``GAN_training_function``, as its CIFAR-10 script configures it."""
    net, losses = importlib.import_module("BigGAN"), importlib.import_module("losses")
    words: dict[str, Any] = dict(resolution=32, n_classes=10, G_attn="0", D_attn="0", G_init="N02", D_init="N02")
    words |= dict(G_lr=2e-4, D_lr=2e-4)
    G, average, D = net.Generator(**words), net.Generator(**words, no_optim=True), net.Discriminator(**words)
    both = net.G_D(G, D)

    def step() -> None:
        toggle(D, True)
        toggle(G, False)
        for _ in range(r.n_dis):
            D.optim.zero_grad()
            z, y = torch.randn(r.batch_d, 128), torch.randint(10, (r.batch_d,))
            fake, real = both(z, y, x, labels, train_G=False, policy=AUGMENT)
            one, other = losses.discriminator_loss(fake, real)
            (one + other).backward()
            D.optim.step()
        toggle(D, False)
        toggle(G, True)
        G.optim.zero_grad()
        losses.generator_loss(
            both(torch.randn(r.batch_g, 128), torch.randint(10, (r.batch_g,)), train_G=True, policy=AUGMENT)
        ).backward()
        G.optim.step()
        follow(average, G)

    return step


PEERS: dict[str, tuple[str, Callable[[Recipe, Tensor, Tensor], Step], str, tuple[str, str, str]]] = {
    "mimicry-sngan": ("mimicry", lambda *a: mimicry("sngan", *a), "torch_mimicry", ("gran", "2", "SNGAN")),
    "mimicry-wgan-gp": ("mimicry", lambda *a: mimicry("wgan_gp", *a), "torch_mimicry", ("gran", "2", "WGAN-GP")),
    "gngan": ("GNGAN-PyTorch", gngan, "models", ("pgn", "II", "GN-GAN")),
    "diffaugment": (
        "data-efficient-gans/DiffAugment-biggan-cifar",
        diffaugment,
        "layers",
        ("chain", "cifar", "BigGAN"),
    ),
}
"""Name -> folder of the code, its step, a module of it, and the paper, table and method of ours."""


def recipe_of(where: tuple[str, str, str], batch: int) -> Recipe:
    """Ours: of GN-GAN's two networks the ResNet; DiffAugment added where the peer has it."""
    cells = load(Path(f"suites/{where[0]}.yaml")).cells
    r = next(
        c.recipe
        for c in cells
        if (c.paper, c.table, c.method) == where and c.recipe.resolution == 32 and c.backbone in ("", "ResNet")
    )
    if where[2] == "BigGAN":
        more = ("diffaugment", {"policy": AUGMENT, "random_order": False})
        r = dataclasses.replace(r, parts=(*r.parts, more), ema=0.9999, ema_start=0, ema_buffers=True)
    return dataclasses.replace(r, batch_d=batch, batch_g=batch)


def ours(r: Recipe, x: Tensor, labels: Tensor, layout: str) -> Step:
    """The harness's step."""
    gan = Gan(r, 0, total_steps=1000, channels_last=is_channels_last(layout, r.network[0], "cpu"))
    real = x.contiguous(memory_format=gan.layout)
    return lambda: train_step(gan, lambda: (real, labels))


def main() -> None:
    """Print seconds and ratios, a line a peer."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("names", nargs="*", help=f"of: {', '.join(PEERS)}")
    arguments.add_argument("--code", type=Path, default=Path("peers"))
    arguments.add_argument("--batch", type=int, default=8)
    arguments.add_argument("--rounds", type=int, default=5)
    a = arguments.parse_args()
    torch.set_num_threads(1)
    for name in a.names or PEERS:
        folder, make, module, where = PEERS[name]
        if not (place := a.code / folder).is_dir():
            print(f"{name}: no checkout in {place}")
            continue
        sys.path.insert(0, str(place))
        for other in ("models", "losses", "utils", "layers"):  # names that several of them have
            for loaded in [m for m in sys.modules if m.partition(".")[0] == other]:
                del sys.modules[loaded]
        importlib.import_module(module)
        r = recipe_of(where, a.batch)
        x, labels = torch.rand(a.batch, 3, 32, 32) * 2 - 1, torch.arange(a.batch) % 10
        loops = {"peer": make(r, x, labels)} | {how: ours(r, x, labels, how) for how in (CONTIGUOUS, AUTO)}
        taken: dict[str, list[float]] = {how: [] for how in loops}
        for round_ in range(a.rounds + 1):
            for how in list(loops) if round_ % 2 else reversed(loops):
                measured = seconds(loops[how], 1, "cpu")
                if round_:
                    taken[how].append(measured)
        sys.path.remove(str(place))
        said = [f"{name}: {statistics.median(taken['peer']):.2f} s; ours"]
        for how in (CONTIGUOUS, AUTO):
            ratios = sorted(own / theirs for own, theirs in zip(taken[how], taken["peer"]))
            said.append(f"{how} {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(" ".join(said), flush=True)


if __name__ == "__main__":
    main()
