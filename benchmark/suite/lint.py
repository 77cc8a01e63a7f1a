"""``ganbench list --check``: what a suite file may get wrong although it loads.

Loading itself already refuses unknown keys, twins, claims and notes about cells that do not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import yaml

from benchmark.catalogue import plugins
from benchmark.data.cards import card
from benchmark.errors import nearest, sure
from benchmark.suite.draft import SOURCELESS
from benchmark.suite.fields import PROTOCOL_TYPES, RECIPE_TYPES
from benchmark.suite.file import read
from benchmark.suite.filter import Filter
from benchmark.suite.kinds import KINDS, REST, leaves
from benchmark.suite.load import load, load_node
from benchmark.suite.model import Cell, Suite
from benchmark.suite.nodes import Loader, Node, SuiteError
from benchmark.suite.plugged import plugged
from benchmark.suite.recipes import RecipeReader
from benchmark.suite.spellings import spellings
from benchmark.suite.tidy import published_rows
from benchmark.suite.unheard import misspelt_names

WIDE = 0.25  # a wider tolerance is taken for a mistake; the widest of the five papers' suites is 0.1


def lint(paths: Sequence[Path]) -> list[str]:
    """Every problem of these suites, as ``suite: what is wrong``, or with its place for the suite."""
    suites = [load(path) for path in paths]
    problems = [f"{s.name}: {text}" for s in suites for text in _suite(s)]
    recipes = [r for s in suites for profile in s.profiles for c in load(s.path, profile).cells for r in (c.recipe,)]
    return [*(line for path in paths for line in misspelt_names(path)), *problems, *spellings(recipes)]


def unsourced(cell: Cell) -> list[str]:
    """Fields of the full recipe and protocol that are neither stated by the paper nor explained by a note."""
    known = {*SOURCELESS, *cell.stated, *cell.notes}
    return [
        k
        for k, v in {**cell.full_recipe.to_json(), **cell.full_protocol.to_json()}.items()
        if k not in known and v != []
    ]


def unkinded(cell: Cell) -> list[str]:
    """Values of the full recipe and protocol of which nothing says the kind."""
    fields = {**vars(cell.full_recipe), **vars(cell.full_protocol)}
    values = leaves({k: v for k, v in fields.items() if v is not None and k in RECIPE_TYPES | PROTOCOL_TYPES})
    return [path for path in values if path not in {*SOURCELESS, *cell.kinds}]


def _suite(suite: Suite) -> Iterator[str]:
    rows = Counter(row[:8] for row in published_rows([suite]))
    yield from (f"published twice: {row}" for row, n in rows.items() if n > 1)
    yield from _lacking(suite, unsourced, "neither 'stated' nor 'notes' says where this comes from")
    if _kinds_are_due(suite):
        yield from _lacking(suite, unkinded, f"neither 'stated' nor 'kinds' says which of {', '.join(KINDS)} this is")
    yield from _measuring(suite)
    yield from _unused(suite)
    yield from _replaced(suite)
    yield from _round_trip(suite)


def _lacking(suite: Suite, what: Callable[[Cell], list[str]], said: str) -> Iterator[str]:
    """One line for all cells that lack the same."""
    by_fields: dict[tuple[str, ...], list[str]] = {}
    for cell in suite.cells:
        if absent := what(cell):
            by_fields.setdefault(tuple(absent), []).append(cell.id)
    for fields, cells in by_fields.items():
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        yield f"{cells[0]}{more}: {said}: {', '.join(fields)}"


def _kinds_are_due(suite: Suite) -> bool:
    """Whether a number is printed, which a guess could decide; or kinds are given, and then of all values."""
    numbers = any(p.value is not None for c in suite.cells for p in c.published.values())
    return numbers or any(kind != "stated" for c in suite.cells for kind in c.kinds.values())


def _measuring(suite: Suite) -> Iterator[str]:
    """Metrics with one direction and a tolerance each, and splits that the datasets have."""
    directions: dict[str, set[str]] = {}
    bands: dict[str, float] = {}
    for table in suite.tables:
        bands |= {metric: max(t.relative, bands.get(metric, 0.0)) for metric, t in table.tolerance.items()}
        for metric, direction in table.metrics.items():
            directions.setdefault(metric, set()).add(direction)
            if metric not in table.tolerance and any(metric in c.published for c in table.cells):
                yield f"table {table.id}: no tolerance is stated for {metric}"
    yield from (
        f"{metric} is better lower in one table and higher in another"
        for metric, found in directions.items()
        if len(found) > 1
    )
    yield from (
        f"a tolerance of {100 * relative:g} % for {metric}: beyond {100 * WIDE:g} %, numbers are hardly the same"
        for metric, relative in bands.items()
        if relative > WIDE
    )
    for cell in suite.cells:
        if (split := cell.full_protocol.real_split) and split not in card(cell.full_recipe.dataset).splits:
            yield f"{cell.id}: real_split is {split!r}{nearest(split, card(cell.full_recipe.dataset).splits)}"
    yield from _normless(suite)


def _normless(suite: Suite) -> Iterator[str]:
    """G without BatchNorm makes the same images in either mode: ``train`` says something else of it."""
    cells: dict[str, list[str]] = {}
    for cell in suite.cells:
        network = cell.full_recipe.network[0]
        known = plugins("networks").get(network)
        if known and not known.batch_norm and cell.full_protocol.bn_mode == "train":
            cells.setdefault(network, []).append(cell.id)
    for network, found in cells.items():
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield f"{found[0]}{more}: bn_mode is 'train', and {network}'s G has no BatchNorm: say 'eval'"


def _unused(suite: Suite) -> Iterator[str]:
    """Recipes that no row and no other recipe names."""
    top = read(suite.path).mapping()
    if "recipes" not in top:
        return
    recipes = top["recipes"].mapping()
    for name, recipe in recipes.items():
        given = recipe.mapping()
        for text in given["on"].mapping() if "on" in given else ():
            if not any(Filter(text)(c.place) for c in suite.cells):
                yield f"recipe {name!r}: no column of any table matches 'on: {text}'"
    named = {r.mapping()["from"].text() for r in recipes.values() if "from" in r.mapping()}
    for table in top["tables"].mapping().values():
        given = table.mapping()
        groups = (
            [g.mapping()["rows"] for g in given["groups"].mapping().values()] if "groups" in given else [given["rows"]]
        )
        for name, row in (item for group in groups for item in group.mapping().items()):
            named.add(row.mapping()["recipe"].text() if "recipe" in row.mapping() else name)
    yield from (f"recipe {name!r} is used by no row" for name in recipes if name not in named)


def _replaced(suite: Suite) -> Iterator[str]:
    """Lists of parts that leave out what the base recipe has, where nothing says that this is meant."""
    top = read(suite.path).mapping()
    if "recipes" not in top:
        return
    with plugged(top.get("plugins"), suite.path):
        reader = RecipeReader(top["recipes"], suite.path)
        for name, node in reader.raw.items():
            given = node.mapping()
            if "from" not in given or "parts" not in given or not given["parts"].is_list():
                continue
            own, base = reader.resolve(name, node), reader.resolve(given["from"].text(), given["from"])
            kept = {part for part, _ in own.fields["parts"]}
            gone = [part for part, _ in base.fields.get("parts") or () if part not in kept]
            if gone and not {"parts", REST} & {*own.notes, *own.stated}:
                yield (
                    f"recipe {name!r}: its list of parts replaces that of {given['from'].text()!r}, and leaves out "
                    f"{', '.join(gone)}: add parts by 'parts+:', or give 'parts' a note"
                )


def _round_trip(suite: Suite) -> Iterator[str]:
    """Written out and read again, a suite file gives the same suite."""
    node = read(suite.path)
    again = sure(yaml.compose(yaml.serialize(node.raw, allow_unicode=True, width=1000), Loader))
    if _alike(again, node.raw):
        return
    for profile in suite.profiles if len(suite.profiles) > 1 and suite.profile == "full" else [None]:
        try:
            if load_node(Node(again, node.file), suite.path, profile) != load_node(node, suite.path, profile):
                yield f"does not survive being written as YAML and read again (profile {profile})"
        except SuiteError as error:
            yield f"cannot be read after it was written as YAML: {error}"


def _alike(a: yaml.Node, b: yaml.Node) -> bool:
    """Whether two trees mean the same by their very words."""
    if isinstance(a, yaml.ScalarNode) or isinstance(b, yaml.ScalarNode):
        return (a.tag, a.value, bool(getattr(a, "style", 0))) == (b.tag, b.value, bool(getattr(b, "style", 0)))
    below, beside = ([n for v in node.value for n in (v if isinstance(v, tuple) else (v,))] for node in (a, b))
    return a.tag == b.tag and len(below) == len(beside) and all(map(_alike, below, beside))
