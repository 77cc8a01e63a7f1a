"""Images one at a time from where they lie, for what does not fit in memory: the classes now, the pictures when they
are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from benchmark.arrays import load_arrays
from benchmark.data.cards import Card, FileCard, data_root, locate
from benchmark.data.check import check_file, read_file
from benchmark.data.declared import load
from benchmark.data.image import decode
from benchmark.data.layout import arrange, find
from benchmark.data.manifest import arrays_path, content_hash, decoder, names_hash, parts, pixel_hash
from benchmark.data.stl10 import read as read_stl10
from benchmark.data.tarred import Tarred
from benchmark.errors import GanbenchError, plain
from benchmark.process.shell import command

ARRAYS = ("digests", "labels", "order")
PER_IMAGE, OVERHEAD = 32 + 8 + 8, 2**16  # bytes of their file


class Stream(Protocol):
    """A split: ``labels`` (N,) int64, and ``open()``, which gives the function from a number to the picture, in RGB and
    checked.
    """

    labels: np.ndarray

    def open(self) -> Callable[[int], Image.Image]:
        """Raises GanbenchError where files are missing or are not those that the card or manifest names."""


def stream(c: Card, split: str) -> Stream:
    """The split of a dataset that is streamed; raises GanbenchError where its files are missing or damaged."""
    if c.reader == "tar":
        return Tarred(c, split)
    return _Stl10(c, split) if c.reader == "stl10" else Added(c, split)


class Added:
    """A split that was added: its classes, and its images, each held against its hash when it is read."""

    def __init__(self, c: Card, split: str) -> None:
        base = c.split(split).get("of", split)
        folder = data_root() / c.name
        manifest = load(folder, c.name, base)
        if manifest is None:
            raise GanbenchError(f"dataset {c.name} has not been added; run: ganbench data add {c.name} FOLDER")
        self.manifest, self._card, self._base, self._part = manifest, c, base, parts(c, base)[split]
        self._at = manifest.at(folder)
        self._shown = plain(str(self._at))
        try:
            found = load_arrays(arrays_path(manifest), OVERHEAD + PER_IMAGE * c.split(base)["count"], ARRAYS)
            digests, labels, self._order = (found[name] for name in ARRAYS)
            self._digests, self.labels = digests[self._part], labels[self._part]
            fine = content_hash(self._digests, self.labels) == manifest.contents[split] and np.array_equal(
                np.sort(self._order), np.arange(manifest.images)
            )
        except Exception as error:  # zipfile, zlib and numpy have many kinds for a damaged archive
            raise GanbenchError(f"{arrays_path(manifest)} cannot be read ({error}); run: {self._again()}") from None
        if not fine:
            raise GanbenchError(f"{arrays_path(manifest)} is damaged; run: {self._again()}")

    def _again(self) -> str:
        return command("data", "add", self._card.name, self._at)

    def _otherwise(self) -> str:
        """What a person does who has changed images on purpose: where the card has their hash, they are another set."""
        if "content" in self._card.split(self._base):
            return f"add these as another dataset: {command('data', 'add', 'NAME', self._at, '--new')}"
        return f"run: {self._again()}"

    def open(self) -> Callable[[int], Image.Image]:
        """Image i of the split, in RGB, or GanbenchError where it is not the one that was added."""
        c, manifest = self._card, self.manifest
        found = find(c.split(self._base), self._at)
        if found is None:
            raise GanbenchError(
                f"{self._shown}: the images of {c.name} are gone; put them back, or run: ganbench data add "
                f"{c.name} FOLDER"
            )
        found, _ = arrange(found, c.split(self._base), c.classes)
        if names_hash(found) != manifest.names:
            raise GanbenchError(
                f"{self._shown}: files were added, taken away or renamed since; if that is right, run: {self._again()}"
            )
        order = self._order[self._part]

        def image(i: int) -> Image.Image:
            """Raises GanbenchError, with what to do, where its pixels have another hash."""
            name = found.names[k := int(order[i])]
            picture = decode(found.load(k), f"{found.where}: {name}")
            if pixel_hash(picture) != self._digests[i].tobytes():
                other = (
                    f", or by another decoder: it was {manifest.decoder}, here it is {decoder()}"
                    if manifest.decoder != decoder()
                    else ""
                )
                raise GanbenchError(
                    f"{found.where}: {plain(name)} is not the image that was added{other}; "
                    f"get it again, or {self._otherwise()}"
                )
            return picture

        return image


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
            """Found by its number over all files; stored channel by channel."""
            k = int(np.searchsorted(starts, i, "right")) - 1
            return Image.fromarray(np.ascontiguousarray(self._arrays[k][i - starts[k]].transpose(1, 2, 0)))

        return image


def _there(c: Card, file: FileCard) -> Path:
    path = locate(c.name, file.file)
    if path is None:
        raise GanbenchError(f"dataset {c.name}: {file.file} not found; run: ganbench data fetch {c.name}")
    return path
