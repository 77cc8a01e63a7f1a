"""Datasets that users have added under names of their own: a card beside the manifests of each, in the data folder.

A card may come from anybody: it says where images lie within a folder that is added, how many, and their hash. None
stands before one of ours.
"""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from benchmark.data.cards import Card, cards
from benchmark.data.home import data_root
from benchmark.errors import GanbenchError
from benchmark.suite.file import read
from benchmark.suite.nodes import Node

FILE = "ganbench-card.yaml"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")  # it names folders
SKIP = ("*.txt", "*.md", "*.json", "*.csv", "*.tsv", "*.html", "*.xml", "*.yaml", "*.yml", "*LICENSE*", "*README*")
"""What is said beside images, and passed over."""
KEYS = ("title", "resolutions", "size", "channels", "classes", "splits", "licence", "home")
SPLIT_KEYS = ("count", "under", "classes", "content")
CONTENT = re.compile("[0-9a-f]{64}")
MOST_SPLITS, MOST_IMAGES, MOST_PIXELS = 20, 10_000_000, 8_192


def own_names() -> list[str]:
    """Of all datasets that have a card in the data folder, whatever it holds."""
    try:
        found = [entry.name for entry in os.scandir(data_root()) if is_own(entry.name)]
    except (OSError, GanbenchError):  # said where a file of it is needed
        return []
    return sorted(found)


def is_own(name: str) -> bool:
    """Whether a dataset of that name, which is none of ours, has a card here."""
    return may_be_called(name) is None and card_file(name).is_file()


def may_be_called(name: str) -> str | None:
    """Why no dataset of a user's may have this name; None if one may."""
    if name in cards():
        return f"{name} is one of ganbench's own datasets: choose another name"
    if not NAME.fullmatch(name):
        return f"{name[:100]!r} cannot be a name: lower-case letters, digits and dashes, at most 100"
    return None


def card_file(name: str) -> Path:
    """Where the card of a user's dataset is."""
    return data_root() / name / FILE


def own_card(name: str) -> Card:
    """The card of one of ``own_names``.

    Raises:
        GanbenchError: it cannot be read, or is not as cards are, with its line.
    """
    path = card_file(name)
    try:
        about = os.stat(path)
    except OSError as error:
        raise GanbenchError(f"{path}: cannot be read: {error.strerror}", 2) from None
    return _read(name, path, about.st_mtime_ns, about.st_size)


@functools.lru_cache
def _read(name: str, path: Path, changed: int, size: int) -> Card:
    root = read(path, "dataset card")
    given = root.mapping(KEYS, ("resolutions", "channels", "classes", "splits"))
    low, high = _pair(given["resolutions"])
    return Card(
        name=name,
        title=given["title"].text() if "title" in given else name,
        reader="images",
        resolutions=(low, high),
        channels=tuple(_one_of(node, (1, 3), "channels") for node in given["channels"].at_most(2).items()),
        classes=_within(given["classes"], MOST_IMAGES),
        splits=_splits(given["splits"]),
        sources=(),
        licence=given["licence"].text() if "licence" in given else "not stated",
        home=given["home"].text() if "home" in given else "",
        size=_within(given["size"], MOST_PIXELS) if "size" in given else None,
    )


def _splits(node: Node) -> dict[str, dict[str, Any]]:
    found = {}
    for split, inner in node.at_most(MOST_SPLITS).mapping().items():
        if not NAME.fullmatch(split):
            inner.fail(f"{split[:100]!r} cannot be a split: lower-case letters, digits and dashes")
        found[split] = _split(inner)
    return found or node.fail("there are no splits")


def _split(node: Node) -> dict[str, Any]:
    given = node.mapping(SPLIT_KEYS, ("count", "content"))
    if not CONTENT.fullmatch(content := given["content"].text()):
        given["content"].fail("content is a SHA-256 of 64 digits, as 'ganbench data add' writes it")
    under = given["under"].text() if "under" in given else ""
    if under.startswith("/") or "\\" in under or ".." in PurePosixPath(under).parts:
        given["under"].fail(f"{under[:80]!r} leads out of the folder that is added")
    classes = given["classes"].one_of(("folder", "none"), "source of classes") if "classes" in given else "none"
    count = _within(given["count"], MOST_IMAGES)
    return {"count": count, "under": [under], "skip": SKIP, "classes": classes, "content": content}


def _pair(node: Node) -> tuple[int, int]:
    found = [_within(item, MOST_PIXELS) for item in node.at_most(2).items()]
    if len(found) != 2 or found[0] > found[1]:
        node.fail("resolutions are the smallest and the largest, in pixels a side: [8, 64]")
    return found[0], found[1]


def _within(node: Node, most: int) -> int:
    if not 1 <= (value := node.integer()) <= most:
        node.fail(f"expected a whole number from 1 to {most:,}, found {value:,}")
    return value


def _one_of(node: Node, known: tuple[int, ...], what: str) -> int:
    if (value := node.integer()) not in known:
        node.fail(f"{what} are {' or '.join(map(str, known))}, found {value:,}")
    return value
