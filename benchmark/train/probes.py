"""Probes of D in its training (CHAIN's slides, analysis figures): what it says of real, generated and unseen images,
its gradients, its features.

    D_real, D_fake, D_test   mean of D's logits on training images, on fresh fakes, on held-out images; std is over the
    images gap_real_fake            |D_real − D_fake|, and gap_real_test |D_real − D_test|: in logits, as the slides
    draw them d_weight_grad            ‖∂L/∂θ_D‖₂ of D's adversarial loss on one batch of each; std is over batches
    feature_grad             ‖∂L/∂H‖_F, H the feature maps of one block for both batches: the mean over blocks, and each
    cosine, effective_rank   of the features of a block, averaged over the map's places (``metrics/geometry.py``): the
    mean over
                             blocks and over real and fake, and each

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

import copy
import math

import numpy as np
import torch
from torch import Tensor

from benchmark.data.read import ImageSet, read
from benchmark.data.subsets import SUBSET_SEED
from benchmark.errors import GanbenchError
from benchmark.methods.part import Side, View
from benchmark.metrics.names import PROBES
from benchmark.metrics.real import held_out
from benchmark.pulse import beat
from benchmark.recipe import Protocol, Recipe
from benchmark.train.gan import Gan
from benchmark.train.probed import Look, halves, norm, pooled, summarise
from benchmark.train.step import pass_through_D
from benchmark.train.streams import NAMES, stream


class Probes:
    """The images that D is probed with, held by a run; nothing where the protocol has no probes."""

    def __init__(self, recipe: Recipe, protocol: Protocol, data: ImageSet) -> None:
        """``data``: the images that are trained on.

        Raises:
            GanbenchError: there are too few images, or no held-out ones.
        """
        self.asked = [m for m in protocol.metrics if m in PROBES]
        self.batch = recipe.batch_d
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
        seen, unseen = [], []
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            for index in range(len(self.real[0]) // self.batch):
                beat()
                real, test = (_batch(gan, images, index, self.batch) for images in (self.real, self.unseen))
                twins = [_twin(gan, seed, step, index) for _ in range(2)]
                with torch.no_grad():
                    made = twins[0].fakes(self.batch)
                fake = (made.images, made.labels)
                seen.append(_look(twins[0], real, fake))
                unseen.append(_logits(twins[1], test, fake))
        found = summarise(seen, torch.cat(unseen))
        return {
            m: {key: value if math.isfinite(value) else None for key, value in found[m].items()} for m in self.asked
        }


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


def _batch(gan: Gan, images: Images, index: int, size: int) -> tuple[Tensor, Tensor | None]:
    pixels, labels = (tensor[index * size : (index + 1) * size].to(gan.device) for tensor in images)
    return pixels.float().div_(127.5).sub_(1), None if gan.recipe.classes is None else labels


def _twin(gan: Gan, seed: int, step: int, index: int) -> Gan:
    """A copy of the pair, its parts and its loss that shares the weights, and draws from streams of its own."""
    twin = copy.copy(gan)
    twin.rng = {name: stream(seed, "probe", name, step, index) for name in NAMES}
    players = (gan.G, gan.judges, *(m for part in gan.parts for m in part.frozen()))
    shared = {id(p): p for player in players for p in player.parameters()} | {
        id(gan.rng[name]): twin.rng[name] for name in NAMES
    }
    twin.G, twin.D, twin.parts, twin.loss = copy.deepcopy((gan.G, gan.D, gan.parts, gan.loss), shared)
    return twin


def _judge(
    twin: Gan, real: tuple[Tensor, Tensor | None], fake: tuple[Tensor, Tensor | None]
) -> tuple[Side, Side, list[list[Tensor]]]:
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


def _logits(twin: Gan, real: tuple[Tensor, Tensor | None], fake: tuple[Tensor, Tensor | None]) -> Tensor:
    """What D says of ``real`` beside ``fake``."""
    return twin.loss.verdict(_judge(twin, real, fake)[0]).detach()


def _look(twin: Gan, real: tuple[Tensor, Tensor | None], fake: tuple[Tensor, Tensor | None]) -> Look:
    of_real, of_fake, maps = _judge(twin, real, fake)
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
