"""The data-efficient methods, each against closed forms or a formulation of the test's own: DiffAugment, LeCam,
Omni-GAN's loss.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import diffaugment, lecam, non_saturating, omni
from benchmark.methods.part import Moment, Side


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def said(logits: torch.Tensor, labels: torch.Tensor | None = None) -> Side:
    nothing = torch.empty(0)
    return Side(nothing, nothing, logits, [], labels)


def d_moment(real: torch.Tensor, fake: torch.Tensor, step: int) -> Moment:
    D = nn.Identity()
    return Moment(
        step, D, D, said(real), said(fake), torch.empty(0), non_saturating.build(d_scale=1.0), torch.zeros(()), rng()
    )


# --- DiffAugment --------------------------------------------------------------------------------------------------


def plain_augment(images: torch.Tensor, names: list[str], draws: torch.Generator) -> torch.Tensor:
    """DiffAugment image by image, pixel ranges by slices; draws in the order and shapes that a batched one must
    make.
    """
    count, _, side, _ = images.shape
    images = images.clone()
    for name in names:
        if name == "translation":
            offsets = torch.randint(0, 2 * (side // 8) + 1, (2, count), generator=draws) - side // 8
        elif name == "cutout":
            centres = torch.randint(0, side + 1, (2, count, 1), generator=draws)[..., 0]
        else:
            amounts = torch.rand(count, 1, 1, 1, generator=draws).flatten().tolist()
        out = torch.zeros_like(images)
        for n, x in enumerate(images):
            if name == "brightness":
                out[n] = x + (amounts[n] - 0.5)
            elif name == "saturation":
                grey = sum(x) / len(x)
                out[n] = (x - grey) * (amounts[n] * 2) + grey
            elif name == "contrast":
                out[n] = (x - x.mean()) * (amounts[n] + 0.5) + x.mean()
            elif name == "translation":
                down, right = offsets[:, n].tolist()
                for i in range(side):
                    for j in range(side):
                        if 0 <= i + down < side and 0 <= j + right < side:
                            out[n, :, i, j] = x[:, i + down, j + right]
            else:
                top, left = (c - side // 4 for c in centres[:, n].tolist())
                out[n] = x
                out[n, :, max(top, 0) : top + side // 2, max(left, 0) : left + side // 2] = 0
        images = out
    return images


@pytest.mark.parametrize(
    "policy", ["color", "translation", "cutout", "translation,cutout", "color,translation", "color,translation,cutout"]
)
def test_diffaugment_equals_a_plain_loop(policy: str, float64: None) -> None:
    images = torch.rand(5, 3, 16, 16) * 2 - 1
    names = [
        n
        for name in policy.split(",")
        for n in (["brightness", "saturation", "contrast"] if name == "color" else [name])
    ]
    part = diffaugment.build(policy=policy, random_order=False)
    draws = rng(3)
    ours = part.augment(images, True, draws)
    torch.testing.assert_close(ours, plain_augment(images, names, rng(3)), rtol=1e-12, atol=1e-12)
    assert torch.equal(ours, part.augment(images, False, rng(3))), "the same draws give the same bits, for fakes too"
    assert not torch.equal(ours, part.augment(images, True, draws)), "the stream goes on"


def test_diffaugment_shuffles_all_functions_of_the_policy(float64: None) -> None:
    """Every order of the five comes up; each is the plain loop in that order."""
    images, names = torch.rand(2, 3, 8, 8), ["brightness", "saturation", "contrast", "translation", "cutout"]
    part = diffaugment.build(policy="color,translation,cutout", random_order=True)
    seen = set()
    for seed in range(900):
        order = torch.randperm(5, generator=rng(seed)).tolist()
        seen.add(tuple(order))
        if seed < 5:
            draws = rng(seed)
            torch.randperm(5, generator=draws)
            expected = plain_augment(images, [names[n] for n in order], draws)
            torch.testing.assert_close(part.augment(images, True, rng(seed)), expected, rtol=1e-12, atol=1e-12)
    assert len(seen) == math.factorial(5)


def test_diffaugment_color_keeps_what_it_must() -> None:
    images = torch.rand(64, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(diffaugment.saturation(images, rng()).mean(1), images.mean(1), rtol=0, atol=1e-6)
    torch.testing.assert_close(
        diffaugment.contrast(images, rng()).mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=0, atol=1e-6
    )
    shifts = (diffaugment.brightness(images, rng()) - images).flatten(1)
    torch.testing.assert_close(shifts, shifts[:, :1].expand_as(shifts), rtol=0, atol=1e-6)
    assert shifts.abs().max() <= 0.5 and shifts[:, 0].std() > 0.2, "one draw an image, of U(−½, ½)"


def test_diffaugment_areas_at_32_pixels() -> None:
    """Of ones, a translation keeps at least (28/32)², 0.865 on average; a cutout takes 6.25 to 25 %, 18.8 % on
    average.
    """
    ones = torch.ones(20_000, 1, 32, 32)
    kept = diffaugment.translation(ones, rng()).mean((1, 2, 3))
    assert kept.min() == (28 / 32) ** 2 and kept.max() == 1
    assert abs(kept.mean().item() - (1 - (2 * sum(range(1, 5)) / 9) / 32) ** 2) < 0.002
    taken = 1 - diffaugment.cutout(ones, rng()).mean((1, 2, 3))
    assert taken.min() == 0.0625 and taken.max() == 0.25
    one_axis = sum(min(c + 8, 32) - max(c - 8, 0) for c in range(33)) / 33 / 32
    assert abs(taken.mean().item() - one_axis**2) < 0.002


@pytest.mark.parametrize("side", [7, 8, 32])
def test_cutout_at_odd_and_even_sizes(side: int) -> None:
    """The zeroed square is ⌊side/2 + ½⌋ pixels, whole where the border does not cut it."""
    taken = (1 - diffaugment.cutout(torch.ones(3000, 1, side, side), rng()))[:, 0]
    rows = taken.amax(2).sum(1)
    size = int(side / 2 + 0.5)
    assert rows.max() == size and torch.equal(taken.sum((1, 2)), rows * taken.amax(1).sum(1)), (
        "a rectangle, half the side at most"
    )
    assert rows.min() == size // 2


def test_diffaugment_gradient_equals_finite_differences() -> None:
    images = torch.randn(2, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    part = diffaugment.build(policy="color,translation,cutout", random_order=True)
    assert torch.autograd.gradcheck(lambda x: part.augment(x, False, rng(5)), images)


@pytest.mark.parametrize(
    ("policy", "says"),
    [("colour", "color"), ("", "known: color"), ("cutout,cutout", "twice"), ("color, cutout", "cutout")],
)
def test_diffaugment_refuses_other_policies(policy: str, says: str) -> None:
    with pytest.raises(GanbenchError, match=says):
        diffaugment.build(policy=policy, random_order=False)


# --- LeCam --------------------------------------------------------------------------------------------------------


def test_lecam_closed_forms() -> None:
    """D 1 and −1 against anchors 0.5 and −0.5: 1.5² + 1.5², times 0.3. Nothing where each side keeps beyond the other's
    anchor.
    """
    part = lecam.build(weight=0.3, decay=0.5, start=3)
    part.update(torch.tensor([0.0, 0.0]), step=2)
    penalty = part.d_penalty(
        d_moment(torch.ones(4), -torch.ones(4), step=4)
    )  # the anchors are moved first: half way to ±1
    assert torch.equal(part.means, torch.tensor([0.5, -0.5])) and penalty.item() == pytest.approx(0.3 * 4.5)
    part.update(torch.tensor([-9.0, 9.0]), step=2)
    assert part.d_penalty(d_moment(-torch.ones(4), torch.ones(4), step=4)).item() == 0


def test_lecam_pegs_then_averages_and_acts_one_step_later() -> None:
    part = lecam.build(weight=1.0, decay=0.9, start=1000)
    means = {}
    for step, value in ((998, 4.0), (999, 2.0), (1000, 1.0), (1000, 0.0), (1001, 3.0)):
        penalty = part.d_penalty(d_moment(torch.full((2,), value), torch.full((2,), -value), step))
        assert (penalty is None) == (step <= 1000)
        means[step, value] = part.means[0].item()
    assert means[999, 2.0] == 2.0, "the current mean before step 1000"
    assert means[1000, 1.0] == pytest.approx(0.9 * 2 + 0.1 * 1) and means[1000, 0.0] == pytest.approx(0.9 * 1.9), (
        "twice in one G step"
    )
    a_real = 0.9 * 0.9 * 1.9 + 0.1 * 3
    assert penalty.item() == pytest.approx(2 * (3 + a_real) ** 2, rel=1e-6)


def test_lecam_from_the_start_is_free_of_bias() -> None:
    """Weighted means of what was seen, weights 0.9^age, as TensorFlow's zero_debias has it; a checkpoint keeps them."""
    part, seen = lecam.build(weight=1.0, decay=0.9, start=0), torch.randn(6, 8, dtype=torch.float64)
    for n, values in enumerate(seen):
        if n == 3:
            state, part = part.state_dict(), lecam.build(weight=1.0, decay=0.9, start=0)
            part.load_state_dict(state)
        penalty = part.d_penalty(d_moment(values, -values, step=n))
    ages = 0.9 ** torch.arange(5, -1, -1, dtype=torch.float64)
    anchor = (ages * seen.mean(1)).sum() / ages.sum()
    torch.testing.assert_close(penalty, 2 * (seen[-1] + anchor).clamp(min=0).square().mean())


