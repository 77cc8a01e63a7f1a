"""What only this machine lacks for a cell, which may run elsewhere: data, weights, and packages that these need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.data.absent import missing as missing_data
from benchmark.data.cards import card
from benchmark.metrics.extractors import weights_name
from benchmark.metrics.names import IMAGE
from benchmark.metrics.real import held_out, validation_split
from benchmark.recipe import Protocol, Recipe
from benchmark.weights.known import lookup
from benchmark.weights.needed import needed
from benchmark.weights.place import missing as missing_weights


@dataclass(frozen=True)
class Missing:
    """One thing that is not here."""

    name: str  # of the dataset, or of the weights, as ``data fetch`` takes it
    why: str  # what is missing of it, and how to get it


def missing_here(recipe: Recipe, protocol: Protocol) -> tuple[Missing, ...]:
    """All that a cell, which can run somewhere, lacks here: a thing once."""
    found = [Missing(name, why) for name in weights_of(recipe, protocol) if (why := missing_weights(name))]
    c = card(recipe.dataset)
    whys = filter(None, (missing_data(c.name, split) for split in _splits(recipe, protocol)))
    return (*found, *(Missing(c.part_of or c.name, why) for why in list(whys)[:1]))


def can_be_fetched(name: str) -> bool:
    """Whether ``data fetch`` gets the dataset or weights of that name."""
    return bool(found.urls if (found := lookup(name)) else card(name).sources)


def weights_of(recipe: Recipe, protocol: Protocol) -> list[str]:
    """Names of the weights that a run takes: of its parts' networks, and of the extractor where images are measured."""
    extractor = weights_name(protocol.extractor) if _measured(protocol) else None
    return list(dict.fromkeys([*needed(recipe), *([extractor] if extractor else [])]))


def _splits(recipe: Recipe, protocol: Protocol) -> list[str]:
    """Of its dataset, those that are trained on, compared with and probed with."""
    found = [recipe.split]
    if _measured(protocol):
        found += [validation_split(recipe.dataset)] if "vFID" in protocol.metrics else []
        found += [protocol.real_split or recipe.split]
    if held := held_out(recipe, protocol):
        found.append(held.split)
    return list(dict.fromkeys(found))


def _measured(protocol: Protocol) -> bool:
    return any(metric in IMAGE for metric in protocol.metrics)


def in_words(lacks: Iterable[tuple[Missing, ...]]) -> list[str]:
    """A line for each thing that cells lack, after what each of them lacks: how many do, and how to get it."""
    whys: dict[str, list[str]] = {}
    for thing in (thing for lack in lacks for thing in lack):
        whys.setdefault(thing.name, []).append(thing.why)
    return [f"missing here, {_cells(len(found))}: {found[0]}" for found in whys.values()]


def _cells(n: int) -> str:
    return "1 cell" if n == 1 else f"{n:,} cells"
