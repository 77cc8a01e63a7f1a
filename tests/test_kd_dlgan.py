"""KD-DLGAN: both terms against closed forms, the frozen teacher, the declared proxy. CLIP is in test_teachers.py."""

from __future__ import annotations

import dataclasses
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.catalogue import plugin
from benchmark.collate.judging.tier import tier_of
from benchmark.errors import GanbenchError
from benchmark.methods import kd_dlgan, teachers
from benchmark.methods.part import DMoment, Moment, Side
from benchmark.recipe import Recipe
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.weights.needed import needed, proxies
from tests import penultimate_nets as nets
from tests.conftest import ROOT
from tests.penultimate_nets import D, assert_resumes, reals, recipe_of, steps
from tests.test_tier import CELLS, whole

CLIP, LITE = "clip-vit-b32", "efficientnet-lite0"
GIVEN = {"agkd": 10.0, "cgkd": 5.0, "teacher": LITE, "prompts": "a cat, a dog", "size": 32, "resize": "nearest"}
GIVEN |= {"normalise": False, "hidden": 20, "heads": "equalised"}
needs_lite = pytest.mark.skipif(not find_spec("efficientnet_lite_pytorch"), reason="efficientnet-lite is not installed")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    nets.use(monkeypatch)


def part_of(**changes: object) -> kd_dlgan.Distillation:
    return kd_dlgan.build(**{**GIVEN, **changes})


# The terms


def test_the_aggregated_term_by_hand() -> None:
    teacher = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
    own = torch.tensor([[3.0, 4.0], [1.0, 1.0]], dtype=torch.float64)
    other = torch.tensor([[0.0, 2.0], [1.0, 2.0]], dtype=torch.float64)
    assert kd_dlgan.aggregated(teacher, own, other).item() == (5 + 0) / 2 + (2 + 1) / 2
    assert kd_dlgan.aggregated(teacher, teacher, teacher).item() == 0
    assert kd_dlgan.aggregated(teacher, teacher, other).item() > 0, "features of the other kind are drawn to it too"


def test_the_correlated_term_by_hand() -> None:
    rng = torch.Generator().manual_seed(0)
    teacher, own, texts = (torch.randn(n, 7, generator=rng, dtype=torch.float64) for n in (3, 3, 4))
    wanted = 0.0
    for t, s in zip(teacher, own):
        of_t, of_s = ([sum(a * b for a, b in zip(row.tolist(), f.tolist())) for row in texts] for f in (t, s))
        lengths = [sum(v * v for v in values) ** 0.5 for values in (of_t, of_s)]
        wanted += sum((a / lengths[0] - b / lengths[1]) ** 2 for a, b in zip(of_t, of_s))
    found = kd_dlgan.correlated(teacher, own, texts)
    assert found.item() == pytest.approx(wanted, rel=1e-12), "a sum over the batch and the texts"
    assert kd_dlgan.correlated(teacher, 3 * teacher, texts).item() == pytest.approx(0, abs=1e-24)
    two = torch.eye(2, dtype=torch.float64)
    assert kd_dlgan.correlated(two[:1], -two[:1], two).item() == 4
    assert kd_dlgan.correlated(two[:1], two[1:], two).item() == 2


class Known(nn.Module):
    """A teacher that can be written down: the mean of each colour, twice."""

    width = 6

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("texts", torch.randn(3, 6, generator=torch.Generator().manual_seed(1)))

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images.mean((2, 3)).repeat(1, 2)


def test_ds_term_is_of_both_sides_and_reaches_d_and_the_student_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kd_dlgan, "teacher_of", lambda *given: Known())
    torch.manual_seed(0)
    judge, part = D(), part_of()
    part.build(nn.Identity(), judge)
    sides = []
    for seed in (0, 1):
        images, taps = reals(4, seed).requires_grad_(), []
        sides.append(Side(images.detach(), images, judge(images, None, taps), taps))
    more = (sides[0].images, None, torch.zeros(()), torch.Generator())
    found = part.d_penalty(DMoment(0, nn.Identity(), judge, *sides, *more))
    a, b = part.student
    said = [F.linear(F.linear(s.features[-1], a.weight / 12**0.5), b.weight / 20**0.5) for s in sides]
    taught = [part.teacher(s.seen) for s in sides]
    assert not any(t.requires_grad for t in taught), "so that a term of the teacher's features alone is constant"
    wanted = 0
    for own, other in ((0, 1), (1, 0)):
        t, s = taught[own], said[own]
        wanted = wanted + 10 * ((t - s).norm(dim=1).mean() + (t - said[other]).norm(dim=1).mean())
        like = [(x @ part.teacher.texts.t()) / (x @ part.teacher.texts.t()).norm(dim=1, keepdim=True) for x in (t, s)]
        wanted = wanted + 5 * (like[0] - like[1]).square().sum()
    torch.testing.assert_close(found, wanted)
    through_d = torch.autograd.grad(wanted, [s.seen for s in sides], retain_graph=True)
    for gradient, expected in zip(torch.autograd.grad(found, [s.seen for s in sides], retain_graph=True), through_d):
        torch.testing.assert_close(gradient, expected)
    found.backward()
    reached = {name for name, p in judge.named_parameters() if p.grad is not None}
    assert reached == {name for name, _ in judge.named_parameters() if not name.startswith("outer")}
    assert all(p.grad is not None for p in part.student.parameters()) and part.teacher.scale.grad is None
    of_g = Moment(0, nn.Identity(), judge, None, sides[1], *more)
    assert part.g_penalty(of_g) is None, "G's loss is as it was"


