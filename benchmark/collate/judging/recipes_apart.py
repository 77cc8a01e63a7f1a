"""In what the recipes that a claim compares differ, beside the method.

The method is taken to be the recipe's parts. Network, loss, steps and all else may be its own too (WGAN-GP has its
loss, AutoGAN its network), or what the comparison is confounded with: they are listed for each pair, and not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmark.recipe import Recipe
from benchmark.suite.claim import Claim, Rank
from benchmark.suite.model import Cell

NAMED = ("network", "loss")


def recipes_apart(claim: Claim, cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """A line for each set of fields, with the pairs of one column that differ in it; last, how many differ in none.

    Args:
        cells: by id.
    """
    pairs = dict.fromkeys(
        (a, b) for a, b in _pairs(claim) if a != b and cells[a].place == cells[b].place
    )  # columns differ by design
    by_fields: dict[str, dict[str, list[str]]] = {}
    for a, b in pairs:
        fields = ", ".join(fields_apart(cells[a].full_recipe, cells[b].full_recipe))
        columns = by_fields.setdefault(fields, {}).setdefault(f"{_name(cells[a])}, {_name(cells[b])}", [])
        columns.append(a.rsplit("/", 1)[1])
    alike = by_fields.pop("", {})
    lines = [
        "; ".join(f"{names} ({', '.join(columns)})" for names, columns in of.items()) + f": {fields}"
        for fields, of in by_fields.items()
    ]
    if count := sum(map(len, alike.values())):
        lines.append(f"{'the other ' if lines else ''}{count} pair(s) of recipes: nothing beside the method's parts")
    return tuple(lines)


def fields_apart(a: Recipe, b: Recipe) -> list[str]:
    """``field one / other`` for each field in which two recipes differ, but for their parts."""
    mine, theirs = _flat(a), _flat(b)
    for field in (f for f in NAMED if mine[f] != theirs[f]):  # another network or loss: its name says enough
        mine, theirs = ({k: v for k, v in of.items() if not k.startswith(f"{field}.")} for of in (mine, theirs))
    return [
        f"{field} {mine.get(field, 'none')} / {theirs.get(field, 'none')}"
        for field in dict.fromkeys((*mine, *theirs))
        if mine.get(field) != theirs.get(field)
    ]


def _flat(recipe: Recipe) -> dict[str, Any]:
    """Fields of a recipe, those of network and loss with a name of their own each: ``network.init``."""
    flat: dict[str, Any] = {}
    for field, value in recipe.to_json().items():
        if field in NAMED:
            name, arguments = value
            flat |= {field: name} | {f"{field}.{key}": given for key, given in arguments.items()}
        elif field != "parts":
            flat[field] = value
    return flat


def _pairs(claim: Claim) -> Iterator[tuple[str, str]]:
    for leaf in claim.leaves():
        rivals = leaf.rivals if isinstance(leaf, Rank) else (leaf.b,) if leaf.b else ()
        yield from ((leaf.a.cell, rival.cell) for rival in rivals)


def _name(cell: Cell) -> str:
    return f"{cell.method}[{cell.backbone}]" if cell.backbone else cell.method
