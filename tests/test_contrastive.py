"""InsGen and FakeCLR: the loss against closed forms, the queue against the release's written out, what moves when, what
learns from what, and the same bits after a stop.
"""

from __future__ import annotations

import copy
import io
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.data.cards import cards
from benchmark.errors import GanbenchError
from benchmark.methods import fakeclr, insgen
from benchmark.methods.contrast import Contrastive, Head, Settings, info_nce
from benchmark.plan import count as count_module
from benchmark.suite.load import load
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.contrast_nets import Flat, small, stand_in
from tests.home import ROOT

SHARED: dict[str, Any] = dict(fake=1.0, fake_on_g=0.5, temperature=0.2, momentum=0.9, queue=4, projection=7)
INSGEN: dict[str, Any] = SHARED | dict(
    real=1.0, noise=0.15, lr_real=3e-3, lr_fake=2e-3, beta2_real=0.98, beta2_fake=0.99
)
FAKECLR: dict[str, Any] = SHARED | dict(noise=0.1, forgetting="released", lr=2e-3, beta2=0.99)
COLOUR = ("diffaugment", {"policy": "color,translation", "random_order": False})
PARTS = {
    "insgen": ("insgen", INSGEN),
    "fakeclr": ("fakeclr", FAKECLR),
    "fakeclr, intended": ("fakeclr", FAKECLR | {"forgetting": "intended"}),
}
either = pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch)


def pair(*parts: tuple[str, dict[str, object]], seed: int = 0, **changes: object) -> Gan:
    return Gan(small(*parts, **changes), seed)


def steps(gan: Gan, count: int) -> None:
    """The real batch is a function of the step."""
    for _ in range(count):
        rng = torch.Generator().manual_seed(gan.step)
        batch = torch.rand(gan.recipe.batch_d, 3, 16, 16, generator=rng).to(next(gan.D.parameters())) * 2 - 1
        train_step(gan, lambda batch=batch: (batch, None))


def contrast(gan: Gan) -> Contrastive:
    part = gan.parts[-1]
    assert isinstance(part, Contrastive)
    return part


# --- the loss ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("negatives", "shift", "expected"),
    [
        (10, 0.0, math.log(1 + 10 * math.exp(-5))),  # .06521
        (5, 0.0, math.log(1 + 5 * math.exp(-5))),  # .03313
        (10, 1.0, math.log(11)),  # FakeCLR as released
        (10, 0.1, math.log(1 + 10 * math.exp(-4.5))),  # FakeCLR as intended, keys of one age
    ],
)
def test_infonce_of_a_key_that_is_the_query_among_orthogonal_ones(
    negatives: int, shift: float, expected: float
) -> None:
    basis = torch.eye(16, dtype=torch.float64)
    q = basis[-3:]
    assert info_nce(q, q, basis[:negatives], 0.2, shift).item() == pytest.approx(expected, rel=1e-12)


def test_infonce_is_its_formula_with_a_shift_for_each_negative() -> None:
    q, k = (F.normalize(torch.randn(3, 4, dtype=torch.float64), dim=1) for _ in range(2))
    n, t = F.normalize(torch.randn(5, 4, dtype=torch.float64), dim=1), torch.rand(5, dtype=torch.float64)
    rows = []
    for i in range(3):
        right = math.exp(float(q[i] @ k[i]) / 0.3)
        wrong = sum(math.exp(float(q[i] @ n[j] + t[j]) / 0.3) for j in range(5))
        rows.append(-math.log(right / (right + wrong)))
    assert info_nce(q, k, n, 0.3, t).item() == pytest.approx(sum(rows) / 3, rel=1e-12)


def test_forgetting() -> None:
    def part(forgetting: str) -> Any:
        made = fakeclr.build(**FAKECLR | {"forgetting": forgetting, "queue": 3})
        assert isinstance(made, fakeclr.FakeCLR)
        made.heads = {"fake": Head(5, made.settings)}
        return made

    assert part("released").shift() == 1.0
    intended = part("intended")
    assert intended.shift().tolist() == pytest.approx([1 / 3] * 3), "no key has an age yet"
    head = intended.heads["fake"]
    for step in (3, 4, 5):
        head.enqueue(torch.randn(1, 7), step)
    raw = [math.exp(s / math.sqrt(50) / 0.01) for s in (3, 4, 5)]
    assert intended.shift().tolist() == pytest.approx([x / sum(raw) for x in raw], rel=1e-4)
    assert intended.shift().argmax() == 2
    head.enqueue(torch.randn(5, 7), 6)
    assert intended.shift().tolist() == pytest.approx([1 / 3] * 3), "a batch overwrote the queue: all keys are as old"


