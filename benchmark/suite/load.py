"""From a suite file to cells. The format is described in ``suites/README.md``."""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmark.errors import GanbenchError, nearest, plain
from benchmark.suite.claim import Claim
from benchmark.suite.claims import read_claims
from benchmark.suite.draft import Draft
from benchmark.suite.filter import Filter
from benchmark.suite.find import SUITES, find, is_a, suite_files
from benchmark.suite.model import METRICS, Alive, Suite, Table, Tolerance
from benchmark.suite.namesakes import clash, once
from benchmark.suite.nodes import Node, SuiteError, read
from benchmark.suite.recipes import part_names, read_draft, read_protocol, read_recipes
from benchmark.suite.rows import Profile
from benchmark.suite.tables import TableReader

NARROWEST = 1e-6
MOST_PROFILES, MOST_INCLUDES = 20, 100
DEEPEST = 10  # suites that include each other in a row
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,99}")  # it names folders and files
RESERVED = ("index", "claims", "cells")  # pages that every report has


def load_all(names: str | Sequence[str] = (), profile: str | None = None) -> list[Suite]:
    """Every named suite, once. A folder stands for the papers in it, without selections from them.

    Args:
        names: as ``find`` takes them; none: the folder ``suites/``.

    Raises:
        SuiteError: as ``find`` and ``load``, or two of the files bear one name.
    """
    suites: list[Suite] = []
    for name in [names] if isinstance(names, str) else names or [SUITES]:
        if is_a(Path(name), stat.S_ISDIR):
            found = [p for p in suite_files(Path(name)) if "include" not in read(p).mapping()]
            if not found:
                raise SuiteError(f"no papers' suite files in {plain(name)}")
            suites += [load(path, profile) for path in found]
        else:
            suites.append(load(find(name), profile))
    if said := clash(suites):
        raise SuiteError(f"{said}, or give one at a time")
    return once(suites)


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
    top = root.mapping(
        {*["suite", "paper", "protocol", "recipes", "profiles", "tables", "claims", "tolerance", "alive", "include"]},
        ("suite",),
    )
    if not NAME.fullmatch(top["suite"].text()):
        top["suite"].fail(
            f"a suite's name is lower-case letters, digits and dashes, at most 100, found {top['suite'].text()[:120]!r}"
        )
    if top["suite"].text() in RESERVED:
        top["suite"].fail(f"a suite cannot be called {top['suite'].text()!r}: every report has a page of that name")
    if "include" in top:
        return _selection(path, top, profile, replace(including, chain=(*including.chain, path.resolve())))
    for key in ("paper", "protocol", "recipes", "tables"):
        if key not in top:
            root.fail(f"missing key {key!r}")
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


def _included(path: Path, item: Node, profile: str | None, including: Including) -> Suite:
    """The suite that an entry of ``include`` names: a file beside this one, read once however often it is included."""
    given = item.mapping({"suite", "profile", "only"}, ("suite",))
    name = given["suite"].text()
    if name.startswith(".") or "/" in name or "\\" in name:
        given["suite"].fail(f"a suite includes files of its own folder, by their names; found {name[:80]!r}")
    source = path.parent / f"{name}.yaml"
    if not is_a(source, stat.S_ISREG):
        known = [p.stem for p in suite_files(path.parent) if p != path]
        given["suite"].fail(f"no suite {name!r} beside this one{nearest(name, known)}")
    if (there := source.resolve()) in including.chain:
        given["suite"].fail("suites include each other in a circle")
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
    paper = top["paper"].mapping({"title", "venue", "notes"}, ("title", "venue"))
    recipes = read_recipes(top["recipes"])
    profiles = _profiles(top, part_names(top["recipes"]))
    if profile_name not in profiles:
        raise SuiteError(f"{path}: no profile {profile_name!r}{nearest(profile_name, profiles)}")
    name = top["suite"].text()
    tolerance = _tolerance(top["tolerance"]) if "tolerance" in top else {}
    protocol = read_protocol(top["protocol"]).over(Draft())
    reader = TableReader(name, path, recipes, protocol, profiles[profile_name], tolerance)
    reader.alive = _alive(top["alive"]) if "alive" in top else {}
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
    for name, node in (top["profiles"].at_most(MOST_PROFILES).mapping() if "profiles" in top else {}).items():
        if name == "full":
            node.fail("profile 'full' is the paper's own and cannot be changed")
        given = node.mapping({"from", "recipe", "protocol"})
        if "from" in given and given["from"].text() not in found:
            given["from"].fail(
                f"no profile {given['from'].text()!r} stands before this one{nearest(given['from'].text(), found)}"
            )
        base = found[given["from"].text() if "from" in given else "full"]
        recipe = (read_draft(given["recipe"], parts, "profile"),) if "recipe" in given else ()
        protocol = (read_protocol(given["protocol"], profile=True),) if "protocol" in given else ()
        found[name] = Profile(name, base.recipe + recipe, base.protocol + protocol)
    return found


def _alive(node: Node) -> dict[str, Alive]:
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping({"least", "source"}, ("least", "source"))
        found[metric] = Alive(given["least"].number(), given["source"].text())
    return found


def _tolerance(node: Node) -> dict[str, Tolerance]:
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping({"relative", "source", "absolute", "absolute_source"}, ("relative", "source"))
        if (relative := given["relative"].number()) <= 0:
            given["relative"].fail(f"a tolerance must be positive, found {relative:g}")
        if relative < NARROWEST:
            given["relative"].fail(f"a tolerance is at least {NARROWEST:g}, found {relative:g}: no run could meet it")
        if relative >= 1:
            percent = f"{relative:g} is {100 * relative:g} %; 5 % is 0.05"
            given["relative"].fail(f"a tolerance is a share of the published number, less than all of it: {percent}")
        absolute = given["absolute"].number() if "absolute" in given else 0.0
        if "absolute" in given and absolute <= 0:
            given["absolute"].fail(f"a tolerance must be positive, found {absolute:g}")
        if ("absolute" in given) != ("absolute_source" in given):
            value.fail("an absolute tolerance has its own source: absolute and absolute_source go together")
        why = given["absolute_source"].text() if "absolute" in given else ""
        found[metric] = Tolerance(relative, given["source"].text(), absolute, why)
    return found
