"""Datasets whose reader is code from outside the package: their cards, and what their code gives, checked."""

from __future__ import annotations

import functools

import numpy as np

from benchmark.canonical import content_hash
from benchmark.catalogue import plugins
from benchmark.data.cards import FILES, Card, FileCard
from benchmark.errors import GanbenchError, plain, said
from benchmark.outside.exits import failure

READER = "outside"


def is_from_outside(name: str) -> bool:
    """Whether that is the qualified name of one that is known in this process."""
    return name in plugins("datasets")


@functools.cache
def card_from_outside(name: str) -> Card:
    """Its card: the name holds a hash of all that states it."""
    said = plugins("datasets")[name].states["CARD"]
    return Card(
        name=name,
        title=said.get("title", ""),
        reader=READER,
        resolutions=tuple(said["resolutions"]),
        channels=tuple(said["channels"]),
        classes=said["classes"],
        splits=said["splits"],
        sources=(),
        licence=said.get("licence", "not stated"),
        home=said.get("home", ""),
        size=said.get("size"),
    )


def content(c: Card, split: str, resolution: int, channels: int) -> str:
    """What stands for the images: the code, the files that it is given, and what it is asked for."""
    files = [[f.file, f.sha256] for f in c.files(split)]
    return content_hash([READER, c.name, files, split, c.split(split)["count"], resolution, channels])


def render(c: Card, split: str, resolution: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, C, H, W) uint8 and classes (N,) int64, as its ``build`` gives them, twice.

    Raises:
        GanbenchError: it may not run, a file is missing or another, it fails, gives something else, or not the same
            again: what stands for the images in keys is the code.
    """
    images, labels = _built(c, split, resolution, channels)
    if not all(map(np.array_equal, (images, labels), _built(c, split, resolution, channels))):
        raise GanbenchError(f"dataset {c.name}: build gave other images when it was asked again: seed what it draws")
    return images, labels


def _built(c: Card, split: str, resolution: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    from benchmark.data.check import read_file

    plugin = plugins("datasets")[c.name]
    build = plugin.load().build
    files = {key: read_file(c.name, FileCard(**part)) for key, part in c.split(split).items() if key in FILES}
    try:
        images, labels = build(split, resolution, channels, files)
    except (GanbenchError, KeyboardInterrupt):
        raise
    except Exception as error:  # anything may go wrong in code of others
        raise GanbenchError(f"dataset {c.name}: build failed: {type(error).__name__}: {plain(said(error))}") from error
    except BaseException as error:
        raise failure(error) from error
    images, labels = np.asarray(images), np.asarray(labels)
    count = c.split(split)["count"]
    for what, array, shape, kinds in (
        ("images", images, (count, channels, resolution, resolution), "u"),
        ("classes", labels, (count,), "iu"),
    ):
        if array.shape != shape or array.dtype.kind not in kinds or (what == "images" and array.dtype != np.uint8):
            kind = "8-bit" if what == "images" else "whole"
            raise GanbenchError(
                f"dataset {c.name}: build gave {what} of shape {array.shape} and type {array.dtype}; {shape} of {kind} "
                "numbers are wanted"
            )
    if count and not 0 <= labels.min() <= labels.max() < c.classes:
        raise GanbenchError(f"dataset {c.name}: build gave classes beyond 0 to {c.classes - 1}")
    return np.ascontiguousarray(images), labels.astype(np.int64)
