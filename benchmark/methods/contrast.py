"""Instance discrimination (MoCo, He et al. 2020) in a GAN's step: what InsGen and FakeCLR share.

    φ    D's last map, its mean over the pixels
    q    h(φ of D(T(x))), on the unit sphere; h is linear, ReLU, linear
    k    h̄(φ̄ of D̄(T′(x′))), likewise; h̄ and D̄ are momentum copies of h and D, without gradient
    n    Q keys of earlier batches, the queue, as it is before this batch's keys enter it
    loss mean over the batch of −log softmax((⟨q, k⟩, ⟨q, n₁⟩ + t₁, …, ⟨q, n_Q⟩ + t_Q)/τ)₀; t is FakeCLR's, else 0

T and T′ are the recipe's augmentations, made anew. copy ← m·copy + (1 − m)·original: h̄ in every comparison, in G's step
too, before it projects; D̄ once a D step, at its end, which with G first and one D step is where the codes have it (at
the beginning of the next). Of D's buffers D̄ has the newest: StyleGAN2's are constants.

Heads are trained by the losses of D's step alone, each by an Adam of its own (β₁ = 0, ε = 10⁻⁸) that moves it when
D has moved. In float32, whatever the recipe's precision.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Moment, Part, Side


@dataclass(frozen=True)
class Settings:
    """Of all heads of a part."""

    temperature: float  # τ
    momentum: float  # m
    queue: int  # Q
    projection: int  # dimensions of the sphere

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.momentum <= 1 or self.queue < 1 or self.projection < 1:
            needed = "temperature > 0, momentum in [0, 1], queue >= 1 and projection >= 1"
            raise GanbenchError(f"instance discrimination needs {needed}, found {astuple(self)}", 2)


class Head(nn.Module):
    """h, h̄ and the queue."""

    queue: Tensor  # (Q, dimensions), at first random directions
    since: Tensor  # (Q,): the step that brought each key, at first 0

    def __init__(self, channels: int, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.h = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, settings.projection))
        self.copy = copy.deepcopy(self.h).requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(settings.queue, settings.projection), dim=1))
        self.register_buffer("since", torch.zeros(settings.queue))
        self.place = 0  # where the next key goes

    def forward(self, of_query: Tensor, of_key: Tensor, shift: Tensor | float = 0.0) -> tuple[Tensor, Tensor]:
        """(B, channels) of D and of D̄ to the loss, (), and the keys, (B, dimensions); moves h̄. ``shift``: t."""
        follow(self.copy, self.h, self.settings.momentum)
        k = self.key(of_key)
        with exact(of_query):
            q = F.normalize(self.h(of_query.to(self.queue)), dim=1)
            return info_nce(q, k, self.queue.clone(), self.settings.temperature, shift), k

    @torch.no_grad()
    def key(self, features: Tensor) -> Tensor:
        """(B, channels) to (B, dimensions) through h̄."""
        with exact(features):
            return F.normalize(self.copy(features.to(self.queue)), dim=1)

    @torch.no_grad()
    def enqueue(self, keys: Tensor, step: int) -> None:
        """The oldest keys make room, round and round. Of a batch larger than the queue the first Q overwrite it, and
        the place stays.
        """
        size = len(self.queue)
        if len(keys) > size:
            self.queue.copy_(keys[:size])
            self.since.fill_(step)
            return
        places = (torch.arange(len(keys), device=keys.device) + self.place) % size
        self.queue[places], self.since[places] = keys, float(step)
        self.place = (self.place + len(keys)) % size

    def get_extra_state(self) -> int:
        """The place, which is no buffer: no step waits for the device."""
        return self.place

    def set_extra_state(self, state: int) -> None:
        """The inverse."""
        self.place = state


def info_nce(q: Tensor, k: Tensor, negatives: Tensor, temperature: float, shift: Tensor | float = 0.0) -> Tensor:
    """The loss above, (), of (B, n) queries, their keys (B, n) and negatives (Q, n); ``shift``: t, (Q,) or one."""
    positive = (q * k).sum(1, keepdim=True)
    logits = torch.cat([positive, q @ negatives.t() + shift], dim=1) / temperature
    return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=q.device))


def exact(x: Tensor) -> AbstractContextManager[object]:
    """No autocast."""
    return nullcontext() if x.is_meta else torch.autocast(x.device.type, enabled=False)


@torch.no_grad()
def follow(follower: nn.Module, player: nn.Module, momentum: float) -> None:
    """follower ← m·follower + (1 − m)·player of the parameters; buffers become the player's."""
    torch._foreach_lerp_(list(follower.parameters()), list(player.parameters()), 1 - momentum)
    for mine, theirs in zip(follower.buffers(), player.buffers(), strict=True):
        mine.copy_(theirs)


