"""The recipes of the five papers, as full-width training steps: what differs only in data, rates or length is one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmark.canonical import canonical_text
from benchmark.data.cards import card
from benchmark.data.subsets import subset_size
from benchmark.errors import GanbenchError
from benchmark.plan.keys import algorithm_versions
from benchmark.recipe import Recipe
from benchmark.suite.load import load_all
from benchmark.suite.model import Cell

NO_PART_OF_A_STEP = (
    "dataset", "split", "data_percent", "images", "subset", "crop", "resize", "hflip", "epochs", "steps", "drop_last",
    "lr_g", "lr_d", "lr_decay", "lr_decay_start", "ema_start",
)  # fmt: skip
"""Fields of a recipe that change no loss and no gradient of a step on given images."""


@dataclass(frozen=True)
class Entry:
    """One kind of step: the recipe of the first cell that takes it, as its suite has it."""

    cell: str
    recipe: Recipe
    total_steps: int
    cells: int  # that take this step


def entries(cells: Iterable[Cell] | None = None) -> tuple[list[Entry], dict[str, str]]:
    """Every kind of step, and the cells whose networks or methods are not implemented, each with the reason.

    Args:
        cells: those of the five papers in profile ``full``, if not given.
    """
    kinds: dict[str, list[Cell]] = {}
    blocked: dict[str, str] = {}
    for cell in (c for suite in load_all([], "full") for c in suite.cells) if cells is None else cells:
        try:
            algorithm_versions(cell.recipe)
        except GanbenchError as error:
            blocked[cell.id] = str(error)
        else:
            kinds.setdefault(step_of(cell.recipe), []).append(cell)
    return [Entry(c[0].id, c[0].recipe, _total(c[0].recipe), len(c)) for c in kinds.values()], blocked


def step_of(recipe: Recipe) -> str:
    """Equal for recipes whose steps on the same images have the same losses and gradients."""
    return canonical_text({k: v for k, v in recipe.to_json().items() if k not in NO_PART_OF_A_STEP})


def _total(recipe: Recipe) -> int:
    count = card(recipe.dataset).split(recipe.split)["count"]
    return recipe.total_steps(subset_size(count, recipe.data_percent, recipe.images))
