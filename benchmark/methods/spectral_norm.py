"""Spectral normalisation (Miyato et al. 2018): every weight divided by its largest singular value.

Convolutions, transposed ones and linear layers of one player, and of D its embeddings, which are projections onto
classes (Miyato and Koyama 2018) and normalised in their code too. G's embeddings are the scales and shifts of its
conditional BatchNorm, and are not. How it is done is in ``spectral_layer.py``.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from benchmark.errors import GanbenchError
from benchmark.methods.part import Part
from benchmark.methods.spectral_layer import KINDS, normalise

VERSION = 1


def build(*, player: Literal["D", "G"]) -> Part:
    """``player``: whose layers; both players take two parts."""
    return SpectralNorm(player)


class SpectralNorm(Part):
    """Rewrites every layer of one player."""

    def __init__(self, player: str) -> None:
        self.player = player

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Changes the layers in place; u and v are drawn in the initialisation stream and saved with the player.

        Raises:
            GanbenchError: a layer has weights of a kind that is neither normalised nor known to be left alone.
        """
        left = () if self.player == "D" else (nn.Embedding,)
        for name, module in (D if self.player == "D" else G).named_modules():
            if type(module) in KINDS and not isinstance(module, left):
                normalise(module)
            elif not isinstance(module, (*left, *KINDS)) and any(p.dim() > 1 for p in module.parameters(recurse=False)):
                raise GanbenchError(f"spectral-norm does not know {self.player}'s {name}, {type(module).__name__}", 2)
        return G, D
