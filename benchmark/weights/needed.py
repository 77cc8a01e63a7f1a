"""Which weights a recipe takes: those that its plug-ins' ``WEIGHTS`` name for the arguments that it gives them."""

from __future__ import annotations

from benchmark.catalogue import plugins
from benchmark.recipe import Recipe
from benchmark.weights.known import known


def needed(recipe: Recipe) -> list[str]:
    """Their names, in alphabetical order; a plug-in that is not there needs none."""
    used = [("networks", recipe.network), *(("methods", named) for named in (recipe.loss, *recipe.parts))]
    found = [(plugins(room).get(name), given) for room, (name, given) in used]
    return sorted({weights for plugin, given in found if plugin for weights in plugin.needs(given)})


def hashes(recipe: Recipe) -> list[list[str]]:
    """Name and sha256 of each; part of the run's key."""
    return [[name, known(name).sha256] for name in needed(recipe)]


def proxies(recipe: Recipe) -> list[str]:
    """Names of those that stand in for weights that papers use."""
    return [name for name in needed(recipe) if known(name).proxy]
