"""BatchNorm in D (Ioffe and Szegedy 2015), as CHAIN's slides motivate their method by: on the output Y (B, C, H, W) of
each convolution of D's residual blocks.

    (Y − μ)/√(σ² + ε)·γ + β

with μ and σ² the channels' means and variances over the batch and its pixels, of real and of fake images apart; γ and β
are learnt. No running statistics: D is asked in training alone, and always judges by the batch that it sees.

Where: as CHAIN (``follow.py``), and in blocks that call their skip a shortcut.
"""

from __future__ import annotations

from torch import nn

from benchmark.methods.follow import follow_convolutions
from benchmark.methods.part import Part

VERSION = 1


def build(*, eps: float, affine: bool, blocks: str) -> Part:
    """The part; needs ``d_pass: separate``.

    Args:
        eps: ε.
        affine: learn γ and β; else they are 1 and 0.
        blocks: "all", "down" (those that halve the image), or numbers from 1 with commas, in the order of D.
    """
    return BatchNorm(eps, affine, blocks)


class BatchNorm(Part):
    """Puts the layers into D."""

    needs_separate_passes = True

    def __init__(self, eps: float, affine: bool, blocks: str) -> None:
        self.eps, self.affine, self.blocks = eps, affine, blocks

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError if D has no residual blocks, not those that are asked for, or unknown modules in
        them.
        """

        def layer(channels: int) -> nn.Module:
            """One layer, of the batch's own statistics."""
            return nn.BatchNorm2d(channels, eps=self.eps, affine=self.affine, track_running_stats=False)

        follow_convolutions(D, self.blocks, layer, "batch-norm", ("skip", "shortcut"))
        return G, D
