"""The keys of a planned run: never a path, never a registered name."""

from __future__ import annotations

import json
from typing import Any

from benchmark import keys as ground
from benchmark.catalogue import plugin
from benchmark.data.cards import card
from benchmark.data.subsets import subset_hash
from benchmark.metrics.real import real_key
from benchmark.recipe import Protocol, Recipe
from benchmark.weights.needed import hashes

STEP_VERSION = 1
"""Raised when ``train/`` changes what a recipe computes (the order of draws, an initialisation)."""

MEASURE_VERSION = 1
"""Raised when ``metrics/`` or ``train/evaluate.py`` changes a number: kept checkpoints are then measured again."""


def algorithm_versions(recipe: Recipe) -> dict[str, Any]:
    """The version of every plug-in that the recipe uses, and of the step itself; the hashes of weights, where it takes
    any.

    Raises:
        GanbenchError: a network or part does not exist.
    """
    parts = [recipe.loss[0], *(name for name, _ in recipe.parts)]
    weights = hashes(recipe)
    return {
        "step": STEP_VERSION,
        "network": [recipe.network[0], plugin("networks", recipe.network[0]).version],
        "methods": [[name, plugin("methods", name).version] for name in parts],
        **({"weights": weights} if weights else {}),
    }


def run_key(recipe: Recipe, seed: int) -> str:
    """The run key, from the dataset's card and the plug-ins as they are.

    Raises:
        GanbenchError: the recipe names a dataset, network or part that does not exist.
    """
    return ground.run_key(recipe, *_data(recipe), seed, algorithm_versions(recipe))


def evaluation_key(run: str, protocol: Protocol, recipe: Recipe) -> str:
    """A run measured under a protocol, as this code measures, against the real images of the dataset's card.

    Raises:
        GanbenchError: there are no such images, or no such extractor.
    """
    return ground.evaluation_key(run, protocol, MEASURE_VERSION, real_key(recipe, protocol))


Series = tuple[str, ...]
"""What the records of one recipe, on one data set, under one protocol have in common: all of their key but the seed."""


def series(
    recipe: Recipe,
    content: str,
    subset: str,
    versions: dict[str, Any],
    protocol: Protocol,
    measure_version: int,
    real: str | None,
) -> Series:
    """The series of a record: equal for two records just where, with equal seeds, their evaluation keys are."""
    return (
        recipe.canonical,
        content,
        subset,
        json.dumps(versions, sort_keys=True),
        protocol.fingerprint(),
        str(measure_version),
        real or "",
    )


def series_of(recipe: Recipe, protocol: Protocol) -> Series:
    """The series that a cell's records have, as this code runs and measures; raises GanbenchError as ``run_key``
    does.
    """
    return series(
        recipe, *_data(recipe), algorithm_versions(recipe), protocol, MEASURE_VERSION, real_key(recipe, protocol)
    )


def series_anywhere(recipe: Recipe, protocol: Protocol) -> Series:
    """The series with "" for what only the machine with the dataset knows: the content of its images.

    Raises:
        GanbenchError: the recipe names a dataset, network or part that does not exist.
    """
    c = card(recipe.dataset)
    subset = subset_hash(c.split(recipe.split)["count"], recipe.data_percent, recipe.images, recipe.subset)
    return series(recipe, "", subset, algorithm_versions(recipe), protocol, MEASURE_VERSION, None)


def _data(recipe: Recipe) -> tuple[str, str]:
    """The hashes of the split and of the subset that is trained on."""
    c = card(recipe.dataset)
    content = c.content(recipe.split, recipe.resolution, recipe.channels)
    return content, subset_hash(c.split(recipe.split)["count"], recipe.data_percent, recipe.images, recipe.subset)
