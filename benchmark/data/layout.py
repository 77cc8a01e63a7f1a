"""Where the images of a split lie in what a person has, in which order, and which class each is: as the dataset's card
says.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from benchmark.data.lsun import from_lmdb
from benchmark.data.pictures import Pictures, from_folder, from_zip
from benchmark.errors import GanbenchError, plain, sure

UNLABELLED = -1


def find(split: dict[str, Any], path: Path) -> Pictures | None:
    """The images of one split in ``path``: a folder, a zip archive, or the folder of an LMDB database. None if they are
    not there.

    The card's ``under`` names the folders to look in, the first that is there counts; ``path`` may be
    that folder itself. ``skip`` names other files that the distribution holds.

    Raises:
        GanbenchError: the archive or database is damaged, or something lies among the images that is none.
    """
    skip, candidates = split.get("skip", ()), split.get("under", [""])
    if path.is_file():
        archives = (from_zip(path, str(path), skip, under) for under in candidates)
        return next((p for p in archives if p.names), None)
    for under in candidates:
        named = PurePosixPath(under).name
        for folder in (path / under, *([path] if named and path.name == named else [])):
            if (folder / "data.mdb").is_file():
                return from_lmdb(folder)
            if folder.is_dir() and (found := from_folder(folder, skip)).names:
                return found
    return None


def arrange(found: Pictures, split: dict[str, Any], classes: int) -> tuple[Pictures, np.ndarray]:
    """The images in the order of the card, and their classes (N,) int64, -1 where there is no label.

    Raises:
        GanbenchError: there are more or fewer images or classes than the card says, or they are not numbered without a
            gap.
    """
    if len(found.names) != split["count"]:
        raise GanbenchError(
            f"{found.where} holds {len(found.names):,} images, the card says {split['count']:,}: something "
            "is missing, or does not belong there"
        )
    order = split.get("order", "name")
    if order == "number":
        found = found.arranged(_by_number(found))
    elif order == "basename":  # a flat folder and class folders give the same order
        found = found.arranged(sorted(range(len(found.names)), key=lambda i: found.names[i].rpartition("/")[2]))
    return found, _labels(found, split.get("classes", "none"), classes)


def _by_number(found: Pictures) -> list[int]:
    numbers = [re.sub(r"\D", "", PurePosixPath(name).stem) for name in found.names]
    if not all(numbers) or sorted(values := [int(n) for n in numbers]) not in (
        [*range(len(values))],
        [*range(1, len(values) + 1)],
    ):
        raise GanbenchError(
            f"{found.where}: the images must be numbered from 0 or 1 without a gap, since the card's splits "
            "go by number"
        )
    return sorted(range(len(values)), key=values.__getitem__)


def _labels(found: Pictures, how: str, classes: int) -> np.ndarray:
    count = len(found.names)
    if how == "none":
        return np.full(count, 0 if classes == 1 else UNLABELLED, np.int64)
    if how == "folder":
        named = [name.partition("/")[0] if "/" in name else "" for name in found.names]
    else:  # a table beside the images: file, class, …
        rows = (line.split("\t") for line in sure(found.text)(how).splitlines() if line.count("\t"))
        table = {row[0]: row[1] for row in rows}
        named = [table.get(name.rpartition("/")[2], "") for name in found.names]
    if "" in named:
        raise GanbenchError(
            f"{found.where}: {plain(found.names[named.index('')])} has no class (the classes come from "
            f"{'the folders' if how == 'folder' else how})"
        )
    numbers = {name: i for i, name in enumerate(sorted(set(named)))}
    if len(numbers) != classes:
        raise GanbenchError(f"{found.where}: {len(numbers):,} classes, the card says {classes:,}")
    return np.array([numbers[name] for name in named], np.int64)
