"""CHAIN, DiffAugment, LeCam and Omni-GAN's loss in the harness's training step, against a plain loop of the test's
own.
"""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.part import Part
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe
from tests.test_methods_chain import ARGUMENTS, slides
from tests.test_methods_dataeff import plain_augment


def conditional(*parts: tuple[str, dict], **changes):
    """A narrow BigGAN on 32 pixels, real and fake apart."""
    fields = dict(
        resolution=32,
        channels=3,
        classes=3,
        z_dim=8,
        z_distribution="normal",
        network=(
            "biggan",
            dict(width=0.0625, ch=64, head="projection", attention=0, shared_dim=0, z_chunks=1, init="xavier"),
        ),
        loss=("non-saturating", {"d_scale": 1.0}),
        parts=(("spectral-norm", {"player": "D"}), *parts),
        batch_d=4,
        batch_g=5,
        n_dis=2,
        player_order="d-first",
        share_fakes=False,
        beta1=0.0,
        lr_d=1e-3,
        lr_g=1e-3,
    )
    return recipe(**(fields | changes))


EAGER = {**ARGUMENTS, "tau": -2.0, "delta_p": 0.2, "start": 1, "p0": 0.05}
LECAM = dict(weight=0.3, decay=0.9, start=1)


def real_batch(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(n)
    return torch.rand(4, 3, 32, 32, generator=draws, dtype=torch.float64) * 2 - 1, torch.randint(
        3, (4,), generator=draws
    )


class PlainRunning(torch.autograd.Function):
    """Y/√(run + ε)·√min run, and the released rule for its gradient, written on Ŷ; ``buffer`` is [Φ]."""

    @staticmethod
    def forward(ctx, y, run, buffer):
        ctx.psi, ctx.scale, ctx.buffer = (run + 1e-5).sqrt(), run.min().sqrt(), buffer
        ctx.unit = y / ctx.psi
        return ctx.unit * ctx.scale

    @staticmethod
    def backward(ctx, g):
        g = g * ctx.scale
        ctx.buffer[0] = 0.9 * ctx.buffer[0] + 0.1 * (ctx.unit * g).mean((0, 2, 3), keepdim=True)
        return (g - ctx.buffer[0] * ctx.unit) / ctx.psi, None, None


class PlainDiscriminator:
    """BigGAN's D at 32 pixels by hand, from the convolutions of a copy, with CHAIN as the slides or the released code
    state it.
    """

    def __init__(self, D: nn.Module, version: str, draws: torch.Generator) -> None:
        self.D, self.version, self.draws, self.p = D, version, draws, 0.0
        self.run = {side: {} for side in ("real", "fake")}
        self.phi = {view: {} for view in ("d-real", "d-fake", "g-fake")}
        self.regulariser = 0.0

    def chained(self, name: str, y: torch.Tensor, view: str) -> torch.Tensor:
        if view != "g-fake":
            self.regulariser = self.regulariser + 20 * (self.p + 0.05) * y.mean((0, 2, 3)).square().sum()
        if self.p == 0:
            return y
        mask = (torch.rand(y.shape[:2], generator=self.draws) <= self.p).double()[..., None, None]
        if self.version == "batch":
            return slides(y, mask)
        runs, side = self.run["real" if view == "d-real" else "fake"], y.detach()
        runs[name] = 0.9 * runs.get(name, torch.ones(1, y.shape[1], 1, 1)) + 0.1 * side.square().mean(
            (0, 2, 3), keepdim=True
        )
        buffer = self.phi[view].setdefault(name, [torch.zeros(1, y.shape[1], 1, 1)])
        return (1 - mask) * y + mask * PlainRunning.apply(y, runs[name], buffer)

    def __call__(self, x: torch.Tensor, labels: torch.Tensor, view: str) -> torch.Tensor:
        h = x
        for n, block in enumerate(self.D.blocks):
            a = self.chained(f"{n}.1", block.conv1[0](h if n == 0 else F.relu(h)), view)
            a = self.chained(f"{n}.2", block.conv2[0](F.relu(a)), view)
            if n == 0:
                h = F.avg_pool2d(a, 2) + self.chained("0.s", block.skip[0](F.avg_pool2d(h, 2)), view)
            elif n == 1:
                h = F.avg_pool2d(a + self.chained("1.s", block.skip[0](h), view), 2)
            else:
                h = a + h
        h = F.relu(h).sum((2, 3))
        return self.D.linear(h)[:, 0] + (self.D.embedding(labels) * h).sum(1)


@pytest.mark.parametrize("version", ["batch", "running"])
def test_training_equals_a_plain_loop(version: str, float64: None) -> None:
    """DiffAugment, LeCam and CHAIN together: three steps of two D updates and one G update each, while p goes from 0 to
    1.
    """
    part = ("chain", {**EAGER, "version": version})
    gan = Gan(
        conditional(("diffaugment", dict(policy="translation,cutout", random_order=False)), ("lecam", LECAM), part),
        seed=3,
    )
    G, copied = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    noise, classes, draws = (torch.Generator() for _ in range(3))
    for mine, name in ((noise, "noise"), (classes, "labels"), (draws, "augment")):
        mine.set_state(gan.rng[name].get_state())
    D = PlainDiscriminator(copied, version, draws)
    opt_g, opt_d = (torch.optim.Adam(m.parameters(), 1e-3, (0.0, 0.999), foreach=False) for m in (G, copied))
    batches = iter([real_batch(n) for n in range(6)])
    anchors, updates, softplus = [None, None], 0, F.softplus

    def fresh(count):
        return (torch.randn(count, 8, generator=noise), torch.randint(3, (count,), generator=classes))

    def augmented(x):
        return plain_augment(x, ["translation", "cutout"], draws)

    for step in range(3):
        train_step(gan, lambda: next(batches))
        for k in range(2):
            x, y = real_batch(2 * step + k)
            z, fake_y = fresh(4)
            with torch.no_grad():
                fakes = G(z, fake_y)
            x, fakes, D.regulariser = augmented(x), augmented(fakes), 0.0
            real, fake = D(x, y, "d-real"), D(fakes, fake_y, "d-fake")
            loss = softplus(-real).mean() + softplus(fake).mean() + D.regulariser
            for i, mean in enumerate((real.mean().item(), fake.mean().item())):
                anchors[i] = mean if step < 1 else 0.9 * anchors[i] + 0.1 * mean
            if step > 1:
                loss = loss + 0.3 * (
                    F.relu(real - anchors[1]).square().mean() + F.relu(anchors[0] - fake).square().mean()
                )
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
            updates += 1
            D.p = min(1.0, 0.2 * max(updates - 1, 0))
        z, fake_y = fresh(5)
        opt_g.zero_grad()
        softplus(-D(augmented(G(z, fake_y)), fake_y, "g-fake")).mean().backward()
        opt_g.step()
    assert gan.parts[-1].shared.p == D.p == 1.0
    for ours, theirs in ((gan.G, G), (gan.D, copied)):
        for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-7, atol=1e-9, msg=lambda m, n=name: f"{n}: {m}")
    for key, run in D.run["fake"].items():
        block, name = gan.D.blocks[int(key[0])], {"1": "conv1", "2": "conv2", "s": "skip"}[key[2]]
        one = getattr(block, name)[1]
        torch.testing.assert_close(one.square_fake, run.flatten())
        for view, mine in (("d-fake", one.gradient_d_fake), ("g-fake", one.gradient_g_fake)):
            torch.testing.assert_close(mine, D.phi[view][key][0].flatten(), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("version", ["batch", "running"])
def test_a_checkpoint_goes_on_with_the_same_bits(version: str) -> None:
    parts = [
        ("diffaugment", dict(policy="color,translation,cutout", random_order=True)),
        ("lecam", LECAM),
        ("chain", {**EAGER, "version": version}),
    ]

    def trained(gan: Gan, steps: range) -> Gan:
        for n in steps:
            train_step(gan, lambda n=n: (real_batch(n)[0].float(), real_batch(n)[1]))
        return gan

    whole = trained(Gan(conditional(*parts), seed=1), range(4))
    resumed = Gan(conditional(*parts), seed=9)
    resumed.load_state_dict(copy.deepcopy(trained(Gan(conditional(*parts), seed=1), range(2)).state_dict()))
    trained(resumed, range(2, 4))
    for a, b in ((whole.G, resumed.G), (whole.D, resumed.D)):
        assert all(torch.equal(p, q) for p, q in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    assert whole.parts[-1].state_dict() == resumed.parts[-1].state_dict() and whole.parts[-1].shared.p > 0
    assert torch.equal(whole.parts[-2].means, resumed.parts[-2].means)


def test_one_pass_for_both_is_refused() -> None:
    with pytest.raises(
        GanbenchError, match="chain acts on real and on fake images apart: it needs 'd_pass: separate', not 'joint'"
    ):
        Gan(conditional(("chain", EAGER), d_pass="joint"), seed=0)


def test_omni_with_chain_watches_the_logit_real(float64: None) -> None:
    """A step of the conditional pair with the omni head: D's loss is that of its logits and 0MR; r is the sign of logit
    C.
    """
    network = ("biggan", dict(width=0.0625, ch=64, head="omni", attention=0, shared_dim=0, z_chunks=1, init="xavier"))
    gan = Gan(
        conditional(
            ("chain", {**EAGER, "start": 0}), network=network, loss=("omni", dict(margin=0.0, gamma=1.0)), n_dis=1
        ),
        seed=2,
    )
    part, seen = gan.parts[-1], []
    after = part.after_d
    part.after_d = lambda moment: (seen.append(moment), after(moment))
    loss_D, _ = train_step(gan, lambda: real_batch(0))
    (moment,) = seen
    assert moment.real.logits.shape == (4, 5)
    assert part.r == pytest.approx(0.1 * moment.real.logits[:, 3].sign().mean().item(), abs=1e-15)
    assert loss_D > moment.loss == sum(gan.loss.d_halves(moment.real, moment.fake))


@pytest.mark.parametrize(("d_pass", "views"), [("separate", ["d-real", "d-fake"] * 2), ("joint", ["d-both"] * 2)])
def test_passes_are_announced(d_pass: str, views: list[str]) -> None:
    """Each pass of the step's own, and its end before the next."""

    class Listener(Part):
        log: list[str] = []

        def before_pass(self, view, rng):
            self.log.append(view)

        def after_pass(self):
            self.log.append("seen")

    gan = Gan(conditional(d_pass=d_pass), seed=0)
    gan.parts.append(Listener())
    train_step(gan, lambda: (real_batch(0)[0].float(), real_batch(0)[1]))
    assert Listener.log == [entry for view in (*views, "g-fake") for entry in (view, "seen")]
