"""R1 and path length: by finite differences, as steps of their own, in checkpoints and in plans; on small players."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import path_length, r1
from benchmark.methods.part import DMoment, Side
from benchmark.plan.count import count
from benchmark.plan.tally import Tally
from benchmark.train.gan import Gan
from benchmark.train.step import d_step, g_step
from tests import stylegan2_stand_in as stand_in
from tests.conftest import recipe
from tests.stylegan2_stand_in import ADV, COLOUR, apart, g_moment, images, pair, small, state, train


@pytest.fixture(autouse=True)
def _players(monkeypatch: pytest.MonkeyPatch, float64: None) -> None:
    stand_in.put_in(monkeypatch)


def slopes(f: Callable[[Tensor], Tensor], x: Tensor, step: float = 1e-5) -> Tensor:
    """∂f/∂x of a scalar f, coordinate by coordinate."""
    found = torch.zeros_like(x)
    for place in range(x.numel()):
        away = torch.zeros_like(x).flatten()
        away[place] = step
        away = away.view_as(x)
        found.view(-1)[place] = (f(x + away) - f(x - away)).item() / (2 * step)
    return found


# --- R1 -----------------------------------------------------------------------------------------------------------


def by_hand(gan: Gan, steps: int, own_every: int, gain: float, in_loss: bool, leaf: str = "image") -> nn.Module:
    """D after ``steps`` of its own, each on the same fakes as ``gan``'s, with R1 of γ 2 by plain autograd."""
    D, rng = copy.deepcopy(gan.D), torch.Generator()
    rng.set_state(gan.rng["augment"].get_state())
    twin = copy.deepcopy(gan)
    twin.rng["augment"].set_state(rng.get_state())
    opt = torch.optim.Adam(D.parameters(), 1e-2, (0.0, 0.99))

    def penalty(x: Tensor, seen: Tensor) -> Tensor:
        (g,) = torch.autograd.grad(D(seen).sum(), x if leaf == "image" else seen, create_graph=True)
        return g.square().sum() / len(x)  # γ/2 is 1

    for n in range(steps):
        x = images(seed=n).requires_grad_()
        with torch.no_grad():
            fakes = twin.fakes(4)
        seen, seen_fake = twin.augment(x, True), twin.augment(fakes.images, False)
        loss = F.softplus(-D(seen)).mean() + F.softplus(D(seen_fake)).mean()
        if in_loss:
            loss = loss + penalty(x, seen)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if own_every and n % own_every == 0:
            opt.zero_grad()
            (gain * penalty(x, twin.augment(x, True))).backward()
            opt.step()
    return D


def d_steps(gan: Gan, steps: int) -> nn.Module:
    for n in range(steps):
        with torch.no_grad():
            fakes = gan.fakes(4)
        d_step(gan, (images(seed=n), None), fakes)
        gan.step += 1
    return gan.D


def test_r1_is_the_squared_slope_of_d_through_the_augmentation() -> None:
    gan, x = pair(COLOUR), images(1).requires_grad_()
    rng = gan.rng["augment"]
    drawn = rng.get_state()

    def augmented(x: Tensor) -> Tensor:
        rng.set_state(drawn)
        return gan.augment(x, True)

    seen = augmented(x)
    side = Side(x, seen, gan.D(seen), [])
    moment = DMoment(0, gan.G, gan.D, side, side, x, gan.loss, torch.zeros(()), rng)
    found = r1.build(gamma=10.0, every=1).d_penalty(moment)
    by_image = slopes(lambda x: gan.D(augmented(x)).sum(), x.detach())
    (by_seen,) = torch.autograd.grad(side.logits.sum(), seen)
    torch.testing.assert_close(found, 5 * by_image.square().sum(), rtol=1e-5, atol=0)
    assert abs(found / (5 * by_seen.square().sum()) - 1) > 0.01, "a leaf made of augmented images says another thing"


def test_r1_in_ds_loss_moves_d_as_plain_autograd_does() -> None:
    gan = pair(COLOUR, ("r1", {"gamma": 2.0, "every": 1}))
    right, wrong = (by_hand(gan, 3, 0, 0.0, True, leaf) for leaf in ("image", "seen"))
    D = d_steps(gan, 3)
    assert apart(D, right) < 1e-9 and apart(D, wrong) > 1e-4


def test_lazy_r1_is_a_step_of_its_own_with_gain() -> None:
    gan = pair(COLOUR, ("r1", {"gamma": 2.0, "every": 3}))
    right, without_gain = (by_hand(gan, 5, 3, gain, False) for gain in (3.0, 1.0))
    D = d_steps(gan, 5)
    assert apart(D, right) < 1e-9 and apart(D, without_gain) > 1e-6


@pytest.mark.parametrize("made", [lambda: r1.build(gamma=-1.0, every=1), lambda: r1.build(gamma=1.0, every=0)])
def test_r1_refuses(made: Callable[[], object]) -> None:
    with pytest.raises(GanbenchError, match="r1 needs"):
        made()