def test_lecam_sends_no_gradient_through_the_anchors(float64: None) -> None:
    """With batch means in the anchors, a gradient through them would differ from 2·relu(f − a)/B."""
    part = lecam.build(weight=1.0, decay=0.9, start=0)
    real, fake = (torch.randn(6, requires_grad=True) for _ in range(2))
    part.d_penalty(d_moment(real, fake, step=0)).backward()
    torch.testing.assert_close(real.grad, 2 * F.relu(real.detach() - fake.detach().mean()) / 6)
    torch.testing.assert_close(fake.grad, -2 * F.relu(real.detach().mean() - fake.detach()) / 6)
    assert not part.means.requires_grad


def test_lecam_refuses_several_logits() -> None:
    with pytest.raises(GanbenchError, match="one logit an image; this one gives 12"):
        lecam.build(weight=1.0, decay=0.9, start=0).d_penalty(d_moment(torch.randn(2, 12), torch.randn(2, 12), 0))


# --- Omni-GAN -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("classes", "real", "fake"), [(10, 3.49651, 3.17805), (100, 5.71373, 5.31812)])
def test_omni_of_zeros(classes: int, real: float, fake: float) -> None:
    """Real ln(C+1) + ln 3 (C negatives, two positives); fake ln(C+2) + ln 2; G has the real form."""
    loss, side = (
        omni.build(margin=0.0, gamma=1.0),
        said(torch.zeros(4, classes + 2, dtype=torch.float64), torch.arange(4)),
    )
    halves = loss.d_halves(side, side)
    assert halves[0].item() == pytest.approx(math.log(classes + 1) + math.log(3)) == pytest.approx(real, abs=1e-5)
    assert halves[1].item() == pytest.approx(math.log(classes + 2) + math.log(2)) == pytest.approx(fake, abs=1e-5)
    assert loss.g_loss(side).item() == halves[0].item() and loss.d_loss(side, side).item() == pytest.approx(
        sum(halves).item()
    )


