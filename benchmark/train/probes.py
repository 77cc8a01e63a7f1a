"""Probes of D in its training: what it says of real, generated and unseen images, its gradients, its features (CHAIN's
slides, analysis figures); its loss (GAN-SDP, Figure 3b); and what ``slopes.py``, ``pairs.py`` and ``values.py``
have.

    D_real, D_fake, D_test   mean of D's logits on training images, on fresh fakes, on held-out images; std is over
                             the images
    gap_real_fake            |D_real − D_fake|, gap_real_test |D_real − D_test| and gap_fake_test |D_fake − D_test|: in
                             logits, as the slides draw them (figure of "Analysis of generalization of CHAIN")
    d_weight_grad            ‖∂L/∂θ_D‖₂ of D's adversarial loss on one batch of each; std is over batches
    feature_grad             ‖∂L/∂H‖_F, H the feature maps of one block for both batches: the mean over blocks, and each
    cosine, effective_rank   of the features of a block, averaged over the map's places (``metrics/geometry.py``): the
                             mean over blocks and over real and fake, and each
    D_loss                   L, D's adversarial loss of a batch; std is over batches
    grad_…, difference_…     how steep D is at images: ``slopes.py`` (GraN-GAN, Figures 3 and 4)
    grad_most                the steepest point seen at and between images: ``steepest.py`` (PGN-GAN, Theorem 6)
    pair_…                   fakes beside the nearest real images: ``pairs.py`` (GAN-SDP, equations 11 to 14)
    d_weight_grad_real, …    and all of CHAIN's lemmas and theorems: ``lemmas.py``
    V_…, jac_D_real          the value of the game: ``values.py`` (theory paper, sections 3 and 4)

D is seen as the next step of its training would see it: in batches of the recipe's size, real and fake apart or jointly
as the recipe has it, against the G that is trained (no average of it, in train mode), every pass announced to the
parts. Each batch goes through a copy
of the pair that shares nothing but the weights and is thrown away: statistics that a pass moves (spectral norm's
vectors, CHAIN's means) take this batch in, as in training, and nothing is left of that. Held-out images take the place
of the real ones in another such copy.

Not as in training: images are neither flipped nor augmented, and L is the adversarial loss without the parts'
penalties, so that methods are compared by one and the same quantity. Real and held-out images are the same at every
measurement and for every seed; fakes and all other draws are a function of (seed, step) alone.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.data.read import ImageSet, read
from benchmark.data.subsets import SUBSET_SEED
from benchmark.errors import GanbenchError
from benchmark.metrics.names import LEMMAS, OF_D, PAIRS, PROBES, SLOPES, STEEPEST, VALUES
from benchmark.metrics.real import held_out
from benchmark.pulse import beat
from benchmark.recipe import Protocol, Recipe
from benchmark.train.gan import Gan
from benchmark.train.lemmas import SHARP, lemma, lemmas
from benchmark.train.pairs import means, pairs
from benchmark.train.probed import Look, halves, norm, pooled, spread, summarise
from benchmark.train.slopes import boxes, slopes
from benchmark.train.steepest import steepest
from benchmark.train.twin import Shown, judge, twin_of
from benchmark.train.values import Value, value, values


class Probes:
    """The images that D is probed with, held by a run; nothing where the protocol has no probes."""

    def __init__(self, recipe: Recipe, protocol: Protocol, data: ImageSet) -> None:
        """``data``: the images that are trained on.

        Raises:
            GanbenchError: there are too few images, or no held-out ones.
        """
        self.asked = [m for m in protocol.metrics if m in PROBES]
        self.batch, self.trained_on = recipe.batch_d, len(data.images)
        if (held := held_out(recipe, protocol)) is None or held.count is None:
            return
        unseen = read(held.dataset, held.split, held.resolution, held.channels, crop=held.crop, resize=held.resize)
        if (count := held.count // self.batch * self.batch) < 2 or held.count > min(
            len(data.images), len(unseen.images)
        ):
            raise GanbenchError(
                f"D cannot be probed with {held.count:,} images in batches of {self.batch}: "
                f"{len(data.images):,} are trained on, {len(unseen.images):,} held out"
            )
        self.real, self.unseen = _drawn(data, held.count, count), _drawn(unseen, held.count, count)

    def measure(self, gan: Gan, seed: int, step: int) -> dict[str, dict[str, float | None]]:
        """A history entry's share: ``{probe: {"value", …}}``. A value that is not finite is None."""
        if not self.asked:
            return {}
        looks = _Looks(self.asked, self.trained_on)
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            for index in range(len(self.real[0]) // self.batch):
                beat()
                real, test = (_batch(gan, images, index, self.batch) for images in (self.real, self.unseen))
                looks.take(functools.partial(twin_of, gan, seed, step, index), real, test)
        found = looks.found()
        return {
            m: {key: value if math.isfinite(value) else None for key, value in found[m].items()} for m in self.asked
        }


class _Looks:
    """What was asked for, batch by batch."""

    def __init__(self, asked: Collection[str], trained_on: int) -> None:
        self.asked, self.trained_on = asked, trained_on
        self.seen: list[Look] = []
        self.unseen: list[Tensor] = []
        self.losses: list[float] = []
        self.slopes: list[dict[str, Tensor]] = []
        self.steepest: list[Tensor] = []
        self.pairs: list[dict[str, Tensor]] = []
        self.values: list[Value] = []
        self.lemmas: list[dict[str, Any]] = []

    def _any(self, group: Collection[str]) -> bool:
        return any(m in group for m in self.asked)

    def take(self, twin: Callable[[], Gan], real: Shown, test: Shown) -> None:
        """One batch of real and of held-out images, beside fresh fakes of the first twin."""
        first = twin()
        with torch.no_grad():
            made = first.fakes(len(real[0]))
        fake = (made.images, made.labels)
        if self._any(OF_D):
            self.seen.append(_look(first, real, fake))
            self.unseen.append(_logits(twin(), test, fake))
        if "D_loss" in self.asked:
            self.losses.append(_loss(twin(), real, fake))
        if self._any(SLOPES):
            self.slopes.append(slopes(twin, real, fake))
        if self._any(STEEPEST):
            self.steepest.append(steepest(twin, real, fake))
        if self._any(PAIRS):
            self.pairs.append(pairs(twin(), real, fake))
        if self._any(VALUES):
            self.values.append(value(twin(), twin(), real, test))
        if self._any(LEMMAS):
            self.lemmas.append(lemma(twin, real, fake, sharp=not self.lemmas and self._any(SHARP)))

    def found(self) -> dict[str, dict[str, float]]:
        """Every quantity, over all batches."""
        return (
            (summarise(self.seen, torch.cat(self.unseen)) if self.seen else {})
            | ({"D_loss": spread(torch.tensor(self.losses, dtype=torch.float64))} if self.losses else {})
            | (boxes(self.slopes) if self.slopes else {})
            | ({"grad_most": {"value": torch.cat(self.steepest).max().item()}} if self.steepest else {})
            | (means(self.pairs) if self.pairs else {})
            | (values(self.values, self.trained_on) if self.values else {})
            | (lemmas(self.lemmas, LEMMAS) if self.lemmas else {})
        )


Images = tuple[Tensor, Tensor]
"""(N, C, H, W) uint8 and classes (N,)."""


def _drawn(data: ImageSet, wanted: int, count: int) -> Images:
    """``count`` of the ``wanted`` images that one seeded permutation begins with, in its order: files may be sorted by
    class.
    """
    chosen = np.random.default_rng(SUBSET_SEED).permutation(len(data.images))[:wanted][:count]
    return torch.from_numpy(np.ascontiguousarray(data.images[chosen])), torch.from_numpy(
        np.ascontiguousarray(data.labels[chosen])
    )


def _batch(gan: Gan, images: Images, index: int, size: int) -> Shown:
    pixels, labels = (tensor[index * size : (index + 1) * size].to(gan.device) for tensor in images)
    return pixels.float().div_(127.5).sub_(1), None if gan.recipe.classes is None else labels


def _logits(twin: Gan, real: Shown, fake: Shown) -> Tensor:
    """What D says of ``real`` beside ``fake``."""
    said: Tensor = twin.loss.verdict(judge(twin, real, fake)[0])
    return said.detach()


def _loss(twin: Gan, real: Shown, fake: Shown) -> float:
    """D's adversarial loss of a batch."""
    with torch.no_grad():
        loss: Tensor = twin.loss.d_loss(*judge(twin, real, fake)[:2])
    return loss.item()


def _look(twin: Gan, real: Shown, fake: Shown) -> Look:
    of_real, of_fake, maps = judge(twin, real, fake)
    weights = list(twin.D.parameters())
    flat = [tensor for block in maps for tensor in block]
    grads = list(torch.autograd.grad(twin.loss.d_loss(of_real, of_fake), [*weights, *flat], allow_unused=True))
    by_map = iter(grads[len(weights) :])
    return Look(
        real=twin.loss.verdict(of_real).detach(),
        fake=twin.loss.verdict(of_fake).detach(),
        weight_grad=norm(grads[: len(weights)]),
        feature_grads=[norm([next(by_map) for _ in block]) for block in maps],
        features=[halves(torch.cat([pooled(m) for m in block]).detach()) for block in maps],
    )