# --- the queue --------------------------------------------------------------------------------------------------


def test_the_queue_holds_what_the_releases_holds() -> None:
    head = Head(5, Settings(0.2, 0.999, 10, 2))
    first = head.queue.clone()
    torch.testing.assert_close(first.norm(dim=1), torch.ones(10))
    start = list(range(-10, 0))
    head.queue[:, 0] = torch.tensor(start, dtype=torch.float32)

    def come(step: int, *names: int) -> tuple[list[int], list[int]]:
        head.enqueue(torch.tensor([[n, 0.5] for n in names], dtype=torch.float32), step)
        return head.queue[:, 0].int().tolist(), head.since.int().tolist()

    assert come(1, 0, 1, 2, 3) == ([0, 1, 2, 3, *start[4:]], [1] * 4 + [0] * 6)
    assert come(2, 4, 5, 6, 7) == ([*range(8), *start[8:]], [1] * 4 + [2] * 4 + [0] * 2)
    assert come(3, 8, 9, 10, 11) == ([10, 11, *range(2, 10)], [3, 3, 1, 1, 2, 2, 2, 2, 3, 3])  # the end, then the start
    assert come(4, *range(20, 32)) == ([*range(20, 30)], [4] * 10)  # more than it holds: the first ten, the place stays
    assert come(5, 40, 41, 42)[0] == [20, 21, 40, 41, 42, *range(25, 30)]
    assert come(6, *range(50, 60))[0] == [*range(55, 60), *range(50, 55)]  # as many as it holds: round from its place
    assert come(7, *range(60, 65))[0] == [*range(55, 60), *range(60, 65)]  # ends at the end …
    assert come(8, 70)[0] == [70, *range(56, 60), *range(60, 65)]  # … and goes on at the start


