"""InsGen (Yang et al. 2021): D also tells every image from every other, real and fake ones by a head each.

With ``contrast.py``'s loss, for images x augmented twice:

    D's step    + real · loss(real head: x, x)                the queue takes the keys k
                + fake · loss(fake head: G(z), G(z + noise·N(0, 1)))    it takes h̄ of the queries' features
    G's step    + fake_on_g · loss(fake head: G(z), G(z)): fakes are moved apart; nothing of D's side is trained

The second image of a pair goes through the copies D̄ and h̄; z is moved in noise space. G(z) of D's step are those that
D was shown, and the moved ones are made with new maps of noise and new mixing.
"""

from __future__ import annotations

from torch import Tensor

from benchmark.errors import GanbenchError
from benchmark.methods.contrast import Contrastive, Settings, near
from benchmark.methods.part import DMoment, Moment, Part

VERSION = 1  # of contrast.py too


def build(
    *,
    real: float,
    fake: float,
    fake_on_g: float,
    temperature: float,
    momentum: float,
    queue: int,
    projection: int,
    noise: float,
    lr_real: float,
    lr_fake: float,
    beta2_real: float,
    beta2_fake: float,
) -> Part:
    """The part, for a D that gives its maps.

    Args:
        real: weight of the real images' loss in D's step.
        fake: of the fakes' loss there.
        fake_on_g: of the fakes' loss in G's step; at 0 it is not taken.
        temperature: τ.
        momentum: m of the copies.
        queue: keys that each head keeps.
        projection: dimensions of the heads' output.
        noise: standard deviation of what z is moved by.
        lr_real: learning rate of the real head; ``lr_fake`` of the other.
        beta2_real: β₂ of the real head's Adam; ``beta2_fake`` of the other's.

    Raises:
        GanbenchError: a weight or ``noise`` is negative, or a setting is out of its range (``contrast.Settings``).
    """
    if min(real, fake, fake_on_g, noise) < 0:
        raise GanbenchError(
            f"insgen's weights and noise are at least 0, found {real}, {fake}, {fake_on_g} and {noise}", 2
        )
    rates = {"real": (lr_real, beta2_real), "fake": (lr_fake, beta2_fake)}
    return InsGen(Settings(temperature, momentum, queue, projection), rates, (real, fake, fake_on_g), noise)


class InsGen(Contrastive):
    """Two heads."""

    def __init__(
        self,
        settings: Settings,
        rates: dict[str, tuple[float, float]],
        weights: tuple[float, float, float],
        noise: float,
    ) -> None:
        super().__init__(settings, rates)
        (self.real, self.fake, self.fake_on_g), self.noise = weights, noise

    def d_penalty(self, moment: DMoment) -> Tensor:
        """Both losses, weighted; real images first."""
        return self.real * self._of_reals(moment) + self.fake * self._of_fakes(moment)

    def _of_reals(self, moment: DMoment) -> Tensor:
        head, images = self.heads["real"], moment.real.images.detach()
        loss, k = head(*self.features(moment, moment.real, images, images))
        head.enqueue(k, moment.step)
        return loss

    def _of_fakes(self, moment: DMoment) -> Tensor:
        head, moved = self.heads["fake"], near(moment, lambda z: self.noise)
        of_query, of_key = self.features(moment, moment.fake, moment.fake.images.detach(), moved)
        loss, _ = head(of_query, of_key)
        head.enqueue(head.key(of_query), moment.step)
        return loss

    def g_penalty(self, moment: Moment) -> Tensor | None:
        """The fakes' loss, weighted."""
        return self.fake_on_g * self.alike(moment) if self.fake_on_g else None
