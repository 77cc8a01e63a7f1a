"""Which cells to run for a given number of device hours.

The rule, in two sentences. Whole tables first, since claims and rankings compare cells of one table: of those that
still fit, always the one that costs least by what is already taken (shared runs cost nothing twice), until none fits.
Then single cells of the other tables, by the same rule. Suites of higher priority come before all of this. A cell
counts with all its seeds; tables that hold cells which nothing can run are taken for the cells that can, and cells
without a published number come after all others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TIME = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)(?: ?(min|h|d))?")
UNITS = {"min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Item:
    """One cell: its table, what it needs, and whether the paper prints a number for it."""

    cell: str
    table: str
    needs: frozenset[str]  # trainings to do
    published: bool
    priority: int = 0


@dataclass(frozen=True)
class Taken:
    """One choice: a table ("table gran/2") or a cell, and the seconds that it adds."""

    name: str
    cells: tuple[str, ...]
    seconds: float


def choose(items: Iterable[Item], seconds: Mapping[str, float], budget_s: float) -> tuple[list[Taken], list[str]]:
    """What to take, in the order of taking, and the cells that are left.

    Args:
        seconds: of each training, by the name that ``Item.needs`` uses.
    """
    items = list(items)
    taken: list[Taken] = []
    have: set[str] = set()
    chosen: set[str] = set()
    spent = 0.0
    for priority, published in itertools.product(
        sorted({item.priority for item in items}, reverse=True), (True, False)
    ):
        cells = [item for item in items if (item.priority, item.published) == (priority, published)]
        tables: dict[str, list[Item]] = {}
        for item in cells:
            tables.setdefault(item.table, []).append(item)
        for units in (
            {f"table {name}": found for name, found in tables.items()},
            {item.cell: [item] for item in cells},
        ):
            while (best := _cheapest(units, chosen, have, seconds, budget_s - spent)) is not None:
                name, price = best
                fresh = tuple(item.cell for item in units[name] if item.cell not in chosen)
                taken.append(Taken(name, fresh, price))
                chosen.update(fresh)
                have.update(need for item in units[name] for need in item.needs)
                spent += price
    return taken, [item.cell for item in items if item.cell not in chosen]


def _cheapest(
    units: Mapping[str, list[Item]], chosen: set[str], have: set[str], seconds: Mapping[str, float], left: float
) -> tuple[str, float] | None:
    """The unit that adds the fewest seconds and fits; the first of equals; None if none does."""
    best: tuple[str, float] | None = None
    for name, found in units.items():
        if all(item.cell in chosen for item in found):
            continue
        price = sum(seconds[need] for need in {n for item in found for n in item.needs} - have)
        if price <= left and (best is None or price < best[1]):
            best = name, price
    return best


def parse_hours(text: str) -> float:
    """``"500h"``, ``"90min"``, ``"2d"`` or a plain number of hours, in seconds; raises ValueError on anything else, on
    zero and on less.
    """
    if not (parts := TIME.fullmatch(text)):
        raise ValueError(f"{text}: not a time")
    value = float(parts[1]) * UNITS[parts[2] or "h"]
    if not 0 < value < float("inf"):
        raise ValueError(f"{text}: not a positive time")
    return value
