"""Recipes and protocols as a suite writes them: inheritance, overrides by place, and the source of every value."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from benchmark.catalogue import plugins
from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import NamedArgs, Protocol, Recipe
from benchmark.suite.filter import Filter
from benchmark.suite.model import METRICS, Place
from benchmark.suite.nodes import Node, SuiteError

RECIPE_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Recipe)}
PROTOCOL_TYPES = {f.name: str(f.type) for f in dataclasses.fields(Protocol)}
CHOICES = {
    "z_distribution": ("normal", "uniform"),
    "player_order": ("g-first", "d-first"),
    "d_pass": ("separate", "joint"),
    "optimizer": ("adam",),
    "precision": ("float32",),
    "subset": ("numpy-choice-0", "first", "unknown"),
    "crop": ("center", "center-178"),
    "resize": ("bilinear", "tf1-bilinear"),
    "lr_decay": ("linear",),
    "bn_mode": ("eval", "train"),
    "weights": ("raw", "ema"),
    "checkpoint": ("last", "best"),
    "std_of": ("noises", "splits", "seeds", "unknown", "none"),
    "features": ("inception-2015-12-05", "efficientnet-lite0"),
    "quantise": ("round", "floor", "min-max", "none"),
    "best_by": METRICS,
}
POSITIVE = ("resolution", "channels", "images", "z_dim", "batch_d", "batch_g", "n_dis", "epochs", "steps",
            "generated", "every_epochs", "every_steps", "jac_G_every_epochs", "data_percent", "z_scale", "adam_eps",
            "seeds", "real", "sample_batch", "is_splits", "kid_subsets", "kid_subset_size", "classes")  # fmt: skip
COORDINATES = ("dataset", "data_percent", "resolution")
SOURCELESS = (*COORDINATES, "channels", "images", "metrics", "std_of")
"""Fields that need no source: the table's coordinates, and what only describes the printed number."""
REST = "rest"
DEEPEST = 50
"""``notes: {rest: …}``: the source of every field that the recipe gives no other source for, inherited ones too."""


@dataclass
class Draft:
    """A recipe or protocol on its way: fields given so far, and where each comes from."""

    fields: dict[str, Any] = field(default_factory=dict)
    stated: dict[str, str] = field(default_factory=dict)  # field -> where the paper states it
    notes: dict[str, str] = field(default_factory=dict)  # field -> why it has its value where the paper does not say
    on: tuple[tuple[Filter, Draft], ...] | None = None  # further fields in some columns; None: the base's

    def over(self, base: Draft) -> Draft:
        """This draft on top of ``base``. A field that is set anew loses the base's source: a source belongs to its value."""
        fields, replaced = dict(base.fields), set(self.fields)
        for key, value in self.fields.items():
            if key in ("epochs", "steps"):
                replaced |= {"epochs", "steps"}
                fields.pop("steps" if key == "epochs" else "epochs", None)
            fields[key] = value(fields.get(key)) if callable(value) else value
        forgotten = REST in self.notes
        stated = {k: v for k, v in base.stated.items() if not (forgotten or k in replaced or k in self.notes)} | self.stated
        notes = {k: v for k, v in base.spelled_notes().items() if not (forgotten or k in replaced or k in self.stated)} | self.notes
        return Draft(fields, stated, notes, base.on if self.on is None else self.on)

    def spelled_notes(self) -> dict[str, str]:
        """The notes, with what ``rest`` says written out for every field that nothing else gives a source for."""
        notes = {k: v for k, v in self.notes.items() if k != REST}
        if REST in self.notes:
            notes |= {k: self.notes[REST] for k in self.fields if k not in {*SOURCELESS, *notes, *self.stated}}
        return notes

    def at(self, place: Place, base: Draft | None = None) -> Draft:
        """The draft on top of ``base``, as it is in one column of a table: what is on for that column comes last."""
        draft = self.over(base) if base else self
        for test, more in self.on or ():
            if test(place):
                draft = more.over(draft)
        return draft


def read_recipes(node: Node) -> dict[str, tuple[Draft, Node]]:
    """The ``recipes:`` of a suite, ``from:`` resolved; fails on an unknown base or a cycle."""
    raw = node.mapping()
    parts = part_names(node)
    done: dict[str, tuple[Draft, Node]] = {}

    def resolve(name: str, asked: Node, chain: tuple[str, ...]) -> Draft:
        if name not in raw:
            asked.fail(f"unknown recipe {name!r}{nearest(name, raw)}")
        if name in chain:
            asked.fail(f"recipes inherit in a circle: {' -> '.join((*chain, name))}")
        if name not in done:
            own = read_draft(raw[name], parts)
            base = raw[name].mapping().get("from")
            if len(chain) > DEEPEST:
                asked.fail(f"recipes inherit over more than {DEEPEST} steps")
            done[name] = (own.over(resolve(base.text(), base, (*chain, name)) if base else Draft()), raw[name])
        return done[name][0]

    for name in raw:
        resolve(name, raw[name], ())
    return done


def part_names(recipes: Node) -> set[str]:
    """Every part that a plug-in implements or a recipe of the suite lists."""
    names = set(plugins("methods"))
    for recipe in recipes.mapping().values():
        given = recipe.mapping()
        for place in [given, *(n.mapping() for n in (given["on"].mapping() if "on" in given else {}).values())]:
            if "parts" in place and place["parts"].is_list():
                names |= {name for item in place["parts"].items() for name in (item.mapping() if item.is_mapping() else [item.text()])}
    return names


