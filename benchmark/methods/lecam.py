"""LeCam regularisation (Tseng et al. 2021): D's logits are held near running means of what D said of the other side.

    weight · (mean relu(f(x) − a_fake)² + mean relu(a_real − f(G(z)))²)

The ReLU is in the authors' code (``biggan_cifar/losses.py``, ``stylegan2/lecam_loss.py``) and not in the paper's
equation 4. The anchors a are running averages of the batch means of the logits, once a D step, before they are used and
without gradient.

With ``start`` over 0 it is the code for CIFAR, whose unit is the G step: before step ``start`` (counted from 0) the
anchors are the current means, from then on they average; the term is there only after step ``start``. With ``start`` 0
it is the StyleGAN2
code: the term is there at once, and the averages are free of the bias of their beginning (divided by 1 − decay^n, n
updates), as TensorFlow's ``assign_moving_average`` with ``zero_debias`` has it. ``zero_debias`` says so apart from
``start``: with a ``start`` over 0 the averages then begin at 0 there; without, from ``start`` 0 on, they keep the bias.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import relu

from benchmark.methods.part import DMoment, Part, one_logit

VERSION = 1


def build(*, weight: float, decay: float, start: int, zero_debias: bool | None = None) -> Part:
    """``weight``: λ; ``decay`` of the anchors, a D step; ``start``: a G step; ``zero_debias``: where it is not what
    ``start`` implies.
    """
    return LeCam(weight, decay, start, start == 0 if zero_debias is None else zero_debias)


class LeCam(Part):
    """A term of D's loss, and two numbers that are remembered."""

    def __init__(self, weight: float, decay: float, start: int, zero_debias: bool) -> None:
        self.weight, self.decay, self.start, self.zero_debias = weight, decay, start, zero_debias
        self.means = torch.zeros(2)  # running averages over real and over fake, before the correction of their bias
        self.updates = 0

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """Raises GanbenchError where D gives several logits an image."""
        real, fake = (one_logit(side.logits, "lecam") for side in (moment.real, moment.fake))
        a_real, a_fake = self.update(torch.stack([real.detach().mean(), fake.detach().mean()]), moment.step)
        if 0 < self.start >= moment.step:
            return None
        return self.weight * (relu(real - a_fake).square().mean() + relu(a_real - fake).square().mean())

    def update(self, means: Tensor, step: int) -> Tensor:
        """The anchors (2,), real and fake, after a D step within G step ``step`` whose batch means (2,) are
        ``means``.
        """
        if step < self.start:
            self.means = torch.zeros_like(means) if self.zero_debias else means
            return means
        self.updates += 1
        self.means = self.decay * self.means.to(means) + (1 - self.decay) * means
        return self.means / (1 - self.decay**self.updates) if self.zero_debias else self.means

    def state_dict(self) -> dict[str, Any]:
        """The averaged means (2,), real and fake, their bias uncorrected, and how often they were updated."""
        return {"means": self.means, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The means may lie on another device: the next update takes them to its own."""
        self.means, self.updates = state["means"], state["updates"]
