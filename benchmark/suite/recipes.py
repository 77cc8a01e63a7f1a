"""Recipes as a suite writes them: inheritance, overrides, notes; every value typed by ``Recipe`` itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import NamedArgs, Protocol, Recipe
from benchmark.suite.model import METRICS
from benchmark.suite.nodes import Node

RECIPE_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Recipe)}
PROTOCOL_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Protocol)}
CHOICES = {
    "z_distribution": ("normal", "uniform"),
    "player_order": ("g-first", "d-first"),
    "d_pass": ("separate", "joint"),
    "optimizer": ("adam",),
    "precision": ("float32",),
    "bn_mode": ("eval", "train"),
    "weights": ("raw", "ema"),
    "checkpoint": ("last", "best"),
    "std_of": ("noises", "splits", "seeds", "unknown", "none"),
}
POSITIVE = ("resolution", "channels", "images", "z_dim", "batch_d", "batch_g", "n_dis", "epochs", "steps",
            "generated", "every_epochs", "jac_G_every_epochs", "data_percent", "z_scale", "adam_eps")  # fmt: skip


@dataclass
class Draft:
    """A recipe on its way: fields given so far, and notes."""

    fields: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def over(self, base: Draft) -> Draft:
        """This draft's fields on top of ``base``'s; ``epochs`` and ``steps`` replace each other."""
        fields = dict(base.fields)
        for key, value in self.fields.items():
            if key in ("epochs", "steps"):
                fields.pop("steps" if key == "epochs" else "epochs", None)
            fields[key] = value(fields.get(key)) if callable(value) else value
        return Draft(fields, {**base.notes, **self.notes})


def read_recipes(node: Node) -> dict[str, tuple[Draft, Node]]:
    """The ``recipes:`` of a suite, ``from:`` resolved; fails on an unknown base or a cycle."""
    raw = node.mapping()
    done: dict[str, tuple[Draft, Node]] = {}

    def resolve(name: str, asked: Node, chain: tuple[str, ...]) -> Draft:
        if name not in raw:
            asked.fail(f"unknown recipe {name!r}{nearest(name, raw)}")
        if name in chain:
            asked.fail(f"recipes inherit in a circle: {' -> '.join((*chain, name))}")
        if name not in done:
            own, base = read_draft(raw[name])
            done[name] = (own.over(resolve(base.text(), base, (*chain, name))) if base else own, raw[name])
        return done[name][0]

    for name in raw:
        resolve(name, raw[name], ())
    return done


def read_draft(node: Node) -> tuple[Draft, Node | None]:
    """One recipe's own fields, and the node that names its base."""
    given = node.mapping({*RECIPE_TYPES, "from", "notes"})
    if "epochs" in given and "steps" in given:
        given["steps"].fail("give epochs or steps, not both")
    fields = {key: _recipe_field(key, value) for key, value in given.items() if key in RECIPE_TYPES}
    notes = {}
    if "notes" in given:
        notes = {key: value.text() for key, value in given["notes"].mapping(RECIPE_TYPES).items()}
    return Draft(fields, notes), given.get("from")


def finish(draft: Draft, node: Node, what: str) -> Recipe:
    """The complete, typed recipe; fails at ``node`` if a field is missing."""
    optional = {f.name for f in dataclasses.fields(Recipe) if f.default is not dataclasses.MISSING}
    if missing := [name for name in RECIPE_TYPES if name not in draft.fields and name not in optional]:
        node.fail(f"{what} lacks {', '.join(missing)}")
    try:
        return Recipe(**draft.fields)
    except GanbenchError as error:
        node.fail(f"{what}: {error}")


def read_protocol(node: Node, base: dict[str, Any]) -> dict[str, Any]:
    """Protocol fields, on top of ``base``."""
    fields = dict(base)
    for key, value in node.mapping(PROTOCOL_TYPES).items():
        fields[key] = tuple(v.one_of(METRICS, "metric") for v in value.items()) if key == "metrics" else scalar(key, PROTOCOL_TYPES[key], value)
    return fields


def finish_protocol(fields: dict[str, Any], node: Node) -> Protocol:
    """The complete protocol; fails at ``node`` if a field is missing."""
    optional = {f.name for f in dataclasses.fields(Protocol) if f.default is not dataclasses.MISSING}
    if missing := [name for name in PROTOCOL_TYPES if name not in fields and name not in optional]:
        node.fail(f"the protocol lacks {', '.join(missing)}")
    return Protocol(**fields)


def scalar(key: str, annotation: str, node: Node) -> Any:
    """One field's value, typed and within its range; fails at ``node``."""
    if annotation.endswith(" | None"):
        if node.is_null():
            return None
        annotation = annotation.removesuffix(" | None")
    value = node.typed(annotation)
    if key in CHOICES and value not in CHOICES[key]:
        node.fail(f"{key} is {value!r}{nearest(value, CHOICES[key])}")
    if key in POSITIVE and value <= 0:
        node.fail(f"{key} must be positive, found {value:g}")
    if key.startswith("beta") and not 0 <= value < 1:
        node.fail(f"{key} must lie in [0, 1), found {value:g}")
    if key.startswith("lr_") and value < 0:
        node.fail(f"{key} must not be negative, found {value:g}")
    if key == "data_percent" and value > 100:
        node.fail(f"data_percent must be at most 100, found {value:g}")
    return value


def _recipe_field(key: str, node: Node) -> Any:
    """A value, or (for partial overrides) a function from the inherited value to the new one."""
    if key in ("network", "loss"):
        return _named_or_merge(node, key)
    if key == "parts":
        if node.is_mapping():  # arguments for parts that are there already
            changes = {name: args.mapping() for name, args in node.mapping(plugins("methods")).items()}
            return lambda parts: tuple(
                (name, _arguments("part", name, {**changes.get(name, {})}, args, node)) for name, args in parts or ()
            )
        return tuple(_part(item) for item in node.items())
    return scalar(key, RECIPE_TYPES[key], node)


def _named_or_merge(node: Node, kind: str) -> Any:
    """``name`` or ``{name: …, argument: …}``; without a name, arguments laid over the inherited ones."""
    if not node.is_mapping():
        return node.text(), _arguments(kind, node.text(), {}, {}, node)
    given = node.mapping()
    if "name" in given:
        name = given.pop("name").text()
        return name, _arguments(kind, name, given, {}, node)

    def merge(inherited: NamedArgs | None) -> NamedArgs:
        if inherited is None:
            node.fail("missing key 'name'")
        return inherited[0], _arguments(kind, inherited[0], given, inherited[1], node)

    return merge


def _part(node: Node) -> NamedArgs:
    """``name``, or ``{name: {argument: …}}``."""
    if not node.is_mapping():
        return node.text(), _arguments("part", node.text(), {}, {}, node)
    given = node.mapping()
    if len(given) != 1:
        node.fail("a part is one name with its arguments: '- spectral-norm: {player: D}'")
    ((name, arguments),) = given.items()
    return name, _arguments("part", name, arguments.mapping(), {}, node)


def _arguments(kind: str, name: str, given: dict[str, Node], inherited: dict[str, Any], node: Node) -> dict[str, Any]:
    """Arguments typed by the plug-in's ``build``; as YAML reads them where the plug-in does not exist yet."""
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
    try:
        known.check(arguments)
    except GanbenchError as error:
        node.fail(str(error))
    return arguments
