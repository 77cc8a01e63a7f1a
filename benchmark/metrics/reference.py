"""Features of real images: computed once, kept by content, shared by every cell, plan and worker of a machine.

The key is what decides the numbers (``RealSet.identity``), never a name or a path. A kept file is
checked when it is read; one that is damaged is made again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmark.canonical import content_hash
from benchmark.data.read import read
from benchmark.metrics import store
from benchmark.metrics.extract import Extracted, extract
from benchmark.metrics.extractors import Extractor
from benchmark.metrics.measure import kept_of_real
from benchmark.metrics.real import RealSet, real_set
from benchmark.pulse import doing
from benchmark.recipe import Protocol, Recipe

BATCH = 500  # images read at a time


def reference(
    recipe: Recipe,
    protocol: Protocol,
    extractor: Extractor,
    split: str | None = None,
    count: int | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Extracted:
    """The real images that the protocol compares with: its split (or ``split``), its number of them, in a fixed seeded
    draw.

    Args:
        stopping: asked while another process makes the same.

    Raises:
        GanbenchError: the images are not there, or fewer than asked for; or the cache cannot be written.
        Interrupted: it was to stop before another process was done.
    """
    chosen = real_set(recipe, split or protocol.real_split or recipe.split, count if split else protocol.real)
    return features(chosen, extractor, kept_of_real(protocol), stopping)


def features(
    real: RealSet,
    extractor: Extractor,
    keep: Collection[str],
    stopping: Callable[[], bool] = lambda: False,
    own: bool = False,
) -> Extracted:
    """Features of these images, from the cache or made now.

    Args:
        keep: which of "features" and "logits" are needed of each image.
        own: imported ones are not believed, but made again.
    """
    size, path = real.size, place(real, extractor)
    with store.alone(path, f"features of {real}", stopping), doing(f"features of {real}"):
        if (kept := store.load(path, extractor.dimension, keep)) is not None and not (own and kept.imported):
            return kept
        found = read(
            real.dataset, real.split, real.resolution, real.channels, crop=real.crop, resize=real.resize
        ).images
        indices = real.indices()
        before = store.about_file(path) or {"digests": {}}
        more = [name for name in ("features", "logits") if name in keep or name in before["digests"]]
        made = extract(lambda: _batches(found, indices), extractor, None, size, more)
        store.save(path, made, about(real, extractor))
        return made


def _batches(images: np.ndarray, indices: np.ndarray | None) -> Iterator[torch.Tensor]:
    """The (chosen) images, some at a time: a mapped set stays on disk."""
    for start in range(0, len(images) if indices is None else len(indices), BATCH):
        part = slice(start, start + BATCH)
        yield torch.from_numpy(np.array(images[part] if indices is None else images[indices[part]]))


def place(real: RealSet, extractor: Extractor) -> Path:
    """The file of these features."""
    return store.folder() / f"{content_hash(real.identity(extractor.name, extractor.sha256))}.npz"


def about(real: RealSet, extractor: Extractor) -> dict[str, object]:
    """What a kept file says of itself."""
    return {
        "set": real.to_json(),
        "images": real.size,
        "extractor": extractor.name,
        "identity": real.identity(extractor.name, extractor.sha256),
    }
