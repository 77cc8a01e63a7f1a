"""Adaptive discriminator augmentation (Karras et al. 2020): what D sees is augmented with a probability p that follows
its overfitting.

r is the mean of sign D(x) over all real images that D saw, as it saw them, since p last moved. Every ``every`` D steps

    adaptive    p ← max(0, p + sign(r − target)·(real images shown since then)/(1000·kimg))
    linear      p ← target·(share of the training done), as InsGen's ``ada_linear``: r plays no part

from p = 0 on, as in NVlabs' ``training_loop.py``. Nothing holds p below 1 there: beyond 1 the pipeline does what it
does at 1, and p takes as long to come back. At p = 0 the pipeline gives the images back but for rounding (5·10⁻⁶ of
float32 in NVlabs' code and in ours), so it is left out.

Of a D with more than one logit, the loss says which one's sign counts (``Loss.verdict``). NVlabs counts the logits of
R1's own pass over the reals too, one D step in 16; here only the adversarial pass counts.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods import ada_pipeline
from benchmark.methods.part import DMoment, Moment, Part

VERSION = 1  # of ada_pipeline.py and ada_warp.py too


def build(
    *, pipe: Literal["bgc"], target: float, kimg: float, every: int, schedule: Literal["adaptive", "linear"]
) -> Part:
    """The part.

    Args:
        pipe: "bgc": blits, geometry and colours (``ada_pipeline.py``).
        target: r that p is steered by; of the linear schedule, p at the end of training.
        kimg: thousands of real images in which p moves by 1 (adaptive only).
        every: D steps from one change of p to the next.
        schedule: how p moves.

    Raises:
        GanbenchError: ``kimg`` is not positive, ``every`` is below 1, or ``target`` outside [-1, 1].
    """
    if kimg <= 0 or every < 1 or not -1 <= target <= 1:
        raise GanbenchError(
            f"ada needs kimg > 0, every >= 1 and target in [-1, 1], found {kimg}, {every} and {target}", 2
        )
    return Ada(target, kimg, every, schedule)


class Ada(Part):
    """Augments, and minds p. Signs are summed on D's device and read once in ``every`` steps."""

    def __init__(self, target: float, kimg: float, every: int, schedule: str) -> None:
        self.target, self.kimg, self.every, self.schedule = target, kimg, every, schedule
        self.p = 0.0
        self.d_steps = 0
        self.signs: Tensor | float = 0.0  # sum of sign D(x) since p last moved
        self.judged = 0  # how many
        self.shown = 0  # real images since p last moved

    def augment(self, images: Tensor, real: bool, rng: torch.Generator) -> Tensor:
        """(B, C, H, W) to the same, through the pipeline at the present p; as they are while p is 0."""
        return images if self.p == 0 else ada_pipeline.augment(images, self.p, rng)

    def after_d(self, moment: DMoment) -> None:
        """Raises GanbenchError where the schedule is linear and the length of the training is not known."""
        verdict = moment.criterion.verdict(moment.real).detach()
        self.signs = self.signs + verdict.sign().sum()
        self.judged += verdict.numel()
        self.shown += len(moment.real.images)
        self.d_steps += 1
        if self.d_steps % self.every == 0:
            self.p = self._linear(moment) if self.schedule == "linear" else self._adapted()
            self.signs, self.judged, self.shown = 0.0, 0, 0

    def _adapted(self) -> float:
        r = float(self.signs) / self.judged
        direction = (r > self.target) - (r < self.target)
        return max(0.0, self.p + direction * self.shown / (1000 * self.kimg))

    def _linear(self, moment: Moment) -> float:
        if moment.total_steps is None:
            raise GanbenchError("ada's linear schedule needs the number of steps of the whole run")
        return self.target * (moment.step + 1) / moment.total_steps

    def state_dict(self) -> dict[str, Any]:
        """p, the count of D steps, and what has been seen since p last moved."""
        return {
            "p": self.p,
            "d_steps": self.d_steps,
            "signs": float(self.signs),
            "judged": self.judged,
            "shown": self.shown,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on in the middle of an interval; raises KeyError where one of the five is missing."""
        for name in ("p", "d_steps", "signs", "judged", "shown"):
            setattr(self, name, state[name])
