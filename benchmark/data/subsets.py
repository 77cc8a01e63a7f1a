"""Which images a fraction of a dataset holds: drawn as the papers' code draws them, held against the lists' known
checksums, kept as lists.
"""

from __future__ import annotations

import functools
import hashlib
import logging
from pathlib import Path

import numpy as np

from benchmark.canonical import content_hash
from benchmark.data.cards import cache_folder
from benchmark.errors import GanbenchError
from benchmark.files import write_whole
from benchmark.outside.code import plain_name

log = logging.getLogger(__name__)

SUBSET_SEED = 0
DRAWS = ("first", "numpy-choice-0")
KNOWN = {
    ("numpy-choice-0", 50000, 5000): "da7053a7a89cf74c1acaf693b2b008891102eb53",
    ("numpy-choice-0", 50000, 10000): "9b2369ab6b418e2dc8197ce37dc86ba787d395ce",
}
"""(draw, of how many, how many) -> sha1 of the sorted list as little-endian int64: the 10 % and 20 % of CIFAR on which
the DiffAugment family's code trains.
"""


def subset_size(count: int, percent: float, images: int | None) -> int:
    """How many of ``count`` images a recipe trains on: ``images``, else ``percent`` of them. Never more than there are:
    a recipe that asks for more (``too_many``) does not run.
    """
    return min(count, images if images is not None else round(count * percent / 100))


def too_many(name: str, split: str, count: int, images: int | None) -> str | None:
    """Why a recipe cannot train on so many ``images`` of a split that holds ``count``; None if it can."""
    if images is None or images <= count:
        return None
    return f"the recipe trains on {images:,} images; {plain_name(name)} {split} has {count:,}"


def subset_indices(count: int, percent: float, images: int | None, subset: str | None = None) -> np.ndarray | None:
    """Sorted indices of the training subset, or None for all. Every seed of a recipe trains on the same one.

    Args:
        subset: how it is drawn. None: the first entries of one seeded permutation, so that a smaller
            subset lies inside a larger one. ``numpy-choice-0``: ``RandomState(0).choice`` without
            replacement, as the DiffAugment family's code. ``first``: the first images, as AdvAug's.

    Raises:
        GanbenchError: there is no such draw, or numpy does not draw the list that the paper's code is known
            to draw.
    """
    wanted = subset_size(count, percent, images)
    if wanted == count:
        return None
    if subset is not None and subset not in DRAWS:
        raise GanbenchError(f"there is no draw of images called {subset!r}, only {', '.join(DRAWS)}", 2)
    if subset == "first":
        return np.arange(wanted)
    if subset == "numpy-choice-0":
        drawn = np.sort(np.random.RandomState(0).choice(count, wanted, replace=False))
        if sha1(drawn) != KNOWN.get((subset, count, wanted), sha1(drawn)):
            raise GanbenchError(
                f"numpy {np.__version__} does not draw the {wanted:,} of {count:,} images of the papers' "
                "code any more: install an older numpy"
            )
        return drawn
    return np.sort(np.random.default_rng(SUBSET_SEED).permutation(count)[:wanted])


@functools.cache
def subset_hash(count: int, percent: float, images: int | None, subset: str | None = None) -> str:
    """sha256 of the chosen indices; of "all" and the count when nothing is left out."""
    indices = subset_indices(count, percent, images, subset)
    return content_hash(["all", count] if indices is None else indices.tolist())


def sha1(indices: np.ndarray) -> str:
    """Of the list as little-endian int64: the form in which checksums of such lists are quoted."""
    return hashlib.sha1(indices.astype("<i8").tobytes()).hexdigest()


def store(indices: np.ndarray, hashed: str) -> Path | None:
    """Keep the list, one index a line, in ``<cache>/subsets/<its sha256>.txt``; a full disk costs the file alone.

    Returns:
        The file; None where it could not be written.
    """
    content = "".join(f"{i}\n" for i in indices.tolist()).encode()
    try:
        path = cache_folder() / "subsets" / f"{hashed}.txt"
        if not (path.is_file() and path.read_bytes() == content):
            write_whole(path, content)
    except (OSError, GanbenchError) as error:
        log.warning("the list of images could not be kept: %s", error)
        return None
    return path
