"""The training step. Every method goes through these two functions; what differs is in its parts.

One step is one G step and ``n_dis`` D steps, in the recipe's order. In each: fakes are made or
reused, parts augment what D sees, the loss is taken from logits, parts add penalties, the
optimiser steps, parts adapt.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmark.methods.part import DMoment, Moment, Part, Side, View
from benchmark.train import acting
from benchmark.train.batches import Batch, Fakes
from benchmark.train.gan import Gan


def train_step(gan: Gan, next_real: Callable[[], Batch]) -> tuple[Tensor, Tensor]:
    """One G step and ``n_dis`` D steps.

    Args:
        next_real: gives the next real batch; called once a D step.

    Returns:
        D's and G's total losses, scalars on the device (D's last one, where n_dis > 1).
    """
    r = gan.recipe
    gan.set_rates()
    if r.player_order == "g-first":
        real = next_real()  # the last batch of an epoch may be smaller: shared fakes follow it, as the source does
        fakes = gan.fakes(len(real[0]) if r.share_fakes else r.batch_g)
        fakes = gan.augmented_once(fakes) if r.share_fakes else fakes
        loss_G = g_step(gan, fakes, real[0])
        loss_D = d_step(gan, real, fakes.detached() if r.share_fakes else _fresh_fakes(gan, len(real[0])))
        for _ in range(r.n_dis - 1):
            real = next_real()
            loss_D = d_step(gan, real, _fresh_fakes(gan, len(real[0])))
    elif r.share_fakes:
        real = next_real()
        fakes = gan.augmented_once(gan.fakes(len(real[0])))
        loss_D = d_step(gan, real, fakes.detached())
        loss_G = g_step(gan, fakes, real[0])
    else:
        g_follows = 0 if r.player_order == "g-after-first-d" else r.n_dis - 1
        for i in range(r.n_dis):
            real = next_real()
            fakes = _fresh_fakes(gan, len(real[0]))
            loss_D = d_step(gan, real, fakes)
            if i == g_follows:
                loss_G = g_step(gan, gan.fakes(r.batch_g, fakes.z if r.share_noise else None), real[0])
    if gan.average is not None:
        gan.average.update(gan.G, gan.step)
    gan.step += 1
    return loss_D, loss_G


def d_step(gan: Gan, real_batch: Batch, fakes: Fakes) -> Tensor:
    """One update of D on real and (detached) fake images; returns its total loss."""
    gan.opt_D.zero_grad()
    if gan.wants_image_grad:
        real_batch = (real_batch[0].detach().requires_grad_(), real_batch[1])
    real, fake = _real_side(gan, real_batch), _fake_side(gan, fakes)
    if gan.wants_input_grad:
        real.seen, fake.seen = (side.seen.detach().requires_grad_() for side in (real, fake))
    with gan.autocast():
        if gan.recipe.d_pass == "joint":
            _judge_jointly(gan, real, fake)
        else:
            _judge(gan, real, "d-real")
            _judge(gan, fake, "d-fake")
        for side in (real, fake):
            acting.learns(gan, "D", side.logits)
        d_loss = acting.d_loss(gan, real, fake)
        moment = DMoment(
            gan.step,
            gan.G,
            gan.D,
            real,
            fake,
            real.images,
            gan.loss,
            d_loss,
            gan.rng["augment"],
            gan.total_steps,
            gan.augment,
        )
        loss = moment.loss
        for part in gan.parts:
            if (penalty := acting.penalty(gan, part, "d_penalty", part.d_penalty(moment))) is not None:
                loss = loss + penalty
    loss.backward()
    gan.opt_D.step()
    _own_steps(gan, gan.opt_D, "d_own", [p for p in gan.parts if p.d_every and gan.step % p.d_every == 0], moment)
    for part in gan.parts:
        part.after_d(moment)
    return loss.detach()


def g_step(gan: Gan, fakes: Fakes, real_images: Tensor) -> Tensor:
    """One update of G through D, whose parameters are left alone; returns G's total loss."""
    gan.opt_G.zero_grad()
    _freeze(gan.learning, True)
    fake = _fake_side(gan, fakes)
    with gan.autocast():
        _judge(gan, fake, "g-fake")
        acting.learns(gan, "G", fake.logits)
        g_loss = acting.g_loss(gan, fake)
        moment = Moment(
            gan.step,
            gan.G,
            gan.D,
            None,
            fake,
            real_images,
            gan.loss,
            g_loss,
            gan.rng["augment"],
            gan.total_steps,
            gan.augment,
        )
        loss = moment.loss
        for part in gan.parts:
            if (penalty := acting.penalty(gan, part, "g_penalty", part.g_penalty(moment))) is not None:
                loss = loss + penalty
    loss.backward()
    gan.opt_G.step()
    _own_steps(gan, gan.opt_G, "g_own", [p for p in gan.parts if p.g_every and gan.step % p.g_every == 0], moment)
    _freeze(gan.learning, False)
    for part in gan.parts:
        part.after_g(moment)
    return loss.detach()


def _own_steps(gan: Gan, optimiser: torch.optim.Optimizer, own: str, parts: list[Part], moment: Moment) -> None:
    """Lazy regularisation: one more step of the optimiser for each loss."""
    for part in parts:
        optimiser.zero_grad()
        with gan.autocast():
            loss = acting.penalty(gan, part, own, getattr(part, own)(moment))
        if loss is not None and loss.requires_grad:
            loss.backward()
            optimiser.step()


def _fresh_fakes(gan: Gan, count: int) -> Fakes:
    with torch.no_grad():
        return gan.fakes(count)


def _real_side(gan: Gan, batch: Batch) -> Side:
    images, labels = batch
    return _side(gan, images, gan.augment(images, True), labels)


def _fake_side(gan: Gan, fakes: Fakes) -> Side:
    seen, *small = fakes.seen or gan.augment_fakes(fakes)
    side = _side(gan, fakes.images, seen, fakes.labels)
    side.small, side.z, side.g_features = tuple(small), fakes.z, fakes.g_features
    side.drawn = fakes.drawn or side.drawn
    return side


def _side(gan: Gan, images: Tensor, seen: Tensor, labels: Tensor | None) -> Side:
    copies = len(seen) // len(images)
    if gan.recipe.classes is None:
        labels = None
    elif labels is not None and copies > 1:
        labels = labels.repeat(copies)
    return Side(images, seen, logits=images.new_empty(0), features=[], labels=labels, drawn=gan.drawn())


def _judge(gan: Gan, side: Side, view: View) -> None:
    taps = side.features if gan.wants_features else None
    side.logits = pass_through_D(gan, view, side.shown, side.labels, taps)


def _judge_jointly(gan: Gan, real: Side, fake: Side) -> None:
    taps: list[Tensor] | None = [] if gan.wants_features else None
    labels = None if real.labels is None or fake.labels is None else torch.cat([real.labels, fake.labels])
    sizes = [len(real.seen), len(fake.seen)]
    real.logits, fake.logits = pass_through_D(gan, "d-both", torch.cat([real.seen, fake.seen]), labels, taps).split(
        sizes
    )
    for tap in taps or ():
        real_part, fake_part = tap.split(sizes)
        real.features.append(real_part)
        fake.features.append(fake_part)


def pass_through_D(
    gan: Gan, view: View, images: Tensor | tuple[Tensor, ...], labels: Tensor | None, taps: list[Tensor] | None
) -> Tensor:
    """D's logits of ``images``, in their type, so that losses are never taken in less; in a pass that every part is
    told of. ``taps`` takes the blocks' feature maps, as they are.
    """
    for part in gan.parts:
        part.before_pass(view, gan.rng["augment"])
    logits = gan.D(images, labels, taps)
    for part in gan.parts:
        part.after_pass()
    return logits.to(images.dtype if isinstance(images, Tensor) else images[0].dtype)


def _freeze(learning: list[nn.Parameter], frozen: bool) -> None:
    """Without this, D's unused weight gradients would cost a tenth of an MLP's step."""
    for parameter in learning:
        parameter.requires_grad_(not frozen)