def test_distillation_brings_ds_features_to_the_teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    """And without its weight they stay apart."""
    monkeypatch.setattr(kd_dlgan, "teacher_of", lambda *given: Known())
    found = []
    for weight in (1.0, 0.0):
        gan = Gan(recipe_of(("kd-dlgan", {**GIVEN, "agkd": weight, "cgkd": weight}), lr_d=1e-2), 0)
        steps(gan, 50)
        x, taps = reals(64, 10**6), []
        gan.D(x, None, taps)
        part = gan.parts[0]
        found.append(kd_dlgan.correlated(part.teacher(x), part.student(taps[-1]), part.teacher.texts).item() / 64)
    assert found[0] < 0.4 * found[1]


@pytest.mark.parametrize("prompts", ["a cat", "", "a cat,,a dog"])
def test_fewer_than_two_prompts_are_refused(prompts: str) -> None:
    with pytest.raises(GanbenchError, match="two texts or more") as error:
        part_of(prompts=prompts)
    assert error.value.exit_code == 2


def test_clip_at_another_size_than_its_own_is_refused() -> None:
    with pytest.raises(GanbenchError, match="224 pixels, not of 64"):
        part_of(teacher=CLIP, size=64).build(nn.Identity(), D())


# The teacher in training


@needs_lite
@pytest.mark.parametrize("heads", ["equalised", "spectral-norm"])
def test_the_teacher_is_frozen_in_no_optimiser_and_in_no_checkpoint(heads: str) -> None:
    gan = Gan(recipe_of(("kd-dlgan", {**GIVEN, "heads": heads})), 0)
    part = gan.parts[0]
    trained = {id(p) for opt in (gan.opt_D, gan.opt_G) for group in opt.param_groups for p in group["params"]}
    assert not {id(p) for p in part.teacher.parameters()} & trained
    assert {id(p) for p in part.student.parameters()} <= trained
    assert not any(m.training or any(p.requires_grad for p in m.parameters()) for m in part.teacher.modules())
    before = {name: t.clone() for name, t in part.teacher.state_dict().items()}
    student = [p.clone() for p in part.student.parameters()]
    steps(gan, 2)
    assert all(torch.equal(t, before[name]) for name, t in part.teacher.state_dict().items())
    assert not any(torch.equal(a, b) for a, b in zip(student, part.student.parameters()))
    saved = gan.state_dict()
    assert [set(s) for s in saved["heads"]] == [set(part.student.state_dict())] and saved["parts"] == [{}]


@needs_lite
def test_a_run_that_is_stopped_goes_on_to_the_same_bits() -> None:
    augment = ("diffaugment", {"policy": "color,translation,cutout", "random_order": False})
    assert_resumes(recipe_of(augment, ("kd-dlgan", {**GIVEN, "heads": "spectral-norm"})))


@needs_lite
def test_the_proxys_features_are_the_networks_own_and_draw_nothing() -> None:
    from efficientnet_lite_pytorch import EfficientNet

    from benchmark.weights.read import state

    state_before = torch.random.get_rng_state()
    found = teachers.teacher(LITE, ["a", "b"], 64, "nearest", True)
    assert torch.equal(torch.random.get_rng_state(), state_before)
    whole = EfficientNet.from_name(LITE)
    whole.load_state_dict(state(LITE))
    bytes_ = torch.randint(256, (2, 3, 64, 64), generator=torch.Generator().manual_seed(0)).float()
    with torch.no_grad():
        logits = whole.eval()((bytes_ - 127) / 128)
    mine = found(bytes_ / 127.5 - 1) @ found.texts.t() + whole._fc.bias.detach()
    torch.testing.assert_close(mine, logits, rtol=1e-3, atol=1e-3)
    assert found.width == 1280


@needs_lite
def test_it_trains_in_double_precision(float64: None) -> None:
    gan = Gan(recipe_of(("kd-dlgan", GIVEN)), 0)
    steps(gan, 1)
    assert {t.dtype for t in gan.parts[0].teacher.state_dict().values() if t.is_floating_point()} == {torch.float64}


# The suite


@pytest.mark.parametrize(("profile", "weights"), [("full", CLIP), ("reduced", LITE), ("ci", LITE)])
def test_the_row_names_clip_and_small_profiles_the_declared_proxy(profile: str, weights: str) -> None:
    cells = [
        c
        for c in load(Path(ROOT / "suites/chain.yaml"), profile).cells
        if c.id.split("/")[1:3] == ["100shot", "KDDLGAN"]
    ]
    assert len(cells) == 5
    for cell in cells:
        given = dict(cell.recipe.parts)["kd-dlgan"]
        plugin("methods", "kd-dlgan").check(given)
        assert needed(cell.recipe) == [weights] and proxies(cell.recipe) == ([LITE] if weights == LITE else [])


@pytest.mark.parametrize(
    ("of_paper", "weights", "tier"), [(CLIP, CLIP, "exact"), (CLIP, LITE, "proxy"), (LITE, LITE, "proxy")]
)
def test_what_rests_on_the_proxy_is_never_exact(of_paper: str, weights: str, tier: str) -> None:
    cell = next(c for c in CELLS.values() if c.full_recipe.parts == c.recipe.parts)

    def by(teacher: str) -> Recipe:
        given = ("kd-dlgan", {**GIVEN, "teacher": teacher, "size": 224})
        return dataclasses.replace(cell.full_recipe, parts=(*cell.full_recipe.parts, given))

    found = tier_of(dataclasses.replace(cell, full_recipe=by(of_paper)), whole(cell, recipe=by(weights)))
    assert (found.name, found.judged) == (tier, tier == "exact")
