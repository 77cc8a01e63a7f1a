"""What a method may do in a training step: the fixed set of moments, and nothing else.

A method is a list of parts. A part implements the moments that it needs and leaves the others
as they are. The order of the list is the order in which the parts act at each moment:

    build     once, before training: wrap or rewrite G or D
    ready     once, when all parts are built and the players are on their device: copies of them
    augment   what D sees, for real and for fake images, in both steps; before D
    before_pass, after_pass    around each of the step's own passes of images through D
    d_penalty, g_penalty    terms added to D's or G's loss
    d_own, g_own            the loss of a step of its own of D's or G's optimiser, every so many steps (lazy R1)
    after_d, after_g        adaptive rules, after the optimiser's steps

The loss is exactly one part of its own, a ``Loss``. Parts do not know one another.

A part may own networks: ``modules`` are trained with D, ``frozen`` never change. D's step comes before G's unless the
recipe says otherwise, so what a part needs of the real images in G's step it keeps, detached, from ``d_penalty``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmark.errors import GanbenchError

View = Literal["d-real", "d-fake", "d-both", "g-fake"]
"""What D is shown in a pass: real, fake or both joined in its own step, or fakes in G's step."""


@dataclass
class Side:
    """What D saw of one side, real or fake, in one step, and what it said."""

    images: Tensor  # (B, C, H, W), before augmentation
    seen: Tensor  # (A·B, C, H, W), as D saw them
    logits: Tensor  # (A·B,) or (A·B, K): D's raw output
    features: list[Tensor]  # feature maps of D's blocks; empty unless a part sets needs_features
    labels: Tensor | None = None  # (A·B,) classes, of a class-conditional pair
    drawn: dict[str, Tensor] = field(default_factory=dict)  # what parts say of this augmentation's random numbers
    # Of fakes only:
    small: tuple[Tensor, ...] = ()  # the further images of a G that gives several, as D saw them, each augmented apart
    z: Tensor | None = None  # (B, z_dim): the noises
    g_features: tuple[Tensor, ...] = ()  # G's maps; empty unless a part sets needs_g_features

    @property
    def shown(self) -> Tensor | tuple[Tensor, ...]:
        """What D is called with: what it saw of the images, all of them where G gives several."""
        return (self.seen, *self.small) if self.small else self.seen


class Loss:
    """The adversarial loss, from what D said (and, for conditional losses, the labels): scalars to minimise.

    A loss defines ``d_halves`` and ``g_loss``; one that is no sum of a real and a fake term (a
    relativistic one) defines ``d_loss`` instead, and parts that weigh the halves refuse it.
    """

    rng: torch.Generator  # the augmentation stream, given by the harness: the only randomness a loss may use

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """D's loss on real and on fake images, from logits (A·B,) or (A·B, K)."""
        raise TypeError(f"{type(self).__name__} defines no d_halves")

    def d_loss(self, real: Side, fake: Side) -> Tensor:
        """The sum of the halves."""
        of_real, of_fake = self.d_halves(real, fake)
        return of_real + of_fake

    def g_loss(self, fake: Side) -> Tensor:
        """From logits on fake images that carry gradient to G."""
        raise TypeError(f"{type(self).__name__} defines no g_loss")

    def verdict(self, side: Side) -> Tensor:
        """(A·B,) or (A·B, K): the logits whose sign says "real", for rules that adapt to how D judges."""
        return side.logits


def unchanged(images: Tensor, real: bool) -> Tensor:
    """No augmentation."""
    return images


@dataclass
class Moment:
    """Everything that a penalty or an adaptive rule may look at."""

    step: int  # G steps done before this one
    G: nn.Module
    D: nn.Module
    real: Side | None  # None in a G step, where D sees no real image
    fake: Side
    real_images: Tensor  # (B, C, H, W): the newest real batch, in a G step too
    criterion: Loss  # the adversarial loss, for parts that apply it again
    loss: Tensor  # its value in this step, before penalties
    rng: torch.Generator  # the augmentation stream: the only randomness a part may use
    total_steps: int | None = None  # G steps of the whole run, where that is known
    # Every part's augmentation of images (B, C, H, W), real or not, made anew
    augment: Callable[[Tensor, bool], Tensor] = unchanged


