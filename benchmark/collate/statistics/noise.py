"""How much a published number may move from one training seed to another: what makes a claim fragile.

Nothing here is taken for our own spread: a verdict on our runs goes by our seeds alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from benchmark.errors import sure
from benchmark.suite.model import Published


class SeedNoise(NamedTuple):
    """Standard deviation over training seeds as a share of the number, and where that is known from."""

    relative: float
    source: str


_STUDY = (
    "upper end of the 1 to 2 % that one large study saw over training seeds, in another model family; GANs on "
    "little data vary more"
)
_TEN_RUNS = "over seeds in ten runs of theory's Table 1"  # pooled over rows and rounded up
PLAUSIBLE = {
    **{metric: SeedNoise(0.02, _STUDY) for metric in ("IS", "FID", "tFID", "vFID", "precision", "recall")},
    "KIDx1000": SeedNoise(0.04, f"twice FID's, as in the suites' bands; FID's: {_STUDY}"),
    "V_g": SeedNoise(0.025, _TEN_RUNS),
    **{metric: SeedNoise(0.02, _TEN_RUNS) for metric in ("D_G", "jac_D")},
    "jac_V": SeedNoise(0.06, _TEN_RUNS),
    "jac_G": SeedNoise(0.05, _TEN_RUNS),
    "L_Vg_Bz": SeedNoise(
        0.18,
        "a maximum over noises: its scatter over the last 50 epochs of a run, the median of ten runs of theory's "
        "Table 1 (0.16 to 0.20)",
    ),
}


def published_noise(metric: str, published: Published, runs: int) -> tuple[float, str]:
    """Plausible standard error over seeds of a published number, and its source.

    Args:
        published: with a value. Its ± counts only where it is over seeds.
        runs: how many runs the paper says that it is the mean of.
    """
    if published.std is not None and published.std_of == "seeds":
        return published.std / math.sqrt(runs), "the paper's ± over seeds"
    known = PLAUSIBLE.get(metric, SeedNoise(0.02, f"taken as for FID: {_STUDY}"))
    return known.relative * abs(sure(published.value)) / math.sqrt(runs), f"{100 * known.relative:g} %: {known.source}"
