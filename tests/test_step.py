"""The harness's training step against a plain formulation of gan.py, and the moments in their order."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from benchmark.methods.part import Moment, Part
from benchmark.train.gan import Gan
from benchmark.train.step import train_step
from tests.conftest import recipe


@pytest.mark.parametrize("loss", ["non-saturating", "non-saturating-bce", "saturating"])
@pytest.mark.parametrize("normalised", ["", "D", "G", "DG"])
def test_step_equals_a_plain_loop(loss: str, normalised: str, float64: None) -> None:
    """Ten steps in float64, some batches smaller: parameters agree with BCE on sigmoids, torch's SN and plain Adam."""
    parts = tuple(("spectral-norm", {"player": p}) for p in normalised)
    gan = Gan(recipe(loss=(loss, {"d_scale": 0.5}), parts=parts), seed=3)
    G, D = copy.deepcopy(gan.G), copy.deepcopy(gan.D)
    for player, name in ((D, "D"), (G, "G")):
        if name in normalised:
            _torch_spectral_norm(player)
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), 2e-4, (0.5, 0.999), foreach=False) for p in (G, D))
    rng = torch.Generator()
    rng.set_state(gan.rng["noise"].get_state())
    for size in (64, 64, 8) * 3 + (64,):
        x = torch.rand(size, 1, 28, 28) * 2 - 1
        train_step(gan, lambda x=x: (x, None))
        fakes = G(torch.rand(size, 10, generator=rng) * 2 - 1)
        score = D(fakes).sigmoid()
        g_loss = F.binary_cross_entropy(score, torch.ones(size)) if loss != "saturating" else (1 - score).log().mean()
        opt_g.zero_grad()
        g_loss.backward()
        opt_g.step()
        opt_d.zero_grad()
        real, fake = D(x).sigmoid(), D(fakes.detach()).sigmoid()
        (
            (F.binary_cross_entropy(real, torch.ones(size)) + F.binary_cross_entropy(fake, torch.zeros(size))) / 2
        ).backward()
        opt_d.step()
    for ours, theirs in ((gan.G, G), (gan.D, D)):
        mine = dict(ours.state_dict().items())
        for key, value in theirs.state_dict().items():
            name = key.replace("weight_orig", "weight").replace("weight_u", "u").replace("weight_v", "v")
            torch.testing.assert_close(mine[name], value, rtol=1e-9, atol=1e-11, msg=lambda m, k=key: f"{k}: {m}")


def _torch_spectral_norm(player: nn.Module) -> None:
    """Replace our spectral layers by torch's, with the same weights, u and v."""
    for parent in list(player.modules()):
        for name, child in list(parent.named_children()):
            if hasattr(child, "u"):
                plain = nn.Linear(child.in_features, child.out_features)
                plain.load_state_dict({"weight": child.weight, "bias": child.bias})
                nn.utils.spectral_norm(plain)
                plain.weight_u, plain.weight_v = child.u.clone(), child.v.clone()
                setattr(parent, name, plain)


class Recorder(Part):
    """A part that notes when it is asked, and adds penalties that change nothing but are seen."""

    needs_features = True

    def __init__(self, name: str, log: list[str]) -> None:
        self.name, self.log = name, log

    def augment(self, images, real, rng):
        self.log.append(f"{self.name}.augment {'real' if real else 'fake'}")
        return images

    def d_penalty(self, moment: Moment):
        assert moment.real is not None and len(moment.real.features) == len(moment.fake.features) == 2
        self.log.append(f"{self.name}.d_penalty")
        return moment.fake.logits.sum() * 0

    def g_penalty(self, moment: Moment):
        assert moment.real is None and moment.fake.images.requires_grad and moment.real_images.shape == (64, 1, 28, 28)
        self.log.append(f"{self.name}.g_penalty")
        return

    def after_d(self, moment: Moment) -> None:
        self.log.append(f"{self.name}.after_d")

    def after_g(self, moment: Moment) -> None:
        self.log.append(f"{self.name}.after_g")