@dataclass
class DMoment(Moment):
    """A moment of D's step, where D has seen real images too."""

    real: Side


def one_logit(logits: Tensor, method: str) -> Tensor:
    """The logits (B,) as they are; raises GanbenchError where D gives several an image, which ``method`` does not
    define.
    """
    if logits.dim() != 1:
        raise GanbenchError(f"{method} is defined for a D with one logit an image; this one gives {logits.shape[1]}", 2)
    return logits


class Part:
    """One idea. Every method has a neutral default; override what the idea needs."""

    shape: tuple[int, int, int]  # (C, H, W) of the images, given by the harness before ``build``
    needs_features: bool = False  # fill Side.features
    needs_g_features: bool = False  # fill Side.g_features of fakes
    needs_input_grad: bool = False  # let the images that D sees carry gradient in the D step too (R1)
    needs_image_grad: bool = False  # let the real images carry gradient before augmentation in the D step
    d_every: int | None = None  # d_own is asked in step 0 and then every so many G steps
    g_every: int | None = None  # likewise
    needs_separate_passes: bool = False  # refuse recipes that show D real and fake images in one pass
    # What goes together (``train/together.py``): passes through D that a part makes itself, and one that refuses them;
    # a gradient of D that is differentiated, and one that refuses it; names that ``drawn`` gives, and that one reads
    needs_own_passes: bool = False
    step_passes_only: bool = False
    needs_second_order: bool = False
    first_order_only: bool = False
    draws: tuple[str, ...] = ()
    needs_drawn: tuple[str, ...] = ()

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Wrap or rewrite the players; called inside the seeded initialisation stream."""
        return G, D

    def ready(self, G: nn.Module, D: nn.Module) -> None:
        """All parts are built, and the players are on their device; whoever needs a copy of one takes it here."""

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """(B, C, H, W) to what D sees, (A·B, C, H, W); differentiable, since G learns through it."""
        return images

    def drawn(self) -> dict[str, Tensor]:
        """What the last ``augment`` drew, by names that its docstring gives: (A·B, n) each."""
        return {}

    def before_pass(self, view: View, rng: torch.Generator) -> None:
        """D is about to see this, in the training step; passes that parts and metrics make are not announced."""

    def after_pass(self) -> None:
        """D has seen it."""

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """A scalar added to D's loss that carries gradient, a tensor 0 where it rests, or None."""
        return None

    def g_penalty(self, moment: Moment) -> Tensor | None:
        """A scalar added to G's loss that carries gradient, a tensor 0 where it rests, or None."""
        return None

    def d_own(self, moment: DMoment) -> Tensor | None:
        """The loss of a step of its own: D's optimiser makes it after D's step, by this loss alone (times ``d_every``,
        where the source does that).
        """
        return None

    def g_own(self, moment: Moment) -> Tensor | None:
        """Likewise with G's optimiser, after G's step; D's parameters are left alone."""
        return None

    def after_d(self, moment: DMoment) -> None:
        """After D's optimiser step."""

    def after_g(self, moment: Moment) -> None:
        """After G's optimiser step."""

    def modules(self) -> list[nn.Module]:
        """Networks of the part's own (heads, decoders): moved, frozen in the G step, saved and trained with D.
        A part that trains something at its own pace keeps an optimiser and steps it in ``after_d``.
        """
        return []

    def frozen(self) -> list[nn.Module]:
        """Networks of the part's own that never change (a perceptual distance, a teacher): moved, in eval mode, in no
        optimiser and no checkpoint.
        """
        return []

    def state_dict(self) -> dict[str, Any]:
        """What must survive a checkpoint: tensors, numbers, strings, and lists or dicts of them."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of ``state_dict``."""
