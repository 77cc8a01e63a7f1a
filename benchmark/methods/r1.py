"""R1 (Mescheder et al. 2018), as StyleGAN2 has it: D's gradient by real images is held small.

    (γ/2)·mean ‖∂ D(T(x))/∂x‖²

x are the real images before augmentation and T all parts' augmentation, so that T's derivative is in the penalty, as in
NVlabs' and DiffAugment's code.

``every: 1`` adds it to D's loss, by the logits of D's own pass (DiffAugment's TensorFlow StyleGAN2,
``ns_DiffAugment_r1``). ``every: n`` makes it a step of D's optimiser of its own in step 0 and every n-th G step, after
D's (NVlabs, ``training/loss.py``, phase Dreg): the images of that step are augmented anew, D sees them once more, and
the penalty is multiplied by n.

NVlabs' optimiser has lr·n/(n + 1) and β^(n/(n + 1)) throughout; here the recipe says so (``lr_d``, ``beta2_d``).
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.part import DMoment, Part, one_logit

VERSION = 1


def build(*, gamma: float, every: int) -> Part:
    """``gamma``: γ; ``every``: 1, or G steps from one step of its own to the next.

    Raises:
        GanbenchError: ``gamma`` is below 0 or ``every`` below 1.
    """
    if gamma < 0 or every < 1:
        raise GanbenchError(f"r1 needs gamma >= 0 and every >= 1, found {gamma} and {every}", 2)
    return R1(gamma, every)


class R1(Part):
    """A term of D's loss, or a step of its own; G's step is plain."""

    needs_second_order = True

    def __init__(self, gamma: float, every: int) -> None:
        self.gamma, self.every = gamma, every
        self.needs_image_grad, self.needs_own_passes = every == 1, every > 1
        self.d_every = every if every > 1 else None

    def d_penalty(self, moment: DMoment) -> Tensor | None:
        """(γ/2)·mean ‖∂D/∂x‖², (), with ``every: 1``; raises GanbenchError where D gives several logits an image."""
        if self.every > 1:
            return None
        return self._penalty(moment.real.logits, moment.real.images)

    def d_own(self, moment: DMoment) -> Tensor:
        """The same times ``every``, of one more pass of the step's real images."""
        x = moment.real.images.detach().requires_grad_()
        logits = moment.D(moment.augment(x, True), moment.real.labels)
        return self.every * self._penalty(logits.to(x.dtype), x)

    def _penalty(self, logits: Tensor, x: Tensor) -> Tensor:
        (g,) = torch.autograd.grad(one_logit(logits, "r1").sum(), x, create_graph=True)
        return self.gamma / 2 * g.square().flatten(1).sum(1).mean()
