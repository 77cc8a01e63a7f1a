"""From a dataset's files to arrays: checked against the card before they are believed."""

from __future__ import annotations

import functools
import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.data.cards import Card, FileCard, card, locate, missing
from benchmark.errors import GanbenchError
from benchmark.recipe import content_hash

SUBSET_SEED = 0


@dataclass(frozen=True)
class ImageSet:
    """Images (N, C, H, W) uint8 and labels (N,) int64, with the hashes that stand for them."""

    images: np.ndarray
    labels: np.ndarray
    content: str  # sha256 of the split
    subset: str  # sha256 of the chosen indices


def read(
    name: str,
    split: str,
    resolution: int,
    channels: int,
    percent: float = 100.0,
    images: int | None = None,
    subset: str | None = None,
    crop: str | None = None,
    resize: str | None = None,
) -> ImageSet:
    """Read a split, or the part of it that ``subset_indices`` draws.

    Raises:
        GanbenchError: a file is missing (with the command that mends it), truncated, or not the one of the card.
    """
    c = card(name)
    c.check(split, resolution, channels)
    if problem := missing(name, split):
        raise GanbenchError(problem)
    pixels, labels = _decode(c, split, resolution, channels, crop, resize)
    if len(pixels) != (count := c.split(split)["count"]):
        raise GanbenchError(f"dataset {name}: {split} has {len(pixels):,} images, its card says {count:,}")
    indices = subset_indices(count, percent, images, subset)
    if indices is not None:
        pixels, labels = pixels[indices], labels[indices]
    return ImageSet(pixels, labels, c.content(split, resolution, channels), subset_hash(count, percent, images, subset))


def _decode(c: Card, split: str, resolution: int, channels: int, crop: str | None, resize: str | None) -> tuple[np.ndarray, np.ndarray]:
    if (crop or resize) and c.reader != "folders":
        raise GanbenchError(f"dataset {c.name} comes at one size: its images are neither cut nor resized")
    if c.reader == "shapes":
        from benchmark.data.shapes import render

        return render(split, c.split(split)["count"], c.classes, resolution, channels)
    files = c.files(split)
    if c.reader == "idx":
        pixels, labels = (_idx(read_file(c.name, f)) for f in files)
        return pixels[:, None], labels.astype(np.int64)
    data = read_file(c.name, files[0])
    if c.reader == "cifar":
        from benchmark.data.cifar import read as read_cifar

        return read_cifar(data, c.split(split)["members"], c.split(split)["labels_key"], files[0].file)
    from benchmark.data.folders import read as read_folders

    return read_folders(data, resolution, crop, resize, files[0].file)


def subset_size(count: int, percent: float, images: int | None) -> int:
    """How many of ``count`` images a recipe trains on: ``images``, else ``percent`` of them."""
    return min(count, images if images is not None else round(count * percent / 100))


def subset_indices(count: int, percent: float, images: int | None, subset: str | None = None) -> np.ndarray | None:
    """Sorted indices of the training subset, or None for all. Every seed of a recipe trains on the same one.

    Args:
        subset: how it is drawn. None: the first entries of one seeded permutation, so that a smaller
            subset lies inside a larger one. ``numpy-choice-0``: ``RandomState(0).choice`` without
            replacement, as the DiffAugment family's code. ``first``: the first images, as AdvAug's.

    Raises:
        GanbenchError: nobody knows how the paper drew it (``unknown``).
    """
    wanted = subset_size(count, percent, images)
    if wanted == count:
        return None
    if subset == "unknown":
        raise GanbenchError("how the paper drew its subset is not known, and no list is published")
    if subset == "first":
        return np.arange(wanted)
    if subset == "numpy-choice-0":
        return np.sort(np.random.RandomState(0).choice(count, wanted, replace=False))
    return np.sort(np.random.default_rng(SUBSET_SEED).permutation(count)[:wanted])


@functools.cache
def subset_hash(count: int, percent: float, images: int | None, subset: str | None = None) -> str:
    """sha256 of the chosen indices; of "all" and the count when nothing is left out."""
    indices = subset_indices(count, percent, images, subset)
    return content_hash(["all", count] if indices is None else indices.tolist())


def read_file(name: str, file: FileCard) -> bytes:
    """The decompressed bytes of one file, checked for size and sha256.

    Raises:
        GanbenchError: the file is missing, truncated, no valid gzip, or differs from the card.
    """
    path = locate(name, file.file)
    if path is None:
        raise GanbenchError(f"dataset {name}: {file.file} not found; run: ganbench data fetch {name}")
    return check_bytes(name, file, path)


def check_bytes(name: str, file: FileCard, path: Path) -> bytes:
    """Read ``path`` as ``file`` of dataset ``name``; raises GanbenchError unless it is exactly that file."""
    mend = f"run: ganbench data fetch {name} --force"
    try:
        packed = path.name != file.file and path.suffix == ".gz"  # an archive of the card's own name is checked as it is
        with gzip.open(path) if packed else path.open("rb") as stream:
            data = stream.read(file.bytes + 1)  # bounded: a hostile gzip cannot fill the memory
    except (OSError, EOFError, zlib.error) as error:
        raise GanbenchError(f"{path}: truncated or damaged ({error}); {mend}") from None
    if len(data) != file.bytes:
        found = "more than" if len(data) > file.bytes else f"{len(data):,} of"
        raise GanbenchError(f"{path}: {found} {file.bytes:,} bytes: not the file of the {name} card; {mend}")
    if (sha := hashlib.sha256(data).hexdigest()) != file.sha256:
        raise GanbenchError(f"{path}: sha256 {sha[:12]}… is not {file.sha256[:12]}… of the {name} card; {mend}")
    return data


def _idx(data: bytes) -> np.ndarray:
    """The array of an IDX file of unsigned bytes (its checksum has been verified)."""
    dims = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dims)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)
