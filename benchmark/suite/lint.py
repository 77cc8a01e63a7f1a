"""``ganbench list --check``: what a suite file may get wrong although it loads.

Loading itself already refuses unknown keys, twins, claims and notes about cells that do not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from benchmark.catalogue import plugins
from benchmark.data.cards import cards
from benchmark.errors import nearest, sure
from benchmark.recipe import Recipe
from benchmark.suite.draft import REST, SOURCELESS
from benchmark.suite.filter import Filter
from benchmark.suite.load import load, load_node
from benchmark.suite.model import Cell, Suite
from benchmark.suite.nodes import Loader, Node, SuiteError, read
from benchmark.suite.plugged import plugged
from benchmark.suite.recipes import RecipeReader
from benchmark.suite.tidy import published_rows

WIDE = 0.25  # a wider tolerance is taken for a mistake; the widest of the five papers' suites is 0.1
SLIPS = {5: 1, 8: 2}  # names of so many letters and so few typing slips apart are taken for two spellings of one


def lint(paths: Sequence[Path]) -> list[str]:
    """Every problem of these suites, as ``suite: what is wrong``."""
    suites = [load(path) for path in paths]
    problems = [f"{s.name}: {text}" for s in suites for text in _suite(s)]
    recipes = [r for s in suites for profile in s.profiles for c in load(s.path, profile).cells for r in (c.recipe,)]
    return problems + list(_spellings(recipes))


def unsourced(cell: Cell) -> list[str]:
    """Fields of the full recipe and protocol that are neither stated by the paper nor explained by a note."""
    known = {*SOURCELESS, *cell.stated, *cell.notes}
    return [
        k
        for k, v in {**cell.full_recipe.to_json(), **cell.full_protocol.to_json()}.items()
        if k not in known and v != []
    ]


def _suite(suite: Suite) -> Iterator[str]:
    rows = Counter(row[:8] for row in published_rows([suite]))
    yield from (f"published twice: {row}" for row, n in rows.items() if n > 1)
    by_fields: dict[tuple[str, ...], list[str]] = {}
    for cell in suite.cells:
        if absent := unsourced(cell):
            by_fields.setdefault(tuple(absent), []).append(cell.id)
    for fields, cells in by_fields.items():
        more = f" and {len(cells) - 1} more" if len(cells) > 1 else ""
        yield f"{cells[0]}{more}: neither 'stated' nor 'notes' says where this comes from: {', '.join(fields)}"
    yield from _measuring(suite)
    yield from _unused(suite)
    yield from _replaced(suite)
    yield from _round_trip(suite)


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
        if (split := cell.full_protocol.real_split) and split not in cards()[cell.dataset].splits:
            yield f"{cell.id}: real_split is {split!r}{nearest(split, cards()[cell.dataset].splits)}"


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
        reader = RecipeReader(top["recipes"])
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
    for profile in suite.profiles if len(suite.profiles) > 1 and suite.profile == "full" else [None]:
        try:
            if load_node(Node(again, node.file), suite.path, profile) != load_node(node, suite.path, profile):
                yield f"does not survive being written as YAML and read again (profile {profile})"
        except SuiteError as error:
            yield f"cannot be read after it was written as YAML: {error}"


def _spellings(recipes: Sequence[Recipe]) -> Iterator[str]:
    """One thing, one name: near misses among names that no plug-in vouches for, and parts whose arguments vary."""
    named = (
        [("network", *r.network) for r in recipes]
        + [("loss", *r.loss) for r in recipes]
        + [("part", *p) for r in recipes for p in r.parts]
    )
    names = sorted({(kind, name) for kind, name, _ in named})
    for i, (kind, name) in enumerate(names):
        for other_kind, other in names[i + 1 :]:
            built = name in plugins("methods" if kind != "network" else "networks") and other in plugins(
                "methods" if kind != "network" else "networks"
            )
            if kind == other_kind and not built and _alike(name, other):
                yield f"{kind} {name!r} and {kind} {other!r}: two spellings of one?"
    arguments: dict[tuple[str, str], Counter[tuple[str, ...]]] = {}
    for kind, name, given in named:
        known = plugins("methods" if kind != "network" else "networks").get(name)
        optional = known.arguments.keys() - known.required if known else set()
        arguments.setdefault((kind, name), Counter())[tuple(sorted(given.keys() - optional))] += 1
    for (kind, name), sets in arguments.items():
        if len(sets) > 1:
            yield (
                f"{kind} {name!r} is given different arguments in different places: "
                f"{' / '.join(', '.join(s) or 'none' for s in sets)}"
            )


def _alike(a: str, b: str) -> bool:
    plain = [name.replace("-", "").replace("_", "").lower() for name in (a, b)]
    allowed = max((slips for length, slips in SLIPS.items() if min(map(len, plain)) >= length), default=0)
    return _slips(*plain) <= allowed


def _slips(a: str, b: str) -> int:
    """Insertions, deletions, substitutions and swaps of neighbours that turn a into b."""
    rows = [list(range(len(b) + 1))]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (x != y)))
            if i > 1 and j > 1 and a[i - 2] == y and x == b[j - 2]:
                row[-1] = min(row[-1], rows[-2][j - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
