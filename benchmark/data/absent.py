"""What of a dataset is not on this machine, and how a person gets it."""

from __future__ import annotations

from benchmark.data.cards import Card, card, data_root, folder_of, locate
from benchmark.errors import GanbenchError


def mend(c: Card) -> str:
    """How a person gets a dataset that is not here."""
    if c.reader == "outside":
        return f"put it into {folder_of(c.name)}{f' ({c.home})' if c.home else ''}"
    if c.sources:
        return f"run: ganbench data fetch {c.part_of or c.name}"
    return f"{f'get it from {c.home}, then ' if c.home else ''}run: ganbench data add {c.name} FOLDER"


def missing(name: str, split: str) -> str | None:
    """What is missing or cut short before the split can be read, with the command that mends it; None if nothing is."""
    from benchmark.data.quick import damaged, not_added

    c = card(name)
    whole = c.part_of or name
    if c.reader == "images":
        return not_added(c, split)
    try:
        found = [(files, [locate(name, f.file) for f in files]) for files in c.choices(split)]
        absent = [[f.file for f, path in zip(*form) if path is None] for form in found]
        if not all(absent):
            return damaged(whole, *found[absent.index([])])
        root = data_root()
    except GanbenchError as error:
        return f"dataset {whole}: {error}"
    others = "".join(f" (or {', '.join(files)})" for files in absent[1:])
    where = f"{root}{', which is no folder: set GANBENCH_DATA to one' if root.is_file() else ''}"
    return f"dataset {whole}: {', '.join(absent[0])}{others} not found in {where}; {mend(c)}"