@pytest.mark.parametrize("d_pass", ["separate", "joint"])
def test_moments_come_in_the_declared_order(d_pass: str) -> None:
    gan = Gan(recipe(parts=(), player_order="d-first", share_fakes=False, n_dis=2, d_pass=d_pass), seed=0)
    log: list[str] = []
    gan.parts, gan.wants_features = [Recorder("a", log), Recorder("b", log)], True
    train_step(gan, lambda: (torch.zeros(64, 1, 28, 28), None))
    d = [
        "a.augment real",
        "b.augment real",
        "a.augment fake",
        "b.augment fake",
        "a.d_penalty",
        "b.d_penalty",
        "a.after_d",
        "b.after_d",
    ]
    g = ["a.augment fake", "b.augment fake", "a.g_penalty", "b.g_penalty", "a.after_g", "b.after_g"]
    assert log == d + d + g


def test_joint_and_separate_passes_agree_where_d_couples_no_samples() -> None:
    x = torch.rand(64, 1, 28, 28)
    states = []
    for d_pass in ("separate", "joint"):
        gan = Gan(recipe(parts=(), d_pass=d_pass), seed=0)
        train_step(gan, lambda: (x, None))
        states.append(gan.D.state_dict())
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key])


def test_g_step_leaves_d_alone_and_d_step_leaves_g_alone() -> None:
    from benchmark.train.step import d_step, g_step

    gan = Gan(recipe(), seed=0)
    D, G = copy.deepcopy(dict(gan.D.named_parameters())), copy.deepcopy(dict(gan.G.named_parameters()))
    g_step(gan, gan.fakes(8), torch.zeros(8, 1, 28, 28))
    assert all(torch.equal(p, D[n]) and p.requires_grad and p.grad is None for n, p in gan.D.named_parameters())
    G = copy.deepcopy(dict(gan.G.named_parameters()))
    d_step(gan, (torch.rand(8, 1, 28, 28), None), gan.fakes(8).detached())
    assert all(torch.equal(p, G[n]) for n, p in gan.G.named_parameters())
    assert not all(torch.equal(p, D[n]) for n, p in gan.D.named_parameters())


class Conditional(nn.Module):
    """A tiny class-conditional player: G from noise, or D from images."""

    def __init__(self, shape: tuple[int, ...], inputs: int, outputs: int) -> None:
        super().__init__()
        self.shape, self.layer, self.table = shape, nn.Linear(inputs, outputs), nn.Embedding(3, outputs)

    def forward(self, x, labels, taps=None):
        return (self.layer(x.flatten(1)) + self.table(labels)).view(len(x), *self.shape)


class Head(Part):
    """A part with a network of its own, which must be trained with D, frozen in the G step and saved."""

    def __init__(self) -> None:
        self.head, self.labels = nn.Linear(784, 1), []

    def modules(self):
        return [self.head]

    def augment(self, images, real, rng):
        return torch.cat([images, images])

    def d_penalty(self, moment: Moment):
        self.labels.append((moment.real.labels, moment.fake.labels))
        assert moment.real.seen.requires_grad, "needs_input_grad"
        return self.head(moment.real.seen.flatten(1)).square().mean()

    def g_penalty(self, moment: Moment):
        assert not self.head.weight.requires_grad
        return

    needs_input_grad = True


@pytest.mark.parametrize("d_pass", ["separate", "joint"])
def test_conditional_players_and_a_parts_own_network(d_pass: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels reach G and D and follow the augmented copies; a head is trained, frozen, saved and loaded."""
    from benchmark.methods import spectral_norm
    from benchmark.networks import mlp

    monkeypatch.setattr(
        mlp, "build", lambda shape, z_dim, classes, **_: (Conditional(shape, z_dim, 784), Conditional((), 784, 1))
    )
    monkeypatch.setattr(spectral_norm, "build", lambda **_: Head())
    gan, again = (Gan(recipe(classes=3, d_pass=d_pass), seed=s) for s in (0, 1))
    before = gan.parts[0].head.weight.clone()
    x, y = torch.rand(64, 1, 28, 28), torch.arange(64) % 3
    train_step(gan, lambda: (x, y))
    real, fake = gan.parts[0].labels[0]
    assert torch.equal(real, y.repeat(2)) and fake.shape == (128,) and set(fake.tolist()) <= {0, 1, 2}
    assert not torch.equal(before, gan.parts[0].head.weight) and gan.parts[0].head.weight.requires_grad
    again.load_state_dict(gan.state_dict())
    assert torch.equal(again.parts[0].head.weight, gan.parts[0].head.weight)
