"""Dataset cards: what a dataset is, what its bytes hash to, and where they may be fetched from."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import content_hash


@dataclass(frozen=True)
class FileCard:
    """One file: its name without ``.gz``, its decompressed size in bytes and sha256."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Card:
    """One dataset, as ``cards.yaml`` has it."""

    name: str
    title: str
    reader: str | None  # "shapes" (procedural), "idx", "cifar", "folders", or None: only its coordinates are known, nothing reads it yet
    resolutions: tuple[int, int]
    channels: tuple[int, ...]
    classes: int
    splits: dict[str, dict[str, Any]]
    sources: tuple[dict[str, str], ...]
    licence: str
    home: str  # where a person gets it

    def files(self, split: str | None = None) -> list[FileCard]:
        """The files of a split, or of all splits; none for a procedural dataset."""
        chosen = [self.split(split)] if split else self.splits.values()
        found = [FileCard(**part) for s in chosen for key, part in s.items() if key in ("images", "labels", "archive")]
        return list(dict.fromkeys(found))  # splits may share an archive

    def split(self, name: str) -> dict[str, Any]:
        """The card of one split; raises GanbenchError with the nearest name."""
        if name not in self.splits:
            raise GanbenchError(f"dataset {self.name} has no split {name!r}{nearest(name, self.splits)}", 2)
        return self.splits[name]

    def content(self, split: str, resolution: int, channels: int) -> str:
        """sha256 that stands for the split's images and labels, known without reading them.

        Raises:
            GanbenchError: there is no reader for the dataset.
        """
        if self.reader is None:
            raise GanbenchError(f"dataset {self.name} has no reader yet")
        if self.reader == "shapes":
            from benchmark.data.shapes import VERSION

            what = ["shapes", VERSION, split, self.split(split)["count"], self.classes, resolution, channels]
            return content_hash(what)
        hashes = [f.sha256 for f in self.files(split)]
        if self.reader == "idx":
            return content_hash(hashes)
        s = self.split(split)  # splits may share an archive
        return content_hash([self.reader, hashes, split, s.get("members"), s.get("labels_key"), channels])

    def check(self, split: str, resolution: int, channels: int) -> None:
        """Raises GanbenchError (exit 2) if the dataset has no such split, size or number of channels."""
        self.split(split)
        low, high = self.resolutions
        if not low <= resolution <= high:
            raise GanbenchError(f"dataset {self.name} comes at {low} to {high} pixels, not {resolution}", 2)
        if channels not in self.channels:
            raise GanbenchError(f"dataset {self.name} has {' or '.join(map(str, self.channels))} channels, not {channels}", 2)


@functools.cache
def cards() -> dict[str, Card]:
    """Every dataset card, by name."""
    raw = yaml.safe_load((Path(__file__).parent / "cards.yaml").read_text(encoding="utf-8"))
    return {
        name: Card(
            name=name,
            title=c["title"],
            reader=c.get("reader"),
            resolutions=tuple(c["resolutions"]),
            channels=tuple(c["channels"]),
            classes=c["classes"],
            splits=c["splits"],
            sources=tuple(c.get("sources", ())),
            licence=c["licence"],
            home=c.get("home", ""),
        )
        for name, c in raw.items()
    }


def card(name: str) -> Card:
    """The card of a dataset; raises GanbenchError with the nearest name if there is none."""
    if name not in cards():
        raise GanbenchError(f"unknown dataset {name!r}{nearest(name, cards())}", 2)
    return cards()[name]


def data_root() -> Path:
    """Where dataset files lie: ``$GANBENCH_DATA``, else ``ganbench/`` in the user's data folder."""
    if chosen := os.environ.get("GANBENCH_DATA"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "ganbench"


def cache_folder() -> Path:
    """``$GANBENCH_CACHE``, else ``ganbench/`` in the user's cache folder."""
    if chosen := os.environ.get("GANBENCH_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ganbench"


def locate(name: str, file: str) -> Path | None:
    """The file of a dataset, plain or ``.gz``, in ``<root>/<name>/`` or ``<root>/``; None if absent."""
    for folder in (data_root() / name, data_root()):
        for path in (folder / file, folder / f"{file}.gz"):
            if path.is_file():
                return path
    return None


def missing(name: str, split: str) -> str | None:
    """What is missing before the split can be read, with the command that mends it; None if nothing is."""
    if card(name).reader is None:
        return f"dataset {name} has no reader yet (it comes from {card(name).home})"
    absent = [f.file for f in card(name).files(split) if locate(name, f.file) is None]
    if not absent:
        return None
    return f"dataset {name}: {', '.join(absent)} not found in {data_root()}; run: ganbench data fetch {name}"
