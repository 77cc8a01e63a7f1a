"""From a suite file to cells. The format is described in ``suites/README.md``."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmark.errors import GanbenchError, nearest
from benchmark.suite.claim import Claim
from benchmark.suite.claims import read_claims
from benchmark.suite.filter import Filter
from benchmark.suite.find import beside, default_folder, find, is_a, suite_files
from benchmark.suite.model import METRICS, Suite, Table, Tolerance
from benchmark.suite.namesakes import clash, once
from benchmark.suite.nodes import Node, SuiteError, read
from benchmark.suite.plugged import asked_for, plugged
from benchmark.suite.recipes import part_names, read_draft, read_protocol, read_recipes
from benchmark.suite.rows import Profile
from benchmark.suite.tables import TableReader

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")  # it names folders and files
TOP_KEYS = ("suite", "paper", "protocol", "recipes", "profiles", "tables", "claims", "tolerance", "include", "plugins")
PAPER_KEYS = ("title", "venue", "notes")
PROFILE_KEYS = ("from", "recipe", "protocol")
TOLERANCE_KEYS = ("relative", "source")
INCLUDE_KEYS = ("suite", "profile", "only")
NEEDED = ("paper", "protocol", "recipes", "tables")  # of a suite that is no selection
RESERVED = ("index", "claims", "cells")  # pages that every report has


def load_all(
    names: list[str],
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
    for name in names or [default_folder()]:
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
            raise SuiteError(f"no papers' suite files in {name}")
    if errors and not suites:
        raise errors[0]
    if broken is not None:
        for passed_over in errors:
            broken(passed_over)
    if said := clash(suites):
        raise SuiteError(f"{said}, or give one at a time")
    return once(suites)


def files(names: list[str]) -> list[Path]:
    """The suite files that names stand for, as ``load_all`` takes them; raises SuiteError as ``find`` does."""
    found: list[Path] = []
    for name in names or [default_folder()]:
        found += suite_files(Path(name)) if is_a(Path(name), stat.S_ISDIR) else [find(name)]
    return found


def _in_folder(folder: Path, profile: str | None) -> list[Callable[[], Suite | None]]:
    """What loads each file of a folder; None of a selection."""

    def paper(path: Path) -> Suite | None:
        return None if "include" in (root := read(path)).mapping() else load_node(root, path, profile)

    return [partial(paper, path) for path in suite_files(folder)]


def _asked(name: str, profile: str | None) -> Suite:
    """A suite that the user named: its own plug-ins, in folders beside it, may run."""
    with asked_for(path := find(name)):
        return load(path, profile)


def load(path: Path, profile: str | None = None, chain: tuple[Path, ...] = ()) -> Suite:
    """One suite under a profile (default ``full``, or what an including suite states).

    Args:
        chain: the suites that are including this one.

    Raises:
        SuiteError: anything wrong in the file, as ``file:line:column: what; did you mean …``.
    """
    return load_node(read(path), path, profile, chain)


def load_node(root: Node, path: Path, profile: str | None = None, chain: tuple[Path, ...] = ()) -> Suite:
    """A suite from its YAML, however that was read."""
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
        return _selection(path, top, profile, (*chain, path.resolve()))
    for key in NEEDED:
        if key not in top:
            root.fail(f"missing key {key!r}")
    with plugged(top.get("plugins"), path):
        return _paper(path, top, profile or "full")


def _selection(path: Path, top: dict[str, Node], profile: str | None, chain: tuple[Path, ...]) -> Suite:
    """A suite that takes its cells from others: ``include: [{suite, profile, only}]``."""
    tables: dict[str, Table] = {}
    claims: list[Claim] = []
    name = top["suite"].text()
    sources = {(name, path): None}
    if not top["include"].items():
        top["include"].fail("nothing is included")
    for item in top["include"].items():
        suite = _included(path, item, profile, chain)
        sources |= dict.fromkeys(suite.sources)
        only = _only(item.mapping()["only"]) if "only" in item.mapping() else None
        kept = [replace(t, cells=tuple(c for c in t.cells if only is None or only(c))) for t in suite.tables]
        if not any(t.cells for t in kept):
            item.fail("this selection holds no cell")
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


def _included(path: Path, item: Node, profile: str | None, chain: tuple[Path, ...]) -> Suite:
    """The suite that an entry of ``include`` names: a file beside this one, or the package's."""
    given = item.mapping(INCLUDE_KEYS, ("suite",))
    name = given["suite"].text()
    if (source := beside(path, name)) is None:
        known = [p.stem for p in suite_files(path.parent) if p != path]
        given["suite"].fail(f"no suite {name!r} beside this one{nearest(name, known)}")
    if source.resolve() in chain:
        given["suite"].fail("suites include each other in a circle")
    return load(source, profile or (given["profile"].text() if "profile" in given else None), chain)


def _only(node: Node) -> Filter:
    try:
        return Filter(node.text())
    except GanbenchError as error:
        node.fail(str(error).removeprefix("--only "))


def _paper(path: Path, top: dict[str, Node], profile_name: str) -> Suite:
    paper = top["paper"].mapping(PAPER_KEYS, ("title", "venue"))
    recipes = read_recipes(top["recipes"])
    profiles = _profiles(top, part_names(top["recipes"]))
    if profile_name not in profiles:
        raise SuiteError(f"{path}: no profile {profile_name!r}{nearest(profile_name, profiles)}")
    name = top["suite"].text()
    tolerance = _tolerance(top["tolerance"]) if "tolerance" in top else {}
    reader = TableReader(name, path, recipes, read_protocol(top["protocol"]), profiles[profile_name], tolerance)
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


def _profiles(top: dict[str, Node], parts: set[str]) -> dict[str, Profile]:
    """Every profile; one that says ``from`` changes what the named one, which stands before it, has changed."""
    found = {"full": Profile("full")}
    for name, node in (top["profiles"].mapping() if "profiles" in top else {}).items():
        if name == "full":
            node.fail("profile 'full' is the paper's own and cannot be changed")
        given = node.mapping(PROFILE_KEYS)
        if "from" in given and given["from"].text() not in found:
            given["from"].fail(
                f"no profile {given['from'].text()!r} stands before this one{nearest(given['from'].text(), found)}"
            )
        base = found[given["from"].text() if "from" in given else "full"]
        recipe = (read_draft(given["recipe"], parts, "profile"),) if "recipe" in given else ()
        protocol = (read_protocol(given["protocol"], profile=True),) if "protocol" in given else ()
        found[name] = Profile(name, base.recipe + recipe, base.protocol + protocol)
    return found


def _tolerance(node: Node) -> dict[str, Tolerance]:
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping(TOLERANCE_KEYS, TOLERANCE_KEYS)
        if (relative := given["relative"].number()) <= 0:
            given["relative"].fail(f"a tolerance must be positive, found {relative:g}")
        if relative >= 1:
            percent = f"{relative:g} is {100 * relative:g} %; 5 % is 0.05"
            given["relative"].fail(f"a tolerance is a share of the published number, less than all of it: {percent}")
        found[metric] = Tolerance(relative, given["source"].text())
    return found