@pytest.mark.parametrize(("margin", "gamma"), [(0.0, 1.0), (0.3, 2.0)])
def test_omni_equals_a_plain_sum(margin: float, gamma: float, float64: None) -> None:
    """Image by image with exponentials, values and gradients; the verdict is the logit before the last."""
    loss, labels = omni.build(margin=margin, gamma=gamma), torch.tensor([2, 0, 1])
    real, fake = (torch.randn(3, 5, requires_grad=True) for _ in range(2))

    def plain(logits: torch.Tensor, positives: list[set[int]]) -> torch.Tensor:
        total = torch.zeros(())
        for s, positive in zip((logits + margin) * gamma, positives):
            high = sum(s[k].neg().exp() for k in range(5) if k in positive)
            low = sum(s[k].exp() for k in range(5) if k not in positive)
            total = total + (1 + low).log() + (1 + high).log()
        return total / len(logits)

    as_real = [{int(y), 3} for y in labels]
    expected = plain(real, as_real), plain(fake, [{4}] * 3), plain(fake, as_real)
    halves = loss.d_halves(said(real, labels), said(fake, labels))
    for ours, theirs, of in zip((*halves, loss.g_loss(said(fake, labels))), expected, (real, fake, fake)):
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(torch.autograd.grad(ours, of)[0], torch.autograd.grad(theirs, of)[0])
    assert torch.equal(loss.verdict(said(real, labels)), real[:, 3])


def test_omni_reads_each_logit_and_does_not_overflow() -> None:
    loss, labels = omni.build(margin=0.0, gamma=1.0), torch.tensor([1])
    zeros = said(torch.zeros(1, 4), labels)
    for logit, rises in ((0, True), (1, False), (2, False), (3, True)):
        raised = said(F.one_hot(torch.tensor([logit]), 4).float(), labels)
        assert (loss.d_halves(raised, zeros)[0] > loss.d_halves(zeros, zeros)[0]) == rises
    far = said(torch.tensor([[300.0, -300.0, 300.0, -300.0]], requires_grad=True), labels)
    total = loss.d_loss(far, far) + loss.g_loss(far)
    total.backward()
    assert torch.isfinite(total) and torch.isfinite(far.logits.grad).all()


@pytest.mark.parametrize("side", [said(torch.zeros(3), torch.zeros(3, dtype=torch.long)), said(torch.zeros(3, 12))])
def test_omni_needs_labels_and_its_head(side: Side) -> None:
    with pytest.raises(GanbenchError, match="class-conditional"):
        omni.build(margin=0.0, gamma=1.0).g_loss(side)
