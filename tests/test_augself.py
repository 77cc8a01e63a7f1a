"""AugSelf-GAN's heads: what was drawn, both losses by hand, where gradients go, and that the heads learn."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods import augself, diffaugment, heads
from benchmark.methods.part import DMoment, Moment, Side
from benchmark.networks import biggan
from benchmark.train.gan import Gan
from tests import penultimate_nets as nets
from tests.penultimate_nets import D, assert_resumes, reals, recipe_of, steps

ALL = "color,translation,cutout"
GIVEN = {"predicts": ALL, "d_weight": 0.3, "g_weight": 0.7, "heads": "equalised"}
AUGMENT = ("diffaugment", {"policy": ALL, "random_order": False})


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    nets.use(monkeypatch)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_diffaugment_says_what_it_drew() -> None:
    """The images are made again from what it says, by formulas written out here."""
    x = torch.rand(5, 3, 16, 16, generator=rng()) * 2 - 1
    part = diffaugment.build(policy=ALL, random_order=False)
    assert part.drawn() == {}
    found = part.augment(x, True, rng(1))
    drawn = part.drawn()
    assert {name: tuple(w.shape) for name, w in drawn.items()} == {
        "color": (5, 3),
        "translation": (5, 2),
        "cutout": (5, 2),
    }
    for n, image in enumerate(x):
        b, s, c = drawn["color"][n].tolist()
        image = image + b - 0.5
        image = image.mean(0) + 2 * s * (image - image.mean(0))
        image = image.mean() + (c + 0.5) * (image - image.mean())
        down, right = (round((w - 0.5) * 4) for w in drawn["translation"][n].tolist())  # ⌊16/8 + ½⌋ = 2 each way
        moved = F.pad(image, (2, 2, 2, 2))[:, 2 + down : 18 + down, 2 + right : 18 + right].clone()
        row, column = (round(w * 16) for w in drawn["cutout"][n].tolist())
        moved[:, max(row - 4, 0) : max(row + 4, 0), max(column - 4, 0) : max(column + 4, 0)] = 0
        torch.testing.assert_close(found[n], moved)


@pytest.mark.parametrize("random_order", [False, True])
@pytest.mark.parametrize("side", [2, 9, 16])
def test_what_is_drawn_fills_0_to_1(side: int, random_order: bool) -> None:
    part = diffaugment.build(policy="cutout,color,translation", random_order=random_order)
    part.augment(torch.zeros(4000, 1, side, side), False, rng())
    drawn = part.drawn()
    assert list(drawn) == ["cutout", "color", "translation"], "by the policy, whatever the order"
    for name, w in drawn.items():
        if name == "translation" and side == 2:
            continue  # an eighth of it is no pixel
        assert w.min() < 0.01 and w.max() > 0.99 and (w.mean(0) - 0.5).abs().max() < 0.03 and w.isfinite().all(), name
        assert w.min() >= 0 and w.max() <= 1


def moments(judge: nn.Module, part: augself.AugSelf, dtype: torch.dtype) -> tuple[DMoment, Moment]:
    """Both steps' moments, whose fakes carry gradient in G's only."""
    augment = diffaugment.build(policy=ALL, random_order=False)

    def side(images: Tensor, seed: int) -> Side:
        seen, taps = augment.augment(images, True, rng(seed)), []
        drawn = {name: w.to(dtype) for name, w in augment.drawn().items()}
        return Side(images, seen, judge(seen, None, taps), taps, drawn=drawn)

    real, fake = reals(4, 0).to(dtype), reals(4, 1).to(dtype)
    more = (real, None, torch.zeros(()), rng())
    of_d = DMoment(0, nn.Identity(), judge, side(real, 2), side(fake, 3), *more)
    return of_d, Moment(0, nn.Identity(), judge, None, side(fake.clone().requires_grad_(), 4), *more)


def built(judge: nn.Module, **changes: object) -> augself.AugSelf:
    part = augself.build(**{**GIVEN, **changes})
    part.build(nn.Identity(), judge)
    return part


def by_hand(judge: nn.Module, part: augself.AugSelf, side: Side) -> list[tuple[Tensor, Tensor]]:
    """What each head says, and ω."""
    before: list[Tensor] = []
    after: list[Tensor] = []
    judge(side.images, None, before)
    judge(side.seen, None, after)
    apart = after[-1] - before[-1]
    found = []
    for name, h in part.heads.items():
        found.append((apart @ (h.weight / nets.C**0.5).t() + h.bias, side.drawn[name]))
    return found


def test_ds_and_gs_terms_by_hand() -> None:
    torch.manual_seed(0)
    judge = D().double()
    part = built(judge)
    part.heads.double()
    of_d, of_g = moments(judge, part, torch.float64)
    wanted = torch.zeros((), dtype=torch.float64)
    for side, sign in ((of_d.real, 1), (of_d.fake, -1)):
        for said, drawn in by_hand(judge, part, side):
            wanted = wanted + ((said - sign * drawn) ** 2).mean()
    torch.testing.assert_close(part.d_penalty(of_d), 0.3 * wanted)
    wanted = torch.zeros((), dtype=torch.float64)
    for said, drawn in by_hand(judge, part, of_g.fake):
        wanted = wanted + ((said - drawn) ** 2).mean() - ((said + drawn) ** 2).mean()
    found = part.g_penalty(of_g)
    torch.testing.assert_close(found, 0.7 * wanted)
    by_product = torch.stack([(said * drawn).mean() for said, drawn in by_hand(judge, part, of_g.fake)]).sum()
    torch.testing.assert_close(found, -4 * 0.7 * by_product)


def test_gradients_reach_what_they_should() -> None:
    """In D's step D and heads, not the images; in G's the fakes, through what D saw and through what it was before."""
    torch.manual_seed(0)
    judge = D()
    part = built(judge)
    of_d, of_g = moments(judge, part, torch.float32)
    part.d_penalty(of_d).backward()
    reached = {name for name, p in judge.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
    assert reached == {name for name, _ in judge.named_parameters() if not name.startswith("outer")}
    assert all(p.grad.abs().sum() > 0 for p in part.heads.parameters())
    assert of_d.fake.images.grad is None
    judge.zero_grad(), part.heads.zero_grad()
    for module in (judge, part.heads):
        module.requires_grad_(False)
    _, of_g = moments(judge, part, torch.float32)
    (found,) = torch.autograd.grad(part.g_penalty(of_g), of_g.fake.images, retain_graph=True)
    products = [(said * drawn).mean() for said, drawn in by_hand(judge, part, of_g.fake)]
    (wanted,) = torch.autograd.grad(-4 * 0.7 * torch.stack(products).sum(), of_g.fake.images)
    torch.testing.assert_close(found, wanted)
    assert all(p.grad is None for p in (*judge.parameters(), *part.heads.parameters()))


def test_without_a_change_a_head_says_its_bias() -> None:
    judge = D()
    part = built(judge, predicts="cutout")
    part.heads["cutout"].bias.data.fill_(0.25)
    x, taps = reals(3, 0), []
    side = Side(x, x, judge(x, None, taps), taps, drawn={"cutout": torch.rand(3, 2)})
    ((said, _),) = part.answers(judge, side)
    assert torch.equal(said, torch.full((3, 2), 0.25))


def test_an_equalised_layer_is_scaled_where_it_is_used() -> None:
    layer = heads.head("equalised", 400, 300)
    assert layer.bias.abs().sum() == 0 and abs(float(layer.weight.detach().std()) - 1) < 0.02
    x = torch.randn(7, 400)
    torch.testing.assert_close(layer(x), x @ layer.weight.t() / 20)
    assert hasattr(heads.head("spectral-norm", 4, 3), "u")


def test_of_a_map_the_features_are_what_bigans_head_reads() -> None:
    _, judge = biggan.build(
        (3, 32, 32), 8, 4, width=1.0, ch=4, head="projection", attention=0, shared_dim=0, z_chunks=1, init="N02"
    )
    taps: list[Tensor] = []
    labels = torch.arange(2)
    logits = judge(torch.rand(2, 3, 32, 32), labels, taps)
    h = heads.penultimate(taps)
    assert h.shape[1] == heads.width(judge, "any") == judge.linear.in_features
    torch.testing.assert_close(logits, judge.linear(h).squeeze(1) + (judge.embedding(labels) * h).sum(1))
    part = built(judge, predicts="cutout", heads="spectral-norm")
    seen = torch.rand(4, 3, 32, 32)
    side = Side(seen[:2], seen, logits, taps_of(judge, seen), labels.repeat(2), {"cutout": torch.rand(4, 2)})
    assert part.answers(judge, side)[0][0].shape == (4, 2), "two copies of each image"


def taps_of(judge: nn.Module, x: Tensor) -> list[Tensor]:
    found: list[Tensor] = []
    judge(x, torch.zeros(len(x), dtype=torch.int64), found)
    return found


@pytest.mark.parametrize("weight", [1.0, 0.0])
def test_the_heads_learn_the_augmentation_of_real_images_and_its_opposite_of_fakes(weight: float) -> None:
    """And with nothing to learn from they do not."""
    given = {**GIVEN, "predicts": "color", "d_weight": weight, "g_weight": 0.0}
    parts = (("diffaugment", {"policy": "color", "random_order": False}), ("augself", given))
    gan = Gan(recipe_of(*parts, batch_d=16, batch_g=1, lr_d=1e-2, lr_g=0.0), 0)
    with torch.no_grad():
        gan.G.image.bias += torch.tensor([1.0, -1.0, 1.0])  # what tells fakes from real images
    steps(gan, 80)
    part = gan.parts[1]
    found = []
    for images in (reals(256, 10**6), gan.fakes(256).images.detach()):
        seen, taps = gan.augment(images, True), []
        logits = gan.D(seen, None, taps)
        ((said, drawn),) = part.answers(gan.D, Side(images, seen, logits, taps, drawn=gan.drawn()))
        found.append(torch.corrcoef(torch.stack([said[:, 0], drawn[:, 0]]))[0, 1].item())  # of brightness
    assert (found[0] > 0.6 and found[1] < -0.6) == bool(weight)


@pytest.mark.parametrize(
    "changes",
    [{}, {"share_fakes": True}, {"share_fakes": True, "player_order": "d-first", "augment_once": True}],
    ids=str,
)
def test_a_run_that_is_stopped_goes_on_to_the_same_bits(changes: dict[str, object]) -> None:
    assert_resumes(recipe_of(AUGMENT, ("augself", GIVEN), **changes))


def test_the_heads_are_trained_and_saved_with_d() -> None:
    gan = Gan(recipe_of(AUGMENT, ("augself", GIVEN)), 0)
    part = gan.parts[1]
    trained = {id(p) for group in gan.opt_D.param_groups for p in group["params"]}
    assert {id(p) for p in part.heads.parameters()} <= trained
    assert not {id(p) for group in gan.opt_G.param_groups for p in group["params"]} & {
        id(p) for p in part.heads.parameters()
    }
    before = [p.clone() for p in part.heads.parameters()]
    steps(gan, 1)
    assert not any(torch.equal(a, b) for a, b in zip(before, part.heads.parameters()))
    assert list(gan.state_dict()["heads"][0]) == [f"{n}.{kind}" for n in ALL.split(",") for kind in ("weight", "bias")]


@pytest.mark.parametrize(
    ("predicts", "words"),
    [("colour", "no 'colour'; did you mean 'color'"), ("color,color", "names one augmentation twice"), ("", "no ''")],
)
def test_augmentations_that_there_are_none_of_are_refused(predicts: str, words: str) -> None:
    with pytest.raises(GanbenchError, match=words) as error:
        augself.build(**{**GIVEN, "predicts": predicts})
    assert error.value.exit_code == 2


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(GanbenchError, match="none"):
        built(nn.Conv2d(3, 3, 1))
    with pytest.raises(GanbenchError, match="translation, which no part drew"):
        Gan(recipe_of(("diffaugment", {"policy": "color", "random_order": False}), ("augself", GIVEN)), 0)
    x = torch.zeros(1)
    with pytest.raises(GanbenchError, match="gives one image"):
        built(D()).answers(D(), Side(x, x, x, [], small=(x,)))
