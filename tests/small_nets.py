"""Small players and a plain training step, written out, that the methods' tests hold against the harness."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from benchmark.methods.part import Moment, Side
from benchmark.train.gan import Gan
from tests.conftest import recipe

LR, BETAS, BATCH_D, BATCH_G = 2e-4, (0.0, 0.9), 8, 12


class Relus(nn.Module):
    """A piecewise linear D for (B, 3, 8, 8): strided and plain convolutions, ReLU and LeakyReLU, sum pool,
    projection.
    """

    piecewise_linear = True

    def __init__(self, classes: int | None = None, middle: type[nn.Module] = nn.ReLU, outputs: int = 1) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 10, 4, 2, 1)])
        self.middle, self.last, self.head = middle(), nn.LeakyReLU(0.1), nn.Linear(10, outputs)
        self.table = None if classes is None else nn.Embedding(classes, 10)

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        for block, activation in zip(self.blocks, (self.middle, self.last)):
            x = activation(block(x))
            if taps is not None:
                taps.append(x)
        h = x.sum(dim=(2, 3))
        logits = self.head(h).squeeze(1)
        return logits if self.table is None else logits + (self.table(labels) * h).sum(1)


class Linear(nn.Module):
    """f = ⟨w, x⟩ + b."""

    piecewise_linear = True

    def __init__(self, w: Tensor, b: float = 0.0) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(w.clone()), nn.Parameter(torch.tensor(b, dtype=w.dtype))

    def forward(self, x: Tensor, labels: Tensor | None = None, taps: list[Tensor] | None = None) -> Tensor:
        return x.flatten(1) @ self.w + self.b


def frozen(player: nn.Module) -> nn.Module:
    """``player``, its parameters closed to gradients, as in the G step."""
    return player.requires_grad_(False)


def side(images: Tensor, logits: Tensor, features: list[Tensor] | None = None, labels: Tensor | None = None) -> Side:
    return Side(images, images, logits, features or [], labels)


def moment(
    D: nn.Module,
    real: Tensor,
    fake: Tensor,
    *,
    step: int = 0,
    seed: int = 0,
    criterion: object = None,
    labels: tuple = (None, None),
) -> Moment:
    """A D step's moment, D having judged both sides with their features."""
    sides = []
    for images, classes in zip((real, fake), labels):
        taps: list[Tensor] = []
        logits = D(images, classes, taps)
        sides.append(side(images, logits, taps, classes))
    return Moment(step, nn.Identity(), D, *sides, real, criterion, torch.zeros(()), torch.Generator().manual_seed(seed))


def small_gan(loss: str, loss_args: dict, *parts: tuple[str, dict], step: int = 0, **changes: object) -> Gan:
    """MLPs on 3x8x8, D first, two D steps a G step; a step that looks back at ``step`` ones done."""
    fields = dict(
        resolution=8,
        channels=3,
        network=("mlp", {"width": 0.05, "bn_eps": 0.8}),
        loss=(loss, loss_args),
        parts=parts,
        batch_d=BATCH_D,
        batch_g=BATCH_G,
        n_dis=2,
        player_order="d-first",
        share_fakes=False,
        d_pass="joint",
        beta1=BETAS[0],
        beta2=BETAS[1],
    )
    gan = Gan(recipe(**(fields | changes)), seed=1)
    gan.step = step
    return gan


DLoss = Callable[[nn.Module, Tensor, Tensor, torch.Generator], Tensor]
GLoss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def plain_steps(
    gan: Gan, D: nn.Module, reals: list[Tensor], d_loss: DLoss, g_loss: GLoss
) -> tuple[nn.Module, nn.Module]:
    """What ``train_step`` should do from ``gan``'s present state: one G step after each two of D's, by plain autograd
    and Adam.

    Args:
        D: the bare network that ``gan`` trains.
        d_loss: of (D, real images, fakes, augmentation stream); g_loss: of (D, fakes, the newest real images).

    Returns:
        Copies of G and D after the steps.
    """
    G, D = copy.deepcopy(gan.G), copy.deepcopy(D)
    opt_g, opt_d = (torch.optim.Adam(p.parameters(), LR, BETAS, foreach=False) for p in (G, D))
    noise, augment = torch.Generator(), torch.Generator()
    noise.set_state(gan.rng["noise"].get_state())
    augment.set_state(gan.rng["augment"].get_state())
    for i, x in enumerate(reals):
        with torch.no_grad():
            fakes = G(torch.rand(len(x), 10, generator=noise) * 2 - 1)
        opt_d.zero_grad()
        d_loss(D, x, fakes, augment).backward()
        opt_d.step()
        if i % 2:
            opt_g.zero_grad()
            g_loss(D, G(torch.rand(BATCH_G, 10, generator=noise) * 2 - 1), x).backward()
            opt_g.step()
    return G, D


def assert_same_players(gan: Gan, inner: nn.Module, G: nn.Module, D: nn.Module) -> None:
    """Parameters and buffers agree to float64 rounding."""
    for mine, theirs in ((gan.G, G), (inner, D)):
        found = mine.state_dict()
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(found[key], value, rtol=1e-9, atol=1e-11, msg=lambda m, k=key: f"{k}: {m}")