def test_what_enters_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real head's and FakeCLR's keys; of InsGen's fakes, h̄ of the queries' features. The first Q, unit length."""
    seen: list[tuple[Head, Tensor, Tensor]] = []
    forward = Head.forward
    monkeypatch.setattr(
        Head, "forward", lambda self, q, k, *shift: (seen.append((self, q.detach(), k)), forward(self, q, k, *shift))[1]
    )
    for part in (PARTS["insgen"], PARTS["fakeclr"]):
        gan = pair(COLOUR, part)
        steps(gan, 2)
        for name, head in contrast(gan).heads.items():
            of_query, of_key = [(q, k) for who, q, k in seen if who is head][-1]
            features = of_query if (part[0], name) == ("insgen", "fake") else of_key
            torch.testing.assert_close(head.queue, F.normalize(head.copy(features), dim=1)[:4])
            assert not torch.allclose(of_query, of_key, atol=1e-3)


# --- what is compared -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [PARTS["insgen"], PARTS["fakeclr"]], ids=["insgen", "fakeclr"])
def test_fakes_are_compared_with_those_of_noises_moved_a_little(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gan = pair(COLOUR, part, z_scale=3.0)  # many beyond 3
    normals: list[Tensor] = []
    randn = torch.randn
    monkeypatch.setattr(torch, "randn", lambda *a, **k: (normals.append(x := randn(*a, **k)), x)[1])
    steps(gan, 1)
    _of_g, z, moved = gan.G.seen
    n = next(x for x in normals if x.shape == z.shape and torch.allclose((moved - z).sign(), x.sign()))
    assert (z.abs() > 3).any() and (z.abs() < 3).any()
    spread = 0.15 if part[0] == "insgen" else 0.1 * z.abs().clamp(max=3)
    torch.testing.assert_close(moved, z + spread * n)


@either
def test_a_d_step_is_the_one_written_out(part: Any) -> None:
    """One step of D of the harness against plain autograd, with the augmentation left out."""
    name, args = part
    gan = pair(part, player_order="d-first", n_dis=1)
    steps(gan, 1)  # copies differ from what they follow, the queues hold keys
    D, mine = copy.deepcopy(gan.D), copy.deepcopy(contrast(gan))
    opt = torch.optim.Adam(D.parameters(), 2e-3, (0.0, 0.99), foreach=False)
    opt.load_state_dict(copy.deepcopy(gan.opt_D.state_dict()))
    G, noise, extra = copy.deepcopy(gan.G), torch.Generator(), torch.Generator()
    noise.set_state(gan.rng["noise"].get_state())
    extra.set_state(gan.rng["augment"].get_state())
    x = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    z = torch.randn(6, 5, generator=noise)

    def phi(judge: nn.Module, images: Tensor) -> Tensor:
        taps: list[Tensor] = []
        judge(images, None, taps)
        return taps[1].mean((2, 3))

    def loss(head: Head, images: Tensor, others: Tensor, shift: Any) -> Tensor:
        for p, follower in zip(head.h.parameters(), head.copy.parameters()):
            follower.data = 0.9 * follower.data + 0.1 * p.data
        q = F.normalize(head.h(phi(D, images)), dim=1)
        k = F.normalize(head.copy(phi(mine.copy, others)), dim=1).detach()
        logits = torch.cat([(q * k).sum(1)[:, None], q @ head.queue.T + shift], 1) / 0.2
        return -logits.log_softmax(1)[:, 0].mean()

    with torch.no_grad():
        fakes = G(z, None, noise)
        delta = torch.randn(6, 5, generator=extra)
        moved = G(z + (0.15 if name == "insgen" else 0.1 * z.abs().clamp(max=3)) * delta, None, extra)
    total = 0.5 * (F.softplus(-D(x)).mean() + F.softplus(D(fakes)).mean())
    shift: Any = {"released": 1.0, "intended": 0.25}.get(args.get("forgetting"), 0.0)
    total = total + loss(mine.heads["fake"], fakes, moved, shift)
    if name == "insgen":
        total = total + loss(mine.heads["real"], x, x, 0.0)
    opt.zero_grad()
    total.backward()
    opt.step()
    steps(gan, 1)
    for p, expected in zip(gan.D.parameters(), D.parameters()):
        torch.testing.assert_close(p, expected, rtol=1e-4, atol=1e-6)


@either
def test_gs_term_is_the_one_written_out(part: Any) -> None:
    gan = pair(part)
    steps(gan, 1)
    mine = contrast(gan)
    fakes = gan.fakes(6)
    moment = _g_moment(gan, fakes)
    before = copy.deepcopy(mine)
    found = mine.g_penalty(moment)
    assert found is not None
    head = before.heads["fake"]
    of = {}
    for name, judge in (("D", gan.D), ("copy", before.copy)):
        taps: list[Tensor] = []
        judge(fakes.images, None, taps)
        of[name] = taps[1].mean((2, 3))
    weights = [0.9 * b + 0.1 * a for a, b in zip(head.h.state_dict().values(), head.copy.state_dict().values())]
    head.copy.load_state_dict(dict(zip(head.copy.state_dict(), weights)))
    shift: Any = {"released": 1.0, "intended": 0.25}.get(part[1].get("forgetting"), 0.0)
    q, k = F.normalize(head.h(of["D"]), dim=1), F.normalize(head.copy(of["copy"]), dim=1)
    torch.testing.assert_close(found, 0.5 * info_nce(q, k, head.queue, 0.2, shift))


def _g_moment(gan: Gan, fakes: Any) -> Any:
    from benchmark.methods.part import Moment, Side

    side = Side(fakes.images, fakes.images, gan.D(fakes.images), [], None, z=fakes.z)
    loss = torch.zeros(())
    return Moment(
        gan.step, gan.G, gan.D, None, side, fakes.images, gan.loss, loss, gan.rng["augment"], None, gan.augment
    )


# --- what moves, and what learns --------------------------------------------------------------------------------


@either
def test_copies_move_by_their_formula(part: Any) -> None:
    """h̄ of the fakes in both players' steps, that of the reals in D's; D̄ once a step, by D as the step leaves it."""
    gan = pair(COLOUR, part)
    steps(gan, 1)
    mine = contrast(gan)
    before = copy.deepcopy(mine)
    steps(gan, 1)
    for name, head in mine.heads.items():
        kept = 0.9**2 if name == "fake" else 0.9
        old = before.heads[name]
        for new, was, followed in zip(head.copy.parameters(), old.copy.parameters(), old.h.parameters()):
            torch.testing.assert_close(new, kept * was + (1 - kept) * followed, rtol=1e-5, atol=1e-7)
            assert not torch.equal(was, followed)
    for new, was, followed in zip(mine.copy.parameters(), before.copy.parameters(), gan.D.parameters()):
        torch.testing.assert_close(new, 0.9 * was + 0.1 * followed, rtol=1e-5, atol=1e-7)


@either
def test_gs_term_reaches_g_alone_and_leaves_the_queue(part: Any) -> None:
    gan = pair(COLOUR, part)
    steps(gan, 1)
    mine = contrast(gan)
    before = copy.deepcopy(mine.state_dict())
    gan.judges.requires_grad_(False)
    for p in gan.G.parameters():
        p.grad = None
    term = mine.g_penalty(_g_moment(gan, gan.fakes(6)))
    assert term is not None
    term.backward()
    gan.judges.requires_grad_(True)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in gan.G.parameters())
    assert all(p.grad is None for head in mine.heads.values() for p in head.parameters())
    assert all(p.requires_grad for p in mine.heads["fake"].h.parameters())
    after = mine.state_dict()["heads"]["fake"]
    moved = {key for key, value in before["heads"]["fake"].items() if not _same(value, after[key])}
    assert moved == {key for key in after if key.startswith("copy.")}


@either
def test_ds_terms_reach_d_and_the_heads_and_nothing_else(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gan = pair(COLOUR, part)
    steps(gan, 1)
    mine = contrast(gan)
    got: list[Tensor] = []
    monkeypatch.setattr(mine, "after_d", lambda moment: None)  # the heads keep their gradients
    monkeypatch.setattr(gan.loss, "d_loss", lambda real, fake: real.logits.sum() * 0)
    penalty = type(mine).d_penalty
    monkeypatch.setattr(mine, "d_penalty", lambda moment: (got.append(x := penalty(mine, moment)), x)[1])
    monkeypatch.setattr(mine, "g_penalty", lambda moment: None)
    g_before = copy.deepcopy(gan.G.state_dict())
    monkeypatch.setattr(gan.loss, "g_loss", lambda fake: fake.logits.sum() * 0)
    steps(gan, 1)
    assert len(got) == 1 and torch.isfinite(got[0])
    assert all(p.grad.abs().sum() > 0 for p in gan.D.blocks.parameters())
    for head in mine.heads.values():
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.h.parameters())
        assert all(p.grad is None for p in head.copy.parameters())
    assert all(p.grad is None for p in mine.copy.parameters())
    assert all(_same(g_before[key], value) for key, value in gan.G.state_dict().items())


@either
def test_heads_are_trained_by_adams_of_their_own(part: Any) -> None:
    gan = pair(COLOUR, part)
    mine = contrast(gan)
    ours = {id(p) for head in mine.heads.values() for p in head.parameters()}
    assert not ours & {id(p) for o in (gan.opt_G, gan.opt_D) for g in o.param_groups for p in g["params"]}
    group = mine.optimisers["fake"].param_groups[0]
    assert (group["lr"], group["betas"], group["eps"]) == (2e-3, (0.0, 0.99), 1e-8)
    if part[0] == "insgen":
        group = mine.optimisers["real"].param_groups[0]
        assert (group["lr"], group["betas"]) == (3e-3, (0.0, 0.98))
    before = copy.deepcopy(mine.heads["fake"].h[0].weight)
    steps(gan, 1)
    torch.testing.assert_close((mine.heads["fake"].h[0].weight - before).abs().max().item(), 2e-3, rtol=0.01, atol=0)


@pytest.mark.parametrize(
    ("part", "weight"),
    [(p, w) for p in ("insgen", "fakeclr") for w in (("real",) if p == "insgen" else ()) + ("fake", "fake_on_g", "")],
)
def test_the_part_left_out_or_a_term_of_it_changes_the_players(part: str, weight: str) -> None:
    with_it = pair(COLOUR, PARTS[part])
    name, args = PARTS[part]
    without = pair(COLOUR, (name, args | {weight: 0.0})) if weight else pair(COLOUR)
    for gan in (with_it, without):
        gan.D.load_state_dict(pair().D.state_dict())
        steps(gan, 2)
    player = "G" if weight == "fake_on_g" else "D"
    mine, theirs = (getattr(gan, player).state_dict() for gan in (with_it, without))
    assert not all(_same(mine[key], theirs[key]) for key in mine)


@either
def test_d_learns_to_tell_images_apart(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the term alone, G still: the losses of the last steps against the first after the queue has filled."""
    name, args = part
    fast = {key: 5e-3 for key in args if key.startswith("lr")}
    if name == "insgen":  # real images are noise here, and alike
        fast |= {"real": 0.0, "noise": 0.02}
    gan = pair((name, args | fast), lr_g=0.0, lr_d=5e-3, batch_d=12, batch_g=12)
    monkeypatch.setattr(gan.loss, "d_loss", lambda real, fake: real.logits.sum() * 0)
    with torch.no_grad():
        gan.G.last.weight.mul_(8)
    said: list[float] = []
    mine = contrast(gan)
    forward = mine.heads["fake"].forward
    mine.heads["fake"].forward = lambda *a: (said.append((x := forward(*a))[0].item()), x)[1]
    steps(gan, 90 if name == "insgen" else 40)
    in_d = said[1::2]  # each follows G's
    assert sum(in_d[-5:]) < 0.9 * sum(in_d[1:6]), in_d


