"""AdvAug (Chen et al. 2021): both players train on adversarially perturbed features, too.

    h ← h + γ·sign(∂ mean D/∂h), ``steps`` times;   loss ← (loss + loss of the perturbed)/2, in both players' steps

The formula and γ are those of the released SNGAN (``SNGAN/functions_adv.py``): nothing is drawn or clipped, and the
perturbed features keep their graph, so that what lies before them learns through both. There h is what D's last layer
reads, and what G's first layer gives. No StyleGAN2 code is released, and which maps count is chosen here:

    d_features  "trunk": D's last map, before minibatch-stddev, from D's own pass
    g_features  "stem": G's map between ``stem`` and ``rest``; "styles": ws, what all layers of G read
    "none"      leaves a player as it is, as the release's scripts for one of them do

``sign: released`` raises D on real images, on fakes and in G's step, as the code does. ``intended`` is the paper's
formula (from memory), the perturbation that raises the loss: it lowers D on real images and in G's step.

G's perturbed images are of the step's own noises, with other noise maps and style mixing than the step's fakes; they
and the augmentation are the same in each of their own passes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Moment, Part, Side, one_logit

VERSION = 1


def build(
    *,
    gamma: float,
    steps: int,
    sign: Literal["released", "intended"],
    d_features: Literal["trunk", "none"],
    g_features: Literal["stem", "styles", "none"],
) -> Part:
    """The part, for stylegan2's players; arguments as above.

    Raises:
        GanbenchError: ``gamma`` is below 0 or ``steps`` below 1.
    """
    if gamma < 0 or steps < 1:
        raise GanbenchError(f"adv-aug needs gamma >= 0 and steps >= 1, found {gamma} and {steps}", 2)
    return AdvAug(gamma, steps, sign == "released", d_features, g_features)


class AdvAug(Part):
    """Terms that turn each player's loss into the mean of two."""

    def __init__(self, gamma: float, steps: int, released: bool, d_features: str, g_features: str) -> None:
        self.gamma, self.steps, self.released = gamma, steps, released
        self.d_features, self.g_features = d_features, g_features
        self.needs_features, self.needs_own_passes = d_features != "none", g_features != "none"

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError where a player is not divided as it must be."""
        needed = {"none": (), "trunk": ("head",), "stem": ("styles", "stem", "rest"), "styles": ("styles", "synthesis")}
        for name, player, choice in (("D", D, self.d_features), ("G", G, self.g_features)):
            if missing := [part for part in needed[choice] if not hasattr(player, part)]:
                raise GanbenchError(f"adv-aug: {name} has no {', '.join(missing)}: take stylegan2's", 2)
        return G, D

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """Half of D's loss on perturbed features less half of that on clean ones, ()."""
        if self.d_features == "none":
            return None
        real = self._again(moment.D, moment.real, 1 if self.released else -1)
        fake = self._again(moment.D, moment.fake, 1)
        return (moment.criterion.d_loss(real, fake) - moment.loss) / 2

    def g_penalty(self, moment: Moment) -> Tensor | None:
        """Likewise of G's; D's parameters stay closed."""
        if self.g_features == "none":
            return None
        G: Any = moment.G
        rng = moment.rng
        ws = G.styles(moment.fake.z, rng)
        h = G.stem(ws, rng) if self.g_features == "stem" else ws
        drawn_next = rng.get_state()

        def judge(h: Tensor) -> Tensor:
            """D of G's images from ``h`` on, always with the same draws."""
            rng.set_state(drawn_next)
            images = G.rest(h, ws, rng) if self.g_features == "stem" else G.synthesis(h, rng)
            return moment.D(moment.augment(images, False), moment.fake.labels)

        logits = judge(self.perturbed(h, judge, 1 if self.released else -1))
        return (moment.criterion.g_loss(_said(moment.fake, logits)) - moment.loss) / 2

    def perturbed(self, h: Tensor, judge: Callable[[Tensor], Tensor], sign: int) -> Tensor:
        """``h`` moved to where ``judge``'s mean is larger (``sign`` 1) or smaller (−1); its graph is ``h``'s alone."""
        for _ in range(self.steps):
            leaf = h.detach().requires_grad_()
            (g,) = torch.autograd.grad(one_logit(judge(leaf), "adv-aug").mean(), leaf)
            h = h + sign * self.gamma * g.sign()
        return h

    def _again(self, D: Any, side: Side, sign: int) -> Side:
        """The side with what D's head says of the perturbed last map."""
        last = [feature for feature in side.features if feature.dim() == 4][-1].to(side.logits.dtype)
        return _said(side, D.head(self.perturbed(last, D.head, sign)))


def _said(side: Side, logits: Tensor) -> Side:
    return dataclasses.replace(side, logits=logits.to(side.logits.dtype))
