"""Dataset cards: what a dataset is, what its bytes hash to, and where they may be fetched from."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.canonical import content_hash
from benchmark.catalogue import words
from benchmark.data.declared import load
from benchmark.data.home import cache_folder as cache_folder
from benchmark.data.home import data_root as data_root
from benchmark.data.home import is_file
from benchmark.errors import GanbenchError, nearest
from benchmark.outside.code import plain_name

FILES = ("images", "labels", "archive", "more")
"""Keys of a split that name a file."""


@dataclass(frozen=True)
class FileCard:
    """One file: its name without ``.gz``, its decompressed size in bytes, and its sha256, or the md5 where only that is
    published.
    """

    file: str
    bytes: int
    sha256: str = ""
    md5: str = ""


@dataclass(frozen=True)
class Card:
    """One dataset, as ``cards.yaml`` has it."""

    name: str
    title: str
    # "shapes" (procedural), "idx", "cifar", "folders" (a pinned zip), "tar" (a pinned tar archive of images), "stl10",
    # "images" (a folder, zip or LMDB that `data add` takes in), "outside" (code of a plug-in)
    reader: str
    resolutions: tuple[int, int]
    channels: tuple[int, ...]
    classes: int
    splits: dict[str, dict[str, Any]]
    sources: tuple[dict[str, str], ...]
    licence: str
    home: str  # where a person gets it
    archives: tuple[FileCard, ...] = ()  # of "images": archives with a published checksum
    size: int | None = (
        None  # pixels a side of every image as it lies in the files; None: not one for all, or of no account
    )
    part_of: str | None = None  # the dataset whose files this one's images are in

    def files(self, split: str | None = None) -> list[FileCard]:
        """The files of a split, or of all splits; none for a procedural dataset."""
        return self.choices(split)[0]

    def choices(self, split: str | None = None) -> list[list[FileCard]]:
        """What may hold a split, or all splits: the files of the card, or else those of its other form (CIFAR's binary
        archive).
        """
        chosen = [self.split(split)] if split else list(self.splits.values())
        forms = [chosen, [s["binary"] for s in chosen if "binary" in s]]
        found = [[FileCard(**part) for s in form for key, part in s.items() if key in FILES] for form in forms]
        return [
            list(dict.fromkeys(files)) for files in (found if forms[1] else found[:1])
        ]  # splits may share an archive

    def split(self, name: str) -> dict[str, Any]:
        """The card of one split; raises GanbenchError with the nearest name."""
        if name not in self.splits:
            raise GanbenchError(f"dataset {self.name} has no split {name!r}{nearest(name, self.splits)}", 2)
        return self.splits[name]

    def labelled(self, split: str) -> bool:
        """Whether every image of the split has a class."""
        s = self.split(split)
        if self.reader == "stl10":
            return "labels" in s and "more" not in s
        return (
            self.reader != "images"
            or self.classes == 1
            or self.split(s.get("of", split)).get("classes", "none") != "none"
        )

    def content(self, split: str, resolution: int, channels: int) -> str:
        """sha256 that stands for the split's images and labels, known without reading them.

        Raises:
            GanbenchError: the dataset's content is what ``data add`` finds on this machine, and it has not been added.
        """
        if self.reader == "images":
            return _added(self, split)
        if self.reader == "outside":
            from benchmark.data import from_outside

            return from_outside.content(self, split, resolution, channels)
        if self.reader == "shapes":
            from benchmark.data.shapes import VERSION

            what = ["shapes", VERSION, split, self.split(split)["count"], self.classes, resolution, channels]
            return content_hash(what)
        hashes = [f.sha256 or f.md5 for f in self.files(split)]
        if self.reader == "idx":
            return content_hash(hashes)
        s = self.split(split)  # splits may share an archive
        if self.reader == "tar":
            return content_hash(["tar", hashes, {k: v for k, v in s.items() if k not in FILES}, self.size, channels])
        return content_hash([self.reader, hashes, split, s.get("members"), s.get("labels_key"), channels])

    def check(self, split: str, resolution: int, channels: int, resize: str | None) -> None:
        """Raises GanbenchError (exit 2) if the dataset has no such split, size or number of channels."""
        self.split(split)
        low, high = self.resolutions
        if not low <= resolution <= high:
            raise GanbenchError(f"dataset {self.name} comes at {low} to {high} pixels, not {resolution}", 2)
        if self.size and resolution != self.size and not resize:
            raise GanbenchError(
                f"dataset {self.name} comes at {self.size} pixels: for {resolution} the recipe must say "
                "resize: bilinear",
                2,
            )
        if channels not in self.channels:
            raise GanbenchError(
                f"dataset {self.name} has {' or '.join(map(str, self.channels))} channels, not {channels}", 2
            )


@functools.cache
def cards() -> dict[str, Card]:
    """Every dataset card of the package, by name."""
    raw = yaml.safe_load((Path(__file__).parent / "cards.yaml").read_text(encoding="utf-8"))
    return {
        name: Card(
            name=name,
            title=c["title"],
            reader=c["reader"],
            resolutions=tuple(c["resolutions"]),
            channels=tuple(c["channels"]),
            classes=c["classes"],
            splits=c["splits"],
            sources=tuple(c.get("sources", ())),
            licence=c["licence"],
            home=c.get("home", ""),
            archives=tuple(FileCard(**a) for a in c.get("archives", ())),
            size=c.get("size"),
            part_of=c.get("part_of"),
        )
        for name, c in raw.items()
    }


def card(name: str) -> Card:
    """The card of a dataset; raises GanbenchError with the nearest name if there is none."""
    if (found := cards().get(name)) is not None:
        return found
    from benchmark.data.from_outside import card_from_outside, is_from_outside
    from benchmark.data.own import FILE as CARD_FILE
    from benchmark.data.own import is_own, may_be_called, own_card

    if is_from_outside(name):
        return card_from_outside(name)
    if is_own(name):
        return own_card(name)
    own = (
        f" (one of your own: ganbench data add {name} FOLDER --new; of others: their card is "
        f"{name}/{CARD_FILE} in the data folder)"
        if may_be_called(name) is None
        else ""
    )
    raise GanbenchError(f"unknown dataset {name!r}{nearest(name, {*known_datasets(), *words('datasets')})}{own}", 2)


def known_datasets() -> list[str]:
    """Names of all: ours, and those that users have added."""
    from benchmark.data.own import own_names

    return [*cards(), *own_names()]


def folder_of(name: str) -> Path:
    """Where the files of a dataset lie, or of the one that it is a part of."""
    return data_root() / (card(name).part_of or plain_name(name))


def locate(name: str, file: str) -> Path | None:
    """The file of a dataset, plain or ``.gz``, in its folder of the data root or in the root itself; None if absent.

    Raises:
        GanbenchError: the folder cannot be read, or there is no home directory that it would be in.
    """
    for place in (folder_of(name), data_root()):
        for path in (place / file, place / f"{file}.gz"):
            if is_file(path):
                return path
    return None


def _added(c: Card, split: str) -> str:
    from benchmark.data.quick import not_added

    found = load(data_root() / c.name, c.name, c.split(split).get("of", split))
    if found is None or split not in found.contents:
        raise GanbenchError(not_added(c, split) or f"dataset {c.name}: {split} has not been added")
    return found.contents[split]
