"""From a suite file to cells. The format is described in ``suites/README.md``."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from benchmark.errors import GanbenchError, nearest, plain
from benchmark.suite.claim import Claim
from benchmark.suite.claims import read_claims
from benchmark.suite.draft import Draft
from benchmark.suite.file import read
from benchmark.suite.filter import Filter
from benchmark.suite.find import beside, default_folder, find, is_a, suite_files
from benchmark.suite.model import Suite, Table
from benchmark.suite.namesakes import clash, once
from benchmark.suite.nodes import Node, SuiteError
from benchmark.suite.plugged import asked_for, plugged
from benchmark.suite.profiles import read_profiles
from benchmark.suite.recipes import part_names, read_protocol, read_recipes
from benchmark.suite.tables import TableReader
from benchmark.suite.tolerances import read_alive, read_tolerance

MOST_INCLUDES, DEEPEST = 100, 10  # of one suite, and suites that include each other in a row
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")  # it names folders and files
NEEDED = ("paper", "protocol", "recipes", "tables")  # of a suite that is no selection
TOP_KEYS = ("suite", *NEEDED, "profiles", "claims", "tolerance", "alive", "include", "plugins")
PAPER_KEYS = ("title", "venue", "notes")
INCLUDE_KEYS = ("suite", "profile", "only")
RESERVED = ("index", "claims", "cells")  # pages that every report has


def load_all(
    names: str | Sequence[str] = (),
    profile: str | None = None,
    broken: Callable[[SuiteError], None] | None = None,
    strict: bool = False,
) -> list[Suite]:
    """Every named suite, once. A folder stands for the papers in it, without selections from them.

    Args:
        names: as ``find`` takes them; none: the folder ``suites/``, or else the package's.
        broken: told of each suite that cannot be used and is passed over, if there are others.
        strict: only those are passed over that nobody named, in a folder.

    Raises:
        SuiteError: as ``find`` and ``load``, or two of the files bear one name.
    """
    suites, errors = list[Suite](), list[SuiteError]()
    for name in [names] if isinstance(names, str) else names or [default_folder()]:
        before = len(suites) + len(errors)
        folder = is_a(Path(name), stat.S_ISDIR)
        for read_it in _in_folder(Path(name), profile) if folder else [partial(_asked, name, profile)]:
            try:
                if (suite := read_it()) is not None:
                    suites.append(suite)
            except SuiteError as error:
                if broken is None or (strict and not folder):
                    raise
                errors.append(error)
        if before == len(suites) + len(errors):
            raise SuiteError(f"no papers' suite files in {plain(name)}")
    if errors and not suites:
        raise errors[0]
    if broken is not None:
        for passed_over in errors:
            broken(passed_over)
    if said := clash(suites):
        raise SuiteError(f"{said}, or give one at a time")
    return once(suites)


def _in_folder(folder: Path, profile: str | None) -> list[Callable[[], Suite | None]]:
    """What loads each file of a folder; None of a selection."""

    def paper(path: Path) -> Suite | None:
        return None if "include" in (root := read(path)).mapping() else load_node(root, path, profile)

    return [partial(paper, path) for path in suite_files(folder)]


def _asked(name: str, profile: str | None) -> Suite:
    """A suite that the user named: its own plug-ins, in folders beside it, may run."""
    with asked_for(path := find(name)):
        return load(path, profile)


@dataclass(frozen=True)
class Including:
    """What is being included: the suites in a row, and those that were loaded, which others may include too."""

    chain: tuple[Path, ...] = ()
    loaded: dict[tuple[Path, str | None], Suite] = field(default_factory=dict)


def load(path: str | Path, profile: str | None = None) -> Suite:
    """One suite under a profile (default ``full``, or what an including suite states).

    Args:
        path: its file; text may also be a name, as on the command line.

    Raises:
        SuiteError: anything wrong in the file, as ``file:line:column: what; did you mean …``.
    """
    path = find(path) if isinstance(path, str) else path
    return load_node(read(path), path, profile)


def load_node(root: Node, path: Path, profile: str | None = None, including: Including | None = None) -> Suite:
    """A suite from its YAML, however that was read; ``including``: by the suites that include it."""
    including = including or Including()
    top = root.mapping(TOP_KEYS, ("suite",))
    if not NAME.fullmatch(top["suite"].text()):
        top["suite"].fail(
            f"a suite's name is lower-case letters, digits and dashes, at most 100, found {top['suite'].text()[:120]!r}"
        )
    if top["suite"].text() in RESERVED:
        top["suite"].fail(f"a suite cannot be called {top['suite'].text()!r}: every report has a page of that name")
    if "include" in top:
        if "plugins" in top:
            top["plugins"].fail("plug-ins belong to suites with recipes: this one takes its cells from others")
        return _selection(path, top, profile, replace(including, chain=(*including.chain, path.resolve())))
    for key in NEEDED:
        if key not in top:
            root.fail(f"missing key {key!r}")
    with plugged(top.get("plugins"), path):
        return _paper(path, top, profile or "full")


def _selection(path: Path, top: dict[str, Node], profile: str | None, including: Including) -> Suite:
    """A suite that takes its cells from others: ``include: [{suite, profile, only}]``."""
    tables: dict[str, Table] = {}
    claims: list[Claim] = []
    name = top["suite"].text()
    sources = {(name, path): None}
    if not top["include"].at_most(MOST_INCLUDES).items():
        top["include"].fail("nothing is included")
    for item in top["include"].items():
        suite = _included(path, item, profile, including)
        sources |= dict.fromkeys(suite.sources)
        only = _only(item.mapping()["only"]) if "only" in item.mapping() else None
        kept = [replace(t, cells=tuple(c for c in t.cells if only is None or only(c))) for t in suite.tables]
        if not any(t.cells for t in kept):
            item.fail(f"this selection holds no cell{only.astray(suite.cells) if only else ''}")
        for table in (t for t in kept if t.cells):
            if table.key in tables:
                item.fail(f"table {table.key} is included twice; join the selections with '|'")
            tables[table.key] = table
        claims += [c for c in suite.claims if c not in claims]
    cells = [c for t in tables.values() for c in t.cells]
    profiles = tuple(sorted({c.profile for c in cells}))
    title = f"Cells of {', '.join(sorted({c.paper for c in cells}))}"
    several = (tuple(tables.values()), tuple(claims), tuple(sources))
    made = Suite(name, path, title, "", "+".join(profiles), profiles, *several)
    if said := clash([made]):
        top["include"].fail(said)
    return made


def _included(path: Path, item: Node, profile: str | None, including: Including) -> Suite:
    """The suite that an entry of ``include`` names: a file beside this one, or the package's; each is read once."""
    given = item.mapping(INCLUDE_KEYS, ("suite",))
    name = given["suite"].text()
    if name.startswith(".") or "/" in name or "\\" in name:
        given["suite"].fail(f"a suite includes files of its own folder, by their names; found {name[:80]!r}")
    if (source := beside(path, name)) is None:
        known = [p.stem for p in suite_files(path.parent) if p != path]
        given["suite"].fail(f"no suite {name!r} beside this one{nearest(name, known)}")
    if (there := source.resolve()) in including.chain:
        circle = [*including.chain[including.chain.index(there) :], there]
        given["suite"].fail(f"suites include each other in a circle: {' -> '.join(p.stem for p in circle)}")
    if len(including.chain) > DEEPEST:
        given["suite"].fail(f"suites include each other over more than {DEEPEST} steps")
    key = there, profile or (given["profile"].text() if "profile" in given else None)
    if key not in including.loaded:
        including.loaded[key] = load_node(read(source), source, key[1], including)
    return including.loaded[key]


