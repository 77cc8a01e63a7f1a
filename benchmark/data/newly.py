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
from benchmark.data.by_folders import by_split, same_classes, without_classes
from benchmark.data.by_folders import classes as classes_of
from benchmark.data.cards import Card
from benchmark.data.own import MOST_PIXELS, SKIP, card_file, is_own, may_be_called, own_card
from benchmark.data.pictures import JUNK_FOLDERS, Pictures, from_folder, from_zip
from benchmark.errors import GanbenchError, few, plain
from benchmark.files import write_whole

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
            if not (pixels == pixels[..., :1]).all():
                self.grey = False  # and never back: several threads look


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
    found, seen = _drafted(name, path, say), Seen()
    made = [m for split in found.splits if (m := manifest.make(found, split, path, None, say, seen.look))]
    found = _measured(found, made, seen)
    if is_own(name):
        _refuse_other(found, own_card(name))
    else:
        _write(found)
    write_all(made, say)
    say(f"{name}: {_in_words(found)}; suites may say dataset: {name} (its card: {card_file(name)})")


def _drafted(name: str, path: Path, say: Say) -> Card:
    """A card by the names of the files alone; of what is no class there, a line is said."""
    found = from_folder(path, SKIP) if path.is_dir() else from_zip(path, str(path), SKIP)
    if not found.names:
        raise GanbenchError(f"{found.where} holds no images")
    if path.is_dir():
        _refuse_links(found, path)
    by = by_split(found)
    splits = {split: (under, classes_of(names)) for split, (under, names) in by.items()}
    for under, _ in splits.values():
        if not under.isprintable() or "\\" in under:  # a card cannot say it
            raise GanbenchError(f"{found.where}: rename the folder {plain(under)}: its name is no plain text")
    names = {split: inner for split, (_, inner) in by.items()}
    classes = same_classes(name, names)
    for line in [*without_classes(names), *_empty(path, by)]:
        say(f"{name}: {line}")
    return Card(
        name=name,
        title=name,
        reader="images",
        resolutions=(1, 1),
        channels=(3,),
        classes=classes,
        splits={
            split: {
                "count": len(names[split]),
                "under": [under],
                "skip": SKIP,
                "classes": "folder" if named else "none",
            }
            for split, (under, named) in splits.items()
        },
        sources=(),
        licence="not stated",
        home="",
    )


def _empty(path: Path, by: dict[str, tuple[str, list[str]]]) -> list[str]:
    """Folders where those of classes are, which hold no images, a line a split."""
    said = []
    for split, (under, names) in by.items() if path.is_dir() else ():
        known = {*JUNK_FOLDERS, *(name.partition("/")[0] for name in names)}
        folders = sorted(entry.name for entry in os.scandir(path / under) if entry.is_dir())
        if hollow := [plain(folder) for folder in folders if folder not in known]:
            said.append(f"{split}: without images, and so no class: {', '.join(few(hollow, 3))}")
    return said


def _refuse_links(found: Pictures, path: Path) -> None:
    """Raises GanbenchError on an image that a link leads to, out of the folder."""
    root = os.path.realpath(path)
    for name in found.names:
        if not os.path.realpath(os.path.join(root, name)).startswith(f"{root}{os.sep}"):
            raise GanbenchError(f"{found.where}: {plain(name)} is outside of it, by a link: put a copy there")


def _measured(c: Card, made: Made, seen: Seen) -> Card:
    sides = {side for size in seen.sizes for side in size}
    largest = min(MOST_PIXELS, max(LARGEST, *sides))
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
    for split, s in found.splits.items():
        if (lies := s["under"]) != (said := there.splits[split]["under"]):
            raise GanbenchError(
                f"the images of {found.name} {split} are in {_folder(lies)} here, and by its card in {_folder(said)}: "
                f"move them, or remove the card ({card_file(found.name)}) and add them again"
            )


def _folder(under: list[str]) -> str:
    return plain(under[0]) if under[0] else "the folder itself"


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
