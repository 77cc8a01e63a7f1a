"""AdvAug, CHAIN in StyleGAN2's blocks, and LeCam's zero-debiased anchors; on small players."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import adv_aug, lecam
from tests import stylegan2_stand_in as stand_in
from tests.stylegan2_stand_in import ADV, CHAIN, COLOUR, d_moment, g_moment, images, pair, state, train


@pytest.fixture(autouse=True)
def _players(monkeypatch: pytest.MonkeyPatch, float64: None) -> None:
    stand_in.put_in(monkeypatch)


# --- LeCam --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "zero_debias", "corrected"),
    [(0, None, True), (0, True, True), (0, False, False), (2, None, False), (2, True, True), (2, False, False)],
)
def test_lecams_anchors_are_free_of_bias_where_it_is_asked_for(
    start: int, zero_debias: bool | None, corrected: bool
) -> None:
    given = {} if zero_debias is None else {"zero_debias": zero_debias}
    part = lecam.build(weight=1.0, decay=0.9, start=start, **given)
    seen = torch.randn(6, 2)
    for n, means in enumerate(seen):
        found = part.update(means, n)
    weights = 0.1 * 0.9 ** torch.arange(5 - start, -1, -1.0)
    sums = (weights[:, None] * seen[start:]).sum(0)
    biased = sums + (0.9 ** (6 - start) * seen[start - 1] if start else 0)  # from 0, or from the last mean before start
    expected = sums / weights.sum() if corrected else biased
    torch.testing.assert_close(found, expected)


# --- AdvAug -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("sign", [1, -1])
def test_adversarial_features_move_by_gamma_and_raise_d(steps: int, sign: int) -> None:
    gan, part = pair(), adv_aug.build(**ADV | {"steps": steps})
    h = gan.D.trunk(images())
    moved = part.perturbed(h, gan.D.head, sign)
    assert (gan.D.head(moved).mean() - gan.D.head(h).mean()) * sign > 1e-4 * steps
    distance = (moved - h).abs()
    assert distance.max().item() <= 0.01 * steps + 1e-12
    if steps == 1:
        torch.testing.assert_close(distance, torch.full_like(h, 0.01))


@pytest.mark.parametrize("sign", ["released", "intended"])
def test_ds_loss_is_the_mean_of_clean_and_perturbed(sign: str) -> None:
    gan, part = pair(), adv_aug.build(**ADV | {"sign": sign})
    moment = d_moment(gan)
    total = moment.loss + part.d_penalty(moment)
    said = []
    for side, up in ((moment.real, sign == "released"), (moment.fake, True)):
        h = gan.D.trunk(side.images)
        leaf = h.detach().requires_grad_()
        (g,) = torch.autograd.grad(gan.D.head(leaf).mean(), leaf)
        said.append((gan.D.head(h), gan.D.head(h + (0.01 if up else -0.01) * g.sign())))
    (real, real_moved), (fake, fake_moved) = said
    clean = F.softplus(-real).mean() + F.softplus(fake).mean()
    perturbed = F.softplus(-real_moved).mean() + F.softplus(fake_moved).mean()
    torch.testing.assert_close(total, (clean + perturbed) / 2)
    assert (fake_moved.mean() > fake.mean()) and ((real_moved.mean() > real.mean()) == (sign == "released"))
    found, expected = (torch.autograd.grad(loss, list(gan.D.parameters())) for loss in (total, (clean + perturbed) / 2))
    for mine, theirs in zip(found, expected):  # what lies before the features learns through both
        torch.testing.assert_close(mine, theirs)
    assert part.needs_features and all(p.grad is None for p in gan.G.parameters())


@pytest.mark.parametrize("g_features", ["stem", "styles"])
def test_gs_loss_is_the_mean_of_clean_and_perturbed(g_features: str) -> None:
    gan, part = pair(COLOUR), adv_aug.build(**ADV | {"g_features": g_features})
    gan.D.requires_grad_(False)
    moment = g_moment(gan)
    drawn = moment.rng.get_state()
    penalty = part.g_penalty(moment)
    after = moment.rng.get_state()
    moment.rng.set_state(drawn)
    ws = gan.G.styles(moment.fake.z, moment.rng)
    h = gan.G.stem(ws, moment.rng) if g_features == "stem" else ws
    drawn = moment.rng.get_state()

    def judged(h: Tensor) -> Tensor:
        moment.rng.set_state(drawn)
        made = gan.G.rest(h, ws, moment.rng) if g_features == "stem" else gan.G.synthesis(h, moment.rng)
        return gan.D(gan.augment(made, False))

    leaf = h.detach().requires_grad_()
    (g,) = torch.autograd.grad(judged(leaf).mean(), leaf)
    moved = judged(h + 0.01 * g.sign())
    assert moved.mean() > judged(h).mean()
    torch.testing.assert_close(penalty, (F.softplus(-moved).mean() - moment.loss) / 2)
    assert torch.equal(moment.rng.get_state(), after)
    penalty.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gan.G.mapping.parameters())
    assert all(p.grad is None for p in gan.D.parameters())


def test_a_player_may_be_left_as_it_is() -> None:
    gan, part = pair(), adv_aug.build(**ADV | {"d_features": "none", "g_features": "none"})
    assert part.d_penalty(d_moment(gan)) is None and part.g_penalty(g_moment(gan)) is None
    assert not part.needs_features
    with pytest.raises(GanbenchError, match="steps >= 1"):
        adv_aug.build(**ADV | {"steps": 0})


# --- CHAIN --------------------------------------------------------------------------------------------------------


def test_r1_goes_through_chains_batch_version_in_ds_own_pass_only() -> None:
    gan = pair(("r1", {"gamma": 10.0, "every": 1}), ("chain", CHAIN))
    gan.parts[1].shared.p = 0.5
    before = {k: v.clone() for k, v in state(gan).items()}
    assert any(not torch.equal(v, before[k]) for k, v in state(train(gan, 2)).items())
    with pytest.raises(GanbenchError, match="has no second-order gradient"):
        pair(("r1", {"gamma": 10.0, "every": 1}), ("chain", CHAIN | {"version": "running"}))
    with pytest.raises(GanbenchError, match="makes more: leave one of them out"):
        pair(("r1", {"gamma": 10.0, "every": 2}), ("chain", CHAIN))