def _only(node: Node) -> Filter:
    try:
        return Filter(node.text())
    except GanbenchError as error:
        node.fail(str(error).removeprefix("--only "))


def _paper(path: Path, top: dict[str, Node], profile_name: str) -> Suite:
    paper = top["paper"].mapping(PAPER_KEYS, ("title", "venue"))
    recipes = read_recipes(top["recipes"], path)
    profiles = read_profiles(top, part_names(top["recipes"]))
    if profile_name not in profiles:
        close = nearest(profile_name, profiles).partition("; known")[0]
        has = f"{f'{close} It' if close else '; it'} has {', '.join(profiles)}"
        raise SuiteError(f"{path}: no profile {profile_name!r}{has}")
    name = top["suite"].text()
    tolerance = read_tolerance(top["tolerance"]) if "tolerance" in top else {}
    protocol = read_protocol(top["protocol"]).over(Draft())
    reader = TableReader(name, path, recipes, protocol, profiles[profile_name], tolerance)
    reader.alive = read_alive(top["alive"]) if "alive" in top else {}
    if not top["tables"].mapping():
        top["tables"].fail("there are no tables")
    tables = reader.tables(top["tables"])
    return Suite(
        name=name,
        path=path,
        title=paper["title"].text(),
        venue=paper["venue"].text(),
        profile=profile_name,
        profiles=tuple(profiles),
        tables=tables,
        claims=read_claims(top["claims"], name, tables) if "claims" in top else (),
        sources=((name, path),),
        remarks=tuple(n.text() for n in paper["notes"].items()) if "notes" in paper else (),
    )
