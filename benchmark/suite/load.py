"""From a suite file to cells. The format is described in ``suites/README.md``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.data.cards import cards as dataset_cards
from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import Protocol
from benchmark.suite import published
from benchmark.suite.claims import read_claims
from benchmark.suite.filter import Filter
from benchmark.suite.model import METRICS, ORIGINS, Cell, Column, Suite, Table, Tolerance
from benchmark.suite.nodes import Node, SuiteError, read
from benchmark.suite.recipes import CHOICES, Draft, finish, finish_protocol, read_draft, read_protocol, read_recipes

SUITES = "suites"  # the folder that a bare suite name is looked up in, below the working directory
COORDINATES = ("dataset", "resolution", "data_percent")  # what a column may set; recipe fields too


@dataclass(frozen=True)
class Profile:
    """A named transformation of every recipe and protocol of a suite."""

    name: str
    recipe: Draft
    protocol: Node | None


def find(name: str) -> Path:
    """The suite file of a name, a file or a folder with one; raises SuiteError with the nearest name."""
    path = Path(name)
    if path.is_file():
        return path
    named = Path(SUITES) / f"{name}.yaml"
    if named.is_file():
        return named
    known = [p.stem for p in Path(SUITES).glob("*.yaml")]
    where = f" in {Path(SUITES).resolve()}" if not known else ""
    raise SuiteError(f"no suite {name!r}{where}{nearest(name, known) if known else ': no suite file there'}")


def load_all(names: list[str], profile: str | None = None) -> list[Suite]:
    """Every named suite; a folder stands for the suites in it; no name stands for all in ``suites/``."""
    paths: list[Path] = []
    for name in names or [SUITES]:
        paths += sorted(Path(name).glob("*.yaml")) if Path(name).is_dir() else [find(name)]
    if not paths:
        raise SuiteError(f"no suite files in {', '.join(names or [SUITES])}")
    return [load(path, profile) for path in paths]


def load(path: Path, profile: str | None = None) -> Suite:
    """One suite under a profile (default ``full``, or what an including suite states).

    Raises:
        SuiteError: anything wrong in the file, as ``file:line:column: what; did you mean …``.
    """
    root = read(path)
    top = root.mapping({"suite", "paper", "protocol", "recipes", "profiles", "tables", "claims", "tolerance", "include"}, ("suite",))
    if "include" in top:
        return _selection(path, top, profile)
    for key in ("paper", "protocol", "recipes", "tables"):
        if key not in top:
            root.fail(f"missing key {key!r}")
    return _paper(path, top, profile or "full")


def _selection(path: Path, top: dict[str, Node], profile: str | None) -> Suite:
    """A suite that takes its cells from others: ``include: [{suite, profile, only}]``."""
    tables, claims, tolerance = [], [], {}
    for item in top["include"].items():
        given = item.mapping({"suite", "profile", "only"}, ("suite",))
        name = given["suite"].text()
        source = path.parent / f"{name}.yaml"
        if not source.is_file():
            known = [p.stem for p in path.parent.glob("*.yaml") if p != path]
            given["suite"].fail(f"no suite {name!r} beside this one{nearest(name, known)}")
        if source.resolve() == path.resolve():
            given["suite"].fail("a suite cannot include itself")
        suite = load(source, profile or (given["profile"].text() if "profile" in given else None))
        only = Filter(given["only"].text()) if "only" in given else None
        kept = [replace(t, cells=tuple(c for c in t.cells if only is None or only(c))) for t in suite.tables]
        if not any(t.cells for t in kept):
            item.fail("this selection holds no cell")
        tables += [t for t in kept if t.cells]
        claims += suite.claims
        tolerance |= suite.tolerance
    name = top["suite"].text()
    profiles = sorted({c.profile for t in tables for c in t.cells})
    return Suite(name, path, f"cells of {len({c.paper for t in tables for c in t.cells})} paper(s)", "", "+".join(profiles), tuple(profiles), tuple(tables), tuple(claims), tolerance)


def _paper(path: Path, top: dict[str, Node], profile_name: str) -> Suite:
    paper = top["paper"].mapping({"title", "venue"}, ("title", "venue"))
    profiles = _profiles(top)
    if profile_name not in profiles:
        raise SuiteError(f"{path}: no profile {profile_name!r}{nearest(profile_name, profiles)}")
    name = top["suite"].text()
    reader = _TableReader(
        paper=name,
        recipes=read_recipes(top["recipes"]),
        protocol=read_protocol(top["protocol"], {}),
        profile=profiles[profile_name],
    )
    tables = tuple(reader.table(key, node) for key, node in top["tables"].mapping().items())
    return Suite(
        name=name,
        path=path,
        title=paper["title"].text(),
        venue=paper["venue"].text(),
        profile=profile_name,
        profiles=tuple(profiles),
        tables=tables,
        claims=read_claims(top["claims"], tables) if "claims" in top else (),
        tolerance=_tolerance(top["tolerance"]) if "tolerance" in top else {},
    )


def _profiles(top: dict[str, Node]) -> dict[str, Profile]:
    found = {"full": Profile("full", Draft(), None)}
    for name, node in (top["profiles"].mapping() if "profiles" in top else {}).items():
        if name == "full":
            node.fail("profile 'full' is the paper's own and cannot be changed")
        given = node.mapping({"recipe", "protocol"})
        draft = read_draft(given["recipe"])[0] if "recipe" in given else Draft()
        found[name] = Profile(name, draft, given.get("protocol"))
    return found


def _tolerance(node: Node) -> dict[str, Tolerance]:
    found = {}
    for metric, value in node.mapping(METRICS).items():
        given = value.mapping({"relative", "source"}, ("relative", "source"))
        found[metric] = Tolerance(given["relative"].number(), given["source"].text())
    return found


@dataclass(frozen=True)
class _TableReader:
    """What every table of a suite shares while it is read."""

    paper: str
    recipes: dict[str, tuple[Draft, Node]]
    protocol: dict[str, Any]
    profile: Profile

    def table(self, key: str, node: Node) -> Table:
        given = node.mapping({"caption", "metrics", "std_of", "backbone", "columns", "transposed", "protocol", "rows"}, ("caption", "metrics", "rows"))
        metrics = self._metrics(given["metrics"])
        columns = [self._column(c) for c in given["columns"].items()] if "columns" in given else [Column()]
        std_of = given["std_of"].one_of(CHOICES["std_of"], "std_of") if "std_of" in given else "unknown"
        protocol = read_protocol(given["protocol"], self.protocol) if "protocol" in given else self.protocol
        rows = given["rows"].mapping()
        backbone = given["backbone"].text() if "backbone" in given else ""
        cells = [cell for name, row in rows.items() for cell in self._row(key, name, row, metrics, columns, std_of, protocol, backbone)]
        _refuse_twins(cells, given["rows"])
        transposed = given["transposed"].boolean() if "transposed" in given else False
        return Table(key, given["caption"].text(), metrics, tuple(cells), transposed)

    def _metrics(self, node: Node) -> dict[str, str]:
        found = {}
        if not node.is_mapping():
            node.fail("a metric needs its direction: write '{FID: lower, IS: higher}'")
        for name, value in node.mapping(METRICS).items():
            found[name] = value.one_of(("lower", "higher"), f"direction of {name}")
        return found

    def _column(self, node: Node) -> Column:
        given = node.mapping(COORDINATES)
        return Column(
            dataset=_dataset(given["dataset"]) if "dataset" in given else None,
            resolution=given["resolution"].integer() if "resolution" in given else None,
            data_percent=given["data_percent"].number() if "data_percent" in given else None,
        )

    def _row(
        self, table: str, name: str, node: Node, metrics: dict[str, str], columns: list[Column], std_of: str, protocol: dict[str, Any], backbone: str
    ) -> list[Cell]:
        given = node.mapping({*metrics, "recipe", "method", "backbone", "origin", "protocol"})
        recipe_node = given.get("recipe", node)
        recipe_name = given["recipe"].text() if "recipe" in given else name
        if recipe_name not in self.recipes:
            recipe_node.fail(f"unknown recipe {recipe_name!r}{nearest(recipe_name, self.recipes)}")
        draft, recipe_at = self.recipes[recipe_name]
        if "protocol" in given:
            protocol = read_protocol(given["protocol"], protocol)
        origin = given["origin"].one_of(ORIGINS, "origin") if "origin" in given else "own"
        numbers = {m: published.read_row(given[m], len(columns), std_of, origin) for m in metrics if m in given}
        full_protocol = finish_protocol(protocol, node)
        method = given["method"].text() if "method" in given else name
        row_backbone = given["backbone"].text() if "backbone" in given else backbone
        return [
            self._cell(table, method, row_backbone, column, {m: n[i] for m, n in numbers.items()}, draft, recipe_at, full_protocol, node)
            for i, column in enumerate(columns)
        ]

    def _cell(
        self, table: str, method: str, backbone: str, column: Column, numbers: dict, draft: Draft, recipe_at: Node, full_protocol: Protocol, node: Node
    ) -> Cell:
        chosen = Draft({k: v for k in COORDINATES if (v := getattr(column, k)) is not None}).over(draft)
        full = finish(chosen, recipe_at, "the recipe")
        if self.profile.name == "full":
            recipe, protocol = full, full_protocol
        else:
            recipe = finish(self.profile.recipe.over(chosen), recipe_at, f"the recipe in profile {self.profile.name}")
            fields = {k: getattr(full_protocol, k) for k in full_protocol.__dataclass_fields__}
            protocol = finish_protocol(read_protocol(self.profile.protocol, fields), node) if self.profile.protocol else full_protocol
        for r in (full, recipe):
            _check_dataset(r, recipe_at)
        return Cell(
            paper=self.paper, table=table, method=method, backbone=backbone, dataset=full.dataset,
            data_percent=full.data_percent, resolution=full.resolution, published=numbers, recipe=recipe,
            protocol=protocol, full_recipe=full, full_protocol=full_protocol, profile=self.profile.name, notes=chosen.notes,
        )  # fmt: skip


def _dataset(node: Node) -> str:
    return node.one_of(dataset_cards(), "dataset")


def _check_dataset(recipe: Any, node: Node) -> None:
    if recipe.dataset not in dataset_cards():
        node.fail(f"unknown dataset {recipe.dataset!r}{nearest(recipe.dataset, dataset_cards())}")
    try:
        dataset_cards()[recipe.dataset].check(recipe.split, recipe.resolution, recipe.channels)
    except GanbenchError as error:
        node.fail(str(error))


def _refuse_twins(cells: list[Cell], node: Node) -> None:
    seen: set[str] = set()
    for cell in cells:
        if cell.id in seen:
            node.fail(f"two rows make the same cell {cell.id}")
        seen.add(cell.id)
