"""Images one at a time from where they lie, for what does not fit in memory: the classes now, the pictures when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from benchmark.data.cards import Card, FileCard, locate
from benchmark.data.manifest import Added
from benchmark.data.read import check_file, read_file
from benchmark.data.stl10 import read as read_stl10
from benchmark.errors import GanbenchError


class Stream(Protocol):
    """A split: ``labels`` (N,) int64, and ``open()``, which gives the function from a number to the picture, in RGB and checked."""

    labels: np.ndarray

    def open(self) -> Callable[[int], Image.Image]: ...


def stream(c: Card, split: str) -> Stream:
    """The split of a dataset that is streamed; raises GanbenchError where its files are missing or damaged."""
    return _Stl10(c, split) if c.reader == "stl10" else Added(c, split)


class _Stl10:
    def __init__(self, c: Card, split: str) -> None:
        s = c.split(split)
        self._name, self._images = c.name, [FileCard(**s[key]) for key in ("images", "more") if key in s]
        labels = FileCard(**s["labels"]) if "labels" in s else None
        if labels:
            read_file(c.name, labels)
        self._paths = [_there(c, f) for f in self._images]
        self._arrays, self.labels = read_stl10(self._paths, _there(c, labels) if labels else None)

    def open(self) -> Callable[[int], Image.Image]:
        """Image i of the split; the files are read through once, against the card, before the first."""
        for file, path in zip(self._images, self._paths, strict=True):
            check_file(self._name, file, path)
        starts = np.cumsum([0, *(len(a) for a in self._arrays)])

        def image(i: int) -> Image.Image:
            k = int(np.searchsorted(starts, i, "right")) - 1
            return Image.fromarray(np.ascontiguousarray(self._arrays[k][i - starts[k]].transpose(1, 2, 0)))

        return image


def _there(c: Card, file: FileCard) -> Path:
    path = locate(c.name, file.file)
    if path is None:
        raise GanbenchError(f"dataset {c.name}: {file.file} not found; run: ganbench data fetch {c.name}")
    return path
