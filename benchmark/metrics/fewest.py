"""The fewest images that each metric can be computed from. Imports no torch: planning asks, before a long run."""

from __future__ import annotations

from benchmark.recipe import Protocol

COVARIANCE = 2  # every set of images is kept as its moments, whatever the metrics
PAIR = 2  # KID's estimate without bias is over pairs within a subset
NEIGHBOURHOOD = 3  # nearest neighbours that make the balls of precision and recall


def too_few(p: Protocol, real: int, validation: int | None = None) -> str | None:
    """Why the protocol's metrics cannot be computed from so many images; None if they can.

    Args:
        real: images that are compared with.
        validation: images that vFID compares with, where it is measured.
    """
    of_is = p.is_generated or p.generated
    sides = {
        "generates": p.generated,
        "generates for IS": of_is,
        "compares with": real,
        "compares vFID with": validation,
    }
    for does, n in sides.items():
        if n is not None and n < COVARIANCE:
            return f"the protocol {does} {n} image(s): it takes {COVARIANCE} to have a covariance"
    both = f"the protocol generates {p.generated:,} images and compares with {real:,}"
    fewest = min(p.generated, real)
    if "IS" in p.metrics and not 0 < (p.is_splits or 0) <= of_is:
        return f"IS needs is_splits, at most the {of_is:,} generated images"
    if "KIDx1000" in p.metrics and (p.kid_subsets is None or not PAIR <= (p.kid_subset_size or 0) < fewest):
        return f"KID needs kid_subsets and a kid_subset_size below {fewest:,}, and of at least {PAIR}: {both}"
    if {"precision", "recall"} & set(p.metrics) and fewest <= NEIGHBOURHOOD:
        return f"precision and recall need more than {NEIGHBOURHOOD} images a side: {both}"
    if "vFID" in p.metrics and p.generated < (validation or 0):
        return f"vFID needs as many generated images as there are validation images, {validation:,}"
    return None
