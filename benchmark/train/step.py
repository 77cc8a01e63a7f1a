"""The training step. Every method goes through these two functions; what differs is in its parts.

One step is one G step and ``n_dis`` D steps, in the recipe's order. In each: fakes are made or
reused, parts augment what D sees, the loss is taken from logits, parts add penalties, the
optimiser steps, parts adapt.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmark.methods.part import Moment, Side
from benchmark.train.gan import Gan


def train_step(gan: Gan, next_real: Callable[[], Tensor]) -> tuple[Tensor, Tensor]:
    """One G step and ``n_dis`` D steps.

    Args:
        next_real: gives the next real batch (B, C, H, W) in [-1, 1]; called once a D step.

    Returns:
        D's and G's total losses, scalars on the device (the last ones, where n_dis > 1).
    """
    r = gan.recipe
    if r.player_order == "g-first":
        real = next_real()  # the last batch of an epoch may be smaller: G follows it, as the source does
        fakes = gan.G(gan.noise(len(real) if r.share_fakes else r.batch_g))
        loss_G = g_step(gan, fakes)
        loss_D = d_step(gan, real, fakes.detach() if r.share_fakes else _fresh_fakes(gan, len(real)))
        for _ in range(r.n_dis - 1):
            real = next_real()
            loss_D = d_step(gan, real, _fresh_fakes(gan, len(real)))
    else:
        for _ in range(r.n_dis):
            real = next_real()
            loss_D = d_step(gan, real, _fresh_fakes(gan, len(real)))
        loss_G = g_step(gan, gan.G(gan.noise(r.batch_g)))
    gan.step += 1
    return loss_D, loss_G


def d_step(gan: Gan, real_images: Tensor, fake_images: Tensor) -> Tensor:
    """One update of D on real and (detached) fake images; returns its total loss."""
    gan.opt_D.zero_grad()
    real, fake = _look(gan, real_images, True), _look(gan, fake_images, False)
    if gan.recipe.d_pass == "joint":
        _judge_jointly(gan, real, fake)
    else:
        _judge(gan, real)
        _judge(gan, fake)
    moment = Moment(gan.step, gan.G, gan.D, real, fake, gan.loss.d_loss(real.logits, fake.logits), gan.rng["augment"])
    loss = moment.loss
    for part in gan.parts:
        if (penalty := part.d_penalty(moment)) is not None:
            loss = loss + penalty
    loss.backward()
    gan.opt_D.step()
    for part in gan.parts:
        part.after_d(moment)
    return loss.detach()


def g_step(gan: Gan, fake_images: Tensor) -> Tensor:
    """One update of G through D, whose parameters are left alone; returns G's total loss."""
    gan.opt_G.zero_grad()
    _freeze(gan.D, True)
    fake = _look(gan, fake_images, False)
    _judge(gan, fake)
    moment = Moment(gan.step, gan.G, gan.D, None, fake, gan.loss.g_loss(fake.logits), gan.rng["augment"])
    loss = moment.loss
    for part in gan.parts:
        if (penalty := part.g_penalty(moment)) is not None:
            loss = loss + penalty
    loss.backward()
    gan.opt_G.step()
    _freeze(gan.D, False)
    for part in gan.parts:
        part.after_g(moment)
    return loss.detach()


def _fresh_fakes(gan: Gan, count: int) -> Tensor:
    with torch.no_grad():
        return gan.G(gan.noise(count))


def _look(gan: Gan, images: Tensor, real: bool) -> Side:
    return Side(images, gan.augment(images, real), logits=images.new_empty(0), features=[])


def _judge(gan: Gan, side: Side) -> None:
    side.logits = gan.D(side.seen, side.features) if gan.wants_features else gan.D(side.seen)


def _judge_jointly(gan: Gan, real: Side, fake: Side) -> None:
    taps: list[Tensor] | None = [] if gan.wants_features else None
    both = torch.cat([real.seen, fake.seen])
    sizes = [len(real.seen), len(fake.seen)]
    logits = gan.D(both, taps) if taps is not None else gan.D(both)
    real.logits, fake.logits = logits.split(sizes)
    for tap in taps or ():
        real_part, fake_part = tap.split(sizes)
        real.features.append(real_part)
        fake.features.append(fake_part)


def _freeze(D: nn.Module, frozen: bool) -> None:
    """Without this, D's unused weight gradients would cost a tenth of an MLP's step."""
    for parameter in D.parameters():
        parameter.requires_grad_(not frozen)
