"""From a dataset's files to arrays: checked against the card before they are believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmark.data.absent import missing
from benchmark.data.cards import Card, card, locate
from benchmark.data.check import read_file
from benchmark.data.subsets import store, subset_hash, subset_indices, too_many
from benchmark.errors import GanbenchError

STREAMED = ("images", "stl10", "tar")
"""Readers whose prepared pixels lie on disk and are mapped, so that any number of images fits in memory."""


@dataclass(frozen=True)
class ImageSet:
    """Images (N, C, H, W) uint8 and labels (N,) int64 (-1: none is given), with the hashes that stand for them.

    ``images`` may be a private memory mapping of a file (``np.memmap``): index it a batch at a time and
    memory stays flat.
    """

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
        GanbenchError: a file is missing (with the command that mends it), truncated, or not the one of the card; or
            there are fewer images than are asked for.
    """
    c = card(name)
    c.check(split, resolution, channels, resize)
    if problem := missing(name, split):
        raise GanbenchError(problem)
    count = c.split(split)["count"]
    if why := too_many(name, split, count, images):
        raise GanbenchError(why)
    indices = subset_indices(count, percent, images, subset)
    content, drawn = c.content(split, resolution, channels), subset_hash(count, percent, images, subset)
    if indices is not None and images is None:
        store(indices, drawn)
    if c.reader in STREAMED:
        pixels, labels = _streamed(c, split, resolution, crop, resize, indices, content, drawn)
        pixels = pixels[:, :channels]  # of grey ones, which are kept as three equal channels
        return ImageSet(pixels, labels, content, drawn)
    pixels, labels = _decode(c, split, resolution, channels, crop, resize)
    if len(pixels) != count:
        raise GanbenchError(f"dataset {name}: {split} has {len(pixels):,} images, its card says {count:,}")
    if indices is not None:
        pixels, labels = pixels[indices], labels[indices]
    return ImageSet(pixels, labels, content, drawn)


def _decode(
    c: Card, split: str, resolution: int, channels: int, crop: str | None, resize: str | None
) -> tuple[np.ndarray, np.ndarray]:
    if (crop or resize) and c.reader not in ("folders", "idx"):
        raise GanbenchError(f"dataset {c.name} comes at one size: its images are neither cut nor resized")
    if c.reader == "shapes":
        from benchmark.data.shapes import render

        return render(split, c.split(split)["count"], c.classes, resolution, channels)
    if c.reader == "outside":
        from benchmark.data.from_outside import render as from_outside

        return from_outside(c, split, resolution, channels)
    files = c.files(split)
    if c.reader == "idx":
        pixels, labels = (_idx(read_file(c.name, f)) for f in files)
        return _grey(pixels, resolution, crop, resize, c.name)[:, None], labels.astype(np.int64)
    if c.reader == "cifar":
        return read_cifar(
            c, split, next(i for i, form in enumerate(c.choices(split)) if all(locate(c.name, f.file) for f in form))
        )
    from benchmark.data.folders import read as read_folders

    return read_folders(read_file(c.name, files[0]), resolution, crop, resize, files[0].file)


def read_cifar(c: Card, split: str, form: int) -> tuple[np.ndarray, np.ndarray]:
    """A CIFAR split from its Python archive (``form`` 0) or its binary one (1): the same images and classes, in the
    same order.
    """
    from benchmark.data import cifar, cifar_binary

    s, file = c.split(split), c.choices(split)[form][0]
    if form == 0:
        return cifar.read(read_file(c.name, file), s["members"], s["labels_key"], file.file)
    return cifar_binary.read(read_file(c.name, file), s["binary"]["members"], s["binary"]["label_bytes"], file.file)


def _streamed(
    c: Card,
    split: str,
    resolution: int,
    crop: str | None,
    resize: str | None,
    indices: np.ndarray | None,
    content: str,
    drawn: str,
) -> tuple[np.ndarray, np.ndarray]:
    """The split's (drawn) images as a mapping of the cache, and their classes; the originals are opened only where the
    cache lacks them.
    """
    from benchmark.data import prepared
    from benchmark.data.image import pixels
    from benchmark.data.streams import stream

    found = stream(c, split)
    count = c.split(split)["count"]
    if len(found.labels) != count:
        raise GanbenchError(f"dataset {c.name}: {split} has {len(found.labels):,} images, its card says {count:,}")

    def opened() -> Callable[[int], np.ndarray]:
        """From i to its pixels: those kept of the whole split where there are any, else the original's, prepared."""
        whole = None if indices is None else prepared.kept([*identity, None], count, resolution)
        if whole is not None and indices is not None:
            return lambda i: whole[indices[i]]
        picture = found.open()
        number = (lambda i: i) if indices is None else (lambda i: int(indices[i]))
        return lambda i: pixels(picture(number(i)), resolution, crop, resize, f"{c.name} {split}, image {number(i)}")

    identity = [content, resolution, crop, resize]
    chosen = slice(None) if indices is None else indices
    mapped = prepared.keep(
        [*identity, None if indices is None else drawn], len(found.labels[chosen]), resolution, opened
    )
    return mapped, found.labels[chosen]


def _grey(images: np.ndarray, side: int, crop: str | None, resize: str | None, name: str) -> np.ndarray:
    """(N, side, side) uint8 of grey images (N, H, W), cut and resized as a recipe says; as they are where it says
    neither.
    """
    if not (crop or resize):
        return images
    from PIL import Image

    from benchmark.data.image import fit

    found = np.stack([np.asarray(fit(Image.fromarray(image), side, crop, resize)) for image in images])
    if found.shape[1:] != (side, side):
        raise GanbenchError(
            f"dataset {name}: cut to {found.shape[2]} x {found.shape[1]} pixels, not {side} x {side}, and "
            "the recipe says no resize"
        )
    return found


def _idx(data: bytes) -> np.ndarray:
    """The array of an IDX file of unsigned bytes (its checksum has been verified)."""
    dims = data[3]
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(dims)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dims).reshape(shape)
