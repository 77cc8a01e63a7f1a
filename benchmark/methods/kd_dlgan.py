"""KD-DLGAN (Cui et al. 2023): D's features must be those of a network that has seen far more images.

With f_t(x) a frozen teacher's features of an image as D sees it (``teachers.py``), T its features of K texts, and f_s
two linear layers, trained with D, on D's penultimate features (``heads.py``), added to D's loss is

    agkd · Σ (mean ‖f_t(x) − f_s(x)‖₂ + mean ‖f_t(x) − f_s(y)‖₂)     aggregated: also towards images of the other kind
    cgkd · Σ Σ (n(f_t(x) Tᵀ) − n(f_s(x) Tᵀ))²                        correlated: summed over the batch and the texts

both summed over x real, y fake and x fake, y real, paired by their place in the batch; n divides each row by its
length. So it is in the authors' code for BigGAN (``losses.py``, ``train_fns.py``), in float16 from f_s Tᵀ on, which is
not done here. G's loss has no term. That code adds a third term to D's, 10 · Σ (n(f_t(x) Tᵀ) − the same of another fake
x)²: the teacher's features of fakes carry no gradient there, so that it is constant and trains nothing; it is left out.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.heads import head, penultimate, width
from benchmark.methods.part import DMoment, Part
from benchmark.methods.teachers import teacher as teacher_of

VERSION = 1
WEIGHTS = {"teacher": {"clip-vit-b32": ("clip-vit-b32",), "efficientnet-lite0": ("efficientnet-lite0",)}}


def build(
    *,
    agkd: float,
    cgkd: float,
    teacher: Literal["clip-vit-b32", "efficientnet-lite0"],
    prompts: str,
    size: int,
    resize: Literal["nearest", "bilinear"],
    normalise: bool,
    hidden: int,
    heads: Literal["equalised", "spectral-norm"],
) -> Part:
    """The part.

    Args:
        agkd: weight of the aggregated term.
        cgkd: weight of the correlated term.
        teacher: "clip-vit-b32" is the paper's, the other a proxy for where its weights are not here.
        prompts: the texts, with commas; the code's are CIFAR-10's classes, for CIFAR-100 too. The proxy reads none.
        size: pixels a side of what the teacher sees; CLIP's are 224.
        resize: how images come to that; the code's "nearest" repeats each of 32 pixels seven times. "bilinear" has a
            filter against aliasing.
        normalise: colours as the teacher was trained on them; the code gives CLIP [-1, 1] as it is.
        hidden: width of the first of the two layers; the code's is 1,024.
        heads: what layers they are; the code's are "spectral-norm", "equalised" is StyleGAN2's.

    Raises:
        GanbenchError: a weight is negative or a size below 1; or there are fewer than two prompts: each row would be 1
            or −1.
    """
    if min(agkd, cgkd) < 0 or min(size, hidden) < 1:
        raise GanbenchError(
            f"kd-dlgan needs agkd and cgkd >= 0, size and hidden >= 1, found {agkd:g}, {cgkd:g}, {size} and {hidden}", 2
        )
    texts = [text.strip() for text in prompts.split(",")]
    if len(texts) < 2 or not all(texts):
        raise GanbenchError(f"kd-dlgan correlates images with two texts or more, with commas: not {prompts!r}", 2)
    return Distillation(agkd, cgkd, (teacher, texts, size, resize, normalise), hidden, heads)


class Distillation(Part):
    """Owns the two layers and the frozen teacher."""

    needs_features = True

    def __init__(
        self, agkd: float, cgkd: float, given: tuple[str, list[str], int, str, bool], hidden: int, kind: str
    ) -> None:
        self.agkd, self.cgkd, self.given, self.hidden, self.kind = agkd, cgkd, given, hidden, kind

    def build(self, G: nn.Module, D: nn.Module) -> tuple[nn.Module, nn.Module]:
        """Raises GanbenchError for a D that ends in no linear layer, or where the teacher is not to be had."""
        inputs = width(D, "kd-dlgan")
        self.teacher = teacher_of(*self.given)
        self.student = nn.Sequential(
            head(self.kind, inputs, self.hidden), head(self.kind, self.hidden, self.teacher.width)
        )
        return G, D

    def modules(self) -> list[nn.Module]:
        """The two layers."""
        return [self.student]

    def frozen(self) -> list[nn.Module]:
        """The teacher."""
        return [self.teacher]

    def d_penalty(self, moment: DMoment) -> Tensor:
        """Both terms of both sides."""
        sides = (moment.real, moment.fake)
        said = self.student(torch.cat([penultimate(side.features) for side in sides])).to(moment.real.seen.dtype)
        real, fake = said.split([len(side.seen) for side in sides])
        of_real, of_fake = (self.teacher(side.seen).to(said) for side in sides)
        apart = aggregated(of_real, real, fake) + aggregated(of_fake, fake, real)
        texts = self.teacher.texts.to(said)
        unlike = correlated(of_real, real, texts) + correlated(of_fake, fake, texts)
        return self.agkd * apart + self.cgkd * unlike


def aggregated(teacher: Tensor, own: Tensor, other: Tensor) -> Tensor:
    """The mean distance of the teacher's (B, C) from D's of the same images, plus that from D's of the other kind."""
    return torch.linalg.vector_norm(torch.stack([teacher - own, teacher - other]), dim=2).mean(1).sum()


def correlated(teacher: Tensor, own: Tensor, texts: Tensor) -> Tensor:
    """Squared differences of how both are like the texts (K, C), each row of K brought to length 1; their sum."""
    return (F.normalize(teacher @ texts.t()) - F.normalize(own @ texts.t())).square().sum()
