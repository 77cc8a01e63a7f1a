"""``ganbench data verify|list``: what of a dataset is here, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmark.data.absent import mend, missing
from benchmark.data.add import whole_splits
from benchmark.data.cards import Card, card, data_root, locate
from benchmark.data.check import check_file, read_file
from benchmark.data.declared import load
from benchmark.data.read import read_cifar
from benchmark.data.streams import Added
from benchmark.data.touched import is_told, look, remember, touched
from benchmark.errors import GanbenchError, sure


def verify(name: str) -> Iterator[tuple[str, str | None]]:
    """Each file, or set of images, of a dataset with what is wrong with it, or None."""
    c = card(name)
    if c.reader == "images":
        for split in whole_splits(c):
            yield split, _wrong_images(c, split)
        return
    forms = [form for form in c.choices() if all(locate(name, f.file) for f in form)] or c.choices()[:1]
    for file in (f for form in forms for f in form):
        try:
            if (path := locate(name, file.file)) is None:
                read_file(name, file)
            else:
                check_file(name, file, path)
            yield file.file, None
        except GanbenchError as error:
            yield file.file, str(error)
    if len(forms) == 2:
        yield "both archives hold the same images", _differing(c)


def _wrong_images(c: Card, split: str) -> str | None:
    if why := missing(c.name, split):
        return why
    try:
        added = Added(c, split)
        mark = look(c, added.manifest)
        picture = added.open()
        for i in range(len(added.labels)):
            picture(i)
    except GanbenchError as error:
        return str(error)
    remember(added.manifest, mark)
    return None


def _differing(c: Card) -> str | None:
    for split in c.splits:
        try:
            one, other = (read_cifar(c, split, form) for form in (0, 1))
        except GanbenchError as error:
            return str(error)
        if not all(map(np.array_equal, one, other)):
            return f"{split}: they differ, so that results would depend on which one is there; please report it"
    return None


def state(c: Card) -> str:
    """Says "ready", and for a set of images by whose word; else what is missing, and how to get it."""
    if c.reader != "images":
        absent = dict.fromkeys(filter(None, (missing(c.name, split) for split in c.splits)))
        if not absent:
            return "ready"
        if why := _out_of_reach(c):
            return f"missing: {why}"
        lists = [[f.file for f in form if locate(c.name, f.file) is None] for form in c.choices()]
        if not all(lists):
            return next(iter(absent))  # here, and not what it should be
        return f"missing {' (or '.join(', '.join(files) for files in lists)}{')' * (len(lists) - 1)}; {mend(c)}"
    there = {split: missing(c.name, split) for split in whole_splits(c)}
    added = {split: sure(load(data_root() / c.name, c.name, split)) for split, why in there.items() if why is None}
    lacking = [f"missing {split}: {why.removeprefix(f'dataset {c.name}: ')}" for split, why in there.items() if why]
    if not added:
        return f"missing; {mend(c)}" if all(_never_added(c, split) for split in there) else "; ".join(lacking)
    changed = {split: why for split, manifest in added.items() if (why := touched(c, manifest))}
    found = [f"{split} {manifest.standing}" for split, manifest in added.items() if split not in changed]
    lacking += changed.values()
    ready = [f"ready{' in part' if lacking else ''}: {', '.join(found)}"] * bool(found)
    untold = [split for split, manifest in added.items() if not is_told(manifest)]
    notes = [f"whether {', '.join(untold)} changed since is not known (ganbench data verify {c.name})"] * bool(untold)
    return "; ".join([*ready, *lacking, *notes])


def _out_of_reach(c: Card) -> str | None:
    """Why nobody can say which of its files are there."""
    try:
        for file in c.files():
            locate(c.name, file.file)
    except GanbenchError as error:
        return str(error)
    return None


def _never_added(c: Card, split: str) -> bool:
    """Whether a split has never been added (a damaged manifest is something else)."""
    try:
        return load(data_root() / c.name, c.name, split) is None
    except GanbenchError:
        return False