def pooled(D: nn.Module, images: Tensor, labels: Tensor | None) -> Tensor:
    """φ: (A·B, channels) of D's last map (A·B, channels, h, w); raises GanbenchError if its taps have none."""
    taps: list[Tensor] = []
    D(images, labels, taps)
    maps = [tap for tap in taps if tap.dim() == 4]
    if not maps:
        raise GanbenchError("instance discrimination reads D's last feature map, and this network's D gives none", 2)
    return maps[-1].mean((2, 3))


class Contrastive(Part):
    """D̄, heads by name, their optimisers, and what they have to remember."""

    def __init__(self, settings: Settings, rates: dict[str, tuple[float, float]]) -> None:
        """``rates``: learning rate and β₂ of each head."""
        self.settings, self.rates, self.needs_own_passes = settings, rates, True

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Heads for D's last map, whose size is found without arithmetic; raises GanbenchError if D gives none."""
        shape = torch.empty(1, *self.shape, device="meta")
        channels = pooled(copy.deepcopy(D).to("meta"), shape, torch.empty(1, dtype=torch.long, device="meta")).shape[1]
        self.heads = {name: Head(channels, self.settings) for name in self.rates}
        return G, D

    def ready(self, G: nn.Module, D: nn.Module) -> None:
        """D̄ is D; heads go where D is."""
        self.copy, self.optimisers = copy.deepcopy(D).eval().requires_grad_(False), {}
        where = next(D.parameters())
        for name, (lr, beta2) in self.rates.items():
            trained = self.heads[name].to(where).h.parameters()
            self.optimisers[name] = torch.optim.Adam(trained, lr, betas=(0.0, beta2), fused=not where.is_meta)

    def features(self, moment: Moment, side: Side, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        """φ of D of images and φ̄ of D̄ of others, or of the same, each augmented anew."""
        one, other = (moment.augment(images, side is moment.real) for images in (one, other))
        of_query = pooled(moment.D, one, side.labels)
        with torch.no_grad():
            return of_query, pooled(self.copy, other, side.labels)

    def alike(self, moment: Moment, shift: Tensor | float = 0.0) -> Tensor:
        """G's term: the fakes' loss, by which G moves them apart; D and the head stay, the queue too, and h̄ moves."""
        head, images = self.heads["fake"], moment.fake.images
        head.h.requires_grad_(False)
        loss, _ = head(*self.features(moment, moment.fake, images, images), shift)
        head.h.requires_grad_(True)
        return loss

    def after_d(self, moment: DMoment) -> None:
        """The heads move, then D̄."""
        for optimiser in self.optimisers.values():
            optimiser.step()
            optimiser.zero_grad()
        follow(self.copy, moment.D, self.settings.momentum)

    def state_dict(self) -> dict[str, Any]:
        """D̄, the heads with their queues, and the optimisers' moments."""
        return {
            "copy": self.copy.state_dict(),
            "heads": {name: head.state_dict() for name, head in self.heads.items()},
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on with the same bits; raises KeyError where one of the three is missing."""
        self.copy.load_state_dict(state["copy"])
        for name in self.rates:
            self.heads[name].load_state_dict(state["heads"][name])
            self.optimisers[name].load_state_dict(state["optimisers"][name])


@torch.no_grad()
def near(moment: Moment, spread: Callable[[Tensor], Tensor | float]) -> Tensor:
    """(B, C, H, W): what G makes of z + spread(z)·N(0, 1), z the fakes' noises; its own draws are new."""
    z = moment.fake.z
    if z is None:
        raise GanbenchError("instance discrimination of fakes needs the noises that they were made of")
    moved = z + spread(z) * torch.randn(z.shape, generator=moment.rng, device="cpu").to(z)
    labels = None if moment.fake.labels is None else moment.fake.labels[: len(z)]
    more: dict[str, Any] = {"rng": moment.rng} if getattr(moment.G, "draws_noise", False) else {}
    made = moment.G(moved, labels, **more)
    return (made[0] if isinstance(made, tuple) else made).to(z.dtype)
