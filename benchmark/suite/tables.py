"""Tables as a suite writes them: rows and columns to cells, recipes and protocols resolved under a profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmark.data.cards import cards as dataset_cards
from benchmark.errors import GanbenchError, nearest
from benchmark.recipe import Protocol, Recipe
from benchmark.suite import published
from benchmark.suite.model import METRICS, ORIGINS, Cell, Column, Published, Table, Tolerance
from benchmark.suite.nodes import Node
from benchmark.suite.recipes import CHOICES, Draft, finish, finish_protocol, read_protocol, scalar

COORDINATES = ("dataset", "resolution", "data_percent")  # what a column may set; recipe fields too


@dataclass(frozen=True)
class Profile:
    """A named transformation of every recipe and protocol of a suite."""

    name: str
    recipe: Draft
    protocol: Node | None


@dataclass(frozen=True)
class TableReader:
    """Reads the tables of one suite under one profile."""

    paper: str
    recipes: dict[str, tuple[Draft, Node]]
    protocol: dict[str, Any]
    profile: Profile
    tolerance: dict[str, Tolerance]

    def table(self, key: str, node: Node) -> Table:
        """One table: its cells row by row, each with recipe and protocol resolved."""
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
        return Table(self.paper, key, given["caption"].text(), metrics, tuple(cells), transposed, self.tolerance)

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
            data_percent=scalar("data_percent", "float", given["data_percent"]) if "data_percent" in given else None,
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
        self, table: str, method: str, backbone: str, column: Column, numbers: dict[str, Published], draft: Draft, recipe_at: Node, full_protocol: Protocol, node: Node
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


def _check_dataset(recipe: Recipe, node: Node) -> None:
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
