"""A pair in training to look at: D as its next step would have it, and what it says of a batch, with no trace left."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from benchmark.methods.part import Side, View
from benchmark.train.gan import Gan
from benchmark.train.step import pass_through_D
from benchmark.train.streams import NAMES, stream

Shown = tuple[Tensor, Tensor | None]
"""Images (B, C, H, W) and their classes (B,); None for an unconditional pair."""


def twin_of(gan: Gan, seed: int, step: int, index: int) -> Gan:
    """A copy of the pair, its parts and its loss that shares the weights, and draws from streams of its own: two of one
    ``index`` say the same of the same images.
    """
    twin = copy.copy(gan)
    twin.rng = {name: stream(seed, "probe", name, step, index) for name in NAMES}
    players = (gan.G, gan.judges, *(m for part in gan.parts for m in part.frozen()))
    shared = {id(p): p for player in players for p in player.parameters()} | {
        id(gan.rng[name]): twin.rng[name] for name in NAMES
    }
    twin.G, twin.D, twin.parts, twin.loss = copy.deepcopy((gan.G, gan.D, gan.parts, gan.loss), shared)
    return twin


def judge(twin: Gan, real: Shown, fake: Shown) -> tuple[Side, Side, list[list[Tensor]]]:
    """Both sides through D as in its step; and each block's feature maps, of one pass for both sides or of one for
    each.
    """
    sides = [Side(images, images, images.new_empty(0), [], labels) for images, labels in (real, fake)]
    if twin.recipe.d_pass == "joint":
        taps: list[Tensor] = []
        labels = None if real[1] is None or fake[1] is None else torch.cat([real[1], fake[1]])
        logits = list(pass_through_D(twin, "d-both", torch.cat([real[0], fake[0]]), labels, taps).chunk(2))
        maps = [[tap] for tap in taps]
    else:
        by_side: list[list[Tensor]] = [[], []]
        views: tuple[View, View] = ("d-real", "d-fake")
        logits = [
            pass_through_D(twin, view, side.seen, side.labels, taps)
            for view, side, taps in zip(views, sides, by_side, strict=True)
        ]
        maps = [list(pair) for pair in zip(*by_side)]
    for side, said in zip(sides, logits):
        side.logits = said
    return sides[0], sides[1], maps
