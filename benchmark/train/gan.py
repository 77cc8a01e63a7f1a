"""The pair in training: players, average, optimisers, loss, parts and random streams, built from a recipe and a
seed.
"""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.catalogue import plugin
from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import Recipe
from benchmark.train.average import Average
from benchmark.train.batches import Fakes, generate
from benchmark.train.streams import NAMES, noise, stream
from benchmark.train.together import check, check_players

PRECISIONS = ("float32", "bfloat16")


class Gan:
    """Everything that a step reads or writes, and nothing about tables, schedules or files."""

    def __init__(
        self,
        recipe: Recipe,
        seed: int,
        device: str = "cpu",
        total_steps: int | None = None,
        channels_last: bool = False,
    ) -> None:
        """``total_steps``: G steps of the whole run, which the decay of the rates goes by; ``recipe.steps`` if not
        given. ``channels_last``: maps and weights lie in memory pixel by pixel, not channel by channel. The numbers are
        the same but for their last bits.
        """
        self.recipe, self.device = recipe, torch.device(device)
        self.total_steps = total_steps or recipe.steps
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        if recipe.precision not in PRECISIONS:
            raise GanbenchError(f"precision is {recipe.precision!r}{nearest(recipe.precision, PRECISIONS)}", 2)
        if recipe.lr_decay and not self.total_steps:
            raise GanbenchError("lr_decay needs the number of steps of the whole run")
        self.rng = {name: stream(seed, name) for name in NAMES}
        self.loss = plugin("methods", recipe.loss[0]).load().build(**recipe.loss[1])
        self.loss.rng = self.rng["augment"]
        self.parts = [plugin("methods", name).load().build(**args) for name, args in recipe.parts]
        check([(name, part) for (name, _), part in zip(recipe.parts, self.parts)], recipe.d_pass)
        self._place(*self._players(seed))
        self.opt_G = self._adam(list(self.G.parameters()), recipe.lr_g, recipe.beta2, recipe.weight_decay_g)
        beta2_d = recipe.beta2 if recipe.beta2_d is None else recipe.beta2_d
        self.opt_D = self._adam(self.learning, recipe.lr_d, beta2_d, recipe.weight_decay_d)
        self.average = (
            Average(self.G, recipe.ema, recipe.ema_start or 0, bool(recipe.ema_buffers))
            if recipe.ema is not None
            else None
        )
        self.step = 0  # G steps done
        self.acting: set[tuple[int, str]] = set()  # terms that were seen to act (``acting.py``)
        self.wants_features = any(part.needs_features for part in self.parts)
        self.wants_g_features = any(part.needs_g_features for part in self.parts)
        self.wants_image_grad = any(part.needs_image_grad for part in self.parts)
        self.wants_input_grad = any(part.needs_input_grad for part in self.parts)

    def _players(self, seed: int) -> tuple[nn.Module, nn.Module]:
        """G and D, initialised, as every part has rewritten them."""
        r = self.recipe
        with torch.random.fork_rng(devices=[]):
            torch.random.set_rng_state(stream(seed, "initialisation").get_state())
            shape = (r.channels, r.resolution, r.resolution)
            G, D = plugin("networks", r.network[0]).load().build(shape, r.z_dim, r.classes, **r.network[1])
            for part in self.parts:
                part.shape = shape
                G, D = part.build(G, D)
        check_players(self.parts, G, D)
        return G, D

    def _place(self, G: nn.Module, D: nn.Module) -> None:
        """On the device: the players, and the parts' own networks."""
        own = [m for part in self.parts for m in part.modules()]
        frozen = [m for part in self.parts for m in part.frozen()]
        for module in (G, D, *own, *frozen):
            module.to(self.device).to(memory_format=self.layout)
        self.G, self.D = G.train(), D.train()
        self.judges = nn.ModuleList([D, *own])
        for module in frozen:
            module.eval().requires_grad_(False)
        self.learning = [p for p in self.judges.parameters() if p.requires_grad]  # D may hold a frozen network
        for part in self.parts:
            part.ready(self.G, self.D)

    def _adam(
        self, parameters: list[nn.Parameter], lr: float, beta2: float, weight_decay: float | None
    ) -> torch.optim.Adam:
        r = self.recipe
        return torch.optim.Adam(
            parameters, lr=lr, betas=(r.beta1, beta2), eps=r.adam_eps, weight_decay=weight_decay or 0.0, fused=True
        )

    def set_rates(self) -> None:
        """The learning rates of this step: constant, or falling linearly from step ``lr_decay_start`` to 0 at the
        last.
        """
        r = self.recipe
        if r.lr_decay is None or self.total_steps is None:
            return
        start = r.lr_decay_start or 0
        left = 1 - max(self.step - start, 0) / max(self.total_steps - start, 1)
        for optimiser, lr in ((self.opt_G, r.lr_g), (self.opt_D, r.lr_d)):
            for group in optimiser.param_groups:
                group["lr"] = lr * left

    def noise(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        """(count, z_dim) noises of the recipe's distribution, by default from the training stream."""
        r = self.recipe
        return noise(count, r.z_dim, r.z_distribution, r.z_scale, rng or self.rng["noise"]).to(self.device)

    def fakes(self, count: int, z: Tensor | None = None) -> Fakes:
        """What G makes of ``count`` fresh noises, or of ``z``, and of classes, uniform, of a conditional pair."""
        z = self.noise(count) if z is None else z
        labels = self.labels(len(z), self.rng["labels"])
        taps: list[Tensor] | None = [] if self.wants_g_features else None
        with self.autocast():
            made = generate(self.G, z, labels, self.rng["noise"], taps)
        images, *small = (x.to(z.dtype) for x in made)
        return Fakes(images, labels, z, tuple(small), tuple(taps or ()))

    def autocast(self) -> AbstractContextManager[object]:
        """Where the recipe's precision holds: the players' passes, losses and penalties. Not in augmentations, in
        backward passes (whose precision is that of the pass that they go through), nor in measuring, which takes the
        weights as they are, in float32.
        """
        if self.recipe.precision == "float32":
            return nullcontext()
        return torch.autocast(
            self.device.type, torch.bfloat16, cache_enabled=False
        )  # a cache that a pass without gradients filled has none

    def labels(self, count: int, rng: torch.Generator) -> Tensor | None:
        """(count,) classes, uniform, of a conditional pair; None for an unconditional one."""
        classes = self.recipe.classes
        return None if classes is None else torch.randint(classes, (count,), generator=rng).to(self.device)

    def G_of(self, weights: str) -> nn.Module:
        """The G that a protocol samples: ``"raw"``, or ``"ema"``, the average of its weights.

        Raises:
            GanbenchError: the recipe keeps no average.
        """
        if weights == "raw":
            return self.G
        if self.average is None:
            raise GanbenchError("the protocol samples the average of G's weights, and the recipe keeps none (ema)")
        return self.average.G

    def augment(self, images: Tensor, real: bool) -> Tensor:
        """What D sees of ``images``, through every part in order; never in less than their precision."""
        plain = self.recipe.precision == "float32" or self.device.type == "meta"
        with nullcontext() if plain else torch.autocast(self.device.type, enabled=False):
            for part in self.parts:
                images = part.augment(images, real, self.rng["augment"])
        return images

    def augment_fakes(self, fakes: Fakes) -> tuple[Tensor, ...]:
        """What D sees of ``fakes``, each image of a G that gives several on its own."""
        return tuple(self.augment(images, False) for images in (fakes.images, *fakes.small))

    def augmented_once(self, fakes: Fakes) -> Fakes:
        """With what both players' steps show D, where the recipe has ``augment_once``."""
        if not self.recipe.augment_once:
            return fakes
        return dataclasses.replace(fakes, seen=self.augment_fakes(fakes), drawn=self.drawn())

    def drawn(self) -> dict[str, Tensor]:
        """What the parts drew for the last augmentation."""
        return {name: values for part in self.parts for name, values in part.drawn().items()}

    def state_dict(self) -> dict[str, Any]:
        """All that training depends on from here on."""
        return {
            "step": self.step,
            "G": self.G.state_dict(),
            "D": self.D.state_dict(),
            "heads": [m.state_dict() for m in self.judges[1:]],
            "opt_G": self.opt_G.state_dict(),
            "opt_D": self.opt_D.state_dict(),
            "parts": [part.state_dict() for part in self.parts],
            "rng": {name: rng.get_state() for name, rng in self.rng.items()},
            "average": None if self.average is None else self.average.G.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where ``state_dict`` was taken."""
        self.step = state["step"]
        self.G.load_state_dict(state["G"])
        self.D.load_state_dict(state["D"])
        for module, saved in zip(self.judges[1:], state["heads"], strict=True):
            module.load_state_dict(saved)
        if self.average is not None:
            self.average.G.load_state_dict(state["average"])
        for optimiser, saved in ((self.opt_G, state["opt_G"]), (self.opt_D, state["opt_D"])):
            optimiser.load_state_dict(saved)
            _lay_out(optimiser)
        for part, saved in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(saved)
        for name, rng in self.rng.items():
            rng.set_state(state["rng"][name].cpu())


def _lay_out(optimiser: torch.optim.Optimizer) -> None:
    """Adam's moments in their parameters' memory layout: a checkpoint may be of the other one, and the fused step reads
    all of them in one order.
    """
    for parameter, state in optimiser.state.items():
        for name in ("exp_avg", "exp_avg_sq"):
            state[name] = torch.empty_like(parameter).copy_(state[name])