# --- stops, devices, refusals -----------------------------------------------------------------------------------


@either
def test_a_stopped_run_goes_on_to_the_same_bits(part: Any) -> None:
    whole = pair(COLOUR, part)
    steps(whole, 5)
    first = pair(COLOUR, part)
    steps(first, 3)
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second = pair(COLOUR, part, seed=9)
    second.load_state_dict(torch.load(file, weights_only=True))
    steps(second, 2)
    assert _same(second.state_dict(), whole.state_dict())


@either
def test_in_mixed_precision_the_loss_is_float32(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds: set[torch.dtype] = set()
    under: list[bool] = []

    def looked_at(q: Tensor, k: Tensor, *rest: Any) -> Tensor:
        kinds.update((q.dtype, k.dtype))
        return info_nce(q, k, *rest)

    monkeypatch.setattr("benchmark.methods.contrast.info_nce", looked_at)
    gan = pair(COLOUR, part, precision="bfloat16")
    augment = gan.parts[0].augment
    monkeypatch.setattr(
        gan.parts[0], "augment", lambda *a: (under.append(torch.is_autocast_enabled("cpu")), augment(*a))[1]
    )
    steps(gan, 1)
    assert kinds == {torch.float32}
    assert under and not any(under), "augmentations are exact, in penalties too"


@either
def test_the_plan_counts_it(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, with_it = (count_module.count(small(*parts), 100) for parts in ((COLOUR,), (COLOUR, part)))
    assert with_it.step.flops > 1.2 * plain.step.flops
    mine = contrast(pair(COLOUR, part))
    numbers = sum(p.numel() for p in mine.copy.parameters())
    for head in mine.heads.values():  # h with two moments, h̄, queue and ages
        numbers += 4 * sum(p.numel() for p in head.h.parameters()) + head.queue.numel() + head.since.numel()
    assert 0 <= with_it.checkpoint - plain.checkpoint - 4 * numbers <= 64, "and each tensor's own count of steps"


def test_d_without_maps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, Flat)
    with pytest.raises(GanbenchError, match="gives none"):
        pair(PARTS["insgen"])


@pytest.mark.parametrize(
    "wrong", [{"temperature": 0.0}, {"momentum": 1.5}, {"queue": 0}, {"projection": 0}, {"fake": -1.0}, {"noise": -0.1}]
)
@pytest.mark.parametrize("module", [insgen, fakeclr])
def test_settings_out_of_range_are_refused(module: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(GanbenchError, match=next(iter(wrong)) if "fake" not in wrong else "weights"):
        module.build(**(INSGEN if module is insgen else FAKECLR) | wrong)


# --- the suite --------------------------------------------------------------------------------------------------


def test_the_suite_says_what_the_codes_do() -> None:
    cells = [c for c in load(ROOT / "suites/chain.yaml").cells if c.recipe.parts and c.recipe.parts[-1][0] in PARTS]
    assert len(cells) == 10
    for cell in cells:
        r, (name, args) = cell.recipe, cell.recipe.parts[-1]
        images = cards()[r.dataset].splits["train"]["count"]
        assert r.hflip and args["queue"] == int(0.05 * images) * 2
        assert r.lr_g == pytest.approx(0.0025 * 4 / 5) and r.lr_d == pytest.approx(0.0025 * 16 / 17)
        assert r.beta2 == pytest.approx(0.99 ** (4 / 5)) and r.beta2_d == pytest.approx(0.99 ** (16 / 17))
        assert (args["lr_fake" if name == "insgen" else "lr"], args.get("lr_real", r.lr_d)) == (r.lr_g, r.lr_d)
        assert (args["beta2_fake" if name == "insgen" else "beta2"], args.get("beta2_real", r.beta2_d)) == (
            r.beta2,
            r.beta2_d,
        )
        assert cell.protocol.generated == 50000 and cell.protocol.every_steps == 50 * -(-4000 // r.batch_d)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def test_same_sees_a_difference() -> None:
    assert not _same({"a": [torch.ones(2)]}, {"a": [torch.zeros(2)]})
