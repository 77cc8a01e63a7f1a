"""FakeCLR (Li et al. 2022): D also tells every fake from every other, as InsGen's D does, and no real ones.

With ``contrast.py``'s loss, for fakes augmented twice:

    D's step    + fake · loss(G(z), G(z + noise·min(|z|, 3)·N(0, 1)))    the queue takes the keys k
    G's step    + fake_on_g · loss(G(z), G(z)): fakes are moved apart; nothing of D's side is trained

z is moved in noise space, number by number by its own size. t, what is added to the product with a negative, depends on
the step sᵢ that brought it, as ``forgetting`` says:

    released    tᵢ = 1: the code's softmax is over a dimension of size one, so that no key is forgotten
    intended    t = softmax over the queue of s/(0.01·‖s‖): the newest weigh most

Where the batch is larger than the queue, all keys are of one step, and the second is 1/Q. The code as released divides
by the largest sᵢ, which is 0 in its second step there: 0/0, and NaN from then on. Here t is 1 in that step too.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from benchmark.errors import GanbenchError
from benchmark.methods.contrast import Contrastive, Settings, near
from benchmark.methods.part import DMoment, Moment, Part

VERSION = 1  # of contrast.py too

FARTHEST, SHARPNESS = 3.0, 0.01


def build(
    *,
    fake: float,
    fake_on_g: float,
    temperature: float,
    momentum: float,
    queue: int,
    projection: int,
    noise: float,
    forgetting: Literal["released", "intended"],
    lr: float,
    beta2: float,
) -> Part:
    """The part, for a D that gives its maps.

    Args:
        fake: weight of the loss in D's step.
        fake_on_g: in G's step; at 0 it is not taken.
        temperature: τ.
        momentum: m of the copies.
        queue: keys that the head keeps.
        projection: dimensions of the head's output.
        noise: standard deviation of what z is moved by, as a share of its numbers' size.
        forgetting: what is added to the negatives' products.
        lr: the head's learning rate; ``beta2``: β₂ of its Adam.

    Raises:
        GanbenchError: a weight or ``noise`` is negative, or a setting is out of its range (``contrast.Settings``).
    """
    if min(fake, fake_on_g, noise) < 0:
        raise GanbenchError(f"fakeclr's weights and noise are at least 0, found {fake}, {fake_on_g} and {noise}", 2)
    settings = Settings(temperature, momentum, queue, projection)
    return FakeCLR(settings, {"fake": (lr, beta2)}, (fake, fake_on_g), noise, forgetting)


class FakeCLR(Contrastive):
    """One head."""

    def __init__(
        self,
        settings: Settings,
        rates: dict[str, tuple[float, float]],
        weights: tuple[float, float],
        noise: float,
        forgetting: str,
    ) -> None:
        super().__init__(settings, rates)
        (self.fake, self.fake_on_g), self.noise, self.forgetting = weights, noise, forgetting

    def shift(self) -> Tensor | float:
        """t: (Q,), or for all alike."""
        if self.forgetting == "released":
            return 1.0
        return (F.normalize(self.heads["fake"].since, dim=0) / SHARPNESS).softmax(0)

    def d_penalty(self, moment: DMoment) -> Tensor:
        """The loss, weighted."""
        head = self.heads["fake"]
        moved = near(moment, lambda z: self.noise * z.abs().clamp(max=FARTHEST))
        loss, k = head(*self.features(moment, moment.fake, moment.fake.images.detach(), moved), self.shift())
        head.enqueue(k, moment.step)
        return self.fake * loss

    def g_penalty(self, moment: Moment) -> Tensor | None:
        """The loss, weighted."""
        return self.fake_on_g * self.alike(moment, self.shift()) if self.fake_on_g else None
