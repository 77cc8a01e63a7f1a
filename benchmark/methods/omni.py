"""Omni-GAN's loss (Zhou et al. 2021): one multi-label classification of classes, "real" and "fake".

D gives C + 2 logits an image: the classes, then "real", then "fake". Of an image that should be positive for a set P of
them,

    log(1 + Σ_{k not in P} e^{γ(s_k + m)}) + log(1 + Σ_{k in P} e^{−γ(s_k + m)})

P is {y, real} for real images, and for fakes in G's step; it is {fake} for fakes in D's step (``exp/omni_loss`` of
Omni-GAN-PyTorch, its mode with positives and negatives). The code's configurations have m = 0 and γ = 1. They join it
with weight decay, without which it is known to collapse.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from benchmark.errors import GanbenchError
from benchmark.methods.part import Loss, Side

VERSION = 1


def build(*, margin: float, gamma: float) -> Loss:
    """``margin``: m, added to every logit; ``gamma``: γ, which multiplies the sum."""
    return Omni(margin, gamma)


class Omni(Loss):
    """Means over the batch."""

    def __init__(self, margin: float, gamma: float) -> None:
        self.margin, self.gamma = margin, gamma

    def d_halves(self, real: Side, fake: Side) -> tuple[Tensor, Tensor]:
        """From logits (B, C + 2): positive are {y, real} of real images, {fake} of fakes."""
        positive = torch.zeros_like(fake.logits, dtype=torch.bool)
        positive[:, -1] = True
        return self._multi_label(real.logits, _as_real(real)), self._multi_label(fake.logits, positive)

    def g_loss(self, fake: Side) -> Tensor:
        """From logits (B, C + 2): fakes are to be taken for {y, real}."""
        return self._multi_label(fake.logits, _as_real(fake))

    def verdict(self, side: Side) -> Tensor:
        """The logit "real": whether CHAIN and ADA should watch this one is stated nowhere (chosen)."""
        return side.logits[:, -2]

    def _multi_label(self, logits: Tensor, positive: Tensor) -> Tensor:
        """() mean loss of (B, K) logits, of which ``positive`` (B, K) says which should be high."""
        scores = self.gamma * (logits + self.margin)
        nowhere = torch.full_like(scores, -torch.inf)
        negatives = torch.where(positive, nowhere, scores)
        positives = torch.where(positive, -scores, nowhere)
        return (_log1p_sum_exp(negatives) + _log1p_sum_exp(positives)).mean()


def _log1p_sum_exp(scores: Tensor) -> Tensor:
    """(B, K) to (B,): log(1 + Σ e^s), without overflow."""
    return pad(scores, (0, 1)).logsumexp(1)


def _as_real(side: Side) -> Tensor:
    """(B, C + 2), true at the image's class and at "real".

    Raises:
        GanbenchError: the pair is unconditional, or D has no omni head.
    """
    if side.labels is None or side.logits.dim() != 2:
        raise GanbenchError(
            "the omni loss needs a class-conditional pair and a D that gives classes + 2 logits an image "
            "(biggan: head omni)",
            2,
        )
    positive = torch.zeros_like(side.logits, dtype=torch.bool)
    positive.scatter_(1, side.labels[:, None], True)
    positive[:, -2] = True
    return positive
