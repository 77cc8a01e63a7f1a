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


def same_classes(name: str, found: dict[str, frozenset[str]]) -> int:
    """How many classes there are: classes are numbers, by the order of their names, in each split the same."""
    if not found:
        return 1
    (first, most), *others = found.items()
    for split, named in others:
        if named != most:
            odd = ", ".join(few([plain(one) for one in sorted(named ^ most)], 3))
            raise GanbenchError(f"{name}: {first} and {split} have not the same folders of classes: {odd}")
    return len(most)
