"""The steepest point of what D answers, in closed form; and the bound of PGN-GAN's Theorem 6, which the released form
breaks.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from benchmark.data.read import read
from benchmark.metrics.names import STEEPEST
from benchmark.records.bounds import impossible_in
from benchmark.train.gan import Gan
from benchmark.train.probes import Probes
from benchmark.train.steepest import steepest
from benchmark.train.twin import twin_of
from tests.conftest import protocol, recipe
from tests.test_slopes import Own

D = 784
SLOPE = 0.99
"""Of f in each of the D pixels: ‖∇f‖ = 27.7, ‖1 − ∇f‖ = 0.28."""


def at(f: float) -> Tensor:
    """Two images on which Σ SLOPE·x is ``f``."""
    return torch.full((2, 1, 28, 28), f / (SLOPE * D))


def normalised(form: str) -> Gan:
    """A pair whose D answers f̂ of a linear f."""
    gan = Gan(recipe(parts=(("pgn", {"form": form}),), batch_d=2, batch_g=2), 0)
    gan.D.net = Own("linear")
    with torch.no_grad():
        gan.D.net.w.fill_(SLOPE)
    gan.judges = nn.ModuleList([gan.D])
    return gan


def found(gan: Gan, real: Tensor, fake: Tensor) -> float:
    return steepest(lambda: twin_of(gan, 0, 0, 0), (real, None), (fake, None)).item()


def released(f: float) -> float:
    """‖∇f‖·m/(m + |1 − f|)², m = ‖1 − ∇f‖."""
    slope, m = SLOPE * math.sqrt(D), (1 - SLOPE) * math.sqrt(D)
    return slope * m / (m + abs(1 - f)) ** 2


def appendix(f: float) -> float:
    """(‖∇f‖/(‖∇f‖ + |1 − f|))², which is at most 1."""
    slope = SLOPE * math.sqrt(D)
    return (slope / (slope + abs(1 - f))) ** 2


@pytest.mark.parametrize("form", [released, appendix])
@pytest.mark.parametrize(
    ("real", "fake", "steep"),
    [
        (-9.0, -5.0, -5.0),  # at a fake
        (-4.0, -8.0, -4.0),  # at a real image
        (-6.0, 10.0, 0.0),  # between: three eighths of the way from the real one
        (18.0, -6.0, 3.0),  # and from the fake
        (8.9, 0.9, 0.9),
    ],
)
def test_the_steepest_point_is_found_where_it_lies(form, real: float, fake: float, steep: float) -> None:
    """f is linear along the way, and the nearer it comes to 1, the steeper f̂."""
    assert found(normalised(form.__name__), at(real), at(fake)) == pytest.approx(form(steep), rel=1e-3)


def test_the_released_form_breaks_the_bound_and_the_appendixs_keeps_it() -> None:
    """No image of either side is steep: f passes by 1 on the way from one to the other."""
    real, fake = at(10.6), at(-4.7)
    assert max(released(10.6), released(-4.7)) < 0.3
    assert found(normalised("released"), real, fake) > 50
    images = [torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(i)) for i in (0, 1)]
    for one, other in ((real, fake), tuple(images), (at(1.0 + 1e-3), at(1.0 - 1e-3))):
        assert found(normalised("appendix"), one, other) <= 1 + 1e-6


def test_a_point_that_is_no_number_is_not_lost() -> None:
    gan = normalised("appendix")
    bad = at(0.5)
    bad[0, 0, 0, 0] = math.nan
    assert math.isnan(found(gan, bad, at(0.2)))


def test_the_probe_is_the_largest_of_all_batches() -> None:
    data = read("shapes", "train", 28, 1, images=40)
    r = recipe(parts=(("pgn", {"form": "released"}),), batch_d=8, batch_g=8)
    gan = Gan(r, 0)

    def measured(asked: tuple[str, ...], images: int) -> dict[str, dict[str, float | None]]:
        return Probes(r, protocol(metrics=asked, probe_images=images, every_epochs=None), data).measure(gan, 0, 3)

    one, more = (measured(("grad_most",), n)["grad_most"]["value"] for n in (8, 32))
    assert one and more and 0 < one <= more
    both = measured(("grad_real", "grad_fake", "grad_most"), 32)
    assert both["grad_most"] == {"value": more}, "whatever else is asked for"
    assert more >= max(both["grad_real"]["most"] or 0, both["grad_fake"]["most"] or 0)


@pytest.mark.parametrize("probe", STEEPEST)
def test_it_is_never_negative(probe: str) -> None:
    assert impossible_in(probe, [{"value": -0.1}], 1) and not impossible_in(probe, [{"value": 8.0}], 1)
