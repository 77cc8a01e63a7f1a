"""What is a split and what is a class in a folder of images, by the names of its folders alone."""

from __future__ import annotations

from benchmark.data.pictures import Pictures
from benchmark.errors import GanbenchError, few, plain

SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("unlabeled", "unlabelled"), "unlabeled"),
}
"""Folder, in lower case -> split."""


def by_split(found: Pictures) -> dict[str, tuple[str, list[str]]]:
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


def classes(names: list[str]) -> frozenset[str]:
    """The folders that all images of a split are in; none where there is one, or some are in none."""
    found = frozenset(map(_top, names))
    return found if len(found) > 1 and "" not in found else frozenset()


def same_classes(name: str, found: dict[str, list[str]]) -> int:
    """How many classes there are: classes are numbers, by the order of their names, in each split the same.

    Args:
        found: split -> the names of its images, from its folder.

    Raises:
        GanbenchError: a split has not the classes of another. (One may have none, its images in no folders of classes.)
    """
    by = {split: named for split, names in found.items() if (named := classes(names))}
    if not by:
        return 1
    (first, most), *_ = by.items()
    for split, names in found.items():
        here = by.get(split) or {_top(n) for n in names} & most  # one folder alone, if it is a class of another split
        if here and here != most:
            only = {first: most - here, split: here - most}
            odd = "; ".join(
                f"in {one} only: {', '.join(few(map(plain, sorted(c)), 3))}" for one, c in only.items() if c
            )
            raise GanbenchError(
                f"{name}: {first} and {split} have not the same folders of classes ({odd}): classes are numbered "
                "by their names, in all splits alike; give each split all of them"
            )
    return len(most)


def without_classes(found: dict[str, list[str]]) -> list[str]:
    """What a person may take for classes and is none, a line a split."""
    said = []
    by = {split: {*map(_top, names)} for split, names in found.items()}
    labelled = any(classes(names) for names in found.values())
    for split, tops in ((split, tops) for split, tops in by.items() if not classes(found[split])):
        if len(tops) > 1:
            loose = next(n for n in found[split] if not _top(n))
            said.append(f"{split}: no classes, as {plain(loose)} is in no folder of one")
        elif labelled or len(set().union(*by.values()) - {""}) > 1:
            where = plain(f"the folder {min(tops)}" if min(tops) else "no folders")
            said.append(f"{split}: no classes, as all its images are in {where}")
    return said
