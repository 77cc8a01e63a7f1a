"""What the cells of one table owe each other and the data: no twins, ids that tell them apart, notes, restated
numbers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmark.data.cards import card
from benchmark.errors import GanbenchError
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.filter import Filter
from benchmark.suite.model import Cell
from benchmark.suite.nodes import Node

MOST_NOTES = 200  # of a table
MOST_MEASUREMENTS = 100_000  # of a run; the most of the papers' is in the hundreds


def restated(given: dict[str, Any], cell: Cell, node: Node) -> Cell:
    """The cell again, with the caption's numbers: they must be the table's own, rounded."""
    numbers = {}
    for metric, p in given["published"].items():
        own = cell.published.get(metric)
        if (
            own is None
            or own.value is None
            or p.value is None
            or round(own.value, len(p.text.partition(".")[2])) != p.value
        ):
            node.fail(f"{metric} {p.text} does not restate {cell.id}, which has {own.text if own else 'none'}")
        numbers[metric] = replace(p, origin=own.origin)
    return replace(cell, table=given["table"], group=given["group"], published=numbers, remarks=given["remarks"])


def remarked(cells: list[Cell], node: Node) -> list[Cell]:
    """``notes: {filter: text}``: each text on the cells that its filter chooses."""
    for text, note in node.at_most(MOST_NOTES).mapping().items():
        try:
            chosen = Filter(text) if text != "all" else lambda cell: True
        except GanbenchError as error:
            note.fail(str(error).replace("--only", "notes:", 1))
        if not any(map(chosen, cells)):
            note.fail(f"no cell of this table matches {text!r}")
        cells = [replace(c, remarks=(*c.remarks, note.text())) if chosen(c) else c for c in cells]
    return cells


def sized(cells: list[Cell]) -> list[Cell]:
    """Cells whose dataset has several resolutions in the table name theirs in the id."""
    sizes: dict[str, set[int]] = {}
    for c in cells:
        sizes.setdefault(c.dataset, set()).add(c.resolution)
    return [replace(c, sized=len(sizes[c.dataset]) > 1 or c.sized) for c in cells]


def refuse_twins(cells: list[Cell], node: Node) -> list[Cell]:
    """The cells, if no two are the same."""
    seen: set[tuple[str, int]] = set()
    for cell in cells:
        if "/" in cell.method + cell.table:
            node.fail(f"'/' parts the coordinates of a cell, so that no method or table may hold it: {cell.method!r}")
        if (cell.id, cell.resolution) in seen:
            node.fail(f"two rows make the same cell {cell.id}")
        seen.add((cell.id, cell.resolution))
    return cells


def check_measurements(recipe: Recipe, protocol: Protocol, node: Node) -> None:
    """Fails at ``node`` if the recipe is measured more often than anything can be kept of it."""
    every = protocol.every_steps, protocol.every_epochs
    for whole, of_one in zip((recipe.steps, recipe.epochs), every):
        if whole and of_one and whole // of_one > MOST_MEASUREMENTS:
            node.fail(f"{whole // of_one:,} measurements of one run, and at most {MOST_MEASUREMENTS:,} are kept")


def check_dataset(recipe: Recipe, node: Node) -> None:
    """Fails at ``node`` if the recipe's dataset has no such split, size or number of channels."""
    try:
        card(recipe.dataset).check(recipe.split, recipe.resolution, recipe.channels, recipe.resize)
    except GanbenchError as error:
        node.fail(str(error))
