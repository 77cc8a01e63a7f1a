"""``ganbench data add NAME FOLDER --new``: a set of images of which nobody has written a card gets one, from what is
found: splits and classes by folders, sizes and colours by looking, each split's content by its hash.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from benchmark.data import manifest
from benchmark.data.add import Made, Say, write_all
from benchmark.data.cards import Card
from benchmark.data.own import SKIP, card_file, is_own, may_be_called, own_card
from benchmark.data.pictures import Pictures, from_folder, from_zip
from benchmark.errors import GanbenchError, few, plain
from benchmark.files import write_whole

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("unlabeled", "unlabelled"), "unlabeled"),
}
"""Folder, in lower case -> split."""
SMALLEST, LARGEST = 8, 64  # pixels a side to which any image may be resized; larger ones to their own size
HEAD = """\
# Written by 'ganbench data add {name} FOLDER --new'. title, resolutions, licence and home may be changed, and the file
# may be given to others, who add the same images by 'ganbench data add {name} FOLDER' once it is in their data folder.
"""


@dataclass
class Seen:
    """What all pictures are like."""

    sizes: set[tuple[int, int]] = field(default_factory=set)
    grey: bool = True

    def look(self, picture: Image.Image) -> None:
        """At one of them, in RGB."""
        self.sizes.add(picture.size)
        if self.grey:
            pixels = np.asarray(picture)
            self.grey = bool((pixels == pixels[..., :1]).all())


def add_new(name: str, path: Path, say: Say = print) -> None:
    """Decode every image of ``path``, a folder or a zip archive, and write the card and the manifests of a dataset.

    Raises:
        GanbenchError: a dataset cannot have that name, or has it and other images; there are no images, one is damaged,
            or folders do not say what is a split and what is a class. Nothing is written then.
    """
    if why := may_be_called(name):
        raise GanbenchError(why, 2)
    if not path.exists():
        raise GanbenchError(f"{plain(str(path))} does not exist")
    found, seen = _drafted(name, path), Seen()
    made = [m for split in found.splits if (m := manifest.make(found, split, path, None, say, seen.look))]
    found = _measured(found, made, seen)
    if is_own(name):
        _refuse_other(found, own_card(name))
    else:
        _write(found)
    write_all(made, say)
    say(f"{name}: {_in_words(found)}; suites may say dataset: {name} (its card: {card_file(name)})")


def _drafted(name: str, path: Path) -> Card:
    """A card by the names of the files alone."""
    found = from_folder(path, SKIP) if path.is_dir() else from_zip(path, str(path), SKIP)
    if not found.names:
        raise GanbenchError(f"{found.where} holds no images")
    if path.is_dir():
        _refuse_links(found, path)
    splits = {split: (under, _classes(names)) for split, (under, names) in _by_split(found).items()}
    counts = {split: len(names) for split, (_, names) in _by_split(found).items()}
    classes = _same_classes(name, {split: named for split, (_, named) in splits.items() if named})
    return Card(
        name=name,
        title=name,
        reader="images",
        resolutions=(1, 1),
        channels=(3,),
        classes=classes,
        splits={
            split: {"count": counts[split], "under": [under], "skip": SKIP, "classes": "folder" if named else "none"}
            for split, (under, named) in splits.items()
        },
        sources=(),
        licence="not stated",
        home="",
    )


def _by_split(found: Pictures) -> dict[str, tuple[str, list[str]]]:
    """Split -> its folder, and the names of its images from there; folders around all of it are passed by."""
    under, names = "", list(found.names)
    while len(tops := {_top(name) for name in names}) == 1 and (top := min(tops)) and top.lower() not in SPLITS:
        under, names = f"{under}{top}/", [name.partition("/")[2] for name in names]
    named = sorted(top for top in tops if top.lower() in SPLITS)
    if len(named) < len(tops):
        if len({SPLITS[top.lower()] for top in named}) > 1:
            others = ", ".join(few([plain(top) or "images beside them" for top in sorted(tops - {*named})], 3))
            raise GanbenchError(
                f"{found.where}: {' and '.join(named)} look like splits, and {others} like none: give a folder with "
                "one or the other"
            )
        return {"train": (under.rstrip("/"), names)}
    by: dict[str, tuple[str, list[str]]] = {}
    for top in named:
        if (split := SPLITS[top.lower()]) in by:
            raise GanbenchError(f"{found.where}: {by[split][0]} and {under}{top} are both called {split}")
        by[split] = f"{under}{top}", [name.partition("/")[2] for name in names if _top(name) == top]
    return {split: by[split] for split in dict.fromkeys(SPLITS.values()) if split in by}


def _top(name: str) -> str:
    """The first folder; "" of a file that is in none."""
    top, mark, _ = name.partition("/")
    return top if mark else ""


def _classes(names: list[str]) -> frozenset[str]:
    """The folders that all images of a split are in; none where there is one, or some are in none."""
    found = frozenset(map(_top, names))
    return found if len(found) > 1 and "" not in found else frozenset()


def _same_classes(name: str, found: dict[str, frozenset[str]]) -> int:
    """How many classes there are: classes are numbers, by the order of their names, in each split the same."""
    if not found:
        return 1
    (first, most), *others = found.items()
    for split, named in others:
        if named != most:
            odd = ", ".join(few([plain(one) for one in sorted(named ^ most)], 3))
            raise GanbenchError(f"{name}: {first} and {split} have not the same folders of classes: {odd}")
    return len(most)


def _refuse_links(found: Pictures, path: Path) -> None:
    """Raises GanbenchError on an image that a link leads to, out of the folder."""
    root = os.path.realpath(path)
    for name in found.names:
        if not os.path.realpath(os.path.join(root, name)).startswith(f"{root}{os.sep}"):
            raise GanbenchError(f"{found.where}: {plain(name)} is outside of it, by a link: put a copy there")


def _measured(c: Card, made: Made, seen: Seen) -> Card:
    sides = {side for size in seen.sizes for side in size}
    largest = max(LARGEST, *sides)
    return replace(
        c,
        resolutions=(min(SMALLEST, *sides), largest),
        size=min(sides) if len(sides) == 1 else None,
        channels=(1, 3) if seen.grey else (3,),
        splits={split: {**s, "content": m.contents[split]} for (split, s), (m, _) in zip(c.splits.items(), made)},
    )


def _refuse_other(found: Card, there: Card) -> None:
    """Raises GanbenchError where a card of that name is there, of other images."""
    old, new = ({split: s["content"] for split, s in c.splits.items()} for c in (there, found))
    if old != new:
        raise GanbenchError(
            f"there is a dataset {found.name} already, with other images: choose another name (results of it are of "
            f"those that its card, {card_file(found.name)}, is of)"
        )


def _write(c: Card) -> None:
    splits = {
        split: {"count": s["count"], "under": s["under"][0], "classes": s["classes"], "content": s["content"]}
        for split, s in c.splits.items()
    }
    said = {
        "title": c.title,
        "resolutions": list(c.resolutions),
        **({"size": c.size} if c.size else {}),
        "channels": list(c.channels),
        "classes": c.classes,
        "splits": splits,
        "licence": c.licence,
    }
    text = HEAD.format(name=c.name) + yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1_000_000)
    path = card_file(c.name)
    try:
        write_whole(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise GanbenchError(
            f"cannot write {path} ({error.strerror or error}); set GANBENCH_DATA to a folder that can be written"
        ) from None


def _in_words(c: Card) -> str:
    sizes = f"{c.size} x {c.size} pixels" if c.size else "of several sizes, or not square: a recipe says crop, resize"
    labelled = [split for split, s in c.splits.items() if s["classes"] == "folder"]
    classes = f"{c.classes:,} classes, by folders of {', '.join(labelled)}" if labelled else "no classes"
    return f"{sizes}; {'grey' if c.channels == (1, 3) else 'colour'}; {classes}"