def test_r1_wants_one_logit() -> None:
    x = images(2).requires_grad_()
    side = Side(x, x, x.flatten(1), [])
    moment = DMoment(0, nn.Identity(), nn.Identity(), side, side, x, None, torch.zeros(()), torch.Generator())
    with pytest.raises(GanbenchError, match="r1 is defined for a D with one logit"):
        r1.build(gamma=1.0, every=1).d_penalty(moment)


# --- path length --------------------------------------------------------------------------------------------------


def test_path_length_is_the_slope_of_images_in_w() -> None:
    gan, part = pair(), path_length.build(weight=2.0, every=4)
    moment, mean = g_moment(gan), 0.0
    for _ in range(2):
        drawn = moment.rng.get_state()
        found = part.g_own(moment)
        moment.rng.set_state(drawn)
        z = torch.randn(2, stand_in.Z, generator=moment.rng)  # half of G's batch of 4
        ws = gan.G.styles(z, moment.rng).detach()
        drawn = moment.rng.get_state()
        gan.G.synthesis(ws, moment.rng)
        y = torch.randn(2, 3, 8, 8, generator=moment.rng) / 8

        def projected(ws: Tensor) -> Tensor:
            moment.rng.set_state(drawn)
            return (gan.G.synthesis(ws, moment.rng) * y).sum()

        lengths = slopes(projected, ws).square().sum(2).mean(1).sqrt()
        mean = mean + 0.01 * (lengths.mean() - mean)
        torch.testing.assert_close(found, 4 * 2 * (lengths - mean).square().mean(), rtol=1e-5, atol=0)
        torch.testing.assert_close(part.state_dict()["mean"], mean, rtol=1e-6, atol=0)


def test_path_lengths_mean_carries_its_gradient() -> None:
    gan = pair()
    moment, weight = g_moment(gan), gan.G.first.weight
    drawn = moment.rng.get_state()

    def value(w: Tensor) -> Tensor:
        moment.rng.set_state(drawn)
        part = path_length.build(weight=2.0, every=4)
        part.load_state_dict({"mean": torch.tensor(0.3)})
        with torch.no_grad():
            weight[0] = w
        return part.g_own(moment)

    w = weight[0].detach().clone()
    (found,) = torch.autograd.grad(value(w), weight)
    torch.testing.assert_close(found[0], slopes(value, w), rtol=1e-4, atol=1e-9)


def test_path_lengths_steps_come_every_so_many_and_leave_d_alone() -> None:
    plain, gan = pair(), pair(("path-length", {"weight": 2.0, "every": 2}))
    D = copy.deepcopy(gan.D)
    for n in range(3):
        for one in (plain, gan):
            g_step(one, one.fakes(4), images())
            one.step += 1
        assert n or apart(plain.G, gan.G) > 1e-4
    assert apart(gan.D, D) == 0 and all(p.grad is None for p in gan.D.parameters())
    steps = [next(iter(one.opt_G.state.values()))["step"].item() for one in (plain, gan)]
    assert steps == [3, 3 + 2], "in steps 0 and 2"


@pytest.mark.parametrize("part", ["path-length", "adv-aug"])
def test_players_that_are_not_divided_are_refused(part: str) -> None:
    arguments = {"path-length": {"weight": 2.0, "every": 4}, "adv-aug": ADV}[part]
    with pytest.raises(GanbenchError, match="stylegan2's"):
        Gan(dataclasses.replace(recipe(), parts=((part, arguments),)), 0)


# --- all together -------------------------------------------------------------------------------------------------

EVERYTHING = (
    ("r1", {"gamma": 1.0, "every": 2}),
    ("path-length", {"weight": 2.0, "every": 3}),
    COLOUR,
    ("lecam", {"weight": 0.1, "decay": 0.9, "start": 1, "zero_debias": True}),
    ("adv-aug", ADV),
)


def test_a_checkpoint_between_lazy_steps_changes_no_bit() -> None:
    straight, first = train(pair(*EVERYTHING), 7), train(pair(*EVERYTHING), 4)
    resumed = pair(*EVERYTHING)
    resumed.load_state_dict(copy.deepcopy(first.state_dict()))
    assert all(torch.equal(v, state(straight)[k]) for k, v in state(train(resumed, 3)).items())
    assert float(straight.parts[1].mean) != 0


def test_all_of_them_are_counted() -> None:
    torch.set_default_dtype(torch.float32)
    plain, all_of = (count(small(*parts), 100) for parts in ((), EVERYTHING))
    assert all_of.step.flops > 1.5 * plain.step.flops


@pytest.mark.parametrize("n_dis", [1, 3])
def test_lazy_steps_are_counted_by_how_often_they_come(n_dis: int) -> None:
    torch.set_default_dtype(torch.float32)
    lazy, measured = ("r1", {"gamma": 1.0, "every": 16}), []
    gan = pair(lazy, n_dis=n_dis, player_order="d-first")
    for _ in range(2):  # with R1 in step 0, without in step 1
        with Tally(math.inf) as tally:
            train(gan, 1)
        measured.append(tally.work.flops)
    counted = count(small(lazy, n_dis=n_dis, player_order="d-first"), 100_000).step.flops
    assert counted - measured[1] == pytest.approx((measured[0] - measured[1]) / 16)