def read_draft(node: Node, parts: Collection[str], kind: str = "recipe") -> Draft:
    """One recipe's own fields, as written.

    Args:
        parts: the names of parts that ``parts: {name: {argument: …}}`` may change.
        kind: "recipe", "on" (a block within one) or "profile", which is a rule for many recipes: it may name
            parts that some of them lack, and has no sources; "profile on" (a block within that).
    """
    keys = {"recipe": ("from", "notes", "stated", "on"), "on": ("notes", "stated"), "profile": ("on",), "profile on": ()}[kind]
    given = node.mapping({*RECIPE_TYPES, *keys})
    if "epochs" in given and "steps" in given:
        given["steps"].fail("give epochs or steps, not both")
    fields = {key: _recipe_field(key, value, parts, kind) for key, value in given.items() if key in RECIPE_TYPES}
    on = _on(given["on"], lambda n: read_draft(n, parts, "profile on" if kind == "profile" else "on")) if "on" in given else None
    return Draft(fields, *_sources(given, RECIPE_TYPES), on)


def read_protocol(node: Node, conditional: bool = False) -> Draft:
    """Protocol fields, as written."""
    given = node.mapping({*PROTOCOL_TYPES, "notes", "stated"} if conditional else {*PROTOCOL_TYPES, "notes", "stated", "on"})
    fields = {}
    for key, value in given.items():
        if key == "metrics":
            fields[key] = tuple(v.one_of(METRICS, "metric") for v in value.items())
        elif key in PROTOCOL_TYPES:
            fields[key] = scalar(key, PROTOCOL_TYPES[key], value)
    on = _on(given["on"], lambda n: read_protocol(n, conditional=True)) if "on" in given else None
    return Draft(fields, *_sources(given, PROTOCOL_TYPES), on)


def _sources(given: dict[str, Node], types: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """``stated: {place: [field, …]}`` and ``notes: {"field, field": why}``, both by field."""
    stated: dict[str, str] = {}
    for where, names in (given["stated"].mapping() if "stated" in given else {}).items():
        stated |= {name.one_of(types, "field"): where for name in names.items()}
    notes: dict[str, str] = {}
    for names, why in (given["notes"].mapping() if "notes" in given else {}).items():
        for name in (n.strip() for n in names.split(",")):
            if name not in types and name != REST:
                why.fail(f"unknown key {name!r}{nearest(name, types)}")
            notes[name] = why.text()
    return stated, notes


def _on(node: Node, read: Callable[[Node], Draft]) -> tuple[tuple[Filter, Draft], ...]:
    found = []
    for text, draft in node.mapping().items():
        try:
            found.append((Filter(text, COORDINATES), read(draft)))
        except SuiteError:
            raise
        except GanbenchError as error:
            draft.fail(str(error).replace("--only", "on:", 1))
    return tuple(found)


def finish(draft: Draft, node: Node, what: str) -> Recipe:
    """The complete, typed recipe; fails at ``node`` if a field is missing."""
    optional = {f.name for f in dataclasses.fields(Recipe) if f.default is not dataclasses.MISSING}
    if missing := [name for name in RECIPE_TYPES if name not in draft.fields and name not in optional]:
        node.fail(f"{what} lacks {', '.join(missing)}")
    try:
        return Recipe(**draft.fields)
    except GanbenchError as error:
        node.fail(f"{what}: {error}")


def finish_protocol(draft: Draft, node: Node) -> Protocol:
    """The complete protocol; fails at ``node`` if a field is missing."""
    optional = {f.name for f in dataclasses.fields(Protocol) if f.default is not dataclasses.MISSING}
    if missing := [name for name in PROTOCOL_TYPES if name not in draft.fields and name not in optional]:
        node.fail(f"the protocol lacks {', '.join(missing)}")
    return Protocol(**draft.fields)


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
    if (key.startswith("beta") or key == "ema") and not 0 <= value < 1:
        node.fail(f"{key} must lie in [0, 1), found {value:g}")
    if key in ("lr_g", "lr_d", "lr_decay_start", "weight_decay_g", "weight_decay_d", "ema_start") and value < 0:
        node.fail(f"{key} must not be negative, found {value:g}")
    if key == "data_percent" and value > 100:
        node.fail(f"data_percent must be at most 100, found {value:g}")
    return value


def _recipe_field(key: str, node: Node, parts: Collection[str], kind: str) -> Any:
    """A value, or (for partial overrides) a function from the inherited value to the new one."""
    if key in ("network", "loss"):
        return _named_or_merge(node, key)
    if key == "parts":
        if node.is_mapping():  # arguments for parts that are there already
            changes = {name: args.mapping() for name, args in node.mapping(parts).items()}

            def change(there: tuple[NamedArgs, ...] | None) -> tuple[NamedArgs, ...]:
                if not kind.startswith("profile") and (absent := changes.keys() - {name for name, _ in there or ()}):
                    node.fail(f"there is no part {', '.join(sorted(absent))} here to change")
                return tuple((name, _arguments("part", name, changes.get(name, {}), args, node)) for name, args in there or ())

            return change
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
