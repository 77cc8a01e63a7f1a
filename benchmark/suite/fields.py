"""The fields of a recipe or protocol as a suite writes them: typed, within range, partial changes of what is
inherited.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from benchmark.catalogue import meant, plugins, words
from benchmark.errors import GanbenchError, nearest
from benchmark.ranges import beyond
from benchmark.recipe import NamedArgs, Protocol, Recipe
from benchmark.suite.model import METRICS
from benchmark.suite.nodes import Node

RECIPE_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Recipe)}
PROTOCOL_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Protocol)}
CHOICES = {
    "z_distribution": ("normal", "uniform"),
    "player_order": ("g-first", "d-first", "g-after-first-d"),
    "d_pass": ("separate", "joint"),
    "optimizer": ("adam",),
    "precision": ("float32", "bfloat16"),
    "subset": ("numpy-choice-0", "first"),
    "crop": ("center", "center-178"),
    "resize": ("bilinear",),
    "input_resize": ("tf1-bilinear", "bilinear"),
    "lr_decay": ("linear",),
    "bn_mode": ("eval", "train"),
    "weights": ("raw", "ema"),
    "checkpoint": ("last", "best"),
    "std_of": ("noises", "splits", "seeds", "unknown", "none"),
    "features": ("inception-2015-12-05", "efficientnet-lite0"),
    "quantise": ("round", "floor", "min-max", "min-max-mimicry", "none"),
    "best_by": METRICS,
}
ROOMS = {"features": "extractors", "dataset": "datasets"}
"""Of fields that name a plug-in, and nothing more."""
MOST_PARTS = 50
POSITIVE = (
    "resolution",
    "channels",
    "images",
    "z_dim",
    "batch_d",
    "batch_g",
    "n_dis",
    "epochs",
    "steps",
    "generated",
    "every_epochs",
    "every_steps",
    "jac_G_every_epochs",
    "data_percent",
    "z_scale",
    "adam_eps",
    "seeds",
    "real",
    "sample_batch",
    "is_generated",
    "is_splits",
    "kid_subsets",
    "kid_subset_size",
    "classes",
    "probe_images",
)


def scalar(key: str, annotation: str, node: Node) -> Any:
    """One field's value, typed and within its range; fails at ``node``."""
    value = node.typed(annotation)
    if value is None:
        return None
    if key in ROOMS:
        return _from_room(key, value, node)
    if key in CHOICES and value not in CHOICES[key]:
        node.fail(f"{key} is {value!r}{nearest(value, CHOICES[key])}")
    if key in POSITIVE and value <= 0:
        node.fail(f"{key} must be positive, found {value:g}")
    if (key.startswith("beta") or key == "ema") and not 0 <= value < 1:
        node.fail(f"{key} must lie in [0, 1), found {value:g}")
    if key in ("lr_g", "lr_d", "lr_decay_start", "weight_decay_g", "weight_decay_d", "ema_start") and value < 0:
        node.fail(f"{key} must not be negative, found {value:g}")
    if key == "data_percent" and value > 100:
        node.fail(f"data_percent must be at most 100, found {value:g}")
    if why := beyond(key, value):
        node.fail(why)
    return value


def _from_room(key: str, value: str, node: Node) -> str:
    """A dataset or extractor by its name; datasets are looked up where a cell is whole."""
    if key == "features" and value not in (known := (*CHOICES[key], *words("extractors"))):
        node.fail(f"{key} is {value!r}{nearest(value, known)}")
    return meant(ROOMS[key], value)


def recipe_field(key: str, node: Node, parts: Collection[str], kind: str) -> Any:
    """A value, or (for partial overrides) a function from the inherited value to the new one."""
    if key in ("network", "loss"):
        return _named_or_merge(node, key)
    if key == "parts":
        if node.is_mapping():  # arguments for parts that are there already
            changes = {meant("methods", name): args.mapping() for name, args in node.mapping(parts).items()}

            def change(there: tuple[NamedArgs, ...] | None) -> tuple[NamedArgs, ...]:
                """The inherited parts, arguments changed; outside a profile a part that is not there fails."""
                if not kind.startswith("profile") and (absent := changes.keys() - {name for name, _ in there or ()}):
                    node.fail(f"there is no part {', '.join(sorted(absent))} here to change")
                return tuple(
                    (name, _arguments("part", name, changes.get(name, {}), args, node)) for name, args in there or ()
                )

            return change
        return tuple(read_part(item) for item in node.at_most(MOST_PARTS).items())
    return scalar(key, RECIPE_TYPES[key], node)


def _named_or_merge(node: Node, kind: str) -> Any:
    """``name`` or ``{name: …, argument: …}``; without a name, arguments laid over the inherited ones."""
    room = "networks" if kind == "network" else "methods"
    if not node.is_mapping():
        name = meant(room, node.text())
        return name, _arguments(kind, name, {}, {}, node)
    given = node.mapping()
    if "name" in given:
        name = meant(room, given.pop("name").text())
        return name, _arguments(kind, name, given, {}, node)

    def merge(inherited: NamedArgs | None) -> NamedArgs:
        """Fails where nothing that has a name is inherited."""
        if inherited is None:
            node.fail("missing key 'name'")
        return inherited[0], _arguments(kind, inherited[0], given, inherited[1], node)

    return merge


def read_part(node: Node) -> NamedArgs:
    """``name``, or ``{name: {argument: …}}``."""
    if not node.is_mapping():
        name = meant("methods", node.text())
        return name, _arguments("part", name, {}, {}, node)
    given = node.mapping()
    if len(given) != 1:
        node.fail("a part is one name with its arguments: '- spectral-norm: {player: D}'")
    ((word, arguments),) = given.items()
    name = meant("methods", word)
    return name, _arguments("part", name, arguments.mapping(), {}, node)


def _arguments(kind: str, name: str, given: dict[str, Node], inherited: dict[str, Any], node: Node) -> dict[str, Any]:
    """Arguments typed by the plug-in's ``build``, without what is null; as YAML reads them where there is none yet."""
    room = "networks" if kind == "network" else "methods"
    known = plugins(room).get(name)
    if known is not None and known.kind != kind:
        node.fail(f"{name} is a {known.kind}, not a {kind}")
    if known is None:
        return {**inherited, **{key: value.plain() for key, value in given.items()}}
    for key, value in given.items():
        if key not in known.arguments:
            value.fail(f"{name} has no argument {key!r}{nearest(key, known.arguments)}")
    arguments = {**inherited, **{key: value.typed(known.arguments[key]) for key, value in given.items()}}
    arguments = {key: value for key, value in arguments.items() if value is not None}
    try:
        known.check(arguments)
    except GanbenchError as error:
        node.fail(str(error))
    return arguments
