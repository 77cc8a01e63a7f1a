"""Recipes and protocols as a suite writes them: inheritance, changes by column, and the source of every value."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path

from benchmark.catalogue import words
from benchmark.errors import GanbenchError, nearest
from benchmark.metrics.names import IMAGE, PROBES
from benchmark.recipe import Protocol, Recipe
from benchmark.suite.draft import COORDINATES, SOURCELESS, Draft
from benchmark.suite.fields import PROTOCOL_TYPES, RECIPE_TYPES, recipe_field, scalar
from benchmark.suite.file import read
from benchmark.suite.filter import Filter
from benchmark.suite.find import beside, names_beside
from benchmark.suite.kinds import REST, Said, read_kinds
from benchmark.suite.model import METRICS
from benchmark.suite.more_parts import ADDED, REMOVED, parts_changed
from benchmark.suite.nodes import Node, SuiteError
from benchmark.suite.plugged import plugged

MOST_RECIPES, MOST_ON = 1_000, 100  # of a suite, and columns for which one of them changes
SOURCES = ("notes", "stated", "kinds")
ON = (*COORDINATES, "network", "n_dis")
"""What ``on:`` tests; in the protocol of a profile, which is a rule for many tables, ``table`` too."""
DEEPEST = 50  # recipes that inherit from each other in a row


def read_recipes(node: Node, path: Path) -> dict[str, tuple[Draft, Node]]:
    """The ``recipes:`` of the suite ``path``, ``from:`` resolved; fails on an unknown base or a cycle."""
    reader = RecipeReader(node, path)
    return {name: (reader.resolve(name, at), at) for name, at in reader.raw.items()}


class RecipeReader:
    """The recipes of one suite, each resolved when it is asked for."""

    def __init__(
        self, node: Node, path: Path, plugins: Node | None = None, others: dict[Path, RecipeReader] | None = None
    ) -> None:
        """``plugins``: what its suite says of them; ``others``: those of suites that recipes are taken from."""
        self.path, self.plugins, self.parts = path, plugins, part_names(node)
        self.raw = node.at_most(MOST_RECIPES).mapping()
        self._done: dict[str, Draft] = {}
        self._others: dict[Path, RecipeReader] = {} if others is None else others

    def resolve(self, name: str, asked: Node, chain: tuple[tuple[Path, str], ...] = ()) -> Draft:
        """The recipe over its bases; ``asked``: where it is named, for errors; ``chain``: file and name of each that
        inherits from it.
        """
        if name not in self.raw:
            return self._of_another(name, asked, chain)
        if (self.path, name) in chain:
            asked.fail(f"recipes inherit in a circle: {' -> '.join((*(n for _, n in chain), name))}")
        if name not in self._done:
            own = read_draft(self.raw[name], self.parts)
            base = self.raw[name].mapping().get("from")
            if len(chain) > DEEPEST:
                asked.fail(f"recipes inherit over more than {DEEPEST} steps")
            further = (*chain, (self.path, name))
            self._done[name] = own.over(self.resolve(base.text(), base, further) if base else Draft())
        return self._done[name]

    def _of_another(self, name: str, asked: Node, chain: tuple[tuple[Path, str], ...]) -> Draft:
        """``gran/NSGAN``: a recipe of another suite, which says where its values come from."""
        suite, slash, theirs = name.partition("/")
        if not slash:
            others = [known for known in self.raw if (self.path, known) not in chain]
            asked.fail(f"unknown recipe {name!r}{nearest(name, others)}")
        if (path := beside(self.path, suite)) is None:
            near = nearest(name, [f"{known}/{theirs}" for known in names_beside(self.path)]).partition("; known")[0]
            asked.fail(f"no suite {suite!r} beside this one, nor with ganbench, for recipe {name!r}{near}")
        if path not in self._others:
            top = read(path).mapping()
            if "recipes" not in top:
                asked.fail(f"suite {suite} has no recipes of its own")
            with plugged(top.get("plugins"), path):
                self._others[path] = RecipeReader(top["recipes"], path, top.get("plugins"), self._others)
        reader = self._others[path]
        if theirs not in reader.raw:
            asked.fail(f"suite {suite} has no recipe {theirs!r}{nearest(theirs, reader.raw)}")
        with plugged(reader.plugins, path):
            return reader.resolve(theirs, asked, chain).quoted(name, asked)


def part_names(recipes: Node) -> set[str]:
    """Every part that a plug-in implements or a recipe of the suite lists."""
    names = words("methods")
    for recipe in recipes.mapping().values():
        given = recipe.mapping()
        for place in [given, *(n.mapping() for n in (given["on"].mapping() if "on" in given else {}).values())]:
            lists = [place[key] for key in ("parts", ADDED) if key in place and place[key].is_list()]
            for item in (item for given in lists for item in given.items()):
                names |= set(item.mapping() if item.is_mapping() else [item.text()])
    return names


def read_draft(node: Node, parts: Collection[str], kind: str = "recipe") -> Draft:
    """One recipe's own fields, as written.

    Args:
        parts: the names of parts that ``parts: {name: {argument: …}}`` may change.
        kind: "recipe", "on" (a block within one) or "profile", which is a rule for many recipes: it may name
            parts that some of them lack, and has no sources; "profile on" (a block within that).
    """
    keys = {"recipe": ("from", *SOURCES, "on"), "on": SOURCES, "profile": ("on",), "profile on": ()}[kind]
    given = node.mapping({*RECIPE_TYPES, *keys, ADDED, REMOVED})
    if "epochs" in given and "steps" in given:
        given["steps"].fail("give epochs or steps, not both")
    fields = {key: recipe_field(key, value, parts, kind) for key, value in given.items() if key in RECIPE_TYPES}
    if ADDED in given or REMOVED in given:
        fields["parts"] = parts_changed(given, fields.get("parts"), kind)
    on = (
        _on(given["on"], lambda n: read_draft(n, parts, "profile on" if kind == "profile" else "on"))
        if "on" in given
        else None
    )
    stated, notes, said = _sources(given, RECIPE_TYPES)
    return Draft(fields, stated, notes, on, said)


def read_protocol(node: Node, conditional: bool = False, profile: bool = False) -> Draft:
    """Protocol fields, as written. The metrics of a profile add to those that it finds: it is a rule for many
    tables.
    """
    keys = {*(("notes", "stated") if profile else SOURCES), *(() if conditional else ("on",))}
    given = node.mapping({*PROTOCOL_TYPES, *keys})
    fields = {}
    for key, value in given.items():
        if key == "metrics":
            given_metrics = tuple(v.one_of(METRICS, "metric") for v in value.items())
            fields[key] = _more(given_metrics) if profile else given_metrics
        elif key in PROTOCOL_TYPES:
            fields[key] = scalar(key, PROTOCOL_TYPES[key], value)
    tested = (*ON, "table") if profile else ON
    on = _on(given["on"], lambda n: read_protocol(n, True, profile), tested) if "on" in given else None
    stated, notes, said = _sources(given, PROTOCOL_TYPES)
    return Draft(fields, stated, notes, on, said)


def _more(names: tuple[str, ...]) -> Callable[[tuple[str, ...] | None], tuple[str, ...]]:
    """The metrics that are there and ``names``; of images only where images are measured."""

    def more(there: tuple[str, ...] | None) -> tuple[str, ...]:
        images = any(m in IMAGE for m in there or ())
        return tuple(dict.fromkeys((*(there or ()), *(n for n in names if images or n not in IMAGE))))

    return more


def _sources(given: dict[str, Node], types: dict[str, str]) -> tuple[dict[str, str], dict[str, str], dict[str, Said]]:
    """``stated: {place: [field, …]}`` and ``notes: {"field, field": why}`` by field, ``kinds`` by path."""
    stated: dict[str, str] = {}
    for where, names in (given["stated"].mapping() if "stated" in given else {}).items():
        stated |= {name.one_of(types, "field"): where for name in names.items()}
    notes: dict[str, str] = {}
    for fields, why in (given["notes"].mapping() if "notes" in given else {}).items():
        for name in (n.strip() for n in fields.split(",")):
            if name not in types and name != REST:
                why.fail(f"unknown key {name!r}{nearest(name, types)}")
            notes[name] = why.text()
    return stated, notes, read_kinds(given["kinds"], types, stated, SOURCELESS) if "kinds" in given else {}


def _on(node: Node, read: Callable[[Node], Draft], fields: tuple[str, ...] = ON) -> tuple[tuple[Filter, Draft], ...]:
    found = []
    for text, draft in node.at_most(MOST_ON).mapping().items():
        try:
            found.append((Filter(text, fields), read(draft)))
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
    """The complete protocol; fails at ``node`` if a field is missing. ``probe_images``, which a profile sets for all
    tables, stays where there are probes.
    """
    optional = {f.name for f in dataclasses.fields(Protocol) if f.default is not dataclasses.MISSING}
    if missing := [name for name in PROTOCOL_TYPES if name not in draft.fields and name not in optional]:
        node.fail(f"the protocol lacks {', '.join(missing)}")
    fields = dict(draft.fields)
    if not any(m in PROBES for m in fields["metrics"]):
        fields.pop("probe_images", None)
    return Protocol(**fields)
