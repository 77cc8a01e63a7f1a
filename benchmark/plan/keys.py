"""Run keys: a run is what it computes. Never a path, never a registered name."""

from __future__ import annotations

from typing import Any

from benchmark.catalogue import plugin
from benchmark.data.cards import card
from benchmark.data.read import subset_hash
from benchmark.recipe import Protocol, Recipe, content_hash

STEP_VERSION = 1
"""Raised when ``train/`` changes what a recipe computes (the order of draws, an initialisation)."""


def algorithm_versions(recipe: Recipe) -> dict[str, Any]:
    """The version of every plug-in that the recipe uses, and of the step itself."""
    parts = [recipe.loss[0], *(name for name, _ in recipe.parts)]
    return {
        "step": STEP_VERSION,
        "network": [recipe.network[0], plugin("networks", recipe.network[0]).version],
        "methods": [[name, plugin("methods", name).version] for name in parts],
    }


def run_key(recipe: Recipe, seed: int) -> str:
    """16 hex digits of the sha256 over recipe, dataset content, subset, seed and algorithm versions.

    Raises:
        GanbenchError: the recipe names a dataset, network or part that does not exist.
    """
    c = card(recipe.dataset)
    count = c.split(recipe.split)["count"]
    what = {
        "recipe": recipe.to_json(),
        "content": c.content(recipe.split, recipe.resolution, recipe.channels),
        "subset": subset_hash(count, recipe.data_percent, recipe.images),
        "seed": seed,
        "versions": algorithm_versions(recipe),
    }
    return content_hash(what)[:16]


def evaluation_key(run: str, protocol: Protocol) -> str:
    """16 hex digits that stand for a run measured under a protocol."""
    return content_hash([run, protocol.fingerprint()])[:16]
