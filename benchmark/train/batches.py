"""What goes into a step: a real batch, and what G makes in one pass."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Batch = tuple[Tensor, Tensor | None]
"""Images (B, C, H, W) in [-1, 1] and their classes (B,); None for an unconditional pair."""


@dataclass(frozen=True)
class Fakes:
    """Images of one pass through G, with gradient to it unless they are detached."""

    images: Tensor  # (B, C, H, W), the largest where G gives several
    labels: Tensor | None  # (B,) classes
    z: Tensor  # (B, z_dim)
    small: tuple[Tensor, ...] = ()  # G's further images
    g_features: tuple[Tensor, ...] = ()  # G's maps; empty unless a part sets needs_g_features
    seen: tuple[Tensor, ...] = ()  # what D sees of them, where that is made once for both players
    drawn: dict[str, Tensor] = dataclasses.field(default_factory=dict)  # what was drawn for it

    def detached(self) -> Fakes:
        """The same without gradient, for D's step."""
        return dataclasses.replace(
            self,
            images=self.images.detach(),
            small=tuple(x.detach() for x in self.small),
            g_features=tuple(x.detach() for x in self.g_features),
            seen=tuple(x.detach() for x in self.seen),
        )


def generate(
    G: nn.Module, z: Tensor, labels: Tensor | None, rng: torch.Generator, taps: list[Tensor] | None = None
) -> tuple[Tensor, ...]:
    """Images of G, (B, C, H, W), the largest first.

    Args:
        rng: for a G that draws maps of noise; the others draw nothing.
        taps: takes G's maps.
    """
    more: dict[str, Any] = {"rng": rng} if getattr(G, "draws_noise", False) else {}
    made = G(z, labels, **more) if taps is None else G(z, labels, taps=taps, **more)
    return made if isinstance(made, tuple) else (made,)
