"""Small recipes of every method of the suites, and one training step of each."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from benchmark.plan.blocks import what_blocks
from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step

SUITES = ("gran", "pgn", "sdp", "chain", "theory")


def covering() -> dict[str, Recipe]:
    """As few recipes of profile ci as name every network, part and loss that is implemented, each part with each set of
    its words.
    """
    seen: set[object] = set()
    found = {}
    for suite in SUITES:
        for cell in load(Path(f"suites/{suite}.yaml"), "ci").cells:
            r = cell.recipe
            ideas = {
                (r.network[0], r.d_pass),
                *((n, *(v for v in a.values() if isinstance(v, str))) for n, a in (*r.parts, r.loss)),
            }
            if r.resolution <= 32 and not ideas <= seen and not what_blocks(r, cell.protocol):
                seen |= ideas
                found[cell.id] = r
    return found


def after_a_step(r: Recipe, channels_last: bool = False, seed: int = 0) -> tuple[Gan, list[Tensor]]:
    """A pair after one step on noise images of its layout, and the losses of D and G. The clock stands past every
    part's start.
    """
    gan = Gan(r, seed, total_steps=4, channels_last=channels_last)
    gan.step = 1
    rng = torch.Generator().manual_seed(seed)

    def next_real() -> tuple[Tensor, Tensor]:
        x = torch.rand(r.batch_d, r.channels, r.resolution, r.resolution, generator=rng) * 2 - 1
        return x.contiguous(memory_format=gan.layout), torch.randint(r.classes or 2, (r.batch_d,), generator=rng)

    return gan, list(train_step(gan, next_real))
