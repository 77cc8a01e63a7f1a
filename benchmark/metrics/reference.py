"""Features of real images: computed once, kept by content, shared by every cell, plan and worker of a machine.

The key is what decides the numbers (the dataset's bytes, the images drawn from it, how they are cut
and resized, the extractor and its weights), never a name or a path. A kept file is checked when it is
read; one that is damaged is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.data.cards import cache_folder
from benchmark.data.read import read
from benchmark.errors import GanbenchError
from benchmark.metrics.extract import Extracted, extract
from benchmark.metrics.extractors import Extractor
from benchmark.metrics.frechet import Moments
from benchmark.recipe import Protocol, Recipe, content_hash

log = logging.getLogger(__name__)

VERSION = 1
"""Raised when what is extracted changes; kept files of another version are not found."""


def reference(recipe: Recipe, protocol: Protocol, extractor: Extractor, split: str | None = None, count: int | None = None) -> Extracted:
    """The real images that the protocol compares with: its split (or ``split``), its number of them, in a fixed seeded draw.

    Raises:
        GanbenchError: the images are not there, or fewer than asked for; or the cache cannot be written.
    """
    split, count = split or protocol.real_split or recipe.split, count if split else protocol.real
    images = read(recipe.dataset, split, recipe.resolution, recipe.channels, images=count, crop=recipe.crop, resize=recipe.resize)
    if count is not None and len(images.images) < count:
        raise GanbenchError(f"the protocol compares with {count:,} images; {recipe.dataset} {split} has {len(images.images):,}")
    key = content_hash([VERSION, images.content, images.subset, recipe.crop, recipe.resize, recipe.resolution, extractor.name, extractor.sha256])
    path = cache_folder() / "features" / f"{key}.npz"
    with _alone(path):
        if (kept := _load(path, extractor.dimension)) is not None:
            return kept
        pixels = torch.from_numpy(np.ascontiguousarray(images.images))
        made = extract(lambda: iter(pixels.split(500)), extractor, None)
        _save(path, made, {"dataset": recipe.dataset, "split": split, "resolution": recipe.resolution, "images": made.n, "extractor": extractor.name})
        return made


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time; the lock dies with its holder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_suffix(".lock").open("w")
    except OSError as error:
        raise GanbenchError(f"cannot keep features in {path.parent} ({error.strerror}); set GANBENCH_CACHE to a folder that can be written") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _arrays(e: Extracted) -> dict[str, np.ndarray]:
    return {"mean": e.moments.mean, "covariance": e.moments.covariance, "features": e.features.numpy(), "logits": e.logits.numpy()}


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name}{arrays[name].shape}{arrays[name].dtype}".encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _save(path: Path, e: Extracted, about: dict[str, Any]) -> None:
    arrays = _arrays(e)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            np.savez(stream, **arrays, digest=np.array(_digest(arrays)), about=np.array(json.dumps(about)))
        os.replace(temporary, path)
    except OSError as error:  # the features are right all the same: a full disk costs the next run time, not this one its result
        log.warning("%s: features could not be kept: %s", path, error.strerror or error)
        temporary.unlink(missing_ok=True)


def _load(path: Path, dimension: int) -> Extracted | None:
    """The kept features; None if there are none, or the file is not what was written."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("mean", "covariance", "features", "logits")}
            digest = str(file["digest"])
    except FileNotFoundError:
        return None
    except Exception:  # zipfile, zlib and numpy have many kinds for a damaged archive: whatever it is, it is made again
        return None
    if digest != _digest(arrays) or arrays["mean"].shape != (dimension,):
        return None
    moments = Moments(len(arrays["features"]), arrays["mean"], arrays["covariance"])
    return Extracted(moments, torch.from_numpy(arrays["features"]), torch.from_numpy(arrays["logits"]))
